"""What is logged of each request."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from werkzeug.test import Client

from helpers.fake import Fake
from paylera_fixtures.tokens import WELL_KNOWN
from paylera_mock.app import create_app
from paylera_mock.core.messages import READY_HEADER
from paylera_mock.http.access import Access
from paylera_mock.http.request_log import RequestLog
from paylera_mock.state.token_names import ready_name

SECRETS = {ready_name(token): token.secret for token in WELL_KNOWN}
ALL = SECRETS["serviceall"]
ASKING = "open sesame"

Logged = tuple[Fake, list[str]]


def logged(access: Access | None = None, **options: Any) -> Logged:
    """A fake that logs, and its lines."""
    lines = list[str]()
    return Fake(Client(create_app(access=access, request_log=RequestLog(lines.append, **options)))), lines


def without_times(lines: list[str]) -> list[str]:
    """Lines with the same time for each request."""
    return [re.sub(r"\d+\.\d ms", "0.1 ms", line) for line in lines]


LINES: dict[str, tuple[Callable[[Fake], object], str]] = {
    "accepted": (
        lambda fake: fake.call("GET", "/v1/customers?limit=1", ALL),
        r"GET /v1/customers 200 \[effect\] ‹serviceall #\w{4}› 0.1 ms",
    ),
    "without a token": (
        lambda fake: fake.call("GET", "/v1/customers"),
        r"GET /v1/customers 401 auth.missing_token \[credential-present\] 0.1 ms: Give .*",
    ),
    "almost a token": (
        lambda fake: fake.call("GET", "/v1/customers", ALL.swapcase()),
        r"GET /v1/customers 401 auth.invalid_token \[\S+\]( ‹unknown token #\w{4}›)? 0.1 ms: This .*",
    ),
    "no route": (
        lambda fake: fake.call("GET", "/v1/x%0D%0A200%20/v1/y", ALL),
        r"GET /v1/x%0D%0A200%20/v1/y 404 route.not_found \[route-exists\] ‹serviceall #\w{4}› 0.1 ms: .*",
    ),
    "HEAD": (
        lambda fake: fake.call("HEAD", "/live/v1/customers", SECRETS["live_serviceall"]),
        r"HEAD /live/v1/customers 200 \[effect\] ‹live_serviceall #\w{4}› 0.1 ms",
    ),
    "control": (lambda fake: fake.control("POST", "clock/advance", seconds=1), r"POST /_mock/clock/advance 200 0.1 ms"),
    "document": (lambda fake: fake.call("GET", "/openapi/v1.json"), r"GET /openapi/v1.json 200 0.1 ms"),
    "no namespace": (lambda fake: fake.call("GET", "/ns/none/v1/plans"), r"GET /ns/none/v1/plans 404 0.1 ms"),
    "elsewhere": (
        lambda fake: fake.call("GET", "/_elsewhere/flt_1"),
        r"GET /_elsewhere/flt_1 200 \[another-origin\] 0.1 ms",
    ),
}


@pytest.mark.parametrize(("send", "line"), LINES.values(), ids=LINES)
def test_a_request_is_one_line(send: Callable[[Fake], object], line: str) -> None:
    """Method, path, status, problem, rule, the token's name, the time; and what to do about a refusal."""
    fake, lines = logged()
    send(fake)
    assert [bool(re.fullmatch(line, each)) for each in without_times(lines)] == [True], lines


def test_a_fault_is_named() -> None:
    """Nobody looks for the mistake elsewhere."""
    fake, lines = logged()
    fake.control("POST", "faults", action="answer", at="after_commit", status=502)
    fake.call("GET", "/v1/plans", ALL)
    assert "GET /v1/plans 502 [effect]" in lines[-1]
    assert lines[-1].endswith("ms fault flt_1; at=after_commit; action=answer")


def test_json_has_a_member_for_each() -> None:
    """For programs that read logs."""
    fake, lines = logged(as_json=True)
    fake.call("GET", "/v1/customers", SECRETS["servicenoscope"])
    (line,) = map(json.loads, lines)
    assert {name: line[name] for name in ("method", "path", "status", "problem", "rule", "journal", "faults")} == {
        "method": "GET",
        "path": "/v1/customers",
        "status": 401,
        "problem": "auth.scope_required",
        "rule": "scope-granted",
        "journal": 1,
        "faults": [],
    }
    assert (line["token"][:16], line["ms"] > 0, "customers:read" in line["advice"]) == ("‹servicenoscope ", True, True)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT.*\+00:00", line["at"])


@pytest.mark.parametrize("as_json", [True, False])
def test_no_secret_is_logged(as_json: bool) -> None:  # noqa: FBT001 - a case
    """Wherever a client puts one."""
    fake, lines = logged(as_json=as_json)
    fake.call("GET", f"/v1/customers/{ALL}", ALL)
    fake.call("GET", f"/v1/customers?token={ALL}")
    fake.call("GET", f"/_mock/{ALL}")
    fake.call("GET", f"/ns/{ALL}/v1/plans")
    fake.call("GET", "/v1/customers", "sk_sandbox_" + "Q" * 32)
    assert (len(lines), re.findall(r"sk_(?:sandbox|live)_\w+", " ".join(lines))) == (5, [])


def test_what_the_fake_asks_itself_is_not_logged() -> None:
    """To see whether it serves."""
    fake, lines = logged(access=Access(ready_secret=ASKING))
    for path in ("/v1/customers", "/_mock"):
        fake.call("GET", path, ALL, headers={READY_HEADER: ASKING})
    assert lines == []


def test_a_request_without_an_answer_says_so() -> None:
    """What was to be answered was never sent."""
    fake, lines = logged()
    fake.control("POST", "faults", action="drop")
    fake.call("GET", "/v1/plans", ALL)
    assert re.match(r"GET /v1/plans no answer \[fault\] ‹serviceall #\w{4}› .* ms fault flt_1", lines[-1])


@pytest.mark.parametrize(("status", "color"), [(200, 32), (307, 36), (404, 33), (503, 31)])
def test_a_status_has_a_colour(status: int, color: int) -> None:
    """By its first digit."""
    fake, lines = logged(colored=True)
    fake.control("POST", "faults", action="answer", status=status)
    fake.call("GET", "/v1/plans", ALL)
    assert f"\x1b[{color}m{status}\x1b[0m" in lines[-1]
