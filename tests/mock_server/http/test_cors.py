"""Web pages of other origins: none may call the API unless it is let, and the control API none ever."""

from __future__ import annotations

import sys
from typing import Any

import pytest
from click.testing import CliRunner
from werkzeug.test import Client, TestResponse

from helpers.fake import Fake
from helpers.mock_program import Programs
from paylera_fixtures.tokens import WELL_KNOWN
from paylera_mock import control
from paylera_mock.app import create_app
from paylera_mock.cli.main import main
from paylera_mock.http.cors import CorsPolicy, parse_origin
from paylera_mock.http.request_log import RequestLog
from paylera_mock.namespaces.namespace import Namespaces

PAGE = "http://localhost:5173"
OTHER = "https://evil.example"
SECRET = next(token.secret for token in WELL_KNOWN if token.name == "serviceall")
ASKING = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization,idempotency-key"}


def opened(*origins: str) -> Fake:
    """A fake that pages of these origins may call."""
    return Fake(Client(create_app(cors=CorsPolicy(frozenset(origins)))))


def preflight(fake: Fake, origin: str = PAGE, path: str = "/v1/customers") -> TestResponse:
    """What a browser is answered before the request itself."""
    return fake.call("OPTIONS", path, headers={"Origin": origin, **ASKING})


def allowed(answer: TestResponse) -> str | None:
    """Whose pages may read an answer."""
    return answer.headers.get("Access-Control-Allow-Origin")


def test_no_page_may_call_by_default(default: Fake) -> None:
    """A preflight is a request like any other then."""
    answer = preflight(default)
    assert (answer.status_code, allowed(answer)) == (401, None)


def test_a_preflight_is_answered_as_one() -> None:
    """By the page's own method and headers, without a token."""
    answer = preflight(opened(PAGE))
    assert (answer.status_code, answer.data, allowed(answer)) == (204, b"", PAGE)
    assert answer.headers["Access-Control-Allow-Methods"] == "POST"
    assert answer.headers["Access-Control-Allow-Headers"] == "authorization,idempotency-key"
    assert "Authorization" not in answer.headers.get("Vary", "")


def test_a_preflight_is_no_request_to_the_api() -> None:
    """It is in no journal, and no fault strikes it."""
    fake = opened(PAGE)
    fake.control("POST", "faults", action="answer")
    assert preflight(fake).status_code == 204
    assert (fake.control("GET", "journal").json or {})["count"] == 0


def test_the_preflight_of_another_page_says_what_is_missing() -> None:
    """Whoever looks at it in a browser finds the option."""
    answer = preflight(opened(PAGE), OTHER)
    assert (answer.status_code, allowed(answer)) == (403, None)
    assert "--cors" in (answer.json or {})["detail"]


def test_an_options_request_that_is_no_preflight_is_judged() -> None:
    """Without `Access-Control-Request-Method` it is a client's own."""
    answer = opened(PAGE).call("OPTIONS", "/v1/customers", headers={"Origin": PAGE})
    assert (answer.status_code, allowed(answer)) == (401, PAGE)


@pytest.mark.parametrize(
    ("origins", "origin", "expected"),
    [((PAGE,), PAGE, PAGE), ((PAGE,), OTHER, None), ((PAGE, OTHER), OTHER, OTHER), (("*",), OTHER, "*")],
)
def test_an_answer_says_who_may_read_it(origins: tuple[str, ...], origin: str, expected: str | None) -> None:
    """A refusal too: a page is to see its problem."""
    answers = [
        opened(*origins).call("GET", "/v1/customers", secret, headers={"Origin": origin}) for secret in (SECRET, "x")
    ]
    assert [(answer.status_code, allowed(answer)) for answer in answers] == [(200, expected), (401, expected)]


REFUSED_EARLY: dict[str, tuple[int, dict[str, Any]]] = {
    "for another host": (421, {"headers": {"Host": "evil.example"}}),
    "too large": (413, {"data": b"x" * 1_100_000}),
    "cut short": (400, {"data": b"{}", "environ_overrides": {"CONTENT_LENGTH": "100"}}),
    "no namespace": (404, {"path": "/ns/none/v1/customers"}),
}


@pytest.mark.parametrize(("status", "sent"), REFUSED_EARLY.values(), ids=REFUSED_EARLY)
def test_a_page_may_read_what_was_refused_before_it_was_judged(status: int, sent: dict[str, Any]) -> None:
    """Else the browser says no more than that the request has failed."""
    headers = {"Origin": PAGE, "Idempotency-Key": "key", **sent.pop("headers", {})}
    path = sent.pop("path", "/v1/customers")
    answer = opened(PAGE).call("POST", path, SECRET, headers=headers, **sent)
    assert (answer.status_code, allowed(answer)) == (status, PAGE)


