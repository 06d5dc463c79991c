"""Makes of an exchange the record that reports keep: everything that was said, and no secret."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from paylera_conformance.model.messages import AnswerRecord, CredentialNote, Exchange, ExchangeRecord
from paylera_conformance.target.provisioner import OTHER
from paylera_conformance.verdict.evidence import curl
from paylera_conformance.verdict.shown_body import shown_body
from paylera_conformance.verdict.target_time import TargetTimes
from paylera_fixtures.redaction import Redactor, Secret

BODY_KEPT: Final = 16_384
"""Characters of a body that are kept; a longer one is cut, and its length is added."""


_WORD: Final = re.compile(r"[\w-]+")
_MINTED: Final = "minted"
"""The role of a secret that a control API gave, and that was not sent."""


@dataclass(frozen=True)
class Evidence:
    """What reports keep of a case: what was sent, what was asked of the control API, and by which credentials."""

    exchanges: tuple[ExchangeRecord, ...] = ()
    control_calls: tuple[ExchangeRecord, ...] = ()
    credentials: tuple[CredentialNote, ...] = ()


def record_evidence(
    exchanges: Sequence[Exchange],
    calls: Sequence[Exchange],
    redactor: Redactor,
    *,
    deciding: Exchange | None,
    times: TargetTimes,
) -> Evidence:
    """The evidence of a case.

    - `calls`: those of a control API that concern the case; `times`: what the target's clock said.
    """
    minted = (call.response.object.get("secret") for call in calls)
    hidden = [Secret(secret, _MINTED) for secret in minted if isinstance(secret, str)]
    hidden += [call.request.token.secret for call in calls if call.request.token]
    return Evidence(
        records_of(exchanges, redactor, deciding=deciding, times=times),
        records_of(calls, Redactor((*redactor.known, *hidden)) if hidden else redactor, times=times),
        tuple(dict.fromkeys(_credential_note(exchange, redactor) for exchange in exchanges if exchange.request.token)),
    )


def calls_behind(calls: Iterable[Exchange], exchanges: Sequence[Exchange]) -> list[Exchange]:
    """Of the control calls of several cases those on which some exchanges rest: what made what they name, and moves."""
    end = max((exchange.at for exchange in exchanges), default="")
    named = {exchange.request.token.id for exchange in exchanges if exchange.request.token}
    for exchange in exchanges:
        body = (exchange.request.body or b"").decode("latin-1")
        named.update(_WORD.findall(f"{exchange.url} {exchange.sent} {body}"))

    def is_behind(call: Exchange) -> bool:
        made = call.response.object.get("id")
        makes_part = isinstance(made, str | int) and not call.request.path.startswith("/namespaces")
        return call.request.method != "GET" and call.at <= end and (not makes_part or str(made) in named)

    return [call for call in calls if is_behind(call)]


def _credential_note(exchange: Exchange, redactor: Redactor) -> CredentialNote:
    token = exchange.request.token
    assert token is not None  # noqa: S101 - asked of such exchanges only
    return CredentialNote(
        label=str(token),
        audience=token.audience,
        scopes=token.scopes,
        aal=token.aal,
        environment=token.environment,
        state=token.state,
        id=redactor.redact(token.id or ""),
        tenant=OTHER if token.tenant_id == OTHER else "",
        issued=token.issued,
    )


def records_of(
    exchanges: Iterable[Exchange],
    redactor: Redactor,
    *,
    deciding: Exchange | None = None,
    times: TargetTimes | None = None,
) -> tuple[ExchangeRecord, ...]:
    """The records of a case's exchanges, in order.

    - `deciding`: the one on which its outcome rests; `times`: what the target's clock said.
    """
    return tuple(
        record_of(exchange, redactor, deciding=exchange is deciding, target_time=times.at(exchange.at) if times else "")
        for exchange in exchanges
    )


def record_of(
    exchange: Exchange, redactor: Redactor, *, deciding: bool = False, target_time: str = ""
) -> ExchangeRecord:
    """The record of one exchange."""
    request, response = exchange.request, exchange.response
    headers = [text for pair in (*exchange.sent, *response.headers) for text in pair]
    bodies = [shown_body(request.body or b"", redactor), shown_body(response.body, redactor)]
    texts = [request.method, exchange.url, curl(exchange) if deciding else "", *bodies, *headers]
    method, url, repeated, sent_body, answer_body, *plain = redactor.redact_all(texts)
    pairs = tuple(zip(plain[::2], plain[1::2], strict=True))
    return ExchangeRecord(
        method=method,
        url=url,
        role=str(request.token) if request.token else None,
        headers=pairs[: len(exchange.sent)],
        body=None if request.body is None else _cut(sent_body, request.body),
        answer=AnswerRecord(response.status, pairs[len(exchange.sent) :], _cut(answer_body, response.body)),
        at=exchange.at,
        seconds=round(exchange.seconds, 4),
        curl=repeated,
        target_time=target_time,
        deciding=deciding,
    )


def _cut(text: str, body: bytes) -> str:
    """A body's text as it is kept: cut after it was redacted, since a redactor does not find half a secret."""
    return text if len(text) <= BODY_KEPT else f"{text[:BODY_KEPT]}… (cut, {len(body)} bytes in all)"
