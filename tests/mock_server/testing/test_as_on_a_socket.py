"""What clients of each kind see, over a real socket and without one: one table for both."""

from __future__ import annotations

from typing import NamedTuple

import pytest

from helpers.clients import CALLERS, HTTPX, Ask, Caller, Line, MakeLine, by_requests
from helpers.waiting import BRIEF_SECONDS
from paylera_mock.faults.presets import Preset

BODY = [b'{"email":', b'"ada@example.com"}']
READ = Ask()
CREATE = Ask("POST", headers=[("Content-Type", "application/json"), ("Idempotency-Key", "k1")], pieces=BODY)

every_caller = pytest.mark.parametrize("caller", CALLERS.values(), ids=CALLERS)
every_httpx = pytest.mark.parametrize("caller", HTTPX.values(), ids=HTTPX)


def with_token(line: Line, ask: Ask) -> Ask:
    """The request with a token that may do everything."""
    return ask.but(headers=[*ask.headers, ("Authorization", f"Bearer {line.secret()}")])


class Spoilt(NamedTuple):
    """A fault, the request that it strikes, and what clients see.

    `httpx`, `requests`: the name of the exception; `head`: the status of the answer, where one came at all.
    """

    fault: dict[str, object]
    ask: Ask
    httpx: str | None
    requests: str | None
    head: int | None = None


CLOSED = ("RemoteProtocolError", "ConnectionError")
CUT = ("RemoteProtocolError", "ChunkedEncodingError")
LATE = ("ReadTimeout", "ReadTimeout")
WHOLE = (None, None)

SPOILT = {
    "hardly delayed": Spoilt({"action": "delay", "seconds": 0.01}, READ, *WHOLE, 200),
    "answered": Spoilt({"action": "answer", "status": 429, "retry_after": 3}, READ, *WHOLE, 429),
    "dropped before": Spoilt({"action": "drop"}, CREATE, *CLOSED),
    "dropped after": Spoilt({"action": "drop", "at": "after_commit"}, CREATE, *CLOSED),
    "hanging": Spoilt({"action": "hang"}, READ.but(patience=BRIEF_SECONDS), *LATE),
    "hanging after": Spoilt({"action": "hang", "at": "after_commit"}, CREATE.but(patience=BRIEF_SECONDS), *LATE),
    "delayed": Spoilt({"action": "delay", "seconds": 60}, READ.but(patience=BRIEF_SECONDS), *LATE),
    "cut at once": Spoilt({"action": "truncate"}, READ, *CUT, 200),
    "cut": Spoilt({"action": "truncate", "size": 5}, READ, *CUT, 200),
    "cut behind its end": Spoilt({"action": "truncate", "size": 9999}, READ, *WHOLE, 200),
    "reset": Spoilt({"action": "reset"}, READ, "ReadError", "ConnectionError"),
    "garbage": Spoilt({"action": "garbage"}, READ, *CLOSED),
    "of no known status": Spoilt({"action": "answer", "status": 299, "body": "x"}, READ, *WHOLE, 299),
    "without content": Spoilt({"action": "answer", "status": 204}, READ, *WHOLE, 204),
    "not modified": Spoilt({"action": "answer", "status": 304}, READ, *WHOLE, 304),
    "html-502": Spoilt({"preset": "html-502"}, READ, *WHOLE, 502),
    "html-200": Spoilt({"preset": "html-200"}, READ, *WHOLE, 200),
    "foreign-error": Spoilt({"preset": "foreign-error"}, READ, *WHOLE, 500),
    "broken-json": Spoilt({"preset": "broken-json"}, READ, *WHOLE, 200),
    "empty-200": Spoilt({"preset": "empty-200"}, READ, *WHOLE, 200),
    "cut-short": Spoilt({"preset": "cut-short"}, READ, *CUT, 200),
    "unknown-enum": Spoilt({"preset": "unknown-enum"}, READ, *WHOLE, 200),
    "unknown-member": Spoilt({"preset": "unknown-member"}, READ, *WHOLE, 200),
    "retry-after-date": Spoilt({"preset": "retry-after-date"}, READ, *WHOLE, 429),
}

