"""Idempotency keys: the first request under one, its replay, and another request under the same key."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Final

from paylera_conformance.model.messages import FRESH_KEY, Exchange, Request
from paylera_conformance.model.outcomes import Blocked, NotOffered, Violation
from paylera_conformance.model.tokens import Credential
from paylera_conformance.probe.answers import find_id, require_id
from paylera_conformance.probe.probe import Probe
from paylera_conformance.probe.refusals import describe, is_about_request
from paylera_conformance.scenarios.further_cases import draw_some
from paylera_fixtures.api.operations import BY_ID, Resource
from paylera_fixtures.vocabulary import KEY_MAX_LENGTH

CREATE: Final = BY_ID["create_customer"]
MOVEMENTS: Final = ("refund_payment", "credit_wallet")
"""Operations that move money, and that a client may do twice to one object."""

_TAKE_FIRST: Final = "take the key before the effect, so that those who come second wait or get 409"


_PRINTED: Final = {
    "type": "https://errors.paylera.io/idempotency/required",
    "title": "Idempotency-Key required",
    "status": 400,
    "problem": "idempotency.required",
}
"""The body of the refusal that the guide prints; further members are allowed."""


def check_printed_body(refused: Exchange) -> None:
    """Raise `Violation` where the refusal of a request without key has another body than the guide prints."""
    answer = {name: refused.response.object.get(name) for name in _PRINTED}
    wrong = {name: value for name, value in answer.items() if value != _PRINTED[name]}
    if wrong:
        raise Violation(
            ", ".join(f"{name} {_PRINTED[name]!r}" for name in wrong),
            ", ".join(f"{name} {value!r}" for name, value in wrong.items()),
            change="no Idempotency-Key header",
            hint="the guide prints this body: clients may compare it member by member",
            exchange=refused,
        )


@dataclass(frozen=True)
class FirstUse:
    """A key at its first use: a customer was created under it."""

    request: Request
    exchange: Exchange

    @property
    def customer(self) -> str:
        """The id of the customer. Raises `Blocked` where the answer has none."""
        return require_id(self.exchange, Resource.CUSTOMER)

    def is_answered_by(self, exchange: Exchange) -> bool:
        """Whether an answer is about the same customer. Where ids are numbers, an invoice may have the same."""
        has_its_id = exchange.response.ok and customer_in(exchange) == self.customer
        return has_its_id and (not self.customer.isdecimal() or exchange.response.json == self.exchange.response.json)


def customer_in(exchange: Exchange) -> str | None:
    """The id of the customer that an answer is about; `None` where it names none."""
    return find_id(exchange.response.json, Resource.CUSTOMER)


def make_key(probe: Probe, length: int = KEY_MAX_LENGTH) -> str:
    """A key of a length that nothing else has."""
    return probe.factory.unique_key(length)


def new_customer(probe: Probe, key: str = FRESH_KEY, token: Credential | None = None) -> Request:
    """A request that creates a customer whom no other request creates."""
    return probe.factory.request_for(CREATE, token).with_key(key)


def draw_movement(probe: Probe, name: str) -> Request:
    """A request that moves money, by an operation that is drawn: the same one for the same name."""
    [operation_id] = draw_some(probe, MOVEMENTS, 1, name=name)
    return probe.factory.request_for(BY_ID[operation_id])


def use_key(probe: Probe, key: str | None = None) -> FirstUse:
    """Use a key for the first time. Raises `Blocked` where the request is not accepted."""
    request = new_customer(probe, key or probe.factory.unique_key())
    return FirstUse(request, probe.require_proven(request))


def use_remembered_key(probe: Probe) -> FirstUse:
    """Use a key, and see that it is replayed at once: the ground for when, and for whom, it is. Raises `Blocked`."""
    use = use_key(probe)
    again = probe.send(use.request)
    if not use.is_answered_by(again):
        raise Blocked("a key is not remembered at all (see idempotency.replay)", exchange=again)
    return use


def use_remembered_key_if_any(probe: Probe) -> FirstUse:
    """Use a key as `use_remembered_key` does, in a case that is one of many.

    Raises `NotOffered` where no key is remembered: the clause then rests on its other cases, which a blocked one would
    hide.
    """
    try:
        return use_remembered_key(probe)
    except Blocked as forgotten:
        raise NotOffered(forgotten.reason, exchange=forgotten.exchange) from None


def expect_replayed(probe: Probe, use: FirstUse, request: Request, *, change: str, hint: str) -> None:
    """The clause is that a request is answered by what was made at the first use. Raises `Violation`."""
    again = probe.send(request)
    got = f"{describe(again.response)}, another customer" if again.response.ok else describe(again.response)
    probe.expect(
        again, "the customer of the first use", holds=use.is_answered_by(again), got=got, change=change, hint=hint
    )


def expect_not_replayed(probe: Probe, use: FirstUse, request: Request, *, change: str, hint: str) -> None:
    """The clause is that a request's key is another than the one used, so that it makes something new.

    Raises `Violation` where it is refused, unless it is so under a fresh key too, or where it is a replay. Drops the
    case where the body is that of the first use and is refused whatever its key: an address may be one customer's only.
    """
    try:
        exchange = probe.baseline(request.with_key(FRESH_KEY)).accepts(request, change=change, hint=hint)
    except Blocked as blocked:
        if request.body != use.request.body or blocked.exchange is None or blocked.exchange.response.ok:
            raise
        if not is_about_request(blocked.exchange.response):
            raise
        raise NotOffered(
            f"the target does not take the same body twice: {blocked.reason}", exchange=blocked.exchange
        ) from None
    probe.expect(
        exchange,
        "a new customer",
        holds=not use.is_answered_by(exchange),
        got="that of the first use",
        change=change,
        hint=hint,
    )


def expect_one_acts(probe: Probe, answers: list[Exchange], change: str) -> str:
    """The clause is that one of several requests acts, and each other replays it or is refused with 409.

    Gives the id of the customer that was created. Raises `Violation`.
    """
    _expect_replays_or_conflicts(probe, answers, change)
    created = {customer_in(answer) for answer in answers if answer.response.ok}
    probe.expect(
        answers[-1],
        "one customer in the answers",
        holds=len(created) == 1,
        got=f"{len(created)} of them",
        change=change,
        hint=_TAKE_FIRST,
    )
    return str(created.pop())


def expect_one_moves(probe: Probe, request: Request, answers: list[Exchange], change: str) -> None:
    """The clause is that one of several movements of money acts, and a replay afterwards gives it. Raises `Violation`.

    What moves money twice answers with two movements, or with two balances.
    """
    _expect_replays_or_conflicts(probe, answers, change)
    moved = {_as_text(answer) for answer in answers if answer.response.ok}
    wanted, got = "one movement in the answers", f"{len(moved)} of them"
    probe.expect(answers[-1], wanted, holds=len(moved) == 1, got=got, change=change, hint=_TAKE_FIRST)
    again = probe.send(request)
    original = again.response.ok and _as_text(again) in moved
    probe.expect(again, "the original in a replay afterwards", holds=original, change=change)
    probe.count_acceptance(probe.send_without_token(request))


def _expect_replays_or_conflicts(probe: Probe, answers: list[Exchange], change: str) -> None:
    odd = [answer for answer in answers if not answer.response.ok and answer.response.status != 409]  # noqa: PLR2004 - RFC 9110, section 15.5.10
    shown = (odd or answers)[0]
    probe.expect(shown, "each a replay of the first, or a 409", holds=not odd, change=change)


def _as_text(exchange: Exchange) -> str:
    """The body of an answer, the same however its JSON is written."""
    return json.dumps(exchange.response.json, sort_keys=True)