@pytest.mark.parametrize(("path", "origin"), [("/v1/customers", PAGE), ("/_mock/tokens", None)])
def test_a_page_may_read_that_the_fake_has_failed(
    monkeypatch: pytest.MonkeyPatch, path: str, origin: str | None
) -> None:
    """On the API: the control API stays closed."""
    lines = list[str]()
    fake = Fake(Client(create_app(cors=CorsPolicy(frozenset({PAGE})), request_log=RequestLog(lines.append))))
    monkeypatch.setattr(Namespaces, "of_credential", None)
    monkeypatch.setattr(control, "answer", None)
    answer = fake.call("GET", path, headers={"Origin": "http://localhost" if origin is None else origin})
    assert (answer.status_code, allowed(answer), [line[: len(path) + 8] for line in lines]) == (
        500,
        origin,
        [f"GET {path} 500"],
    )


def test_a_page_may_read_the_headers_of_the_contract() -> None:
    """The version, the rates, `Retry-After`, and those that explain."""
    fake = opened(PAGE)
    fake.control("POST", "faults", action="answer", retry_after=1)
    answer = fake.call("GET", "/v1/customers", SECRET, headers={"Origin": PAGE})
    exposed = set(answer.headers["Access-Control-Expose-Headers"].split(", "))
    own = {name for name, _ in answer.headers if name.startswith(("X-", "Paylera-", "Retry"))}
    assert (len(own), own - exposed) == (8, set())


@pytest.mark.parametrize(("origins", "vary"), [((PAGE,), "Origin"), (("*",), None)])
def test_answers_that_depend_on_the_page_say_so(origins: tuple[str, ...], vary: str | None) -> None:
    """A cache between must not hand one page's answer to another."""
    assert opened(*origins).call("GET", "/v1/customers", SECRET).headers.get("Vary") == vary


def test_the_document_may_be_read_by_pages() -> None:
    """Those that show an API read it."""
    answer = opened(PAGE).call("GET", "/openapi/v1.json", headers={"Origin": PAGE})
    assert (answer.status_code, allowed(answer)) == (200, PAGE)


@pytest.mark.parametrize("method", ["OPTIONS", "POST"])
def test_the_control_api_stays_closed_to_pages(method: str) -> None:
    """It mints tokens."""
    answer = opened(PAGE, "*").call(method, "/_mock/tokens", headers={"Origin": PAGE, **ASKING})
    assert (answer.status_code, allowed(answer)) == (403, None)


@pytest.mark.parametrize(
    ("text", "origin"),
    [
        ("*", "*"),
        ("null", "null"),
        ("http://localhost:5173", "http://localhost:5173"),
        ("HTTP://LocalHost:80", "http://localhost"),
        ("https://[::1]:443", "https://[::1]"),
    ],
)
def test_an_origin_is_written_as_browsers_do(text: str, origin: str) -> None:
    """In lower case, and without the scheme's own port."""
    assert parse_origin(text) == origin


@pytest.mark.parametrize(
    "text",
    ["", "localhost:5173", "http://", "http://a/", "http://a/path", "http://u@a", "http://*.a", "ws://a", "http://a:b"],
)
def test_what_is_no_origin_is_refused(text: str) -> None:
    """A path that browsers never send would let nobody in."""
    ended = CliRunner().invoke(main, ["serve", "--cors", text])
    assert (ended.exit_code, "http://localhost:5173" in ended.output) == (2, True)


SEND = """
import http.client, os, sys
from urllib.parse import urlsplit
connection = http.client.HTTPConnection(urlsplit(os.environ["PAYLERA_BASE_URL"]).netloc)
headers = {"Origin": "http://localhost:5173", "Access-Control-Request-Method": "POST"}
connection.request("OPTIONS", "/v1/customers", headers=headers)
answer = connection.getresponse()
print(answer.status, answer.headers["Access-Control-Allow-Origin"])
"""


@pytest.mark.slow
def test_exec_lets_pages_in_too(programs: Programs) -> None:
    """As the tests of a web page need it."""
    command = ("exec", "--cors", PAGE, "--", sys.executable, "-c", SEND)
    assert programs.start(*command).rest_of_stdout() == f"204 {PAGE}\n"
