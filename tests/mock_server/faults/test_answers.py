"""Faults that answer anything: what SDKs have crashed on, and what no answer can be."""

from __future__ import annotations

import base64
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any, NamedTuple

import httpx
import pytest
from werkzeug.test import TestResponse

from helpers.fake import Fake
from paylera_mock.faults.presets import PRESETS, Preset
from paylera_mock.testing import ControlCallError, Paylera


def answered(fake: Fake, path: str = "/v1/customers", method: str = "GET", **fault: Any) -> TestResponse:
    """What a request is answered that a fault strikes."""
    armed = fake.control("POST", "faults", **fault)
    assert armed.status_code == 201, armed.text
    return fake.call(method, path, fake.secret())


class Content(NamedTuple):
    """What arrives: the status, the media type and the body."""

    status: int
    body: bytes
    media_type: str | None = "application/json"


ANSWERS: dict[str, tuple[dict[str, Any], Content]] = {
    "text": ({"status": 502, "body": "<h1>no</h1>"}, Content(502, b"<h1>no</h1>")),
    "JSON": ({"status": 200, "body": {"a": [1]}}, Content(200, b'{"a":[1]}')),
    "null": ({"status": 200, "body": None}, Content(200, b"null")),
    "bytes": ({"status": 200, "body_base64": base64.b64encode(b"\xff\0").decode()}, Content(200, b"\xff\0")),
    "media type": ({"body": "x", "headers": {"content-type": "text/html"}}, Content(503, b"x", "text/html")),
    "no media type": ({"body": "x", "headers": {"Content-Type": None}}, Content(503, b"x", None)),
    "nothing": ({"status": 200}, Content(200, b"")),
    "no content": ({"status": 204}, Content(204, b"")),
    "not modified": ({"status": 304}, Content(304, b"")),
    "no known status": ({"status": 299, "body": "x"}, Content(299, b"x")),
    "Retry-After": ({"body": "x", "retry_after": 3}, Content(429, b"x")),
}


@pytest.mark.parametrize(("fault", "content"), ANSWERS.values(), ids=ANSWERS)
@pytest.mark.parametrize("at", ["before_auth", "after_auth", "after_commit"])
def test_an_answer_is_what_was_asked_for(fake: Fake, at: str, fault: dict[str, Any], content: Content) -> None:
    """Status, media type and every byte, wherever it happens."""
    answer = answered(fake, action="answer", at=at, **fault)
    assert Content(answer.status_code, answer.data, answer.headers.get("Content-Type")) == content


def test_an_answer_of_its_own_has_no_header_of_the_api(fake: Fake) -> None:
    """A gateway does not know them, and SDKs have crashed where they were missing."""
    answer = answered(fake, preset="html-502")
    assert {name for name, _ in answer.headers if name.startswith(("X-", "Paylera-V"))} == set()
    assert answer.headers["Paylera-Mock-Fault"] == "flt_1; at=before_auth; action=answer"


def test_headers_are_replaced_in_a_problem(fake: Fake) -> None:
    """Whatever their case, one is taken away by `null`, and the rest is as it was."""
    headers = {"retry-after": "soon", "X-RateLimit-Limit": None, "X-Ours": "1"}
    answer = answered(fake, action="answer", retry_after=7, headers=headers)
    assert (answer.headers.getlist("Retry-After"), answer.headers["X-Ours"]) == (["soon"], "1")
    assert ("X-RateLimit-Limit" in answer.headers, "X-RateLimit-Remaining" in answer.headers) == (False, True)
    assert (answer.json or {})["problem"] == "rate_limit.exceeded"


def test_the_true_answer_is_changed(fake: Fake) -> None:
    """By a JSON Merge Patch (RFC 7396): what is `null` is taken away, and objects are merged."""
    made = fake.control("POST", "customers").json or {}
    true = fake.call("GET", f"/v1/customers/{made['id']}", fake.secret())
    merge = {"email": None, "metadata": {"new": {"deep": 1}}, "id": 7}
    answer = answered(fake, f"/v1/customers/{made['id']}", action="answer", merge=merge)
    expected = {**(true.json or {}), "metadata": {"new": {"deep": 1}}, "id": 7}
    del expected["email"]
    assert (answer.status_code, answer.json) == (200, expected)
    assert answer.headers["X-RateLimit-Limit"] == true.headers["X-RateLimit-Limit"]


def test_each_object_of_a_list_is_changed(fake: Fake) -> None:
    """The list around them is not."""
    for _ in range(2):
        fake.control("POST", "customers")
    answer = answered(fake, preset="unknown-enum").json or {}
    assert (answer["has_more"], [each["status"] for each in answer["data"]]) == (False, ["unheard_of"] * 2)


def test_what_is_no_object_stays_as_it_is(fake: Fake) -> None:
    """A 204 has nothing to be changed."""
    made = fake.control("POST", "customers").json or {}
    answer = answered(fake, f"/v1/customers/{made['id']}", "DELETE", preset="unknown-member", status=200)
    assert (answer.status_code, answer.data) == (200, b"")


