"""Sends hostile requests to a fake on loopback, and looks whether it holds: no 5xx, no hang, no leak.

`python benchmarks fuzz [--api 300000] [--control 90000] [--seconds 1800] [--seed 1]` ends with status 1 where it
does not. Most requests are nearly right, since what is refused at the door reaches nothing behind it. A namespace lives
for so many requests, so that memory has to level off.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import random
import re
import selectors
import socket
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TypeAlias
from urllib.parse import urlsplit

from paylera_fixtures.api.examples import EXAMPLES
from paylera_fixtures.api.operations import OPERATIONS, Operation
from paylera_mock.cli.subprocess_server import running_fake
from paylera_mock.control import CALLS, schemas
from paylera_mock.server.http_client import send_request
from paylera_mock.server.ready import Ready

CONNECTIONS: Final = 16
PATIENCE_SECONDS: Final = 60.0
"""For one answer. It only ends what hangs."""

NAMESPACE_LASTS: Final = 3000
"""Requests that one namespace gets before another takes its place."""

SAMPLES: Final = 30
SLACK_KIB: Final = 8 * 1024
GROWTH: Final = 1.1
"""How much more memory the last third of a run may take than the second one, beside `SLACK_KIB`."""

_LENGTH: Final = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_CLOSES: Final = re.compile(rb"\r\nconnection: *close", re.IGNORECASE)
_IDS_KEPT: Final = 200
_OK: Final = range(200, 300)
_SERVER_ERROR: Final = 500


Headers: TypeAlias = list[tuple[str, str]]

ODD_TEXTS: Final = (
    "", " ", "\t", "0", "-1", "null", "true", "*", "%", "%00", "%ff", "../..", "//", ";", "'", '"', "\\", "{}", "[]",
    "\u00e9", "\U0001f600", "\u202e", "A" * 300, "9" * 5000, "1e999", "NaN", "2026-04-01", "9999-12-31T23:59:60Z",
    "0000-00-00", "cus_ada", "tok_x", "http://127.0.0.1:1/", "http://[::1", "javascript:alert(1)", "a@b.c", "EUR",
    "service", "admin", "invoice.*", "key:x:expiry", "rate-limit:reset", "webhooks:next_attempt", "4xx", "GET",
)  # fmt: skip
ODD_VALUES: Final[tuple[Any, ...]] = (
    None, True, False, 0, 1, -1, 1.5, 1e308, -1e308, 2**31, 2**53, 2**63, 2**64, 10**30, 1e-300, [], {}, [[]], [None],
    {"": ""}, {"a": {"b": {"c": []}}}, ["*"], ["*"] * 200,
)  # fmt: skip
ODD_BODIES: Final = (
    b"", b" ", b"{", b"[]", b"null", b"1", b'""', b"\xff\xfe", b"{}{}", b'{"a":1,"a":2}', b'{"a":NaN}', b'{"a":1e999}',
    b'{"a":' * 60 + b"1" + b"}" * 60, b"[" * 5000, b'{"email":"\\ud800"}', b'{"n":' + b"9" * 5000 + b"}", b"\x00" * 64,
)  # fmt: skip
ODD_HEADERS: Final = (
    ("Paylera-Version", "2026-04-01"), ("Paylera-Version", "1999-01-01"), ("X-Paylera-Acting-As", "nobody"),
    ("Accept-Encoding", "gzip, br;q=0, *"), ("Content-Encoding", "gzip"), ("Content-Type", "text/plain"),
    ("Content-Type", "application/json; charset=latin-1"), ("X-HTTP-Method-Override", "DELETE"), ("Cookie", "a=b"),
    ("Idempotency_Key", "k"), ("Expect", "x"), ("If-Match", "*"), ("Range", "bytes=0-"), ("X-Api-Key", "sk_sandbox_x"),
    ("Origin", "https://evil.example"), ("Sec-Fetch-Site", "cross-site"), ("Host", "evil.example"), ("TE", "trailers"),
    ("X-Cl\u00e9", "x"), ("X-A", "\u00e9"), ("Forwarded", "for=1;host=x"), ("Connection", "close"),
)  # fmt: skip
METHODS: Final = ("GET", "HEAD", "POST", "PATCH", "PUT", "DELETE", "OPTIONS", "TRACE", "BREW")
NEVER: Final = frozenset({"namespaces"})
"""Calls that the run makes itself: it counts its namespaces."""

_BRIEF: Final[Mapping[str, Any]] = {"wait": 0, "timeout_seconds": 0, "seconds": 0.001}
"""Members that would have the fake wait as long as they say."""


@dataclass(frozen=True)
class Hostile:
    """One request."""

    method: str
    path: str
    headers: Headers = field(default_factory=list)
    body: bytes = b""

    def encode(self, host: str) -> bytes:
        """The bytes of the request."""
        names = {name.lower() for name, _ in self.headers}
        lines = [f"{self.method} {self.path} HTTP/1.1"]
        lines += [] if "host" in names else [f"Host: {host}"]
        lines += [f"{name}: {value}" for name, value in self.headers]
        lines += [f"Content-Length: {len(self.body)}"] if self.body or self.method in {"POST", "PATCH", "PUT"} else []
        return "\r\n".join(lines).encode("utf-8", "replace") + b"\r\n\r\n" + self.body


class HostileRequests:
    """Draws requests. `ids`: of objects that there may be, of which the run tells as it learns of them."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)  # noqa: S311 - repeatable, and no secret
        self.ids: list[str] = ["cus_ada", "x"]
        self.secrets = {"service": "", "admin": "", "unknown": "sk_sandbox_x"}
        self._schemas = schemas()
        self._calls = [(method, path) for path, methods in CALLS.items() if path not in NEVER for method in methods]

    def to_api(self, prefix: str) -> Hostile:
        """A request to the API of a namespace."""
        operation = self._random.choice(OPERATIONS)
        headers = self._api_headers("admin" if "/admin/" in operation.path else "service")
        body = b"" if operation.is_read else self._body(self._payload(operation))
        method = self._mostly(operation.method, lambda: self._random.choice(METHODS))
        path = self._mostly(self._path(operation), lambda: self._odd_path(operation))
        return Hostile(method, f"{prefix}{'/live' if self._one_in(8) else ''}{path}{self._query()}", headers, body)

    def to_control(self, prefix: str) -> Hostile:
        """A call of the control API of a namespace."""
        method, path = self._random.choice(self._calls)
        schema = self._schemas[f"{method} C/{path}".rstrip("/")]
        payload = self._members(schema["body"]) if "body" in schema else {}
        query = self._query_of(schema["query"]) if "query" in schema else self._query()
        identifier = self._mostly(self._random.choice(self.ids), lambda: self._quote(self._random.choice(ODD_TEXTS)))
        target = f"{prefix}/_mock/{path.replace('{id}', identifier)}".rstrip("/")
        method = self._mostly(method, lambda: self._random.choice(METHODS))
        headers = [self._random.choice(ODD_HEADERS)] if self._one_in(20) else []
        return Hostile(method, target + query, headers, self._body(payload) if method != "GET" else b"")

    def _mostly(self, usual: str, other: Callable[[], str]) -> str:
        return other() if self._one_in(10) else usual

    def _one_in(self, number: int) -> bool:
        return self._random.randrange(number) == 0

    def _api_headers(self, usual: str) -> Headers:
        draw = self._random
        secret = self.secrets[draw.choice(list(self.secrets)) if self._one_in(5) else usual]
        key = self._mostly(str(draw.randrange(10**6)), lambda: draw.choice(ODD_TEXTS[:20]))
        headers = [
            ("Authorization", f"Bearer {secret}"),
            ("Content-Type", "application/json"),
            ("Idempotency-Key", key),
        ]
        if self._one_in(5):
            headers.append(draw.choice(ODD_HEADERS))
        if self._one_in(10):
            name, value = headers.pop(draw.randrange(len(headers)))
            headers.append((name, f"{value[: draw.randrange(len(value) + 1)]}{draw.choice(ODD_TEXTS[:20])}"))
        return [(name, value.replace("\t", " ")) for name, value in headers]

    def _path(self, operation: Operation) -> str:
        kind = operation.path.split("/")[2][:3]
        return operation.concrete(self._random.choice([each for each in self.ids if each.startswith(kind)] or self.ids))

    def _odd_path(self, operation: Operation) -> str:
        path, place = self._path(operation), self._random.randrange(1, 8)
        return path[:place] + self._quote(self._random.choice(ODD_TEXTS)) + path[place:]

    def _query(self) -> str:
        if not self._one_in(5):
            return ""
        name = self._random.choice(("limit", "cursor", "email", "status", "customer_id", "x", ""))
        return f"?{name}={self._quote(self._random.choice(ODD_TEXTS))}"

    def _query_of(self, schema: Mapping[str, Any]) -> str:
        members = {name: self._text(value) for name, value in self._members(schema).items()}
        return "?" + "&".join(f"{name}={self._quote(value)}" for name, value in members.items()) if members else ""

    @staticmethod
    def _text(value: Any) -> str:
        return value if isinstance(value, str) else json.dumps(value)

    @staticmethod
    def _quote(text: str) -> str:
        """A text as a request line can carry it; what is quoted already stays."""
        return "".join(
            each if "!" <= each <= "~" else "".join(f"%{byte:02x}" for byte in each.encode()) for each in text
        )

    def _payload(self, operation: Operation) -> dict[str, Any]:
        payload = dict(EXAMPLES.get(operation.id, {}))
        for name in list(payload):
            if name.endswith("_id"):
                payload[name] = self._random.choice(self.ids)
        return self._spoil(payload)

    def _members(self, schema: Mapping[str, Any]) -> dict[str, Any]:
        """An object with some of the members that a schema has."""
        properties = _properties(schema)
        chosen = [name for name in properties if not self._one_in(3)]
        return self._spoil({name: _BRIEF.get(name, self._value(properties[name])) for name in chosen})

    def _value(self, schema: Mapping[str, Any]) -> Any:
        draw = self._random
        options = [each for part in (schema, *schema.get("anyOf", ())) for each in part.get("enum", ())]
        if options and not self._one_in(5):
            return draw.choice(options)
        usual = {
            "integer": draw.randrange(5),
            "number": draw.random() * 10,
            "string": draw.choice([*self.ids, *ODD_TEXTS[:4]]),
            "array": [draw.choice(ODD_TEXTS)],
            "object": {draw.choice(ODD_TEXTS): draw.choice(ODD_TEXTS)},
            "boolean": True,
        }
        kind = schema.get("type")
        return usual[kind] if isinstance(kind, str) and kind in usual and not self._one_in(3) else self._odd_value()

    def _odd_value(self) -> Any:
        return self._random.choice(ODD_TEXTS if self._one_in(2) else ODD_VALUES)

    def _spoil(self, payload: dict[str, Any]) -> dict[str, Any]:
        if payload and self._one_in(2):
            name = self._random.choice(list(payload))
            if name not in _BRIEF:
                payload[name] = self._odd_value()
        return payload

    def _body(self, payload: dict[str, Any]) -> bytes:
        if self._one_in(10):
            return self._random.choice(ODD_BODIES)
        return json.dumps(payload).encode()


