"""Webhooks: the events of a namespace, signed and delivered to its endpoints (reference, Webhooks)."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Final

from paylera_mock.core.clock import Clock
from paylera_mock.core.ids import random_id
from paylera_mock.core.messages import Object
from paylera_mock.core.policy import WebhookTerms
from paylera_mock.core.randomness import Randomness
from paylera_mock.state.schedule import Schedule
from paylera_mock.state.webhooks.dispatcher import Dispatcher
from paylera_mock.state.webhooks.events import Event
from paylera_mock.state.webhooks.outbox import Delivery, DeliveryAttempt, DeliveryState, Outbox
from paylera_mock.state.webhooks.sender import PostResult, obstacle
from paylera_mock.state.webhooks.signatures import SigningSecrets

__all__ = ["FEW_RECEIVERS", "Delivery", "DeliveryAttempt", "DeliveryState", "PostResult", "Webhooks"]

FEW_RECEIVERS: Final = 100
"""Endpoints to which an event is sent while its request is answered; for more of them it is announced."""

_MOST_ANNOUNCED: Final = 100
"""Events that may wait to be distributed."""

_UNSIGNABLE: Final = "its secret is not known here: call POST /v1/admin/webhook-endpoints/{id}/rotate-secret"


class Webhooks:
    """The webhooks of one namespace. Thread-safe.

    `catch_up` lets happen what is due; `randomness` is where the ids of events and deliveries come from.
    """

    def __init__(
        self,
        terms: WebhookTerms,
        randomness: Randomness,
        *,
        clock: Clock,
        schedule: Schedule,
        catch_up: Callable[[], None],
    ) -> None:
        self.signing_secrets = SigningSecrets()
        self._randomness = randomness
        # Drawn apart, since deliveries may be made later than the next event.
        self._delivery_randomness = randomness.branch("deliveries")
        self._clock = clock
        self._catch_up = catch_up
        self._outbox = Outbox(terms)
        self._dispatcher = Dispatcher(
            self._outbox, self.signing_secrets, clock=clock, schedule=schedule, catch_up=catch_up
        )

    def adopt(self, terms: WebhookTerms) -> None:
        """Deliver on other terms from now on."""
        with self._outbox.condition:
            self._outbox.terms = terms

    def __iter__(self) -> Iterator[Delivery]:
        """The deliveries that are remembered, the oldest first."""
        with self._distributed():
            return iter(list(self._outbox))

    def get(self, delivery_id: str) -> Delivery | None:
        """The delivery with an id, as long as it is remembered."""
        with self._distributed():
            return self._outbox.get(delivery_id)

    def ahead_of(self, delivery: Delivery) -> Delivery | None:
        """The delivery that another one waits for, `None` where it waits for the clock alone or not at all."""
        with self._outbox.condition:
            return self._outbox.ahead_of(delivery)

    @property
    def next_at(self) -> float:
        """When the next attempt is due, in seconds since the epoch; infinity where none is to come."""
        with self._distributed():
            return self._outbox.next_at

    def new_event_id(self) -> str:
        """An id for a new event."""
        return random_id("evt", self._randomness)

    def send(self, event: Event, endpoint: Object, now: float) -> Delivery:
        """Deliver an event to an endpoint, from a moment on. Nothing is waited for."""
        with self._distributed():
            delivery = self._add(event, endpoint, now)
        self._dispatcher.wake()
        return delivery

    def announce(self, event: Event, receivers: Callable[[], Iterable[Object]], now: float) -> None:
        """Deliver an event, from a moment on, to many endpoints: before one of them changes or anybody looks."""

        def send_to_all() -> None:
            for endpoint in receivers():
                self._add(event, endpoint, now)

        self._outbox.announced.append(send_to_all)
        if len(self._outbox.announced) > _MOST_ANNOUNCED:
            # Whoever makes events faster than they are distributed waits for it.
            self.distribute()
        elif not self._outbox.distributing:
            self._dispatcher.wake()

    def _add(self, event: Event, endpoint: Object, now: float) -> Delivery:
        delivery_id = random_id("del", self._delivery_randomness)
        return self._outbox.add(delivery_id, event, endpoint, now=now, obstacle=self._obstacle(endpoint, now))

    def distribute(self) -> None:
        """Make the deliveries of all that was announced: endpoints may be changed then."""
        with self._distributed():
            pass

    @contextmanager
    def _distributed(self) -> Iterator[None]:
        """Hold the outbox, in which the deliveries of all events are."""
        with self._outbox.condition:
            self._outbox.distribute()
            yield

    def _obstacle(self, endpoint: Object, now: float) -> str | None:
        """Why nothing can be sent to an endpoint. One that came with a saved state came without its secret."""
        if not self.signing_secrets.secrets(endpoint["id"], now):
            return _UNSIGNABLE
        return obstacle(endpoint["url"], anywhere=self._outbox.terms.anywhere)

    def drop(self, endpoint_id: str, reason: str) -> None:
        """Give up what still waits for an endpoint."""
        with self._distributed():
            self._outbox.drop(endpoint_id, reason)

    def remove(self, endpoint_id: str) -> None:
        """Forget an endpoint, which was deleted."""
        self.drop(endpoint_id, "the endpoint was deleted")
        self.signing_secrets.remove(endpoint_id)

    def wake(self) -> None:
        """See that what is due is looked after: to be called when the clock was moved or something was scheduled."""
        self._dispatcher.wake()

    def settle(self, timeout: float) -> bool:
        """Wait until everything that is due by the clock has been attempted: whether it was within so many seconds.

        The lock of the namespace must not be held: what is due may need it.
        """
        end = time.monotonic() + timeout
        self._catch_up()
        self._dispatcher.wake()
        with self._outbox.condition:
            return self._outbox.condition.wait_for(
                lambda: self._outbox.is_idle(self._clock.epoch()), max(0, end - time.monotonic())
            )

    def counts(self) -> dict[str, int]:
        """How many of the deliveries that are remembered are in each state."""
        found = Counter(delivery.state for delivery in self)
        return {state.value: found[state] for state in DeliveryState}

    def close(self) -> None:
        """Attempt nothing any more."""
        with self._outbox.condition:
            self._outbox.close()
