"""A served fake and the door of this process answer the same to what HTTP can carry: one table for both."""

from __future__ import annotations

import gzip
import json
import socket
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from http.client import HTTPResponse
from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit

import pytest

from helpers.mock_program import Programs
from helpers.waiting import PATIENCE_SECONDS
from paylera_fixtures.tokens import WELL_KNOWN
from paylera_mock.app import EXTENSION, create_app
from paylera_mock.testing.in_process import ServerAddress, Wire, WireRequest, receive_response
from paylera_mock.testing.waiting import run_exchange

CUSTOMERS: Final = "/v1/customers"
TOKEN: Final = ("Authorization", f"Bearer {WELL_KNOWN[0].secret}")
JSON: Final = ("Content-Type", "application/json")
EMAIL: Final = b'{"email":"ada@example.com"}'
LIMIT: Final = 1024 * 1024


@dataclass(frozen=True)
class Case:
    """A request. `chunked`: the body goes without a length; `announced`: the length, where it is another."""

    method: str = "GET"
    target: str = CUSTOMERS
    headers: Sequence[tuple[str, str]] = (TOKEN,)
    body: bytes = b""
    chunked: bool = False
    announced: int | None = None

    @property
    def framing(self) -> list[tuple[str, str]]:
        """The header by which the end of the body is known."""
        if self.chunked:
            return [("Transfer-Encoding", "chunked")]
        length = len(self.body) if self.announced is None else self.announced
        return [("Content-Length", str(length))] if self.method == "POST" else []

    @property
    def sent_body(self) -> bytes:
        """The body as it goes over a connection."""
        return b"%x\r\n%b\r\n0\r\n\r\n" % (len(self.body), self.body) if self.chunked else self.body


class Seen(NamedTuple):
    """What comes back: the status, the code of a problem, the rule that decided, and whether the connection ends."""

    status: int
    problem: str = ""
    rule: str = ""
    closes: bool = False


def post(*headers: tuple[str, str], body: bytes = EMAIL, **more: Any) -> Case:
    """A request that makes a customer, with these headers besides."""
    return Case("POST", headers=[TOKEN, JSON, *headers], body=body, **more)


KEY: Final = ("Idempotency-Key", "k")
KEY_INVALID: Final = Seen(400, "idempotency.key_invalid", "key-bounded")
NO_ROUTE: Final = Seen(404, "route.not_found", "route-exists")
TOO_LARGE: Final = Seen(413, "request.too_large", "body-bounded", closes=True)
MALFORMED: Final = Seen(400, closes=True)

CASES: Final = {
    "a read": (Case(), Seen(200, "", "effect")),
    "a write": (post(KEY), Seen(201, "", "effect")),
    "a write in chunks": (post(("Idempotency-Key", "chunks"), chunked=True), Seen(201, "", "effect")),
    "two slashes": (Case(target=f"/{CUSTOMERS}"), NO_ROUTE),
    "three slashes": (Case(target=f"//{CUSTOMERS}"), NO_ROUTE),
    "slashes within": (Case(target="/v1//customers"), NO_ROUTE),
    "a dot": (Case(target="/v1/./customers"), NO_ROUTE),
    "an encoded slash": (Case(target="/v1%2Fcustomers"), Seen(200, "", "effect")),
    "an encoded byte that is no UTF-8": (Case(target="/v1/%ff"), NO_ROUTE),
    "a byte that is no UTF-8": (Case(target="/v1/\xe9"), MALFORMED),
    "a letter that is not ASCII": (Case(target="/v1/\xc3\xa9"), MALFORMED),
    "a host in the target": (Case(target=f"http://elsewhere.example{CUSTOMERS}"), Seen(200, "", "effect")),
    "a query that is not ASCII": (Case(target=f"{CUSTOMERS}?email=\xc3\xa9"), MALFORMED),
    "an odd method": (Case("BREW"), Seen(405, "route.method_not_allowed", "method-allowed")),
    "an underscore in the key's name": (
        post(("Idempotency_Key", "k")),
        Seen(400, "idempotency.required", "key-present"),
    ),
    "an underscore in the credential's name": (
        Case(headers=[("X_Paylera_Acting_As", "nobody"), TOKEN]),
        Seen(200, "", "effect"),
    ),
    "a name that is not ASCII": (Case(headers=[TOKEN, ("Cl\xe9", "x")]), MALFORMED),
    "a name with a space": (Case(headers=[TOKEN, ("A b", "x")]), MALFORMED),
    "a control character in a value": (Case(headers=[TOKEN, ("A", "x\x01")]), MALFORMED),
    "a length that is none": (Case(headers=[TOKEN, ("Content-Length", "x")]), MALFORMED),
    "two lengths": (Case(headers=[TOKEN, ("Content-Length", "0"), ("Content-Length", "1")]), MALFORMED),
    "one length twice": (
        post(("Idempotency-Key", "twice"), ("Content-Length", str(len(EMAIL)))),
        Seen(201, "", "effect"),
    ),
    "a value that is not ASCII": (Case(headers=[TOKEN, ("A", "cl\xe9")]), Seen(200, "", "effect")),
    "a credential that is not ASCII": (
        Case(headers=[("Authorization", "Bearer cl\xe9")]),
        Seen(401, "auth.invalid_token", "credential-well-formed"),
    ),
    "a version that is not ASCII": (
        Case(headers=[TOKEN, ("Paylera-Version", "\xe9")]),
        Seen(400, "version.unsupported", "version-supported"),
    ),
    "space around a value": (Case(headers=[(TOKEN[0], f" \t{TOKEN[1]} \t")]), Seen(200, "", "effect")),
    "two credentials": (
        Case(headers=[TOKEN, TOKEN]),
        Seen(401, "auth.invalid_token", "credential-well-formed"),
    ),
    "a key with a space": (post(("Idempotency-Key", "a b")), KEY_INVALID),
    "a key with a tab": (post(("Idempotency-Key", "a\tb")), KEY_INVALID),
    "a key that is not ASCII": (post(("Idempotency-Key", "cl\xe9")), KEY_INVALID),
    "a key in UTF-8": (post(("Idempotency-Key", "cl\xc3\xa9")), KEY_INVALID),
    "two keys": (post(KEY, ("Idempotency-Key", "another")), KEY_INVALID),
    "one key twice": (post(KEY, KEY), KEY_INVALID),
    "a blank key": (post(("Idempotency-Key", " ")), Seen(400, "idempotency.required", "key-present")),
    "too large": (post(KEY, body=b" " * (LIMIT + 1)), TOO_LARGE),
    "far too large": (post(KEY, body=b" " * (8 * LIMIT)), TOO_LARGE),
    "too large in chunks": (post(KEY, body=b" " * (LIMIT + 1), chunked=True), TOO_LARGE),
    "announced too large": (post(KEY, body=b"", announced=LIMIT + 1), TOO_LARGE),
    "compressed": (
        post(("Idempotency-Key", "gzip"), ("Content-Encoding", "gzip"), body=gzip.compress(EMAIL)),
        Seen(415, "request.unsupported_media_type", "body-is-json"),
    ),
    "not compressed": (
        post(("Idempotency-Key", "plain"), ("Content-Encoding", "identity")),
        Seen(201, "", "effect"),
    ),
    "no namespace": (Case(target=f"/ns/none{CUSTOMERS}"), Seen(404, "route.not_found")),
}

