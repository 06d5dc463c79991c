"""A judgement without effect: what would become of a request, and why.

It takes place in a copy of what judging changes (rates, records, tokens), by rules of its own where some are defective
on purpose, and no write happens: nothing is counted, remembered, noted or drawn.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

from paylera_fixtures.api.operations import BY_ID
from paylera_mock.core.messages import Answer, Decision, Outcome, Reply, Request
from paylera_mock.core.problems import Problem
from paylera_mock.core.randomness import Randomness
from paylera_mock.explain.hints import hint_for
from paylera_mock.explain.trace import TracedCheck, as_json, trace_checks
from paylera_mock.journal.recorder import JournalEntry, without_secrets
from paylera_mock.namespaces.mutant_counter import MutantCounter
from paylera_mock.namespaces.namespace import Namespace
from paylera_mock.pipeline.context import Behaviour, Context, Effect, Judgement, Rule
from paylera_mock.pipeline.engine import first_to_decide
from paylera_mock.state.namespace_state import State


@dataclass(frozen=True)
class Explanation:
    """Which rule decides about a request and what, a hint where it refuses, and the whole ladder."""

    rule: Rule
    decision: Decision | None
    status: int
    would_be: str
    hint: str
    rungs: tuple[TracedCheck, ...]

    @property
    def problem(self) -> str | None:
        """The code of the refusal, where it is one."""
        return self.decision.type.code if isinstance(self.decision, Problem) else None

    def to_json(self) -> dict[str, Any]:
        """As JSON shows it."""
        return {
            "verdict": {
                "rule": self.rule.name,
                "clause": self.rule.clause,
                "status": self.status,
                "problem": self.problem,
            },
            "would_be": self.would_be or None,
            "hint": self.hint or None,
            "ladder": as_json(list(self.rungs)),
        }


def explain(request: Request, namespace: Namespace, authorization: str = "") -> Explanation:
    """Judge a request without effect. `authorization`: the header as sent. The namespace's lock is to be held."""
    context = _rehearsal(request, namespace)
    rule, decision = first_to_decide(context)
    status = int(decision.status)
    hint = ""
    if isinstance(decision, Problem):
        hint = hint_for(Judgement(Answer(status, (), b""), rule, context, decision), authorization, namespace)
    context.request = without_secrets(request)
    rungs = tuple(trace_checks(context, rule, decision, hint))
    said = hint or next((rung.hint for rung in rungs if rung.hint), "")
    return Explanation(rule, decision, status, _would_be(context, decision), said, rungs)


def explained(exchange: JournalEntry) -> Explanation:
    """The explanation of an exchange that took place."""
    rungs = tuple(trace_checks(exchange.context, exchange.rule, exchange.decision, exchange.hint))
    hint = exchange.hint or next((rung.hint for rung in rungs if rung.hint), "")
    return Explanation(exchange.rule, exchange.decision, exchange.answer.status, "", hint, rungs)


def _rehearsal(request: Request, namespace: Namespace) -> Context:
    """The beginning of a judgement that leaves no trace."""
    behaviour = Behaviour(namespace.policy, namespace.pipeline)
    if namespace.mutants:
        # Defects that remember what they saw must not learn from this, and those that are counted not be counted.
        behaviour = namespace.add_mutants(namespace.unmutated, namespace.mutants, MutantCounter())
    pipeline = replace(behaviour.pipeline, effects=_harmless(behaviour.pipeline.effects))
    return Context.of(request, _stage(namespace.state, behaviour), pipeline)


def _stage(state: State, behaviour: Behaviour) -> State:
    stage = copy.copy(state)
    stage.policy = behaviour.policy
    stage.randomness = Randomness()
    stage.limiter = state.limiter.copy()
    stage.idempotency = state.idempotency.copy()
    stage.tokens = state.tokens.copy()
    return stage


def _harmless(effects: Mapping[str, Effect]) -> Mapping[str, Effect]:
    """The same effects, but that no write happens."""
    return MappingProxyType({name: effect if BY_ID[name].is_read else _happens for name, effect in effects.items()})


def _happens(context: Context) -> Outcome:
    return Reply(context.called.status)


def _would_be(context: Context, decision: Decision) -> str:
    """What would come of it."""
    if isinstance(decision, Problem):
        return ""
    if isinstance(decision, Answer):
        return "The answer that was kept for the key would be sent again."
    operation = context.operation
    if operation is None or operation.is_read:
        return "The answer would be sent."
    return "The operation would happen, if its objects let it."