def _properties(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """The members of an object, whose schema stands among the definitions."""
    name = schema.get("$ref", "").rpartition("/")[2]
    found: Mapping[str, Any] = schema.get("$defs", {}).get(name, schema)
    properties: Mapping[str, Any] = found.get("properties", {})
    return properties


@dataclass
class Wire:
    """A kept connection with one request under way."""

    address: tuple[str, int]
    connection: socket.socket | None = None
    request: Hostile | None = None
    sent_at: float = 0.0
    received: bytearray = field(default_factory=bytearray)

    def send(self, request: Hostile, host: str) -> socket.socket:
        """Send a request, on a fresh connection where there is none: the connection."""
        self.request, self.sent_at = request, time.monotonic()
        self.received.clear()
        if self.connection is None:
            self.connection = socket.create_connection(self.address, PATIENCE_SECONDS)
            self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.connection.sendall(request.encode(host))
        return self.connection

    def close(self) -> None:
        """End the connection."""
        if self.connection is not None:
            self.connection.close()
        self.connection = None

    def receive(self) -> bool:
        """Take what has come: whether the answer is whole, or will never be."""
        assert self.connection is not None  # noqa: S101 - a request is under way
        assert self.request is not None  # noqa: S101 - as above
        try:
            chunk = self.connection.recv(65536)
        except ConnectionError:
            chunk = b""
        self.received += chunk
        if not chunk:
            return True
        head, separator, body = bytes(self.received).partition(b"\r\n\r\n")
        length = _LENGTH.search(head)
        bodiless = self.request.method == "HEAD" or b" 204 " in head[:20] or b" 304 " in head[:20]
        # Without a length it is a snapshot, which comes in chunks.
        is_whole = body.endswith(b"\r\n0\r\n\r\n") if length is None else len(body) >= int(length[1])
        return bool(separator) and (bodiless or is_whole)

    def answer(self) -> tuple[int, bytes]:
        """The status, 0 where none came, and the body; a connection that is to end is ended."""
        head, _, body = bytes(self.received).partition(b"\r\n\r\n")
        if not head or _CLOSES.search(head):
            self.close()
        return (int(head[9:12]) if head.startswith(b"HTTP/1.1 ") else 0), body


@dataclass
class Outcome:
    """What came of a run. Memory in KiB; `errors`: the first few requests that a 5xx or nothing was the answer to."""

    sent: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    errors: list[str] = field(default_factory=list)
    slowest: float = 0.0
    hung: bool = False
    memory: list[int] = field(default_factory=list)

    def note(self, wire: Wire) -> bytes:
        """Take an answer in: its body where it is one of success."""
        status, body = wire.answer()
        self.sent += 1
        self.statuses[status] += 1
        self.slowest = max(self.slowest, time.monotonic() - wire.sent_at)
        if (status >= _SERVER_ERROR or status == 0) and len(self.errors) < 20:  # noqa: PLR2004 - enough to begin with
            self.errors.append(f"{status}: {wire.request}"[:1500])
        return body if status in _OK else b""

    @property
    def flaws(self) -> list[str]:
        """What is not as it should be."""
        failed = sum(count for status, count in self.statuses.items() if status >= _SERVER_ERROR)
        flaws = [f"{failed} answers of 5xx"] if failed else []
        flaws += [f"{self.statuses[0]} requests without an answer"] if self.statuses[0] else []
        flaws += [f"no answer for {PATIENCE_SECONDS:g} seconds"] if self.hung else []
        third = len(self.memory) // 3
        if third and max(self.memory[-third:]) > max(self.memory[third:-third]) * GROWTH + SLACK_KIB:
            flaws.append("memory does not level off")
        return flaws


class Fuzz:
    """A run against one fake."""

    def __init__(self, ready: Ready, seed: int) -> None:
        self._ready = ready
        parts = urlsplit(ready.url)
        self._host = parts.netloc
        self._address = (parts.hostname or "", parts.port or 0)
        self._requests = HostileRequests(seed)
        self._namespace = ""

    def run(self, count: int, *, to_control: bool, ends_at: float) -> Outcome:
        """Send so many requests, as long as there is time."""
        outcome = Outcome()
        wires = [Wire(self._address) for _ in range(CONNECTIONS)]
        with selectors.DefaultSelector() as selector:
            while outcome.sent < count and time.monotonic() < ends_at and not outcome.hung:
                self._renew_namespace()
                # A namespace is deleted when nothing is under way there.
                share = min(NAMESPACE_LASTS, count - outcome.sent)
                self._send_share(share, selector, wires, outcome, to_control=to_control)
                if outcome.sent * SAMPLES // count >= len(outcome.memory):
                    outcome.memory.append(_memory_of(self._ready.pid))
        for wire in wires:
            wire.close()
        return outcome

    def _send_share(
        self, share: int, selector: selectors.BaseSelector, wires: list[Wire], outcome: Outcome, *, to_control: bool
    ) -> None:
        draw = self._requests.to_control if to_control else self._requests.to_api
        left = share
        for first in wires[:share]:
            selector.register(first.send(draw(self._namespace), self._host), selectors.EVENT_READ, first)
            left -= 1
        while selector.get_map():
            events = selector.select(PATIENCE_SECONDS)
            if not events:
                outcome.hung = True
                for key in list(selector.get_map().values()):
                    outcome.errors.append(f"hung: {key.data.request}"[:1500])
                    selector.unregister(key.fileobj)
                    key.data.close()
                return
            for key, _ in events:
                wire: Wire = key.data
                if not wire.receive():
                    continue
                selector.unregister(key.fileobj)
                self._learn(outcome.note(wire))
                if left:
                    left -= 1
                    selector.register(wire.send(draw(self._namespace), self._host), selectors.EVENT_READ, wire)

    def _learn(self, body: bytes) -> None:
        """Keep the id that an answer begins with, for later requests."""
        found = re.match(rb'\{"id":"([a-z_0-9]{3,40})"', body)
        if found:
            self._requests.ids[2:] = [*self._requests.ids[2:], found[1].decode()][-_IDS_KEPT:]

    def _renew_namespace(self) -> None:
        if self._namespace:
            self._control("DELETE", f"namespaces/{self._namespace.rpartition('/')[2]}")
        self._namespace = f"/ns/{self._control('POST', 'namespaces', {})['id']}"
        self._requests.ids[2:] = []
        self._requests.secrets |= {name: self._new_secret(name) for name in ("service", "admin", "customer")}

    def _new_secret(self, audience: str) -> str:
        body = {"audience": audience, "scopes": ["*"], "aal": 2 if audience == "admin" else 1}
        url = f"{self._ready.url}{self._namespace}/_mock/tokens"
        return str(_call("POST", url, body)["secret"])

    def _control(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        return _call(method, f"{self._ready.control_url}/{path}", body)

    def leaks(self) -> dict[str, int]:
        """What the fake has that could leak: threads and open files, once no client is connected."""
        folder = Path(f"/proc/{self._ready.pid}")
        return {name: len(list((folder / name).iterdir())) for name in ("task", "fd")}


def _call(method: str, url: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    text = None if body is None else json.dumps(body)
    status, answer = send_request(method, url, headers={"Content-Type": "application/json"}, body=text)
    if status not in _OK:
        raise RuntimeError(f"{method} {url} should have succeeded: {status} {answer[:300]!r}")
    found: dict[str, Any] = json.loads(answer or b"{}")
    return found


def _memory_of(pid: int) -> int:
    """The resident memory of a process, in KiB."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS")))


def main() -> int:
    """Run, print what came of it, and tell by the status whether the fake held."""
    parser = argparse.ArgumentParser(description="Send hostile requests to a fake of its own. Linux only.")
    parser.add_argument("--api", type=int, default=300_000, help="requests to the API (default: %(default)s)")
    parser.add_argument("--control", type=int, default=90_000, help="calls of the control API (default: %(default)s)")
    parser.add_argument("--seconds", type=float, default=1800, help="for both together (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="of what is drawn (default: %(default)s)")
    options = parser.parse_args()
    ends_at = time.monotonic() + options.seconds
    flaws: list[str] = []
    with running_fake() as ready:
        fuzz = Fuzz(ready, options.seed)
        fuzz.run(NAMESPACE_LASTS, to_control=False, ends_at=ends_at)  # loads what is loaded late
        before = fuzz.leaks()
        for name, count in (("API", options.api), ("control API", options.control)):
            began = time.monotonic()
            outcome = fuzz.run(count, to_control=name != "API", ends_at=ends_at)
            print(f"{name}: {outcome.sent} of {count} requests in {time.monotonic() - began:.0f} s")
            print(f"  statuses: {', '.join(f'{status}: {n}' for status, n in sorted(outcome.statuses.items()))}")
            print(
                f"  slowest answer: {outcome.slowest:.2f} s; memory in MiB: {[kib // 1024 for kib in outcome.memory]}"
            )
            for error in outcome.errors:
                print(f"  {error}")
            flaws += [f"{name}: {flaw}" for flaw in outcome.flaws]
        with contextlib.suppress(RuntimeError):
            _call("GET", f"{ready.control_url}/health")
        print(f"threads and open files: {before} before, {fuzz.leaks()} after")
    print("\n".join(flaws) or "It held.")
    return 1 if flaws else 0
