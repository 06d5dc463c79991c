"""Other spellings of a request, by which a careless server accepts what it refuses when it is spelled plainly.

Each spells a path, a method or a host in a way that the part of a server that looks at the credential may take for
something else than the part that answers does.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import urlsplit

from paylera_conformance.model.messages import Exchange, Request, Response
from paylera_conformance.model.outcomes import Blocked
from paylera_conformance.probe.answers import find_entries, find_object
from paylera_conformance.probe.probe import Probe
from paylera_conformance.probe.refusals import GONE
from paylera_fixtures.api.operations import BY_ID, OPERATIONS, Operation, Resource
from paylera_fixtures.vocabulary import Header

_ENDED: Final = ("cancel", "delet", "void", "revok", "archiv", "disabl", "remov")
"""How the statuses begin that an object has when somebody has ended it."""

_SHORTEST_ID: Final = 8
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

    def __str__(self) -> str:
        return self.change


def _behind_version(inserted: str) -> Callable[[str], str]:
    """Insert behind `/v1`."""
    return lambda path: f"/v1{inserted}{path.removeprefix('/v1')}"


def _resource(spell: Callable[[str], str]) -> Callable[[str], str]:
    """Spell the segment behind `/v1/` otherwise."""

    def spell_path(path: str) -> str:
        version, segment, *rest = path.removeprefix("/").split("/")
        return "/" + "/".join([version, spell(segment), *rest])

    return spell_path


def _at_end(added: str) -> Callable[[str], str]:
    return lambda path: path + added


READING: Final = {
    "slashes": (
        PathVariant("// at the start", lambda path: f"/{path}"),
        PathVariant("// behind the version", _behind_version("/")),
        PathVariant("a slash at the end", _at_end("/")),
        PathVariant("two slashes at the end", _at_end("//")),
        PathVariant("a backslash behind the version", lambda path: path.replace("/v1/", "/v1\\", 1)),
    ),
    "dots": (
        PathVariant("/./ behind the version", _behind_version("/.")),
        PathVariant("/x/../ behind the version", _behind_version("/x/..")),
        PathVariant("/../v1/ behind the version", _behind_version("/../v1")),
        # Some servers take off `;…` after looking for dots.
        PathVariant("/.;/ behind the version", _behind_version("/.;")),
        PathVariant("a dot at the end", _at_end(".")),
        PathVariant("/. at the end", _at_end("/.")),
        PathVariant("/x/.. at the end", _at_end("/x/..")),
    ),
    "percent": (
        PathVariant("a letter percent-encoded", _resource(lambda name: f"%{ord(name[0]):02x}{name[1:]}")),
        PathVariant("a letter percent-encoded twice", _resource(lambda name: f"%25{ord(name[0]):02x}{name[1:]}")),
        PathVariant("the version percent-encoded", lambda path: path.replace("/v1", "/%76%31", 1)),
        PathVariant("/x/%2e%2e/ behind the version", _behind_version("/x/%2e%2e")),
        PathVariant("%2f in place of a slash", lambda path: path.replace("/v1/", "/v1%2f", 1)),
        PathVariant("%2f at the start", lambda path: f"/%2f{path.removeprefix('/')}"),
    ),
    "endings": (
        PathVariant(".json at the end", _at_end(".json")),
        PathVariant("; with a parameter at the end", _at_end(";v=1")),
        PathVariant("; with a parameter behind the version", _behind_version(";v=1")),
        PathVariant("; with a parameter behind the resource", _resource(lambda name: f"{name};v=1")),
        PathVariant("%00 at the end", _at_end("%00")),
        PathVariant("%20 at the end", _at_end("%20")),
        PathVariant("an empty query", _at_end("?")),
    ),
    "cases": (
        PathVariant("the version in capitals", lambda path: path.replace("/v1", "/V1", 1)),
        PathVariant("the resource in capitals", _resource(str.upper)),
        PathVariant("all in capitals", str.upper),
    ),
    "hosts": (
        PathVariant("the request target a whole URL", absolute=True),
        PathVariant("Host: localhost", host="localhost"),
        PathVariant("Host: 127.0.0.1", host="127.0.0.1"),
        PathVariant("Host: of nobody", host="internal.invalid"),
        PathVariant("Host: of the other environment", host="api.paylera.io"),
        PathVariant(
            "headers that claim to come from the server's own machine",
            headers=(("X-Forwarded-For", "127.0.0.1"), ("X-Real-IP", "127.0.0.1"), ("X-Forwarded-Host", "localhost")),
        ),
    ),
    "rewrites": (
        PathVariant("/api before the version", lambda path: f"/api{path}"),
        PathVariant("X-Original-URL from /", lambda _: "/", headers=(("X-Original-URL", "{path}"),)),
        PathVariant("X-Rewrite-URL from /", lambda _: "/", headers=(("X-Rewrite-URL", "{path}"),)),
    ),
    "methods": (
        PathVariant("HEAD", method="HEAD"),
        PathVariant("X-HTTP-Method-Override: OPTIONS", headers=(("X-HTTP-Method-Override", "OPTIONS"),)),
        PathVariant(
            "POST with X-HTTP-Method-Override: GET", method="POST", headers=(("X-HTTP-Method-Override", "GET"),)
        ),
        PathVariant("a method in small letters", method="get"),
        PathVariant("OPTIONS", method="OPTIONS"),
        PathVariant("PUT", method="PUT"),
    ),
}
"""Every variant of a read, by family."""

WRITING: Final = {name: READING[name] for name in READING if name != "methods"}
"""Those that keep the method, so that they are variants of a write too."""

_OVERRIDING: Final = ("X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override")
OVERRIDES: Final = (
    *(
        PathVariant(f"{method} with {name}: DELETE", method=method, headers=((name, "DELETE"),))
        for method in ("GET", "POST")
        for name in _OVERRIDING
    ),
    PathVariant("GET with ?_method=DELETE", _at_end("?_method=DELETE")),
    PathVariant("POST with ?_method=DELETE", _at_end("?_method=DELETE"), method="POST"),
)
"""A read, or a write of another kind, that says it is a deletion."""


_CHANGING: Final = (
    PathVariant("PUT", method="PUT"),
    PathVariant("OPTIONS", method="OPTIONS"),
    *(
        PathVariant(f"{method} with {name}: PATCH", method=method, headers=((name, "PATCH"),))
        for method in ("GET", "POST")
        for name in _OVERRIDING
    ),
)
"""A request on an object that says it is a change, or might be taken for one."""

_LISTS: Final = [operation for operation in OPERATIONS if operation.is_list]
_SLASH: Final = READING["slashes"][2]
"""What most servers forgive: tried on every list, whatever else is drawn for it."""


def draw_spellings(seed: int | None, *, keep_method: bool) -> Iterator[tuple[Operation, PathVariant, bool]]:
    """For each list of the contract a slash at the end, and one other spelling by a run's seed.

    With each comes whether it is to be sent with a token, which may read customers and nothing else.

    - `keep_method`: draw none that has another method than GET.
    """
    draw = random.Random(f"{seed} spellings")  # noqa: S311 - a seed is printed, so nothing here is a secret
    variants = [each for family in READING.values() for each in family if not (keep_method and each.method)]
    others = draw.sample([each for each in variants if each is not _SLASH], len(_LISTS))
    for number, (operation, other) in enumerate(zip(_LISTS, others, strict=True)):
        yield operation, _SLASH, False
        yield operation, other, bool(number % 2) and operation.resource is not Resource.CUSTOMER


def draw_changes(seed: int | None, count: int) -> list[tuple[Resource, list[PathVariant]]]:
    """Kinds of object, each with some requests that may be taken for a deletion or a change of one, by a run's seed.

    Those that the contract has such operations for are always there.
    """
    draw = random.Random(f"{seed} changes")  # noqa: S311 - as above
    kinds = [kind for kind in Resource if f"get_{kind}" in BY_ID and kind is not Resource.CUSTOMER]
    always = [kind for kind in kinds if f"update_{kind}" in BY_ID or kind is Resource.API_TOKEN]
    others = draw.sample([kind for kind in kinds if kind not in always], count - len(always))
    any_variant = (*OVERRIDES, *_CHANGING)
    return [
        (kind, [draw.choice(OVERRIDES), draw.choice(_CHANGING), draw.choice(any_variant)])
        for kind in (*always, *others)
    ]


def send_variant(probe: Probe, request: Request, variant: PathVariant) -> Exchange | None:
    """Send a variant of a request whose path has no query, with the request's own credential, key and body.

    `None` where the connection was closed without an answer.
    """
    base = probe.provisioner.url
    plain = urlsplit(base).path + request.path
    sent = replace(request, path=variant.path(request.path), method=variant.method or request.method)
    headers = {}
    if request.token is not None:
        headers[request.carrier] = f"Bearer {request.token.secret.reveal()}"
    if request.key is not None:
        headers[Header.IDEMPOTENCY_KEY] = request.key
    if request.body is not None:
        headers["Content-Type"] = "application/json"
    headers |= {name: value.replace("{path}", plain) for name, value in variant.headers}
    return probe.send_raw(
        sent,
        [(name, value.encode()) for name, value in headers.items()],
        target=base + sent.path if variant.absolute else None,
        host=variant.host,
    )


def discloses(exchange: Exchange, accepted: Exchange) -> bool:
    """Whether an answer discloses what an accepted one did.

    A 2xx to HEAD does; else one that has the members of the accepted answer, or names an object of it.
    """
    response = exchange.response
    if not response.ok:
        return False
    if exchange.request.method == "HEAD":
        return True
    if _has_same_shape(accepted, response):
        return True
    return any(identifier.encode() in response.body for identifier in _ids(accepted))


def has_ended(before: Exchange, after: Exchange, kind: Resource) -> bool:
    """Whether an object has come to an end between two reads of it. That it goes on by itself says nothing.

    Raises `Blocked` where the later read was refused for another reason.
    """
    if not after.response.ok:
        if not GONE.accepts(after.response):
            raise Blocked(f"{after.request} was answered {after.response} where it was accepted before", exchange=after)
        return True
    was, is_now = (str(find_object(each.response.json, kind).get("status")).lower() for each in (before, after))
    return was != is_now and is_now.startswith(_ENDED)


def _has_same_shape(accepted: Exchange, response: Response) -> bool:
    """Whether an answer is a list as the accepted one is, or an object with the members of that."""
    operation = accepted.request.operation
    if operation is None:
        return False
    if operation.is_list:
        is_list = isinstance(response.json, list) is isinstance(accepted.response.json, list) and (
            find_entries(response.json, operation.resource) is not None
        )
        return is_list and set(accepted.response.object) <= set(response.object)
    members = set(find_object(accepted.response.json, operation.resource))
    return bool(members) and members <= set(find_object(response.json, operation.resource))


def _ids(answer: Exchange) -> Iterator[str]:
    operation = answer.request.operation
    kind = Resource.CUSTOMER if operation is None else operation.resource
    for entry in find_entries(answer.response.json, kind) or [find_object(answer.response.json, kind)]:
        for name, value in entry.items():
            if (name == "id" or name.endswith("_id")) and len(str(value)) >= _SHORTEST_ID:
                yield str(value)
