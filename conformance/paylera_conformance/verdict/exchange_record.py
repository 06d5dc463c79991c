"""An exchange as JSON values that may be kept and shown: everything that was said, and no secret in it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, Final

from paylera_conformance.model.messages import Exchange
from paylera_conformance.verdict.evidence import curl
from paylera_fixtures.redaction import Redactor

BODY_KEPT: Final = 16_384
"""Characters of a body that are kept; what is cut is said."""


def records_of(
    exchanges: Iterable[Exchange], redactor: Redactor, *, deciding: Exchange | None = None
) -> tuple[dict[str, Any], ...]:
    """The exchanges of a case, in order; the one on which its outcome rests has a member `deciding`."""
    exchanges = list(exchanges)
    return tuple(
        record_of(exchange, redactor) | ({"deciding": True} if exchange is deciding else {}) for exchange in exchanges
    )


def record_of(exchange: Exchange, redactor: Redactor) -> dict[str, Any]:
    """One exchange: `method`, `url`, `role` of the credential, `headers`, `body`, `answer`, `at`, `seconds`, `curl`."""
    request, response = exchange.request, exchange.response

    def clean(text: str) -> str:
        return redactor.redact(text)

    def pairs(headers: tuple[tuple[str, str], ...]) -> list[list[str]]:
        return [[clean(name), clean(value)] for name, value in headers]

    return {
        "method": clean(request.method),
        "url": clean(exchange.url),
        "role": str(request.token) if request.token else None,
        "headers": pairs(exchange.sent),
        "body": None if request.body is None else _text(request.body, redactor),
        "answer": {
            "status": response.status,
            "headers": pairs(response.headers),
            "body": _text(response.body, redactor),
        },
        "at": exchange.at,
        "seconds": round(exchange.seconds, 4),
        "curl": clean(curl(exchange)),
    }


def _text(body: bytes, redactor: Redactor) -> str:
    # Redacted before it is cut: half a secret would not be found any more.
    text = redactor.redact(_unescaped(body.decode("utf-8", "backslashreplace"), redactor))
    return text if len(text) <= BODY_KEPT else f"{text[:BODY_KEPT]}… (cut, {len(body)} bytes in all)"


def _unescaped(text: str, redactor: Redactor) -> str:
    """The text as it is, but where JSON's escapes hide a secret in it, the JSON without them."""
    if "\\" not in text:
        return text
    try:
        plain = json.dumps(json.loads(text), ensure_ascii=False)
    except (ValueError, RecursionError):
        return text
    return text if redactor.redact(plain) == plain else plain.encode("utf-8", "backslashreplace").decode()
