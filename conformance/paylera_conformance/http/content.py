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

_KNOWN: Final = frozenset({"gzip", "x-gzip", "deflate"})
_MOST_CODINGS: Final = 4
"""Codings one in the other: there is content that unpacks to itself, for ever."""

_MOST_MEMBERS: Final = 64
"""Members of gzip one after the other: an empty one has 20 bytes, and each costs a copy of what follows it."""

_PIECE: Final = 64 * 1024
_GZIP_MAGIC: Final = b"\x1f\x8b"
_ZLIB_OR_GZIP: Final = zlib.MAX_WBITS | 32
_BARE: Final = -zlib.MAX_WBITS


def read_content(answer: Answer, headers: tuple[tuple[str, str], ...], *, deadline: float) -> bytes:
    """The body of an answer, decoded. Raises `TransportTrouble` where it has no end in time or within bounds."""
    body = b"".join(_pieces(answer, deadline))
    codings = ",".join(value for name, value in headers if name.lower() == "content-encoding")
    known = [coding for coding in map(str.strip, codings.lower().split(",")) if coding in _KNOWN]
    if len(known) > _MOST_CODINGS:
        raise TransportTrouble(f"the body has {len(known)} content codings, one in the other")
    for _ in known:
        body = _decompress(body) if body else body
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
        try:
            content, rest = _unpack(body, window)
            members = 1
            while rest.startswith(_GZIP_MAGIC):  # a further member (RFC 1952, section 2.2)
                members += 1
                if members > _MOST_MEMBERS:
                    raise TransportTrouble(f"the body has more than {_MOST_MEMBERS} members of gzip")
                more, rest = _unpack(rest, window)
                content += more
                if len(content) > BODY_LIMIT:
                    raise _too_long()
        except zlib.error:  # some send `deflate` without zlib's frame
            continue
        return content
    raise TransportTrouble("the body is not what its Content-Encoding says")


def _unpack(body: bytes, window: int) -> tuple[bytes, bytes]:
    """What a member holds, and what follows it. Raises `zlib.error` where it is none, or is cut."""
    decoder = zlib.decompressobj(window)
    content = decoder.decompress(body, BODY_LIMIT + 1)
    if len(content) > BODY_LIMIT:
        raise _too_long()
    if not decoder.eof:
        raise zlib.error("it is cut")
    return content, decoder.unused_data


def _too_long() -> TransportTrouble:
    return TransportTrouble(f"the body goes on beyond {BODY_LIMIT} bytes")