every_fault = pytest.mark.parametrize("case", SPOILT.values(), ids=SPOILT)


NOT_GZIP = {"httpx": "DecodingError", "asyncio": "DecodingError", "requests": "ContentDecodingError"}
"""What each client raises; under trio httpx leaves the body open then, of which the test run would hear."""


@pytest.mark.parametrize(("name", "error"), NOT_GZIP.items())
def test_what_only_claims_to_be_packed_cannot_be_unpacked(line: Line, name: str, error: str) -> None:
    """The client has the head of the answer, and then an exception."""
    line.control("POST", "faults", preset=Preset.NOT_GZIP)
    seen = CALLERS[name](line, with_token(line, READ))
    assert (seen.error, seen.head) == (error, 200)


def test_every_preset_is_tried() -> None:
    """The table has each of them by its name, but for the one above."""
    assert set(Preset) - {Preset.NOT_GZIP} <= set(SPOILT)


@pytest.mark.slow
@every_fault
@every_httpx
def test_a_fault_looks_to_httpx_as_over_a_socket(line: Line, caller: Caller, case: Spoilt) -> None:
    """The exception is the same, and so is whether the head of the answer came before it."""
    line.control("POST", "faults", **case.fault)
    seen = caller(line, with_token(line, case.ask))
    assert (seen.error, seen.head) == (case.httpx, case.head)


@every_fault
def test_a_fault_looks_to_requests_as_over_a_socket(line: Line, case: Spoilt) -> None:
    """The same for requests, in its own exceptions."""
    line.control("POST", "faults", **case.fault)
    seen = by_requests(line, with_token(line, case.ask))
    assert (seen.error, seen.head) == (case.requests, case.head)


@every_caller
def test_a_streamed_body_arrives_whole(line: Line, caller: Caller) -> None:
    """In pieces, and without a length that is said before."""
    assert caller(line, with_token(line, CREATE)).status == 201
    assert [exchange["body"] for exchange in line.exchanges(method="POST")] == [b"".join(BODY).decode()]


@every_caller
def test_the_request_happens_although_its_client_has_left(line: Line, caller: Caller) -> None:
    """A server does not know that nobody listens any more."""
    line.control("POST", "faults", action="delay", seconds=60)
    assert caller(line, with_token(line, CREATE.but(patience=BRIEF_SECONDS))).error == "ReadTimeout"
    line.control("DELETE", "faults")
    assert [exchange["answer"]["status"] for exchange in line.exchanges(method="POST")] == [201]


@every_caller
def test_a_lost_answer_is_of_work_that_is_done(line: Line, caller: Caller) -> None:
    """The retry with the same key finds the customer that the first try has made."""
    line.control("POST", "faults", action="drop", at="after_commit")
    ask = with_token(line, CREATE)
    caller(line, ask)
    retried = caller(line, ask)
    read = caller(line, ask.but(method="GET", pieces=()))
    assert (retried.status, read.body.count(b"ada@example.com")) == (201, 1)


@every_caller
def test_head_has_the_length_and_no_body(line: Line, caller: Caller) -> None:
    """RFC 9110, section 9.3.2."""
    ask = with_token(line, READ)
    whole, head = caller(line, ask), caller(line, ask.but(method="HEAD"))
    assert (head.status, head.body, head.headers["Content-Length"]) == (200, b"", str(len(whole.body)))


@pytest.mark.parametrize("mutants", [[], ["chunked-bodies"]], ids=["as-usual", "in-chunks"])
@every_caller
def test_no_content_has_no_framing(make_line: MakeLine, caller: Caller, mutants: list[str]) -> None:
    """A 204 has no length (RFC 9110, section 8.6), and no chunks (RFC 9112, section 6.1)."""
    line = make_line(mutants=mutants)
    webhook = Ask("DELETE", f"/v1/customers/{line.control('POST', 'customers')['id']}")
    seen = caller(line, with_token(line, webhook))
    assert (seen.status, {"Content-Length", "Transfer-Encoding"} & set(seen.headers)) == (204, set())


