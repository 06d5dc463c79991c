"""What is to be delivered to the endpoints of one namespace, in which order, and what came of it."""

from __future__ import annotations

import threading
from collections import Counter, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from http import HTTPStatus
from math import inf
from typing import Final, TypeAlias

from paylera_mock.core.messages import Object
from paylera_mock.core.policy import WebhookTerms
from paylera_mock.state.webhooks.events import Event
from paylera_mock.state.webhooks.sender import PostResult


class DeliveryState(StrEnum):
    """Where a delivery is: waiting for an attempt, received, given up, dropped before its end, or never to be sent."""

    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"
    DROPPED = "dropped"
    NOT_SENT = "not_sent"


class DeliveryEffect(StrEnum):
    """What an attempt can lead to, beside the next one."""

    GIVEN_UP = "given_up"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class DeliveryAttempt:
    """One attempt: when it was due and when it was sent, by the namespace's clock in seconds, and what came of it.

    `signature`: what it was signed with, as the header has it.
    """

    due_at: float
    sent_at: float
    result: PostResult
    signature: str

    @property
    def succeeded(self) -> bool:
        """Whether the receiver answered with a 2xx: everything else is a failure, a redirect too."""
        status = self.result.status
        return status is not None and HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES


@dataclass(slots=True, eq=False)
class Delivery:
    """One event on its way to one endpoint. `due_at`: when the next attempt is, while there is one to come."""

    id: str
    sequence: int
    event: Event
    endpoint: Object
    due_at: float
    state: DeliveryState = DeliveryState.PENDING
    reason: str = ""
    attempts: list[DeliveryAttempt] = field(default_factory=list)

    @property
    def queue(self) -> _Queue:
        """What it waits in: the events of one object reach an endpoint in their order."""
        return (self.endpoint["id"], self.event.aggregate_id)


_Queue: TypeAlias = tuple[str, str]


_AT_ONCE: Final = 32
"""Attempts that are made at once, each to an endpoint of its own."""

_TOO_LARGE: Final = "the event is larger than {terms.body_limit} bytes"
_TOO_MANY: Final = "{terms.pending} deliveries were waiting already"
_REJECTED: Final = "{terms.rejections} answers in a row were a 4xx"
_OVER: Final = "no attempt succeeded"


