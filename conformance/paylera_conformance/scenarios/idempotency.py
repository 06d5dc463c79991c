"""The life of an idempotency key as a test lives it: first used, replayed, used for something else."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

from paylera_conformance.model.messages import FRESH_KEY, Exchange, Request, Response
from paylera_conformance.model.outcomes import Blocked, NotOffered
from paylera_conformance.model.tokens import Credential
from paylera_conformance.probe.answers import mentions
from paylera_conformance.probe.probe import Probe
from paylera_conformance.probe.refusals import Refusal, describe
from paylera_fixtures.api.operations import BY_ID
from paylera_fixtures.tokens import TOKEN_FORM
from paylera_fixtures.vocabulary import KEY_MAX_LENGTH

CREATE: Final = BY_ID["create_customer"]
LIST: Final = BY_ID["list_customers"]

_START_TOGETHER: Final = 10.0
"""Seconds that the requests of a race wait for the last of them."""

_OF_THE_MOMENT: Final = frozenset(
    {
        "date",
        "age",
        "server",
        "via",
        "vary",
        "set-cookie",
        "server-timing",
        "content-encoding",
        "alt-svc",
        "traceparent",
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "content-length",
    }  # follows from the body and its encoding, and is not there in a chunked answer
)
"""Headers that belong to the connection or the moment (clause idempotency.replay)."""

_BESIDE_THE_CONTRACT: Final = ("x-", "paylera-mock-")
"""What headers begin with that a replay need not repeat; the second are the fake's explanations."""


@dataclass(frozen=True)
class FirstUse:
    """A key at its first use: a customer was made under it."""

    request: Request
    exchange: Exchange

    @property
    def made(self) -> str:
        """The id of the customer."""
        identifier = identity(self.exchange)
        if identifier is None:
            raise Blocked(f"{self.request} answered no `id` and no `customer_id`", exchange=self.exchange)
        return identifier

    def is_told_by(self, exchange: Exchange) -> bool:
        """Whether an answer is about the same customer."""
        return exchange.response.ok and identity(exchange) == self.made


def identity(exchange: Exchange) -> str | None:
    """The id of the customer that an answer is about."""
    answer = exchange.response.object
    found = answer.get("id") or answer.get("customer_id")
    return found if isinstance(found, str) else None


def key_of(probe: Probe, length: int = KEY_MAX_LENGTH, end: str = "") -> str:
    """A key of a length that nothing else has, with a given end."""
    return f"{probe.factory.unique_name()}-".ljust(length - len(end), "k") + end


def new_customer(probe: Probe, key: str = FRESH_KEY, token: Credential | None = None) -> Request:
    """A request that makes a customer whom no other request makes; sent again, it is no control of itself."""
    return probe.factory.request_for(CREATE, token).keyed(key)


def first_use(probe: Probe, key: str | None = None, token: Credential | None = None) -> FirstUse:
    """Use a key for the first time. Raises `Blocked` where the request is not accepted."""
    request = new_customer(probe, key or probe.factory.unique_name(), token)
    return FirstUse(request, probe.require_proven(request))


def remembered_use(probe: Probe) -> FirstUse:
    """A first use that was seen to be replayed at once: the ground for when, and for whom, it is. Raises `Blocked`."""
    use = first_use(probe)
    again = probe.send(use.request)
    if not use.is_told_by(again):
        raise Blocked("a key is not remembered at all (see idempotency.replay)", exchange=again)
    return use


def remembered_if_any(probe: Probe) -> FirstUse:
    """The same; where no key is remembered the case drops out, so that it does not hide what the others show."""
    try:
        return remembered_use(probe)
    except Blocked as forgotten:
        raise NotOffered(forgotten.reason, exchange=forgotten.exchange) from None


