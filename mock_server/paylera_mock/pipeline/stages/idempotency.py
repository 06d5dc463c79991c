"""The idempotency key: whether there is one, its form, and what came with it before."""

from __future__ import annotations

from typing import Final

from paylera_fixtures.vocabulary import Header
from paylera_mock.core import problems
from paylera_mock.core.clock import format_time
from paylera_mock.core.messages import BODILESS, Decision
from paylera_mock.pipeline.context import CheckResult, Context, RuleFunctions
from paylera_mock.state.idempotency import IdempotencyRecord

_NO_KEY: Final = CheckResult("a key", "no key", applies=False)


def check_key(context: Context) -> Decision | None:
    """An operation that creates or moves money has an idempotency key; a blank one is none."""
    if context.request.method in BODILESS:
        return None
    decisions = context.decisions
    if (context.request.idempotency_key or "").strip():
        context.record_key = decisions.record_key(context)
        return None
    return problems.key_required(context.policy) if decisions.key_needed(context) else None


def describe_key(context: Context) -> CheckResult:
    """Whether there is an idempotency key, and whether the operation needs one."""
    if context.request.method in BODILESS:
        return CheckResult("no key", f"{context.request.method} needs none", applies=False)
    needed = context.request.operation is not None and context.decisions.key_needed(context)
    sent = bool((context.request.idempotency_key or "").strip())
    expected = f"a header {Header.IDEMPOTENCY_KEY}" if needed else "a key or none"
    return CheckResult(expected, f"a key of {_key_characters(context)}" if sent else "none", applies=needed or sent)


def advise_on_key(context: Context) -> str:
    """There is no idempotency key."""
    if context.request.header(f"X-{Header.IDEMPOTENCY_KEY}"):
        return f"The header X-{Header.IDEMPOTENCY_KEY} is not looked at: send {Header.IDEMPOTENCY_KEY}."
    if context.request.idempotency_key is not None:
        return f"The header {Header.IDEMPOTENCY_KEY} is there without a value: the variable behind it may be empty."
    return (
        f"Send {Header.IDEMPOTENCY_KEY} with a new UUID for each operation, and with the same one when it is retried."
    )


KEY: Final = RuleFunctions(check_key, describe_key, advise_on_key)


def check_key_length(context: Context) -> Decision | None:
    """The idempotency key is within its length."""
    if context.record_key is None or len(context.request.idempotency_key or "") <= context.policy.key_max_length:
        return None
    # No answer is remembered under a key that is refused.
    context.record_key = None
    return problems.key_invalid(context.policy)


def describe_key_length(context: Context) -> CheckResult:
    """The length of the idempotency key."""
    if not _has_key(context):
        return _NO_KEY
    return CheckResult(f"at most {context.policy.key_max_length} characters", _key_characters(context))


KEY_LENGTH: Final = RuleFunctions(check_key_length, describe_key_length)


def check_body_of_key(context: Context) -> Decision | None:
    """A key that was used before comes with the same body."""
    record = _find_record(context)
    if record is None or record.body_digest == context.body_digest:
        return None
    # The first answer stays the one that is remembered under the key.
    context.record_key = None
    return problems.key_body_mismatch(context.policy)


def describe_body_of_key(context: Context) -> CheckResult:
    """Whether the body is the one that the idempotency key came with first."""
    if not _has_key(context):
        return _NO_KEY
    expected, record = "the body that the key came with first", context.record
    if record is None:
        return CheckResult(expected, "a new key", applies=False)
    return CheckResult(expected, "the same bytes" if record.body_digest == context.body_digest else "other bytes")


def advise_on_body_of_key(context: Context) -> str:
    """The idempotency key was used before, with another body."""
    first = f", first at {format_time(context.record.first_used)}" if context.record else ""
    return f"The key was used before{first}: a retry sends the same bytes, and another operation another key."


BODY_OF_KEY: Final = RuleFunctions(check_body_of_key, describe_body_of_key, advise_on_body_of_key)


def check_replay(context: Context) -> Decision | None:
    """A key that was used before is answered as it was then."""
    record = _find_record(context)
    return record.answer if record else None


def describe_replay(context: Context) -> CheckResult:
    """Which answer is kept for the idempotency key."""
    if not _has_key(context):
        return _NO_KEY
    if context.record is None:
        return CheckResult("an answer kept for the key", "a new key", applies=False)
    return CheckResult("an answer kept for the key", f"the one of {format_time(context.record.first_used)}, sent again")


REPLAY: Final = RuleFunctions(check_replay, describe_replay)


def _find_record(context: Context) -> IdempotencyRecord | None:
    if context.record_key is None:
        return None
    context.body_digest = context.decisions.body_digest(context.request.body or b"")
    context.record = context.state.idempotency.find(context.record_key, context.now)
    return context.record


def _has_key(context: Context) -> bool:
    sent = bool((context.request.idempotency_key or "").strip())
    return sent and context.token is not None and context.request.method not in BODILESS


def _key_characters(context: Context) -> str:
    count = len(context.request.idempotency_key or "")
    return "1 character" if count == 1 else f"{count} characters"