class Outbox:
    """The deliveries of one namespace, by its present `terms`. `condition` must be held around every use.

    Whoever waits for it is notified of a change. Nothing here touches the network or takes another lock.
    """

    def __init__(self, terms: WebhookTerms) -> None:
        self.condition = threading.Condition()
        self.closed = False
        self.terms = terms
        # Events of which nobody has made deliveries yet: each of these makes those of one.
        self.announced: deque[Callable[[], None]] = deque()
        self.distributing = False
        self._queues: dict[_Queue, deque[Delivery]] = {}
        self._known: dict[str, Delivery] = {}
        # Those of them that wait for nothing, in the order in which they came to their end.
        self._ended: deque[str] = deque()
        self._waiting = 0
        self._sequence = 0
        self._rejections: Counter[str] = Counter()
        self._attempting: set[str] = set()

    def __iter__(self) -> Iterator[Delivery]:
        """Every delivery that is remembered, the oldest first."""
        return iter(list(self._known.values()))

    def get(self, delivery_id: str) -> Delivery | None:
        """The delivery with an id."""
        return self._known.get(delivery_id)

    def add(self, delivery_id: str, event: Event, endpoint: Object, *, now: float, obstacle: str | None) -> Delivery:
        """Queue a delivery; where there is an obstacle, or no room, it is only remembered, with the reason."""
        self._sequence += 1
        delivery = Delivery(delivery_id, self._sequence, event, endpoint, now)
        if obstacle is not None:
            delivery.state, delivery.reason = DeliveryState.NOT_SENT, obstacle
        elif len(event.body) > self.terms.body_limit:
            delivery.state, delivery.reason = DeliveryState.NOT_SENT, _TOO_LARGE.format(terms=self.terms)
        elif self._is_over_limit(endpoint["id"]):
            # The endpoint is still enabled: its status follows once the lock of the namespace is free.
            delivery.state, delivery.reason = DeliveryState.DROPPED, _REJECTED.format(terms=self.terms)
        elif self._waiting >= self.terms.pending:
            delivery.state, delivery.reason = DeliveryState.DROPPED, _TOO_MANY.format(terms=self.terms)
        else:
            self._waiting += 1
            self._queues.setdefault(delivery.queue, deque()).append(delivery)
        self._remember(delivery)
        return delivery

    def distribute(self) -> None:
        """Make the deliveries of what was announced."""
        while self.announced:
            # What is announced meanwhile is seen by the inner loop, or by the outer one.
            self.distributing = True
            while self.announced:
                self.announced.popleft()()
            self.distributing = False

    def ahead_of(self, delivery: Delivery) -> Delivery | None:
        """The delivery that another one waits for, as it is an earlier event of the same object."""
        queue = self._queues.get(delivery.queue)
        return queue[0] if queue and delivery.state is DeliveryState.PENDING and queue[0] is not delivery else None

    @property
    def next_at(self) -> float:
        """When the first attempt of all is due; infinity where none is to come."""
        return min((queue[0].due_at for queue in self._queues.values()), default=inf)

    @property
    def next_free_at(self) -> float:
        """When the first attempt is due that need not wait for another one to end."""
        if len(self._attempting) >= _AT_ONCE:
            return inf
        return min((queue[0].due_at for place, queue in self._queues.items() if self._is_free(place)), default=inf)

    def _is_free(self, place: _Queue) -> bool:
        return place[0] not in self._attempting

    def is_idle(self, now: float) -> bool:
        """Whether everything that is due has been attempted."""
        self.distribute()
        return self.closed or (not self._attempting and self.next_at > now)

    def take(self, now: float) -> Delivery | None:
        """The delivery to attempt next, the longest due first, to an endpoint to which no other attempt is made.

        It counts as being attempted until `release`.
        """
        if self.next_free_at > now:
            return None
        heads = [queue[0] for place, queue in self._queues.items() if queue[0].due_at <= now and self._is_free(place)]
        delivery = min(heads, key=lambda head: (head.due_at, head.sequence))
        self._attempting.add(delivery.endpoint["id"])
        return delivery

    def release(self, delivery: Delivery) -> None:
        """End the attempt of a delivery that was taken."""
        self._attempting.discard(delivery.endpoint["id"])
        self.condition.notify_all()

    def record(self, delivery: Delivery, attempt: DeliveryAttempt) -> DeliveryEffect | None:
        """Note what came of an attempt, and what that leads to."""
        delivery.attempts.append(attempt)
        if self.closed:
            return None
        self._count_rejection(delivery, attempt)
        if self._is_over_limit(delivery.endpoint["id"]):
            self._drop_waiting(delivery.endpoint["id"], _REJECTED.format(terms=self.terms))
            return DeliveryEffect.REJECTED
        if delivery.state is not DeliveryState.PENDING:
            return None
        if attempt.succeeded:
            self._finish(delivery, DeliveryState.DELIVERED)
        elif len(delivery.attempts) <= len(self.terms.delays):
            delivery.due_at = attempt.due_at + self.terms.delays[len(delivery.attempts) - 1]
        else:
            self._finish(delivery, DeliveryState.FAILED, _OVER)
            return DeliveryEffect.GIVEN_UP
        return None

    def drop(self, endpoint_id: str, reason: str) -> None:
        """Give up everything that waits for an endpoint, and count its rejections from nothing again."""
        del self._rejections[endpoint_id]
        self._drop_waiting(endpoint_id, reason)

    def _drop_waiting(self, endpoint_id: str, reason: str) -> None:
        for queue in [queue for place, queue in self._queues.items() if place[0] == endpoint_id]:
            for delivery in list(queue):
                self._finish(delivery, DeliveryState.DROPPED, reason)
        self.condition.notify_all()

    def close(self) -> None:
        """Attempt nothing any more."""
        self.closed = True
        self.announced.clear()
        self._queues.clear()
        self.condition.notify_all()

    def _count_rejection(self, delivery: Delivery, attempt: DeliveryAttempt) -> None:
        """Count a 4xx; any other result, no answer included, begins the count anew."""
        endpoint_id, status = delivery.endpoint["id"], attempt.result.status or 0
        if HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR:
            self._rejections[endpoint_id] += 1
        else:
            del self._rejections[endpoint_id]

    def _is_over_limit(self, endpoint_id: str) -> bool:
        """Whether an endpoint has rejected as many deliveries in a row as disable it."""
        return self._rejections[endpoint_id] >= self.terms.rejections

    def _finish(self, delivery: Delivery, state: DeliveryState, reason: str = "") -> None:
        """Take a delivery out of its queue; what waited for it is due no sooner than its last attempt was."""
        delivery.state, delivery.reason = state, reason
        self._ended.append(delivery.id)
        queue = self._queues[delivery.queue]
        queue.remove(delivery)
        self._waiting -= 1
        if not queue:
            del self._queues[delivery.queue]
        else:
            queue[0].due_at = max(queue[0].due_at, delivery.due_at)

    def _remember(self, delivery: Delivery) -> None:
        """Keep it, and forget the first one that came to its end."""
        self._known[delivery.id] = delivery
        if delivery.state is not DeliveryState.PENDING:
            self._ended.append(delivery.id)
        if len(self._known) > self.terms.kept and self._ended:
            del self._known[self._ended.popleft()]