Door = Callable[[Case], Seen]


@pytest.fixture(scope="module")
def open_door(served_by: type[Programs], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Door]]:
    """Gives what sends a case over a socket, or in this process."""
    programs = served_by(tmp_path_factory.mktemp("served"))

    @cache
    def opened(name: str) -> Door:
        if name == "in process":
            return send_in_process
        url = programs.serve().ready()["url"]
        return lambda case: send_by_socket(url, case)

    yield opened
    programs.end()


def send_by_socket(url: str, case: Case) -> Seen:
    """Send a case over a connection of its own."""
    parts = urlsplit(url)
    fields = [("Host", parts.netloc), *case.headers, *case.framing]
    lines = [f"{case.method} {case.target} HTTP/1.1", *(f"{name}: {value}" for name, value in fields)]
    with socket.create_connection((parts.hostname, parts.port), PATIENCE_SECONDS) as connection:
        connection.sendall("\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + case.sent_body)
        answer = HTTPResponse(connection, method=case.method)
        answer.begin()
        return see(answer.status, dict(answer.getheaders()), answer.read())


def send_in_process(case: Case) -> Seen:
    """Send a case to a fake of this process."""
    app = create_app(by_host=True)
    address = ServerAddress("https", "api.sandbox.paylera.io")
    fields = [("Host", address.host), *case.headers, *case.framing]
    target = urlsplit(case.target)
    path = case.target if not target.netloc or case.target.startswith("/") else target.path
    request = WireRequest(case.method, address, path, fields, case.body)
    wire = Wire(app, app.extensions[EXTENSION].namespaces.default)
    answer = receive_response(case.method, run_exchange(wire.start(request).steps, PATIENCE_SECONDS))
    return see(answer.status, dict(answer.headers), b"".join(answer.pieces))


def see(status: int, headers: dict[str, str], body: bytes) -> Seen:
    """An answer, as far as all are compared."""
    named = {name.lower(): value for name, value in headers.items()}
    rule = named.get("paylera-mock-verdict", "").partition(";")[0]
    return Seen(status, json.loads(body or b"{}").get("problem", ""), rule, named.get("connection", "") == "close")


@pytest.mark.parametrize("door", ["over a socket", "in process"])
def test_every_door_answers_as_the_table_says(open_door: Callable[[str], Door], door: str) -> None:
    """Whatever is between the client and the contract."""
    send = open_door(door)
    seen = {name: send(case) for name, (case, _) in CASES.items()}
    assert {name: answer for name, answer in seen.items() if answer != CASES[name][1]} == {}
