"""Mutants of idempotency keys: which requests need one, and what a key is."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final
from urllib.parse import unquote

from paylera_fixtures.vocabulary import KEY_MAX_LENGTH, PROBLEM_TYPE_BASE, Problems, ProblemType, Profile
from paylera_mock.core import problems
from paylera_mock.core.messages import Decision
from paylera_mock.core.policy import Policy
from paylera_mock.core.problems import Problem
from paylera_mock.mutants.builders import (
    Mutation,
    When,
    change_decision,
    change_refusal,
    combine,
    decide_late,
    is_refund,
    relent,
    replace_rule,
    set_policy,
    without_rule,
)
from paylera_mock.mutants.model import Mutant
from paylera_mock.pipeline import decisions, rules
from paylera_mock.pipeline.context import Context

_TITLE: Final = Problems.KEY_REQUIRED.title
_CODE: Final = Problems.KEY_REQUIRED.code


@dataclass(frozen=True)
class _OtherType(ProblemType):
    """A problem with another `type` than the one that follows from its code."""

    @property
    def type_uri(self) -> str:
        return PROBLEM_TYPE_BASE + self.code.replace(".", "-")


def _accept_blank_key(context: Context) -> Decision | None:
    if context.request.idempotency_key is None:
        return rules.KEY_PRESENT.check(context)
    context.record_key = decisions.record_key(context)
    return None


def _refuse_also(when: When, refusal: Callable[[Policy], Problem]) -> Mutation:
    return replace_rule(
        rules.KEY_PRESENT,
        lambda context: refusal(context.policy) if when(context) else rules.KEY_PRESENT.check(context),
    )


def _lacks_key_on(operation_id: str) -> When:
    return lambda context: context.called_operation.id == operation_id and not context.request.idempotency_key


def _keep_under(change: Callable[[str], str]) -> Mutation:
    """What a key is remembered under holds something else than the key as it was sent."""
    return change_decision(decisions.record_key, lambda right, _: (*right[:-1], change(right[-1])))


def _normalise_uuid(key: str) -> str:
    """A UUID as a database writes it, another key as it is."""
    try:
        return str(uuid.UUID(key))
    except ValueError:
        return key


_breaks_required: Final = partial(Mutant, breaks=("idempotency.required",))
_breaks_required_has_no_effect: Final = partial(Mutant, breaks=("idempotency.required-has-no-effect",))
_breaks_not_needed: Final = partial(Mutant, breaks=("idempotency.not-needed",))
_breaks_distinct_keys: Final = partial(Mutant, breaks=("idempotency.distinct-keys",))
_breaks_key_too_long: Final = partial(Mutant, breaks=("idempotency.key-too-long",))

MUTANTS: Final[Mapping[str, Mutant]] = {
    "key-not-required": _breaks_required("No request needs a key.", without_rule(rules.KEY_PRESENT)),
    "key-not-required-without-body": _breaks_required(
        "A POST without a body needs no key.",
        without_rule(rules.KEY_PRESENT, lambda context: not context.request.body),
        subtle=True,
    ),
    "key-required-422": _breaks_required("A missing key is refused with 422.", set_policy(key_required_refusal=422)),
    "key-required-wrong-code": _breaks_required(
        "A missing key is refused as idempotency.missing.",
        change_refusal(rules.KEY_PRESENT, type=ProblemType("idempotency.missing", _TITLE)),
    ),
    "key-required-wrong-title": _breaks_required(
        "The refusal of a missing key has another title.",
        change_refusal(rules.KEY_PRESENT, type=ProblemType(_CODE, "An Idempotency-Key is required")),
        subtle=True,
    ),
    "key-required-wrong-type": _breaks_required(
        "The refusal of a missing key has another type.",
        change_refusal(rules.KEY_PRESENT, type=_OtherType(_CODE, _TITLE)),
        subtle=True,
    ),
    "key-only-where-guide-asks": _breaks_required(
        "Of the POSTs only those that create or move money need a key.",
        set_policy(key_required_on="creating"),
        profile=Profile.REFERENCE,
    ),
    "refund-needs-no-key": _breaks_required(
        "A refund needs no key, everything else does.",
        change_decision(decisions.key_needed, lambda right, context: right and not is_refund(context)),
        subtle=True,
    ),
    "key-required-but-made": _breaks_required_has_no_effect(
        "What is refused for want of a key is made.", decide_late(rules.KEY_PRESENT)
    ),
    "key-required-but-refunded": _breaks_required_has_no_effect(
        "A refund without key is refused and made.", decide_late(rules.KEY_PRESENT, when=is_refund), subtle=True
    ),
    "blank-key-counts": Mutant(
        "An empty key is a key like any other.",
        replace_rule(rules.KEY_PRESENT, _accept_blank_key),
        breaks=("idempotency.empty-key",),
        subtle=True,
    ),
    "deletion-needs-key": _breaks_not_needed(
        "A DELETE needs a key.", _refuse_also(_lacks_key_on("delete_customer"), problems.key_required)
    ),
    "patch-needs-key": _breaks_not_needed(
        "A PATCH needs a key.", _refuse_also(_lacks_key_on("update_customer"), problems.key_required)
    ),
    "patch-refuses-key": _breaks_not_needed(
        "A PATCH with a key is refused.",
        _refuse_also(
            lambda context: context.request.method == "PATCH" and bool(context.request.idempotency_key),
            problems.key_invalid,
        ),
        subtle=True,
    ),
    "key-cut-to-254": _breaks_distinct_keys(
        "Of a key 254 characters are kept.", _keep_under(lambda key: key[: KEY_MAX_LENGTH - 1]), subtle=True
    ),
    "key-case-folded": _breaks_distinct_keys(
        "Keys are compared without regard to case.", _keep_under(str.casefold), subtle=True
    ),
    "key-percent-decoded": _breaks_distinct_keys("Keys are percent-decoded.", _keep_under(unquote), subtle=True),
    "key-zeros-dropped": _breaks_distinct_keys(
        "A key loses the zeros at its start.", _keep_under(lambda key: key.lstrip("0")), subtle=True
    ),
    "key-punctuation-folded": _breaks_distinct_keys(
        "In a key - and _ are the same.", _keep_under(lambda key: key.replace("_", "-")), subtle=True
    ),
    "key-uuid-normalised": _breaks_distinct_keys(
        "Keys that are one UUID in two spellings are the same.", _keep_under(_normalise_uuid), subtle=True
    ),
    "key-quotes-stripped": _breaks_distinct_keys(
        "A key loses the quotes around it.", _keep_under(lambda key: key.strip('"')), subtle=True
    ),
    "key-of-255-refused": Mutant(
        "A key may have 254 characters.",
        set_policy(key_max_length=KEY_MAX_LENGTH - 1),
        breaks=("idempotency.key-length",),
        subtle=True,
    ),
    "key-of-256-accepted": _breaks_key_too_long(
        "A key may have 256 characters.", set_policy(key_max_length=KEY_MAX_LENGTH + 1), subtle=True
    ),
    "long-key-cut": _breaks_key_too_long(
        "A key that is too long is cut.",
        combine(without_rule(rules.KEY_BOUNDED), _keep_under(lambda key: key[:KEY_MAX_LENGTH])),
    ),
    "long-key-409": _breaks_key_too_long(
        "A key that is too long is refused with 409.", set_policy(key_invalid_refusal=409)
    ),
    "key-asked-once-of-a-token": Mutant(
        "Who was told once that a key is needed may go without.",
        relent(rules.KEY_PRESENT, 1, of=lambda context: context.caller.id),
        breaks=("idempotency.required",),
        may_break=("idempotency.empty-key", "idempotency.required-has-no-effect"),
        subtle=True,
    ),
}