@pytest.mark.parametrize("mutant", ["gzipped-bodies", "chunked-bodies"])
@every_caller
def test_what_is_packed_is_unpacked_by_the_client(make_line: MakeLine, caller: Caller, mutant: str) -> None:
    """Codings and framing go over the wire untouched."""
    line, plain = make_line(mutants=[mutant]), make_line()
    line.control("POST", "customers")
    seen = caller(line, with_token(line, READ.but(target="/v1/customers?limit=1")))
    packed = {"gzipped-bodies": "Content-Encoding", "chunked-bodies": "Transfer-Encoding"}[mutant]
    assert (seen.status, seen.body[:8], packed in seen.headers) == (200, b'{"data":', True)
    assert packed not in caller(plain, with_token(plain, READ)).headers


PATHS = {
    "/v1/%63ustomers": 200,
    "/v1/%2563ustomers": 404,
    "/v1%2Fcustomers": 200,
    "//v1/customers": 404,
    "/v1/customers?limit=%31": 200,
    "/v1/customers?limit=x": 422,
    "/v1/caf%C3%A9": 404,
}
"""Each with its status: a path is decoded once, and a query by who reads it."""


@pytest.mark.parametrize(("target", "status"), PATHS.items())
@every_caller
def test_a_path_is_decoded_once(line: Line, caller: Caller, target: str, status: int) -> None:
    """As servers hand it to an application (PEP 3333)."""
    assert caller(line, with_token(line, READ.but(target=target))).status == status


@every_httpx
def test_a_header_that_is_sent_twice_arrives_as_one(line: Line, caller: Caller) -> None:
    """Servers join them, and so two tokens are no token."""
    seen = caller(line, with_token(line, with_token(line, READ)))
    assert (seen.status, b"exactly one Authorization header" in seen.body) == (401, True)


@every_caller
def test_a_header_is_of_latin_1(line: Line, caller: Caller) -> None:
    """One character for each byte (PEP 3333)."""
    ask = CREATE.but(headers=[("Content-Type", "application/json"), ("Idempotency-Key", "cl\u00e9")])
    caller(line, with_token(line, ask))
    assert line.exchanges(method="POST")[0]["headers"]["Idempotency-Key"] == "cl\u00e9"


@every_httpx
def test_what_httpx_cannot_send_is_not_sent(line: Line, caller: Caller) -> None:
    """A line break in a header ends in an exception of its own."""
    assert caller(line, READ.but(headers=[("X-Note", "a\nb")])).error == "LocalProtocolError"


# Under trio httpx leaves the connection open then, of which the test run would hear.
@pytest.mark.parametrize("length", ["3", "300"])
@pytest.mark.parametrize("caller", [HTTPX["httpx"], HTTPX["asyncio"]], ids=["httpx", "asyncio"])
def test_a_wrong_length_is_not_sent(line: Line, caller: Caller, length: str) -> None:
    """A body that is not as long as was said ends in an exception that httpx does not make its own."""
    assert caller(line, CREATE.but(headers=[("Content-Length", length)])).error == "h11.LocalProtocolError"


@every_caller
def test_a_redirect_leads_to_another_origin(line: Line, caller: Caller) -> None:
    """The client follows it, and leaves its token behind."""
    line.control("POST", "faults", action="redirect")
    seen = caller(line, with_token(line, READ.but(follow=True)))
    assert (seen.status, seen.body) == (200, b'{"object":"elsewhere"}')
    assert not seen.url.startswith(line.url)
    assert line.exchanges()[-1]["token"] is None


NOWHERE = {"httpx": "ConnectError", "asyncio": "ConnectError", "trio": "ConnectError", "requests": "ConnectionError"}


@pytest.mark.parametrize(("name", "error"), NOWHERE.items())
def test_where_nobody_listens_no_connection_is_made(line: Line, name: str, error: str) -> None:
    """Port 1 of this machine is nobody's, nor is it of any host that is played."""
    nowhere = Line("http://127.0.0.1:1", line.control_url, line.transport, line.adapter)
    assert CALLERS[name](nowhere, READ).error == error
