"""The judgement of a request: it goes through the rules until one decides, then the answer is written."""

from __future__ import annotations

from paylera_fixtures.api.operations import Resource
from paylera_mock.core.messages import Answer, Decision, Reply
from paylera_mock.pipeline import responses
from paylera_mock.pipeline.context import Context, Judgement, Rule
from paylera_mock.state.idempotency import IdempotencyRecord


def judge(context: Context) -> Judgement:
    """Let the rules decide about a request, and write the answer, which is kept for the request's key."""
    rule, decision = decide(context)
    if isinstance(decision, Answer):
        kept = decision
    else:
        _audit(context, decision)
        kept = responses.write(context, decision)
        _remember(context, decision, kept)
    answer = Answer(kept.status, kept.headers + responses.fresh_headers(context, decision), kept.body)
    return Judgement(answer, rule, context, decision)


def decide(context: Context) -> tuple[Rule, Decision]:
    """The first rule that decides, and what. Each rule looks once, also where `passes` was asked before.

    Raises `LookupError` where none decides, which the last of a chain must.
    """
    decided = _walk(context, len(context.pipeline.rules))
    if decided is None:
        raise LookupError("no rule decided: the last of a chain must")
    return decided


def passes(context: Context, before: Rule) -> bool:
    """Whether no rule that stands before this one decides. Raises `KeyError` where no rule has its name."""
    return _walk(context, context.pipeline.place_of(before)) is None


def _walk(context: Context, end: int) -> tuple[Rule, Decision] | None:
    """Apply the rules from the first that has not looked yet, up to a place."""
    if context.decided is None:
        for rule in context.pipeline.rules[context.place : end]:
            decision = rule.check(context)
            if decision is not None:
                context.decided = (rule, decision)
                break
        else:
            context.place = end
    return context.decided


def _audit(context: Context, decision: Decision) -> None:
    """Note an accepted write. A replay writes nothing, so it is not noted."""
    operation = context.request.operation
    if operation is None or operation.is_read or not isinstance(decision, Reply):
        return
    record = context.decisions.audit_record(context, decision)
    context.objects.add(Resource.AUDIT_RECORD, record)


def _remember(context: Context, decision: Decision, answer: Answer) -> None:
    """Keep the answer for its key, without the secret that it may hold."""
    decisions = context.decisions
    if context.record_key is None or not decisions.is_remembered(context, decision):
        return
    if isinstance(decision, Reply):
        masked = decisions.mask_secret(decision)
        answer = answer if masked is decision else responses.write(context, masked)
    context.state.idempotency.keep(context.record_key, IdempotencyRecord(context.body_digest, answer, context.now))
