"""Makes of an exchange the record that reports keep: everything that was said, and no secret."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Final

from paylera_conformance.model.messages import AnswerRecord, Exchange, ExchangeRecord
from paylera_conformance.verdict.evidence import curl
from paylera_fixtures.redaction import Redactor

BODY_KEPT: Final = 16_384
"""Characters of a body that are kept; a longer one is cut, and its length is added."""


def records_of(
    exchanges: Iterable[Exchange], redactor: Redactor, *, deciding: Exchange | None = None
) -> tuple[ExchangeRecord, ...]:
    """The records of a case's exchanges, in order. `deciding`: the one on which its outcome rests."""
    return tuple(record_of(exchange, redactor, deciding=exchange is deciding) for exchange in exchanges)


def record_of(exchange: Exchange, redactor: Redactor, *, deciding: bool = False) -> ExchangeRecord:
    """The record of one exchange."""
    request, response = exchange.request, exchange.response

    def redact_pairs(headers: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
        return tuple((redactor.redact(name), redactor.redact(value)) for name, value in headers)

    return ExchangeRecord(
        method=redactor.redact(request.method),
        url=redactor.redact(exchange.url),
        role=str(request.token) if request.token else None,
        headers=redact_pairs(exchange.sent),
        body=None if request.body is None else _body_text(request.body, redactor),
        answer=AnswerRecord(response.status, redact_pairs(response.headers), _body_text(response.body, redactor)),
        at=exchange.at,
        seconds=round(exchange.seconds, 4),
        curl=redactor.redact(curl(exchange)),
        deciding=deciding,
    )


def _body_text(body: bytes, redactor: Redactor) -> str:
    """A body as text, redacted before it is cut: a redactor does not find half a secret."""
    text = body.decode("utf-8", "backslashreplace")
    if "\\" in text:
        # JSON's escapes can hide a secret: where they do, the body is kept without them.
        try:
            plain = json.dumps(json.loads(text), ensure_ascii=False)
        except (ValueError, RecursionError):
            plain = ""
        if redactor.redact(plain) != plain:
            text = plain.encode("utf-8", "backslashreplace").decode()
    text = redactor.redact(text)
    return text if len(text) <= BODY_KEPT else f"{text[:BODY_KEPT]}… (cut, {len(body)} bytes in all)"
