"""Refused calls: which there were, and what was said of each, for whoever has to find out why a run failed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from msgspec import Struct

from paylera_mock.core.problems import Problem
from paylera_mock.journal.recorder import NO_ROUTE, JournalEntry
from paylera_mock.journal.view import credential_label
from paylera_mock.pipeline import rules

_MOST: Final = 200
"""Kinds of refusal that are told apart; a further one takes the place of the oldest."""

_PATH_SHOWN: Final = 80


class Refusal(Struct, frozen=True):
    """One kind of refusal: of which call, by which token, as what, and what is to be done about it."""

    method: str
    route: str
    token: str | None
    status: int
    problem: str
    hint: str


class RefusalView(Refusal, frozen=True, kw_only=True):
    """A refusal as JSON shows it: how often it came."""

    count: int


class RefusalTable:
    """The refusals of one namespace or of several, the latest last. Bounded; not thread-safe by itself."""

    def __init__(self) -> None:
        self._counts: dict[Refusal, int] = {}

    def note(self, entry: JournalEntry) -> None:
        """Count an exchange, if it was refused by the contract and not by a fault."""
        decision = entry.decision
        if not isinstance(decision, Problem) or entry.rule.name == rules.FAULT.name:
            return
        route = entry.request.path[:_PATH_SHOWN] if entry.route == NO_ROUTE else entry.route
        hint = entry.hint or " ".join(f"{error.field}: {error.message}" for error in decision.errors)
        token, code = credential_label(entry.context), decision.type.code
        refusal = Refusal(entry.request.method, route, token, entry.answer.status, code, hint or decision.detail)
        self._add(refusal, 1)

    def merge(self, others: Iterable[tuple[Refusal, int]]) -> None:
        """Count those of another table too."""
        for refusal, count in others:
            self._add(refusal, count)

    def items(self) -> list[tuple[Refusal, int]]:
        """Each with how often it came, the latest last."""
        return list(self._counts.items())

    def _add(self, refusal: Refusal, count: int) -> None:
        self._counts[refusal] = self._counts.pop(refusal, 0) + count
        if len(self._counts) > _MOST:
            del self._counts[next(iter(self._counts))]
