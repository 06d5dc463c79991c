"""A judgement without effect: what would become of a request, and why.

It takes place in a copy of what judging changes (rates, records, tokens), by mutants of its own where there are some,
and no write happens: nothing is counted, remembered, noted in the audit log or drawn at random.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass, replace
from typing import Any

from paylera_fixtures.api.operations import BY_ID
from paylera_mock.core.messages import Answer, Decision, Outcome, Reply, Request
from paylera_mock.core.problems import Problem
from paylera_mock.core.randomness import Randomness
from paylera_mock.explain.hints import hint_for
from paylera_mock.explain.trace import TracedCheck, trace_checks, trace_entry, trace_json
from paylera_mock.journal.recorder import JournalEntry, without_secrets
from paylera_mock.namespaces.mutant_counter import MutantCounter
from paylera_mock.namespaces.namespace import Namespace
from paylera_mock.pipeline.context import Behaviour, Context, Rule
from paylera_mock.pipeline.engine import decide


@dataclass(frozen=True)
class Explanation:
    """Which rule decides about a request and what, a hint where it refuses, and the trace of all checks."""

    rule: Rule
    decision: Decision | None
    status: int
    would_be: str
    hint: str
    checks: list[TracedCheck]

    @property
    def problem(self) -> str | None:
        """The code of the refusal, where it is one."""
        return self.decision.type.code if isinstance(self.decision, Problem) else None

    def to_json(self) -> dict[str, Any]:
        """As JSON shows it."""
        rule = self.rule
        return {
            "verdict": {"rule": rule.name, "clause": rule.clause, "status": self.status, "problem": self.problem},
            "would_be": self.would_be or None,
            "hint": self.hint or next((check.hint for check in self.checks if check.hint), None),
            "ladder": trace_json(self.checks),
        }


def explain_request(request: Request, namespace: Namespace, authorization: str = "") -> Explanation:
    """Judge a request without effect. `authorization`: the header as sent. The namespace's lock must be held."""
    context = _begin(request, namespace)
    rule, decision = decide(context)
    hint = hint_for(context, rule, authorization, namespace) if isinstance(decision, Problem) else ""
    context.request = without_secrets(request)
    checks = trace_checks(context, rule, decision, hint)
    return Explanation(rule, decision, int(decision.status), _would_be(context, decision), hint, checks)


def explain_entry(entry: JournalEntry) -> Explanation:
    """The explanation of an exchange in the journal."""
    return Explanation(entry.rule, entry.decision, entry.answer.status, "", entry.hint, trace_entry(entry))


def _begin(request: Request, namespace: Namespace) -> Context:
    """The context of a judgement that leaves no trace."""
    behaviour = Behaviour(namespace.policy, namespace.pipeline)
    if namespace.mutants:
        # Mutants that remember what they saw must not learn from this, and those that are counted not be counted.
        behaviour = namespace.add_mutants(namespace.unmutated, namespace.mutants, MutantCounter())
    pipeline = behaviour.pipeline
    effects = {name: effect if BY_ID[name].is_read else _do_nothing for name, effect in pipeline.effects.items()}
    state = copy.copy(namespace.state)
    state.policy = behaviour.policy
    state.randomness = Randomness()
    state.limiter, state.idempotency, state.tokens = state.limiter.copy(), state.idempotency.copy(), state.tokens.copy()
    return Context.of(request, state, replace(pipeline, effects=effects))


def _do_nothing(context: Context) -> Outcome:
    return Reply(context.called.status)


def _would_be(context: Context, decision: Decision) -> str:
    """What an acceptance would lead to; empty for a refusal."""
    if isinstance(decision, Problem):
        return ""
    if isinstance(decision, Answer):
        return "The answer that was kept for the key would be sent again."
    if context.operation is None or context.operation.is_read:
        return "The answer would be sent."
    return "The operation would happen, if its objects let it."