def test_work_whose_answer_is_changed_is_done_and_remembered(fake: Fake) -> None:
    """A retry with the same key gets the true answer."""
    fake.control("POST", "faults", action="answer", merge={"id": None})
    secret, customer = fake.secret(), {"email": "ada@example.com"}
    first, again = (fake.call("POST", "/v1/customers", secret, key="k", json=customer) for _ in range(2))
    assert (first.status_code, "id" in (first.json or {})) == (201, False)
    assert (again.status_code, "id" in (again.json or {})) == (201, True)


def test_a_date_of_retry_after_is_that_of_the_clock(fake: Fake) -> None:
    """Of the namespace, in whole seconds, and never too early."""
    fake.advance(86_400.25)
    now = (fake.control("GET", "clock").json or {})["now"]
    answer = answered(fake, preset="retry-after-date")
    header = parsedate_to_datetime(answer.headers["Retry-After"]).isoformat()
    assert (answer.status_code, header[:10] == now[:10]) == (429, True)
    assert 2 <= seconds_between(now, header) < 3


def seconds_between(now: str, later: str) -> float:
    """Seconds from one time to another."""
    return (datetime.fromisoformat(later) - datetime.fromisoformat(now)).total_seconds()


@pytest.mark.parametrize(("seconds", "found"), [(1.0, ["retry-too-early"]), (3.0, [])])
def test_a_date_is_waited_for(fake: Fake, seconds: float, found: list[str]) -> None:
    """A client that comes earlier is told so, as where `Retry-After` is in seconds."""
    fake.control("POST", "faults", preset="retry-after-date")
    secret = fake.secret()
    fake.call("GET", "/v1/customers", secret, headers={"Paylera-Version": "2026-04-01"})
    fake.advance(seconds)
    fake.call("GET", "/v1/customers", secret, headers={"Paylera-Version": "2026-04-01"})
    assert [finding["id"] for finding in (fake.control("GET", "findings").json or {})["data"]] == found


@pytest.mark.parametrize("preset", [each for each in Preset if each is not Preset.CUT_SHORT], ids=str)
def test_a_preset_says_what_it_is(fake: Fake, preset: Preset) -> None:
    """Each stands for members that may be given as well."""
    by_name, by_members = (answered(fake, **fault) for fault in ({"preset": preset}, PRESETS[preset].members))
    assert (by_name.status_code, len(by_name.data)) == (by_members.status_code, len(by_members.data))


def test_what_is_said_beside_a_preset_counts(fake: Fake) -> None:
    """Which requests it strikes, and what it answers."""
    answer = answered(fake, preset="html-502", status=504, method="GET", route="/v1/customers")
    assert (answer.status_code, answer.headers["Content-Type"]) == (504, "text/html; charset=utf-8")


def test_bytes_are_given_as_they_are_from_python(paylera: Paylera) -> None:
    """`body` is text, bytes or what JSON can say."""
    paylera.faults.add("answer", status=200, body=b"\xff")
    with httpx.Client(transport=paylera.transport) as client:
        assert client.get(f"{paylera.url}/v1/plans").content == b"\xff"


def test_no_action_and_no_preset_is_refused_from_python(paylera: Paylera) -> None:
    """The error names both."""
    with pytest.raises(ControlCallError, match=r"action: This is missing: .* or give a `preset`"):
        paylera.faults.add(times=2)


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"status": 199}, "status"),
    ({"status": 600}, "status"),
    ({"headers": {"X-A\r\nX-B": "1"}}, "headers"),
    ({"headers": {"X A": "1"}}, "headers"),
    ({"headers": {"": "1"}}, "headers"),
    ({"headers": {"X-A": "1\r\nX-B: 2"}}, "headers.X-A"),
    ({"headers": {"X-A": "1\n"}}, "headers.X-A"),
    ({"headers": {"X-A": "\0"}}, "headers.X-A"),
    ({"headers": {"X-A": "é"}}, "headers.X-A"),
    ({"headers": {"content-length": "5"}}, "headers.content-length"),
    ({"headers": {"Transfer-Encoding": "chunked"}}, "headers.Transfer-Encoding"),
    ({"action": "redirect", "location": "http://a\r\nX-B: 2"}, "location"),
    ({"action": "redirect", "location": "http://é"}, "location"),
    ({"action": "drop", "body": "x"}, "body"),
    ({"action": "redirect", "headers": {"X-A": "1"}}, "headers"),
    ({"body": "x", "merge": {}}, "merge"),
    ({"body": "x", "body_base64": "eA=="}, "body_base64"),
    ({"status": 204, "body": "x"}, "body"),
    ({"merge": {}, "at": "before_auth"}, "at"),
    ({"retry_after": 1, "retry_after_as": "week"}, "retry_after_as"),
    ({"preset": "html-503"}, "preset"),
    ({"body_base64": "?"}, "body_base64"),
]


@pytest.mark.parametrize(("fault", "field"), REFUSED, ids=str)
def test_what_no_answer_can_be_is_refused(fake: Fake, fault: dict[str, Any], field: str) -> None:
    """By the member that is wrong; above all no header may hold a line break."""
    answer = fake.control("POST", "faults", **{"action": "answer", **fault})
    assert (answer.status_code, (answer.json or {})["errors"][0]["field"]) == (422, field)
