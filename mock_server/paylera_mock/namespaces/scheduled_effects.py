"""What happens by the clock alone: one function of an operation for each scheduled effect."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from paylera_fixtures.api.operations import Resource
from paylera_mock.core.messages import Object
from paylera_mock.namespaces.object_factory import internal_context
from paylera_mock.operations import payments, subscriptions, webhooks
from paylera_mock.pipeline.context import Context
from paylera_mock.state.namespace_state import State
from paylera_mock.state.schedule import ScheduledEffect

_EFFECTS: Final[Mapping[ScheduledEffect, tuple[Resource, Callable[[Context, Object], None]]]] = {
    ScheduledEffect.TRIAL_WILL_END: (Resource.SUBSCRIPTION, subscriptions.announce_trial_end),
    ScheduledEffect.TRIAL_END: (Resource.SUBSCRIPTION, subscriptions.end_trial),
    ScheduledEffect.CHARGE_BACK: (Resource.PAYMENT, payments.charge_back),
    ScheduledEffect.DISPUTE_WON: (Resource.PAYMENT, payments.win_dispute),
    ScheduledEffect.ENDPOINT_REJECTS: (Resource.WEBHOOK_ENDPOINT, webhooks.disable_endpoint),
    ScheduledEffect.DELIVERY_FAILED: (Resource.WEBHOOK_ENDPOINT, webhooks.announce_failed_delivery),
}


def apply_due_effects(state: State) -> None:
    """Apply everything that is due, in its order, each as at its own time. The namespace's lock must be held."""
    now = state.clock.epoch()
    while (due := state.schedule.take(now)) is not None:
        context = internal_context(state, due.tenant_id, due.environment)
        context.now = due.at
        kind, effect = _EFFECTS[due.effect]
        value = context.objects.get(kind, due.object_id)
        if value is not None:  # it may have been deleted in the meantime
            effect(context, value)
