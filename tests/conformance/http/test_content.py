"""The content of an answer as its codings have it, with bounds."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable
from io import BytesIO

import pytest

from paylera_conformance.http.content import BODY_LIMIT, read_content
from paylera_conformance.model.outcomes import TransportTrouble

TEXT = b'{"data": []}'
FAR_OFF = float("inf")


class Answered(BytesIO):
    """An answer's body, all of which has come."""

    length = 0


def deflate_without_frame(body: bytes) -> bytes:
    """As some servers send `deflate`."""
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(body) + packer.flush()


def read(body: bytes, *codings: str) -> bytes:
    """The content of a body with such headers."""
    headers = tuple(("Content-Encoding", coding) for coding in codings)
    return read_content(Answered(body), headers, deadline=FAR_OFF)  # type: ignore[arg-type] # all that is read of it


SENT: dict[str, tuple[bytes, tuple[str, ...]]] = {
    "plain": (TEXT, ()),
    "identity": (TEXT, ("identity",)),
    "gzip": (gzip.compress(TEXT), ("gzip",)),
    "two-members": (gzip.compress(TEXT[:5]) + gzip.compress(TEXT[5:]), ("GZIP",)),
    "filled-up": (gzip.compress(TEXT) + b"\0" * 9, ("x-gzip",)),
    "deflate": (zlib.compress(TEXT), ("deflate",)),
    "bare-deflate": (deflate_without_frame(TEXT), ("deflate",)),
    "one-in-the-other": (gzip.compress(zlib.compress(TEXT)), ("deflate, gzip",)),
    "in-two-headers": (gzip.compress(zlib.compress(TEXT)), ("deflate", "gzip")),
}


@pytest.mark.parametrize(("body", "codings"), SENT.values(), ids=SENT)
def test_content_is_what_was_coded(body: bytes, codings: tuple[str, ...]) -> None:
    """Whichever way a server packs it."""
    assert read(body, *codings) == TEXT


HOSTILE: dict[str, tuple[Callable[[], bytes], str, str]] = {
    "bomb": (lambda: gzip.compress(b"x" * (BODY_LIMIT + 1)), "gzip", "goes on beyond"),
    "many-members": (lambda: gzip.compress(b"x" * (BODY_LIMIT // 4)) * 5, "gzip", "goes on beyond"),
    "empty-members": (lambda: gzip.compress(b"") * 100_000, "gzip", "more than 64 members"),
    "one-in-the-other": (lambda: gzip.compress(TEXT), ",".join(["gzip"] * 5), "5 content codings"),
    "cut": (lambda: gzip.compress(TEXT)[:-4], "gzip", "not what its Content-Encoding says"),
    "cut-member": (lambda: gzip.compress(TEXT) * 2 + gzip.compress(TEXT)[:12], "gzip", "not what its Content-Encoding"),
    "no-gzip": (lambda: TEXT, "gzip", "not what its Content-Encoding says"),
}


@pytest.mark.parametrize(("make", "coding", "told"), HOSTILE.values(), ids=HOSTILE)
def test_content_without_bounds_is_given_up(make: Callable[[], bytes], coding: str, told: str) -> None:
    """With what is wrong about it."""
    with pytest.raises(TransportTrouble, match=told):
        read(make(), coding)
