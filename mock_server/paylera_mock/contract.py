"""How a namespace judges: the rules, the small decisions, the effects, and the writing of answers, as one value.

A deliberate defect is a pipeline with one of them replaced by name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from paylera_mock.core.policy import Policy
from paylera_mock.operations import EFFECTS
from paylera_mock.pipeline.context import Context, Decision, Effect, Rule
from paylera_mock.pipeline.decisions import Decisions
from paylera_mock.pipeline.responses import STEPS, Headers, Step, Writers
from paylera_mock.pipeline.rules import RULES


@dataclass(frozen=True)
class Pipeline:
    """What stands between a request and its answer. Immutable: each method gives a changed copy."""

    rules: tuple[Rule, ...] = RULES
    decisions: Decisions = field(default_factory=Decisions)
    effects: Mapping[str, Effect] = field(default_factory=lambda: EFFECTS)
    steps: tuple[Step, ...] = STEPS
    writers: Writers = field(default_factory=Writers)

    def with_rule(self, name: str, check: Callable[[Context], Decision | None]) -> Pipeline:
        """The same with another check in the place of a rule. Raises `KeyError` where no rule has the name."""
        return replace(self, rules=_replaced(self.rules, name, check=check))

    def with_rule_before(self, name: str, added: Rule) -> Pipeline:
        """The same with one rule more, before another. Raises `KeyError` where no rule has the name."""
        place = self.rules.index(_named(self.rules, name))
        return replace(self, rules=(*self.rules[:place], added, *self.rules[place:]))

    def check_of(self, name: str) -> Callable[[Context], Decision | None]:
        """The check of a rule. Raises `KeyError` where no rule has the name."""
        check: Callable[[Context], Decision | None] = _named(self.rules, name).check
        return check

    def headers_of(self, name: str) -> Callable[[Context, Decision], Headers]:
        """What a step in the writing of headers writes. Raises `KeyError` where no step has the name."""
        headers: Callable[[Context, Decision], Headers] = _named(self.steps, name).headers
        return headers

    def with_decision(self, name: str, decision: Callable[..., Any]) -> Pipeline:
        """The same with another answer to one of the small questions. Raises `TypeError` for an unknown name."""
        return replace(self, decisions=replace(self.decisions, **{name: decision}))

    def with_effect(self, operation_id: str, effect: Effect) -> Pipeline:
        """The same with another effect of an operation. Raises `KeyError` where there is no such operation."""
        if operation_id not in self.effects:
            raise KeyError(operation_id)
        return replace(self, effects={**self.effects, operation_id: effect})

    def with_step(self, name: str, headers: Callable[[Context, Decision], Headers]) -> Pipeline:
        """The same with another step in the writing of headers. Raises `KeyError` where no step has the name."""
        return replace(self, steps=_replaced(self.steps, name, headers=headers))

    def with_writer(self, name: str, writer: Callable[..., bytes]) -> Pipeline:
        """The same with another writer of bodies. Raises `TypeError` for an unknown name."""
        return replace(self, writers=replace(self.writers, **{name: writer}))


def _replaced(table: tuple[Any, ...], name: str, **change: Any) -> tuple[Any, ...]:
    """A table with one of its rows changed."""
    changed = _named(table, name)
    return tuple(replace(row, **change) if row is changed else row for row in table)


def _named(table: tuple[Any, ...], name: str) -> Any:
    for row in table:
        if row.name == name:
            return row
    raise KeyError(name)


@dataclass(frozen=True)
class Manner:
    """How a namespace judges: by which numbers and readings, and by which rules."""

    policy: Policy
    pipeline: Pipeline = field(default_factory=Pipeline)

    def but(self, **changes: Any) -> Manner:
        """The same with another member."""
        return replace(self, **changes)
