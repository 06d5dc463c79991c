"""The content of an answer: read with bounds, and decoded."""

from __future__ import annotations

import time
import zlib
from collections.abc import Iterator
from typing import Final

from paylera_conformance.http.connections import Answer
from paylera_conformance.model.outcomes import TransportTrouble

BODY_LIMIT: Final = 4 * 1024 * 1024
"""Bytes of an answer that are read; one that goes on is trouble, not evidence."""

CODINGS: Final = b"gzip, deflate"
"""The content codings that the suite accepts."""

_PIECE: Final = 64 * 1024
_ZLIB_OR_GZIP: Final = zlib.MAX_WBITS | 32
_BARE: Final = -zlib.MAX_WBITS


def read_content(answer: Answer, headers: tuple[tuple[str, str], ...], *, deadline: float) -> bytes:
    """The body of an answer, decoded. Raises `TransportTrouble` where it has no end in time or within bounds."""
    body = b"".join(_pieces(answer, deadline))
    codings = ",".join(value for name, value in headers if name.lower() == "content-encoding")
    for coding in reversed(codings.lower().split(",")):
        if coding.strip() in {"gzip", "x-gzip", "deflate"} and body:
            body = _decompress(body)
    return body


def _pieces(answer: Answer, deadline: float) -> Iterator[bytes]:
    size = 0
    while piece := answer.read(_PIECE):
        yield piece
        size += len(piece)
        if size > BODY_LIMIT:
            raise _too_long()
        if time.monotonic() > deadline:
            raise TransportTrouble("the body did not end in time")
    if answer.length:
        raise TransportTrouble(f"the body broke off {answer.length} bytes before its Content-Length")


def _decompress(body: bytes) -> bytes:
    for window in (_ZLIB_OR_GZIP, _BARE):
        decoder = zlib.decompressobj(window)
        try:
            content = decoder.decompress(body, BODY_LIMIT + 1)
        except zlib.error:  # some send `deflate` without zlib's frame
            continue
        if len(content) > BODY_LIMIT:
            raise _too_long()
        if decoder.eof:
            return content
    raise TransportTrouble("the body is not what its Content-Encoding says")


def _too_long() -> TransportTrouble:
    return TransportTrouble(f"the body goes on beyond {BODY_LIMIT} bytes")
