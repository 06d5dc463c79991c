"""Attempts the deliveries of one namespace, in threads that run only while there is something to attempt.

Each endpoint is attempted on its own, so that one that hangs holds up none of the others.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from math import inf
from typing import Final

from paylera_fixtures.api.events import DELIVERY_ID, EVENT_ID, EVENT_TYPE, SIGNATURE
from paylera_mock.core.clock import Clock
from paylera_mock.state.schedule import Schedule, ScheduledEffect, ScheduledItem
from paylera_mock.state.webhooks.events import DELIVERY_FAILED
from paylera_mock.state.webhooks.outbox import Delivery, DeliveryAttempt, DeliveryEffect, Outbox
from paylera_mock.state.webhooks.sender import PostResult, post
from paylera_mock.state.webhooks.signatures import SigningSecrets, signature

_LOOK_AGAIN: Final = 60.0
"""Seconds after which a running clock is looked at again in any case: the time outside may have been set."""

_SCHEDULED_BY: Final = {
    DeliveryEffect.GIVEN_UP: ScheduledEffect.DELIVERY_FAILED,
    DeliveryEffect.REJECTED: ScheduledEffect.ENDPOINT_REJECTS,
}


class Dispatcher:
    """Attempts what is due in an outbox.

    It holds the outbox while it looks, never while it sends, and takes no other lock by itself; `catch_up` lets happen
    what is due in the namespace. One thread looks; before it sends, it leaves that to another, if there is need.
    """

    def __init__(
        self,
        outbox: Outbox,
        signing_secrets: SigningSecrets,
        *,
        clock: Clock,
        schedule: Schedule,
        catch_up: Callable[[], None],
    ) -> None:
        self._outbox = outbox
        self._signing_secrets = signing_secrets
        self._clock = clock
        self._schedule = schedule
        self._catch_up = catch_up
        self._thread: threading.Thread | None = None

    def wake(self) -> None:
        """See that somebody looks after what is due, or will be as time passes."""
        with self._outbox.condition:
            if self._thread is None and self._has_prospects():
                self._thread = threading.Thread(target=self._work, name="paylera-webhooks", daemon=True)
                self._thread.start()
            self._outbox.condition.notify_all()

    def _work(self) -> None:
        try:
            while self._is_looking() and self._has_work():
                self._catch_up()
                self._attempt_next()
        finally:
            with self._outbox.condition:
                self._resign()

    def _is_looking(self) -> bool:
        """Whether it is this thread that looks, which it is to again where no other has begun to."""
        with self._outbox.condition:
            if self._thread is None:
                self._thread = threading.current_thread()
            return self._thread is threading.current_thread()

    def _has_work(self) -> bool:
        """Whether something is due, once it is. Where nothing will be by itself, the thread is to end."""
        with self._outbox.condition:
            while self._has_prospects():
                if self._outbox.announced:
                    self._outbox.distribute()
                    continue
                wait = self._next_at() - self._clock.epoch()
                if wait <= 0:
                    return True
                self._outbox.condition.wait(min(wait, _LOOK_AGAIN))
            self._resign()
            return False

    def _has_prospects(self) -> bool:
        """Whether something is due or, where time passes by itself, will be."""
        if self._outbox.closed or self._outbox.announced:
            return not self._outbox.closed
        next_at = self._next_at()
        return next_at < inf if self._clock.running else next_at <= self._clock.epoch()

    def _next_at(self) -> float:
        """When there is something to do; what happens without endpoints can wait for the next request."""
        return min(self._outbox.next_free_at, self._schedule.next_at if self._signing_secrets else inf)

    def _resign(self) -> None:
        # Another thread may have been started since this one found nothing to do.
        if self._thread is threading.current_thread():
            self._thread = None

    def _attempt_next(self) -> None:
        now = self._clock.epoch()
        with self._outbox.condition:
            delivery = self._outbox.take(now)
            if delivery is None:
                return
            self._resign()
            self.wake()
        try:
            self._attempt(delivery, now)
        finally:
            with self._outbox.condition:
                self._outbox.release(delivery)

    def _attempt(self, delivery: Delivery, now: float) -> None:
        secrets = self._signing_secrets.secrets(delivery.endpoint["id"], now)
        signed = signature(secrets, int(now), delivery.event.body)
        attempt = DeliveryAttempt(delivery.due_at, now, self._post(delivery, signed), signed)
        with self._outbox.condition:
            effect = self._outbox.record(delivery, attempt)
        # A failed delivery of `delivery_failed` makes no further event, else there would be no end of them.
        if effect is not None and (effect is DeliveryEffect.REJECTED or delivery.event.type != DELIVERY_FAILED):
            event, endpoint_id = delivery.event, delivery.endpoint["id"]
            due = ScheduledItem(now, _SCHEDULED_BY[effect], event.tenant_id, event.environment, endpoint_id)
            self._schedule.put(due)
            self._catch_up()

    def _post(self, delivery: Delivery, signed: str) -> PostResult:
        event, endpoint = delivery.event, delivery.endpoint
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "paylera-mock",
            SIGNATURE: signed,
            EVENT_ID: event.id,
            DELIVERY_ID: delivery.id,
            EVENT_TYPE: event.type,
        }
        terms = self._outbox.terms
        return post(endpoint["url"], headers, event.body, timeout=terms.timeout, anywhere=terms.anywhere)
