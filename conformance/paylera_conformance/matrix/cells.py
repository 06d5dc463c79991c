"""What came of one rule on one operation, over its rounds."""

from __future__ import annotations

from dataclasses import dataclass, field

from paylera_conformance.model.messages import Exchange
from paylera_conformance.model.outcomes import Blocked, CaseEnd, Deviation, Inapplicable, NotOffered, Violation
from paylera_conformance.target.provisioner import Need


@dataclass
class Cell:
    """What came of one rule on one operation.

    - `ends`: how it ended in each round: `None` where the rule held;
    - `exchanges`: the accepted calls and the changed ones, in order;
    - `features`: what its calls carried besides, in words, a round each;
    - `needs`: the tokens that its calls take;
    - `left_behind`: what the cells of its operation made and could not remove, told with the first of them.
    """

    ends: list[CaseEnd | None] = field(default_factory=list)
    exchanges: list[Exchange] = field(default_factory=list)
    features: list[str] = field(default_factory=list)
    needs: list[Need] = field(default_factory=list)
    left_behind: list[str] = field(default_factory=list)

    @property
    def end(self) -> CaseEnd | None:
        """The worst of its ends. What could not be had in one round was had in another, if any was."""
        ends = [end for end in self.ends if end is not None]
        deviations = [end for end in ends if isinstance(end, Deviation)]
        if deviations and None in self.ends:
            return _as_violation(deviations[0])
        if len(ends) < len(self.ends):
            ends = [end for end in ends if not isinstance(end, Blocked | NotOffered)]
        return min(ends, key=lambda end: end.outcome.rank, default=None)


def _as_violation(end: Deviation) -> Violation:
    """A departure that is none from a rule of the target's own: the same was answered otherwise beside it."""
    return Violation(end.wanted, end.got, change=end.change, hint=end.hint, exchange=end.exchange)


def dropped(end: CaseEnd) -> CaseEnd:
    """The end of a look that need not be had: what is missing for it drops out, and trouble on the way does not."""
    return NotOffered(end.reason, exchange=end.exchange) if isinstance(end, Blocked | Inapplicable) else end


def end_as(cell: Cell, nothing: str) -> None:
    """End a case as its cell did. Raises `CaseEnd`; with `nothing` as its reason where the cell was not looked at."""
    if not cell.ends:
        raise NotOffered(nothing)
    if cell.end is not None:
        raise cell.end.with_traceback(None)
