"""What crosses the wire of HTTP/1.1 (RFC 9112): requests as h11 reads them, and the heads and chunks of answers."""

from __future__ import annotations

import time
from email.utils import formatdate
from functools import lru_cache
from http.client import responses
from typing import Final, TypeAlias
from urllib.parse import urlsplit

import h11

_HEAD_LIMIT: Final = 64 * 1024
"""Bytes of the head of a request, at the most."""

CLOSE: Final = ("Connection", "close")
LAST_CHUNK: Final = b"0\r\n\r\n"

Headers: TypeAlias = tuple[tuple[str, str], ...]


def new_parser() -> h11.Connection:
    """Reads one request; what comes behind it is for the next."""
    return h11.Connection(h11.SERVER, max_incomplete_event_size=_HEAD_LIMIT)


def origin_form(target: str) -> str:
    """The path and the query of a request target that has a scheme and a host too (RFC 9112, section 3.2.2).

    Raises `h11.RemoteProtocolError` where it is none.
    """
    if target.startswith("/") or "://" not in target:
        return target
    try:
        parts = urlsplit(target)
    except ValueError as error:
        raise h11.RemoteProtocolError("the target is no URL") from error
    return f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"


def encode_chunk(piece: bytes) -> bytes:
    """A piece of a body as a chunk (RFC 9112, section 7.1); none of an empty piece, which would be the last."""
    return b"%x\r\n%b\r\n" % (len(piece), piece) if piece else b""


def encode_head(status: int, headers: Headers) -> bytes:
    """The head of an answer; its headers are taken as they are."""
    lines = [f"{name}: {value}\r\n" for name, value in headers]
    return f"{_first_lines(status, int(time.time()))}{''.join(lines)}\r\n".encode("latin-1")


@lru_cache(maxsize=64)
def _first_lines(status: int, now: int) -> str:
    """The status line, and the header that every answer has (RFC 9110, section 6.6.1)."""
    return f"HTTP/1.1 {status} {responses.get(status, '')}\r\nDate: {formatdate(now, usegmt=True)}\r\n"
