"""Other spellings of a request, by which a careless server lets in whom it refuses at the front door.

Each spells a path, a method or a host in a way that one part of a server may take for the plain one and another not:
the part that looks at the credential is to be passed by unseen.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import urlsplit

from paylera_conformance.model.messages import Exchange, Request
from paylera_conformance.probe.probe import Probe

_TELLING: Final = 8
"""Characters below which an id may stand in a text by chance."""


@dataclass(frozen=True)
class PathVariant:
    """One other spelling.

    - `change`: what is other about it;
    - `path`: the spelling of a path such as `/v1/admin/actors`;
    - `method`, `host`: in place of the request's own;
    - `headers`: sent besides; `{path}` stands for the plain path;
    - `absolute`: the request target is a whole URL (RFC 9112, section 3.2.2).
    """

    change: str
    path: Callable[[str], str] = str
    method: str | None = None
    host: str | None = None
    headers: tuple[tuple[str, str], ...] = ()
    absolute: bool = False


def _after_version(inserted: str) -> Callable[[str], str]:
    """Insert behind `/v1`."""
    return lambda path: f"/v1{inserted}{path.removeprefix('/v1')}"


def _resource(spell: Callable[[str], str]) -> Callable[[str], str]:
    """Spell the segment behind `/v1/` otherwise."""

    def spelled(path: str) -> str:
        version, segment, *rest = path.removeprefix("/").split("/")
        return "/" + "/".join([version, spell(segment), *rest])

    return spelled


def _percent(letter: str, *, escape: str = "%") -> str:
    return f"{escape}{ord(letter):02x}"


def _last(added: str) -> Callable[[str], str]:
    return lambda path: path + added


SLASHES: Final = (
    PathVariant("// at the start", lambda path: f"/{path}"),
    PathVariant("// behind the version", _after_version("/")),
    PathVariant("a slash at the end", _last("/")),
    PathVariant("two slashes at the end", _last("//")),
    PathVariant("a backslash behind the version", lambda path: path.replace("/v1/", "/v1\\", 1)),
)
DOTS: Final = (
    PathVariant("/./ behind the version", _after_version("/.")),
    PathVariant("/x/../ behind the version", _after_version("/x/..")),
    PathVariant("/../v1/ behind the version", _after_version("/../v1")),
    PathVariant("/.;/ behind the version", _after_version("/.;")),  # some servers take off `;…` after looking for dots
    PathVariant("a dot at the end", _last(".")),
    PathVariant("/. at the end", _last("/.")),
    PathVariant("/x/.. at the end", _last("/x/..")),
)
PERCENT: Final = (
    PathVariant("a letter percent-encoded", _resource(lambda name: _percent(name[0]) + name[1:])),
    PathVariant("a letter percent-encoded twice", _resource(lambda name: _percent(name[0], escape="%25") + name[1:])),
    PathVariant("the version percent-encoded", lambda path: path.replace("/v1", "/%76%31", 1)),
    PathVariant("/x/%2e%2e/ behind the version", _after_version("/x/%2e%2e")),
    PathVariant("%2f in place of a slash", lambda path: path.replace("/v1/", "/v1%2f", 1)),
    PathVariant("%2f at the start", lambda path: f"/%2f{path.removeprefix('/')}"),
)
ENDINGS: Final = (
    PathVariant(".json at the end", _last(".json")),
    PathVariant("; with a parameter at the end", _last(";v=1")),
    PathVariant("; with a parameter behind the version", _after_version(";v=1")),
    PathVariant("%00 at the end", _last("%00")),
    PathVariant("%20 at the end", _last("%20")),
    PathVariant("an empty query", _last("?")),
)
CASES: Final = (
    PathVariant("the version in capitals", lambda path: path.replace("/v1", "/V1", 1)),
    PathVariant("the resource in capitals", _resource(str.upper)),
    PathVariant("all in capitals", str.upper),
)
HOSTS: Final = (
    PathVariant("the request target a whole URL", absolute=True),
    PathVariant("Host: localhost", host="localhost"),
    PathVariant("Host: 127.0.0.1", host="127.0.0.1"),
    PathVariant("Host: of nobody", host="internal.invalid"),
    PathVariant("Host: of the other environment", host="api.paylera.io"),
    PathVariant(
        "headers that claim a neighbour",
        headers=(("X-Forwarded-For", "127.0.0.1"), ("X-Real-IP", "127.0.0.1"), ("X-Forwarded-Host", "localhost")),
    ),
)
REWRITES: Final = (
    PathVariant("X-Original-URL from /", lambda _: "/", headers=(("X-Original-URL", "{path}"),)),
    PathVariant("X-Rewrite-URL from /", lambda _: "/", headers=(("X-Rewrite-URL", "{path}"),)),
)
METHODS: Final = (
    PathVariant("HEAD", method="HEAD"),
    PathVariant("X-HTTP-Method-Override: OPTIONS", headers=(("X-HTTP-Method-Override", "OPTIONS"),)),
    PathVariant("POST with X-HTTP-Method-Override: GET", method="POST", headers=(("X-HTTP-Method-Override", "GET"),)),
    PathVariant("a method in small letters", method="get"),
)

READING: Final = {
    "slashes": SLASHES,
    "dots": DOTS,
    "percent": PERCENT,
    "endings": ENDINGS,
    "cases": CASES,
    "hosts": HOSTS,
    "rewrites": REWRITES,
    "methods": METHODS,
}
"""Every door to what may be read, by family."""

WRITING: Final = {name: READING[name] for name in ("slashes", "dots", "percent", "endings", "cases", "hosts")}
"""Those that keep the method, so that they may be doors to a write too."""

OVERRIDES: Final = (
    *(
        PathVariant(f"{method} with {name}: DELETE", method=method, headers=((name, "DELETE"),))
        for method in ("GET", "POST")
        for name in ("X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override")
    ),
    PathVariant("GET with ?_method=DELETE", _last("?_method=DELETE")),
    PathVariant("POST with ?_method=DELETE", _last("?_method=DELETE"), method="POST"),
)
"""A read, or a write of another kind, that says it is a deletion."""


def knock(probe: Probe, request: Request, door: PathVariant) -> Exchange | None:
    """Send a request through a door, with the request's own credential, key and body.

    The path must have no query. `None` where the connection was closed without an answer.
    """
    base = probe.provisioner.url
    prefix = urlsplit(base).path
    spelled = replace(request, path=door.path(request.path), method=door.method or request.method)
    return probe.send_raw(
        spelled,
        [*_own_headers(request), *((name, _bytes(value, prefix + request.path)) for name, value in door.headers)],
        target=base + spelled.path if door.absolute else None,
        host=door.host,
    )


def _own_headers(request: Request) -> list[tuple[str, bytes]]:
    found = []
    if request.token is not None:
        found.append((request.carrier, f"Bearer {request.token.secret.reveal()}".encode()))
    if request.key is not None:
        found.append(("Idempotency-Key", request.key.encode()))
    if request.body is not None:
        found.append(("Content-Type", b"application/json"))
    return found


def _bytes(value: str, path: str) -> bytes:
    return value.replace("{path}", path).encode()


def tells(exchange: Exchange, told: Exchange) -> bool:
    """Whether an answer tells what an accepted one told.

    A 2xx to HEAD does; else one that has the members of the accepted answer, or names an object of it.
    """
    response = exchange.response
    if not response.ok:
        return False
    if exchange.request.method == "HEAD":
        return True
    members = set(told.response.object)
    if members and members <= set(response.object):
        return True
    return any(name.encode() in response.body for name in _ids(told))


def _ids(told: Exchange) -> list[str]:
    data = told.response.object.get("data")
    entries = data if isinstance(data, list) else [told.response.object]
    members = [member for entry in entries if isinstance(entry, dict) for member in entry.items()]
    named = [str(value) for name, value in members if name == "id" or name.endswith("_id")]
    return [name for name in named if len(name) >= _TELLING]
