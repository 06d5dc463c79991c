"""Whether the answer to a repeated request is the first answer again (clause idempotency.replay)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from paylera_conformance.model.messages import Exchange, Response
from paylera_conformance.probe.probe import Probe
from paylera_fixtures.tokens import TOKEN_FORM

REPEATED: Final = "the same request again, under the same key"

_NOT_REPEATED: Final = re.compile(
    # They belong to the connection or the moment.
    "date|age|server|via|vary|set-cookie|server-timing|content-encoding|alt-svc|traceparent|connection|keep-alive|"
    "proxy-authenticate|proxy-authorization|proxy-connection|te|trailer|transfer-encoding|upgrade|"
    # It follows from the body and its encoding, and is not there in a chunked answer.
    "content-length|"
    # They are beside the contract; the second are the fake's explanations.
    "x-.*|paylera-mock-.*"
)
"""Names of headers that a replay need not repeat, in small letters."""


def expect_same_answer(probe: Probe, first: Exchange, again: Exchange) -> None:
    """The clause is that two answers have the same status and body; a secret may be hidden. Raises `Violation`."""
    probe.expect(
        again,
        f"the status of the first answer, {first.response.status}",
        holds=again.response.status == first.response.status,
        change=REPEATED,
        hint="what was answered first is kept with the key and sent again, status included",
    )
    probe.expect(
        again,
        "the body of the first answer, byte for byte",
        holds=_has_same_body(first.response, again.response),
        got=_describe_difference(first.response, again.response),
        change=REPEATED,
        hint="keep the bytes that were sent; what is rendered anew shows what has changed since",
    )


def expect_same_headers(probe: Probe, first: Exchange, again: Exchange) -> None:
    """The clause is that the headers of the first answer are there again; there may be more. Raises `Violation`."""
    lost = [
        f"{name}: {value}, then {again.response.header(name) or 'no such header'}"
        for name, value in _lasting_headers(first.response)
        if again.response.header(name) != value
    ]
    probe.expect(
        again,
        "the headers of the first answer",
        holds=not lost,
        got="; ".join(lost),
        change=REPEATED,
        hint="keep the headers with the answer: only those of the connection and the moment are made anew",
    )


def _lasting_headers(response: Response) -> Iterator[tuple[str, str]]:
    of_the_connection = {name.strip().lower() for name in (response.header("Connection") or "").split(",")}
    for name in dict.fromkeys(name.lower() for name, _ in response.headers):
        if name not in of_the_connection and not _NOT_REPEATED.fullmatch(name):
            yield name, response.header(name) or ""


def _has_same_body(first: Response, again: Response) -> bool:
    hidden = {name for name, value in _members(first.json) if _is_secret(value)}
    if not hidden:
        return first.body == again.body
    before, after = ({v for _, v in _members(body.json) if _is_secret(v)} for body in (first, again))
    return after <= before and _without(first.json, hidden) == _without(again.json, hidden)


def _describe_difference(first: Response, again: Response) -> str:
    """In what two bodies differ, in a few words and without any value."""
    members = [name for name in {**first.object, **again.object} if first.object.get(name) != again.object.get(name)]
    if members:
        return f"another body: it differs in {', '.join(members[:5])}"
    return "the same JSON in other bytes" if first.json == again.json else "another body"


def _is_secret(value: object) -> bool:
    return isinstance(value, str) and (TOKEN_FORM.fullmatch(value) is not None or value.startswith("whsec_"))


def _members(value: object) -> Iterator[tuple[str, object]]:
    if isinstance(value, dict):
        for name, member in value.items():
            yield name, member
            yield from _members(member)


def _without(value: object, names: set[str]) -> object:
    if not isinstance(value, dict):
        return value
    return {name: _without(member, names) for name, member in value.items() if name not in names}
