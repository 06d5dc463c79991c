"""The judgement of a request: through the rules until one decides, then the writing of the answer."""

from __future__ import annotations

from paylera_fixtures.api.operations import Resource
from paylera_mock.core.messages import Answer, Decision, Reply
from paylera_mock.pipeline import responses
from paylera_mock.pipeline.context import Context, Rule
from paylera_mock.state.idempotency import IdempotencyRecord


def first_to_decide(context: Context) -> tuple[Rule, Decision]:
    """The first rule that decides, and what. Raises `LookupError` where none does, which the last of a chain must."""
    for rule in context.pipeline.rules:
        decision = rule.check(context)
        if decision is not None:
            return rule, decision
    raise LookupError("no rule decided: the last of a chain must")


def _answer(context: Context, decision: Decision) -> Answer:
    if isinstance(decision, Answer):
        kept = decision
    else:
        _audit(context, decision)
        kept = responses.write(context, decision)
        _remember(context, decision, kept)
    return Answer(kept.status, kept.headers + responses.fresh_headers(context, decision), kept.body)


def _audit(context: Context, decision: Decision) -> None:
    """Note an accepted write. A replay writes nothing, so it is not noted."""
    operation = context.operation
    if operation is None or operation.is_read or not isinstance(decision, Reply):
        return
    record = context.decisions.audit_record(context, decision)
    context.objects.add(Resource.AUDIT_RECORD, record)


def _remember(context: Context, decision: Decision, answer: Answer) -> None:
    """Keep the answer for its key, without the secret that it may hold."""
    decisions = context.decisions
    if context.record_key is None or not decisions.remembered(context, decision):
        return
    if isinstance(decision, Reply):
        masked = decisions.masked(decision)
        answer = answer if masked is decision else responses.write(context, masked)
    context.state.idempotency.keep(context.record_key, IdempotencyRecord(context.body_digest, answer, context.now))
