"""What happens by the clock alone: one small function for each row of the agenda."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from paylera_fixtures.api.operations import Resource
from paylera_mock.core.messages import Object
from paylera_mock.namespaces.object_factory import backstage
from paylera_mock.operations import payments, subscriptions, webhooks
from paylera_mock.pipeline.context import Context
from paylera_mock.state.schedule import Due, Happening
from paylera_mock.state.world import World

_ROWS: Final[Mapping[Happening, tuple[Resource, Callable[[Context, Object], None]]]] = MappingProxyType(
    {
        Happening.TRIAL_WILL_END: (Resource.SUBSCRIPTION, subscriptions.trial_will_end),
        Happening.TRIAL_END: (Resource.SUBSCRIPTION, subscriptions.trial_ends),
        Happening.CHARGE_BACK: (Resource.PAYMENT, payments.charge_back),
        Happening.DISPUTE_WON: (Resource.PAYMENT, payments.win_dispute),
        Happening.ENDPOINT_REJECTS: (Resource.WEBHOOK_ENDPOINT, webhooks.endpoint_rejects),
        Happening.DELIVERY_FAILED: (Resource.WEBHOOK_ENDPOINT, webhooks.delivery_failed),
    }
)


def happen(world: World) -> None:
    """Let everything happen that is due, in its order, as if it were then. The namespace's lock must be held."""
    now = world.clock.epoch()
    while (due := world.agenda.take(now)) is not None:
        _happen(world, due)


def _happen(world: World, due: Due) -> None:
    context = backstage(world, due.tenant_id, due.environment)
    context.now = due.at
    kind, effect = _ROWS[due.happening]
    value = context.shelf.get(kind, due.object_id)
    # What was deleted in the meantime is spared.
    if value is not None:
        effect(context, value)