def replays(probe: Probe, use: FirstUse, request: Request, *, change: str, hint: str) -> None:
    """The clause is that a request is answered by what was made at the first use. Raises `Violation`."""
    again = probe.send(request)
    got = f"{describe(again.response)}, another customer" if again.response.ok else describe(again.response)
    probe.expect("the customer of the first use", holds=use.is_told_by(again), got=got, change=change, hint=hint)


def is_first_use(probe: Probe, use: FirstUse, request: Request, *, change: str, hint: str) -> None:
    """The clause is that a request's key is another than the one used, so that it makes something new.

    Raises `Violation` where it is refused, unless it is so under a fresh key too, or where it is a replay.
    """
    exchange = probe.baseline(request.keyed(FRESH_KEY)).accepts(request, change=change, hint=hint)
    probe.expect(
        "a new customer",
        holds=not use.is_told_by(exchange),
        got="that of the first use",
        exchange=exchange,
        change=change,
        hint=hint,
    )


# The same answer


def same_answer(probe: Probe, first: Exchange, again: Exchange) -> None:
    """The clause is that two answers have the same status and body; a secret may be hidden. Raises `Violation`."""
    change = "the same request again, under the same key"
    probe.expect(
        f"the status of the first answer, {first.response.status}",
        holds=again.response.status == first.response.status,
        got=describe(again.response),
        exchange=again,
        change=change,
        hint="what was answered first is kept with the key and sent again, status included",
    )
    probe.expect(
        "the body of the first answer, byte for byte",
        holds=_same_body(first.response, again.response),
        got=_difference(first.response, again.response),
        exchange=again,
        change=change,
        hint="keep the bytes that were sent; what is rendered anew shows what has changed since",
    )


def same_headers(probe: Probe, first: Exchange, again: Exchange) -> None:
    """The clause is that the headers of the first answer are there again; there may be more. Raises `Violation`."""
    lost = [
        f"{name}: {value}, then {again.response.header(name) or 'no such header'}"
        for name, value in _lasting_headers(first.response)
        if again.response.header(name) != value
    ]
    probe.expect(
        "the headers of the first answer",
        holds=not lost,
        got="; ".join(lost),
        exchange=again,
        change="the same request again, under the same key",
        hint="keep the headers with the answer: only those of the connection and the moment are made anew",
    )


def _lasting_headers(response: Response) -> Iterator[tuple[str, str]]:
    named = {name.strip().lower() for name in (response.header("Connection") or "").split(",")}
    for name in dict.fromkeys(name.lower() for name, _ in response.headers):
        if name not in _OF_THE_MOMENT | named and not name.startswith(_BESIDE_THE_CONTRACT):
            yield name, response.header(name) or ""


def _same_body(first: Response, again: Response) -> bool:
    hidden = set(_secret_members(first.json))
    if not hidden:
        return first.body == again.body
    new_secrets = set(_secrets(again.json)) - set(_secrets(first.json))
    return not new_secrets and _without(first.json, hidden) == _without(again.json, hidden)


def _difference(first: Response, again: Response) -> str:
    """In what two bodies differ, in a few words and without any value."""
    members = [name for name in {**first.object, **again.object} if first.object.get(name) != again.object.get(name)]
    if members:
        return f"another body: it differs in {', '.join(members[:5])}"
    return "the same JSON in other bytes" if first.json == again.json else "another body"


def _is_secret(value: object) -> bool:
    return isinstance(value, str) and (TOKEN_FORM.fullmatch(value) is not None or value.startswith("whsec_"))


def _secrets(value: object) -> Iterator[str]:
    return (str(member) for _, member in _members(value) if _is_secret(member))


def _secret_members(value: object) -> Iterator[str]:
    return (name for name, member in _members(value) if _is_secret(member))


def _members(value: object) -> Iterator[tuple[str, object]]:
    if isinstance(value, dict):
        for name, member in value.items():
            yield name, member
            yield from _members(member)


def _without(value: object, names: set[str]) -> object:
    if not isinstance(value, dict):
        return value
    return {name: _without(member, names) for name, member in value.items() if name not in names}


# Effects


