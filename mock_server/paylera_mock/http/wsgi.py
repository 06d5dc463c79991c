"""From a WSGI environment to a request: nothing below knows WSGI."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import IO, TYPE_CHECKING

from werkzeug.exceptions import ClientDisconnected

from paylera_fixtures.hosts import hostname
from paylera_fixtures.vocabulary import Environment
from paylera_mock.core.credential import Authorization
from paylera_mock.core.messages import BODILESS, Request
from paylera_mock.http.environ import LENGTH, UNDERSCORED, UNPREFIXED

if TYPE_CHECKING:  # the stubs of the type checker alone have it
    from _typeshed.wsgi import WSGIEnvironment


@dataclass(frozen=True, slots=True)
class Location:
    """Where a request goes: the namespace that the path names, the environment, and the path below both."""

    namespace_id: str | None
    environment: Environment
    path: str


def locate(path: str, host: str, *, by_host: bool) -> Location:
    """Take `/ns/<id>` and `/live` off a path. With `by_host`, production's host names tell the environment instead."""
    namespace_id = None
    if path.startswith("/ns/"):
        namespace_id, _, rest = path[4:].partition("/")
        path = "/" + rest
    if by_host:
        name = hostname(host)
        for environment in Environment:
            if environment.production_host == name:
                return Location(namespace_id, environment, path)
    if path.startswith("/live/"):
        return Location(namespace_id, Environment.LIVE, path[5:])
    return Location(namespace_id, Environment.SANDBOX, path)


def authorization_of(environ: WSGIEnvironment) -> tuple[str, ...]:
    """Every `Authorization` header: WSGI has at most one, into which servers join repeated ones."""
    value = environ.get("HTTP_AUTHORIZATION")
    return () if value is None else (value,)


def read_request(environ: WSGIEnvironment, location: Location, credential: Authorization, body_limit: int) -> Request:
    """Read what the contract looks at. Bodies are read up to a limit, and not at all where they mean nothing."""
    method = environ["REQUEST_METHOD"]
    return Request(
        "GET" if method == "HEAD" else method,
        location.path,
        location.environment,
        authorization_of(environ),
        credential,
        environ.get("PATH_INFO", ""),
        environ.get("QUERY_STRING", ""),
        environ.get("HTTP_PAYLERA_VERSION"),
        environ.get("HTTP_X_PAYLERA_ACTING_AS"),
        environ.get("HTTP_IDEMPOTENCY_KEY"),
        environ.get("CONTENT_TYPE") or None,
        b"" if method in BODILESS else read_body(environ, body_limit),
        environ.get("HTTP_ACCEPT_ENCODING", ""),
        environ.get("wsgi.url_scheme", "http"),
        environ.get("HTTP_HOST", ""),
        environ.get("HTTP_USER_AGENT", ""),
        method,
        tuple([(name, environ[key]) for key in environ if (name := _header_name(key))]),
        environ.get(UNDERSCORED, ()),
    )


@lru_cache(maxsize=512)
def _header_name(key: str) -> str:
    """The name of the header that a WSGI environment has under this key; empty where it is none."""
    if key.startswith("HTTP_"):
        key = key.removeprefix("HTTP_")
    elif key not in UNPREFIXED:
        return ""
    return key.lower().replace("_", "-")


def read_body(environ: WSGIEnvironment, limit: int) -> bytes | None:
    """The body; `None` where it is beyond the limit.

    Raises `ClientDisconnected` where it ends too early, and `TimeoutError` where the server has it come in time only.
    """
    declared = environ.get("CONTENT_LENGTH") or ""
    length = int(declared) if LENGTH.fullmatch(declared) else None
    if length is not None and length > limit:
        return None
    if "wsgi.input_terminated" in environ:
        body = _read_at_most(environ["wsgi.input"], limit + 1)
        return None if len(body) > limit else body
    body = _read_at_most(environ["wsgi.input"], length or 0)
    if len(body) < (length or 0):
        raise ClientDisconnected
    return body


def _read_at_most(stream: IO[bytes], size: int) -> bytes:
    body = stream.read(size) if size else b""
    # A stream may give less than was asked for.
    while size > len(body) and body and (piece := stream.read(size - len(body))):
        body += piece
    return body
