"""What the target shows of an operation's effect: before refused calls, after them, and after an accepted one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Final

from paylera_conformance.matrix.calls import Call, object_of
from paylera_conformance.matrix.look import Look, look_at
from paylera_conformance.matrix.rules import Rule
from paylera_conformance.model.messages import Exchange, Request
from paylera_conformance.model.outcomes import Blocked, CaseEnd, Inapplicable, NotOffered, Violation
from paylera_conformance.probe.answers import mentions, strings_in
from paylera_conformance.scenarios.effects import agreement
from paylera_fixtures.api.examples import EXAMPLES
from paylera_fixtures.api.operations import BY_ID, OPERATIONS, Operation

NO_EFFECT: Final = "no-effect"
"""The row of credential.refusal-has-no-effect: it is no refusal itself, and looks at what those of others did."""

_LISTS: Final = {operation.resource: operation for operation in OPERATIONS if operation.is_list}
_MADE_BESIDE: Final = {"pay_invoice": "list_payments"}
"""What an operation adds to another list, where the object that it acts on does not show how often."""

_REFUSED: Final = "calls that are refused for who asks"


class Effects:
    """Looks at one thing that a call acts on: the object that it names, or the list that it adds to."""

    def __init__(self, call: Call) -> None:
        self._call = call
        self._probe = call.probe
        self._missing: CaseEnd | None = None
        self._states: list[object] = []
        # What is not the same in two looks with nothing between them, as a time, is no effect.
        self._usual: Exchange | None = None
        self._begin = 0
        self._shown: Exchange | None = None
        self.exchanges: list[Exchange] = []

    def note_before(self) -> None:
        """Look before the refused calls."""
        self._begin = len(self._probe.log)
        self._note()

    def note_after(self) -> None:
        """Look after the refused calls, which belong to what was seen."""
        self._note()
        self.exchanges = self._probe.log[self._begin :]
        self._shown = self.exchanges[-1] if self.exchanges else None

    @property
    def is_changed(self) -> bool:
        """Whether the refused calls were seen to have had an effect."""
        return self._missing is None and self._states[0] != self._states[1]

    def _note(self) -> None:
        if self._missing is None:
            begin = len(self._probe.log)
            try:
                self._states.append(self._read())
            except (Blocked, Inapplicable) as missing:
                self._missing = NotOffered(missing.reason, exchange=missing.exchange)
            self.exchanges += self._probe.log[begin:]

    def judge(self, accepted: Exchange, through: Sequence[str]) -> CaseEnd | None:
        """How the look ended, now that the same call was accepted; `None` where the refused ones had no effect.

        - `through`: the rules whose changed calls were accepted, and so may have had one.
        """
        if through:
            return Blocked(f"calls that were to be refused were accepted: {', '.join(through)}", exchange=accepted)
        self._note()
        if self._missing is not None:
            return self._missing
        before, between, after = self._states
        if before != between:
            return self.violation(_REFUSED)
        if between == after:
            return NotOffered(f"the target does not show what an accepted {self._call.operation} does")
        return None

    def violation(self, change: str, hint: str = "the refusal must come before the effect") -> Violation:
        """What is wrong where calls had an effect that must have none: the answer that shows it decides."""
        wanted, got = "what the call acts on as it was", "a change of it"
        return Violation(wanted, got, change=change, hint=hint, exchange=self._shown)

    def _read(self) -> object:
        operation, request = self._call.operation, self._call.request
        if not operation.has_parameter:
            return self._count(_unique_text(operation, request), _LISTS[operation.resource])
        reading = BY_ID.get(f"get_{operation.resource}")
        if reading is None:
            return self._count(object_of(request), _LISTS[operation.resource])
        token = self._probe.tokens.for_operation(reading)
        read = Request("GET", reading.concrete(object_of(request)), token)
        shown = self._probe.send(read)
        if not shown.response.ok:
            return shown.response.status
        if self._usual is None:
            self._usual = self._probe.send(read)
        return agreement(shown.response.json, self._usual.response.json), self._count_made_beside()

    def _count_made_beside(self) -> int | None:
        """How much there is of what a call makes beside the object that it acts on; `None` where that is not listed."""
        made = _MADE_BESIDE.get(self._call.operation.id)
        with suppress(Blocked, Inapplicable):
            return None if made is None else self._count(object_of(self._call.request), BY_ID[made])
        return None

    def _count(self, text: str, operation: Operation) -> int:
        """The entries of a list that mention a text."""
        return sum(mentions(entry, text) for entry in self._probe.factory.list_entries(operation))


def find_effects(call: Call, rules: Iterable[Rule]) -> Mapping[str, Look]:
    """The rules whose call is refused and done all the same, by their names: each is looked at by itself."""
    found = {}
    for rule in rules:
        effects = Effects(call)
        effects.note_before()
        look = look_at(rule, call)
        effects.note_after()
        if effects.is_changed and not look.is_accepted:
            found[rule.name] = replace(look, end=effects.violation(rule.words), exchanges=tuple(effects.exchanges))
    return found


def _unique_text(operation: Operation, request: Request) -> str:
    """A text of a body that no other test's object has: a name made for it, or the id of an object that is its own."""
    usual = set(strings_in(EXAMPLES[operation.id]))
    return next(text for text in strings_in(request.json) if text not in usual)