def made_once(probe: Probe, mark: str, *, change: str, hint: str = "") -> None:
    """The clause is that one customer bears a mark, not two. Raises `Violation`, or `Blocked` where none does."""
    count = _made(probe, mark)
    probe.expect("one customer made", holds=count == 1, got=f"{count} of them", change=change, hint=hint)


def blocked_unless_one(probe: Probe, mark: str) -> None:
    """Prove that what was sent so far made one customer: a second is the next request's. Raises `Blocked`."""
    count = _made(probe, mark)
    if count != 1:
        raise Blocked(
            f"{count} customers were made before anything was repeated (see credential.refusal-has-no-effect)"
        )


def _made(probe: Probe, mark: str) -> int:
    count = sum(mentions(entry, mark) for entry in probe.factory.list_entries(LIST, probe.tokens.service))
    if count == 0:
        raise Blocked(f"{LIST} does not show what an accepted request made, so that no effect can be counted there")
    return count


def state_of(probe: Probe, request: Request) -> object:
    """What the target shows of the object below which a request acts, as `/v1/payments/{id}` of its refunds."""
    return lasting_state(probe, Request("GET", request.path.rpartition("/")[0], request.token))


def lasting_state(probe: Probe, read: Request) -> object:
    """What two reads in a row agree on: a signed link or a request's own number is no state of the object."""
    one, other = (probe.require_accepted(read).response.json for _ in range(2))
    return _agreed(one, other)


def _agreed(one: object, other: object) -> object:
    if isinstance(one, dict) and isinstance(other, dict):
        return {name: _agreed(one[name], other[name]) for name in one if name in other}
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        return [_agreed(*pair) for pair in zip(one, other, strict=True)]
    return one if one == other else None


def moves_nothing(probe: Probe, changed: Request, *, control: Request, as_: Refusal, change: str) -> None:
    """The clause is that a request is refused and moves nothing.

    The control, on the same object, shows that a movement would be seen. Raises `Violation` or `Blocked`.
    """
    before = state_of(probe, changed)
    refused = probe.send(changed)
    after = state_of(probe, changed)
    if refused.response.ok:
        as_.check(refused, change=change)
    probe.require_proven(control)
    must_show(probe, after, control)
    as_.check(refused, change=change)
    probe.expect(
        "the object as it was",
        holds=before == after,
        got="a change of it",
        exchange=refused,
        change=change,
        hint="the refusal must come before the effect",
    )


def must_show(probe: Probe, before: object, moved: Request) -> None:
    """That an accepted request was seen to move something. Raises `Blocked`."""
    if state_of(probe, moved) == before:
        raise Blocked(f"the target does not show what an accepted {moved} moved, so that no effect can be seen there")


# At once


def race(probe: Probe, request: Request, racers: int) -> list[Exchange]:
    """Send one request several times at the same moment."""
    line = threading.Barrier(racers)

    def run(_: int) -> Exchange:
        line.wait(_START_TOGETHER)
        return probe.send(request)

    with ThreadPoolExecutor(racers) as pool:
        return list(pool.map(run, range(racers)))


def won_by_one(probe: Probe, answers: Iterable[Exchange], change: str) -> str:
    """The clause is that all but one of a race replay that one, or are refused with 409. Gives what was made.

    Raises `Violation`.
    """
    answers = list(answers)
    odd = [answer for answer in answers if not answer.response.ok and answer.response.status != 409]  # noqa: PLR2004
    made = {identity(answer) for answer in answers if answer.response.ok}
    probe.expect(
        "each a replay of the first, or a 409",
        holds=not odd,
        got=describe((odd or answers)[0].response),
        exchange=(odd or answers)[0],
        change=change,
    )
    probe.expect(
        "one customer in the answers",
        holds=len(made) == 1,
        got=f"{len(made)} of them",
        exchange=answers[-1],
        change=change,
        hint="take the key before the effect, so that those who come second wait or get 409",
    )
    return str(made.pop())
