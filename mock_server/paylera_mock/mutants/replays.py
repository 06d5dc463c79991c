"""Mutants of what a used key is answered, beside what is made under most keys: a customer, a refund, a credit."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Final

from paylera_fixtures.api.operations import Resource
from paylera_mock.core.messages import Answer, Decision
from paylera_mock.mutants.builders import Mutation, Note, change_rule, decide_after
from paylera_mock.mutants.model import Mutant
from paylera_mock.pipeline import rules
from paylera_mock.pipeline.context import Behaviour, Context

_MAKING: Final = frozenset({"create_invoice", "create_product", "create_subscription", "create_wallet"})
_USUAL: Final = frozenset({"create_customer", "refund_payment", "credit_wallet"})


def act_on_replay(which: frozenset[str], act: Callable[[Context], object]) -> Mutation:
    """A replay that is answered as it should be, and acts all the same."""

    def mutate(behaviour: Behaviour, note: Note) -> Behaviour:
        original = behaviour.pipeline.check_of(rules.REPLAYED)

        def replay_and_act(context: Context) -> Decision | None:
            decided = original(context)
            is_success = isinstance(decided, Answer) and decided.status < HTTPStatus.MULTIPLE_CHOICES
            if is_success and context.called_operation.id in which:
                note()
                act(context)
            return decided

        return behaviour.but(pipeline=behaviour.pipeline.with_rule(rules.REPLAYED, replay_and_act))

    return mutate


def _make_again(context: Context) -> None:
    key, context.record_key = context.record_key, None
    decide_after(rules.REPLAYED, context)
    context.record_key = key


def _charge_again(context: Context) -> None:
    charged = (entry.value for entry in context.objects.oldest_first(Resource.PAYMENT))
    payment = next((each for each in charged if each["invoice_id"] == context.identifier), None)
    if payment is not None:
        again = {**payment, "id": context.state.new_id(Resource.PAYMENT)}
        context.objects.add(Resource.PAYMENT, again)


MUTANTS: Final[Mapping[str, Mutant]] = {
    "replay-makes-another": Mutant(
        "The replay of a creation, but for that of a customer, makes another object.",
        act_on_replay(_MAKING, _make_again),
        breaks=("idempotency.replay-has-no-effect",),
        may_break=("idempotency.replay",),
        subtle=True,
    ),
    "replay-charges-again": Mutant(
        "The replay of the payment of an invoice makes another payment.",
        act_on_replay(frozenset({"pay_invoice"}), _charge_again),
        breaks=("idempotency.replay-has-no-effect",),
        may_break=("idempotency.replay",),
        subtle=True,
    ),
    "bodies-compared-of-some": Mutant(
        "Bodies under one key are compared where a customer is made or money moved, and nowhere else.",
        change_rule(
            rules.KEY_WITH_SAME_BODY,
            lambda decided, context: decided if context.called_operation.id in _USUAL else None,
        ),
        breaks=("idempotency.body-mismatch",),
        subtle=True,
    ),
}
