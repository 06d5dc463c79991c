"""The WSGI environment of a request (PEP 3333), made in one way whoever received it, so that all answer the same."""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Collection, Iterable
from functools import lru_cache
from types import MappingProxyType
from typing import IO, TYPE_CHECKING, Any, Final
from urllib.parse import unquote_to_bytes

from paylera_mock.core.messages import HEADER_NAME

if TYPE_CHECKING:  # the stubs of the type checker alone have it
    from _typeshed.wsgi import WSGIEnvironment

UNDERSCORED: Final = "paylera_mock.underscored"
"""The key of the names of headers that were ignored for an underscore in them; there is none where none was."""

BEGAN_AT: Final = "paylera_mock.began_at"
"""The key of when the head of the request was read, as `time.perf_counter`."""

UNPREFIXED: Final = frozenset({"CONTENT_TYPE", "CONTENT_LENGTH"})
"""The keys of headers that alone have no `HTTP_` before them (PEP 3333)."""

LENGTH: Final = re.compile(r"[0-9]{1,18}")
"""A value of `Content-Length`."""

_CONTROL: Final = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_SAME_FOR_ALL: Final = MappingProxyType(
    {
        "SCRIPT_NAME": "",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "wsgi.version": (1, 0),
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
)


def make_environ(
    method: str,
    target: str,
    headers: Iterable[tuple[str, str]],
    body: IO[bytes],
    *,
    scheme: str,
    server: tuple[str, int],
) -> WSGIEnvironment:
    """A request as servers hand it to an application, its texts in Latin-1: one character for each byte.

    - `target`: the path and the query as on the request line;
    - `body`: a stream that ends with the body, if there is no length among the headers;
    - `server`: the host and the port at which it was received.

    Headers whose names have an underscore are left out, since here they would pass for those with a hyphen; what is
    there twice is joined (RFC 9110, section 5.3).
    """
    path, _, query = target.partition("#")[0].partition("?")
    environ: dict[str, Any] = {
        **_SAME_FOR_ALL,
        "REQUEST_METHOD": method,
        "PATH_INFO": unquote_to_bytes(path.encode("latin-1")).decode("latin-1") if "%" in path else path,
        "QUERY_STRING": query,
        "SERVER_NAME": server[0],
        "SERVER_PORT": str(server[1]),
        "wsgi.url_scheme": scheme,
        "wsgi.input": body,
        "wsgi.input_terminated": True,
        "wsgi.errors": sys.stderr,
        BEGAN_AT: time.perf_counter(),
    }
    for name, value in headers:
        key = _key(name)
        if not key:
            environ[UNDERSCORED] = (*environ.get(UNDERSCORED, ()), name)
        else:
            value = value.strip(" \t")  # noqa: PLW2901 - the space around it is no part of it (RFC 9110, section 5.5)
            # A length that is there twice is one (RFC 9112, section 6.3).
            is_again = key in environ and key != "CONTENT_LENGTH"
            environ[key] = f"{environ[key]}, {value}" if is_again else value
    if environ.pop("HTTP_TRANSFER_ENCODING", None) is not None:
        # The body has no framing any more, and a length beside it does not count (RFC 9112, section 6.3).
        environ.pop("CONTENT_LENGTH", None)
    return environ


@lru_cache(maxsize=256)
def _key(name: str) -> str:
    """Under what a header stands; empty where it is left out."""
    if "_" in name:
        return ""
    key = name.upper().replace("-", "_")
    return key if key in UNPREFIXED else f"HTTP_{key}"


def is_well_formed(target: str, headers: Collection[tuple[str, str]]) -> bool:
    """Whether the head of a request is one by HTTP's own grammar (RFC 9110, section 5): h11 knows, on a socket."""
    lengths = {value for name, value in headers if name.lower() == "content-length"}
    return (
        target.isascii()
        and len(lengths) <= 1
        and all(map(LENGTH.fullmatch, lengths))
        and all(HEADER_NAME.fullmatch(name) for name, _ in headers)
        and not has_control_character(headers)
    )


def has_control_character(headers: Iterable[tuple[str, str]]) -> bool:
    """Whether a value has one, which h11 lets pass."""
    return any(_CONTROL.search(value) for _, value in headers)
