"""A judgement without effect: what would become of a request, and why.

It takes place in a copy of what judging changes (rates, records, tokens), by mutants of its own where there are some,
and no write happens: nothing is counted, remembered, noted in the audit log or drawn at random.
"""

from __future__ import annotations

import copy
from dataclasses import replace

from msgspec import Struct

from paylera_fixtures.api.operations import BY_ID
from paylera_mock.core.messages import Answer, Decision, Outcome, Reply, Request
from paylera_mock.core.problems import Problem
from paylera_mock.core.randomness import Randomness
from paylera_mock.explain.hints import hint_for
from paylera_mock.explain.trace import TracedCheck, trace_checks, trace_entry
from paylera_mock.journal.recorder import JournalEntry, without_secrets
from paylera_mock.namespaces.mutant_counter import MutantCounter
from paylera_mock.namespaces.namespace import Namespace
from paylera_mock.pipeline.context import Behaviour, Context, Pipeline, Rule
from paylera_mock.pipeline.engine import decide
from paylera_mock.state.namespace_state import State


class ExplainedDecision(Struct):
    """Which rule decides, and how a refusal is answered: `problem` is its code, and `null` for an acceptance."""

    rule: str
    clause: str
    status: int
    problem: str | None


class Explanation(Struct):
    """What decides about a request, what an acceptance would lead to, a hint for a refusal, and every check."""

    verdict: ExplainedDecision
    would_be: str | None
    hint: str | None
    ladder: list[TracedCheck]

    @classmethod
    def of(
        cls,
        rule: Rule,
        decision: Decision | None,
        *,
        status: int,
        would_be: str | None,
        hint: str,
        checks: list[TracedCheck],
    ) -> Explanation:
        """The explanation of a decision. Where there is no `hint`, it is that of the first check that has one."""
        problem = decision.type.code if isinstance(decision, Problem) else None
        hint = hint or next((check.hint for check in checks if check.hint), "")
        return cls(ExplainedDecision(rule.name, rule.clause, status, problem), would_be, hint or None, checks)


def explain_request(request: Request, namespace: Namespace, authorization: str = "") -> Explanation:
    """Judge a request without effect. `authorization`: the header as sent. The namespace's lock must be held."""
    context = _begin(request, namespace)
    rule, decision = decide(context)
    hint = hint_for(context, rule, authorization, namespace) if isinstance(decision, Problem) else ""
    context.request = without_secrets(request)
    checks = trace_checks(context, rule, decision, hint)
    would_be = _would_be(context, decision)
    return Explanation.of(rule, decision, status=int(decision.status), would_be=would_be, hint=hint, checks=checks)


def explain_entry(entry: JournalEntry) -> Explanation:
    """The explanation of an exchange in the journal."""
    status, checks = entry.answer.status, trace_entry(entry)
    return Explanation.of(entry.rule, entry.decision, status=status, would_be=None, hint=entry.hint, checks=checks)


def _begin(request: Request, namespace: Namespace) -> Context:
    """The context of a judgement that leaves no trace."""
    state, pipeline = copy_behaviour(namespace, reads=True)
    return Context.of(request, state, pipeline)


def copy_behaviour(namespace: Namespace, *, reads: bool) -> tuple[State, Pipeline]:
    """A state and a pipeline in which requests can be judged without a trace; with `reads`, reads happen."""
    behaviour = Behaviour(namespace.policy, namespace.pipeline)
    if namespace.mutants:
        # Mutants that remember what they saw must not learn from this, and those that are counted not be counted.
        behaviour = namespace.add_mutants(namespace.unmutated, namespace.mutants, MutantCounter())
    pipeline = behaviour.pipeline
    effects = {
        name: effect if reads and BY_ID[name].is_read else _do_nothing for name, effect in pipeline.effects.items()
    }
    state = copy.copy(namespace.state)
    state.policy = behaviour.policy
    state.randomness = Randomness()
    state.limiter, state.idempotency = state.limiter.copy(), state.idempotency.overlay()
    state.tokens = state.tokens.overlay()
    return state, replace(pipeline, effects=effects)


def _do_nothing(context: Context) -> Outcome:
    return Reply(context.called_operation.status)


def _would_be(context: Context, decision: Decision) -> str | None:
    """What an acceptance would lead to; `None` for a refusal."""
    if isinstance(decision, Problem):
        return None
    if isinstance(decision, Answer):
        return "The answer that was kept for the key would be sent again."
    if context.called_operation.is_read:
        return "The answer would be sent."
    return "The operation would happen, if its objects let it."
