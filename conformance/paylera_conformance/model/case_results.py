"""What came of each case, and from that what came of each clause."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from typing import Annotated, Final, Literal, TypeAlias

from msgspec import Meta, Struct
from msgspec.structs import replace

from paylera_conformance.model.messages import CredentialNote, ExchangeRecord, Seconds
from paylera_conformance.model.outcomes import ClauseResult, Outcome, worst
from paylera_fixtures.clauses import Clause, Level, clauses_of
from paylera_fixtures.vocabulary import Profile

_NAMED: Final = 5
"""So many operations are named in one line."""

Count = Annotated[int, Meta(ge=0)]
PassedTime: TypeAlias = Literal["moved clock", "wall clock", ""]
"""How time passed that had to for a case; empty where none had to."""


class CellNote(Struct, frozen=True, forbid_unknown_fields=True):
    """Which cell of the matrix a case is.

    - `rule`: the row, by its name; `operation`: the column, as method and path;
    - `features`: what its calls carried besides, for each look at it; empty for a call with nothing besides;
    - `shared`: how many of its requests are counted with another cell of the operation already;
    - `held`: the further columns of a case that is about several operations, on which the rule held.
    """

    rule: str
    operation: str
    features: tuple[str, ...] = ()
    shared: Count = 0
    held: tuple[str, ...] = ()


class CaseOutcome(Struct, frozen=True, forbid_unknown_fields=True):
    """What came of one case, without its evidence.

    - `headline`, `message`: in one line, and in full; empty for a pass;
    - `dropped`: the case was about an operation that the target does not have, and others stand for the clause;
    - `deviates`: it ended in a `Deviation`;
    - `planned`: how many cases the clause has when nothing is deselected;
    - `partial`: single cases were picked by name, so that it is not known whether these are all;
    - `change`, `wanted`, `got`, `hint`: the parts of a violation's message;
    - `time_evidence`: how time passed that had to; `instants`: at how many instants it looked after that;
    - `connections`: on how many connections of their own it was looked whether all processes behind the target agree;
    - `left_behind`: what it made at the target and could not remove;
    - `cell`: the cell of the matrix that it is.
    """

    clause: str
    case: str
    outcome: Outcome
    headline: str = ""
    message: str = ""
    dropped: bool = False
    deviates: bool = False
    planned: Count = 0
    partial: bool = False
    requests: Count = 0
    change: str = ""
    wanted: str = ""
    got: str = ""
    hint: str = ""
    time_evidence: PassedTime = ""
    instants: Count = 0
    connections: Count = 0
    seconds: Seconds = 0.0
    left_behind: tuple[str, ...] = ()
    cell: CellNote | None = None

    @property
    def new_requests(self) -> int:
        """The requests that were sent for this case, and are counted with no other."""
        return self.requests - (self.cell.shared if self.cell else 0)


class CaseResult(CaseOutcome, frozen=True):
    """What came of one case, with its evidence. It travels as JSON from a worker, and into the state file.

    - `exchanges`: what was sent and answered; empty where nobody asked for a report;
    - `control_calls`: what was asked of the target's control API for it, with the answers: tokens, moves of the clock;
    - `credentials`: what each credential that it sent is said to be.
    """

    exchanges: tuple[ExchangeRecord, ...] = ()
    control_calls: tuple[ExchangeRecord, ...] = ()
    credentials: tuple[CredentialNote, ...] = ()


def settle_deviations(cases: Iterable[CaseResult]) -> list[CaseResult]:
    """The cases, each deviation a failure where another case of its clause was judged and is none.

    Who departs from the letter of a clause everywhere keeps a rule of its own; who does so here and there keeps none.
    """
    cases = list(cases)
    judged = {Outcome.PASS, Outcome.FAIL, Outcome.WARN}
    uneven = {case.clause for case in cases if case.outcome in judged and not (case.deviates or case.dropped)}
    return [replace(case, outcome=Outcome.FAIL) if case.deviates and case.clause in uneven else case for case in cases]


def clause_results(cases: Iterable[CaseResult], profile: Profile) -> list[ClauseResult]:
    """Every clause that a profile looks at, in the order of the contract, whether a case of it ran or not.

    A case that is there twice (its call, then its clean-up) counts with the worse outcome.
    """
    by_clause = defaultdict(list)
    for case in cases:
        by_clause[case.clause].append(case)
    return [_clause_result(clause, clause.level(profile), by_clause[clause.id]) for clause in clauses_of(profile)]


def _clause_result(clause: Clause, level: Level, cases: Sequence[CaseResult]) -> ClauseResult:
    if not cases:
        return ClauseResult(clause.id, level, Outcome.NOT_RUN, "no case of it ran")
    kept = [case for case in cases if not case.dropped] or cases
    outcomes = {case.outcome for case in kept}
    # What was seen to be wrong is not undone by what could not be looked at.
    is_violated = any(case.outcome is Outcome.WARN and not case.deviates for case in kept)
    outcome = Outcome.WARN if is_violated and Outcome.ERROR not in outcomes else worst(outcomes)
    message = _message([case for case in kept if case.outcome is outcome], kept)
    # A violation that was seen is one, however many of the cases ran.
    if outcome.rank > Outcome.NOT_RUN.rank and not is_violated:
        # What was seen in a case of another clause is none of the planned ones.
        ran, planned = len({case.case for case in cases if case.planned}), max(case.planned for case in cases)
        if ran < planned:
            outcome, message = Outcome.NOT_RUN, f"only {ran} of its {planned} cases ran"
        elif any(case.partial for case in cases):
            outcome, message = Outcome.NOT_RUN, "its cases were picked by name"
    has_run = any(case.outcome is not Outcome.NOT_RUN and not case.dropped for case in cases)
    return ClauseResult(clause.id, level, outcome, message, len(cases), has_run=has_run)


def _message(deciding: Sequence[CaseResult], cases: Sequence[CaseResult]) -> str:
    """What to say of a clause: what most of the cases that decide say, and on which operations that is so."""
    own = [case for case in deciding if case.planned] or deciding  # rather than what was seen beside other clauses
    message = Counter(case.headline for case in own).most_common(1)[0][0]
    operations = list(dict.fromkeys(case.cell.operation for case in deciding if case.cell))
    if not operations or not message:
        return message
    among = len({name for case in cases if case.cell for name in (case.cell.operation, *case.cell.held)})
    more = f" and {len(operations) - _NAMED} more" if len(operations) > _NAMED else ""
    return f"on {len(operations)} of {among} operations ({', '.join(operations[:_NAMED])}{more}): {message}"


def outcome_at_level(outcome: Outcome, level: Level) -> Outcome:
    """What a violation comes to at a level: a `should` that is violated is a warning."""
    return Outcome.WARN if outcome is Outcome.FAIL and level is Level.SHOULD else outcome
