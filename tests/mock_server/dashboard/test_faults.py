"""The view of faults: what is armed and waits for what, how often it struck, arming and disarming."""

from __future__ import annotations

from typing import Any

import pytest

from helpers.dashboard import Page, Reader
from helpers.fake import Fake
from paylera_mock.faults.model import Action
from paylera_mock.faults.presets import PRESETS


@pytest.fixture
def seen(default: Fake) -> Reader:
    """Looks at a fake in which no fault is armed."""
    return Reader(default.client)


def faults(reader: Reader) -> list[dict[str, Any]]:
    """The faults in force, by the control API."""
    return list((reader.client.get("/_mock/faults").json or {})["data"])


def rows(reader: Reader) -> list[str]:
    """The texts of the faults that are listed."""
    return [Page(row).text for row in reader.get("faults").text.partition('class="tokens faults"')[2].split("<li ")[1:]]


def test_preset_is_armed_for_some_requests(seen: Reader) -> None:
    """It strikes those that match, as often as was said."""
    fields = {"what": "html-502", "route": "/v1/customers", "method": "GET", "token": "serviceall", "times": "2"}
    assert seen.send("faults", "faults/arm", fields).status_code == 303
    [fault] = faults(seen)
    assert (fault["preset"], fault["status"], fault["at"]) == ("html-502", 502, "before_auth")
    assert (fault["method"], fault["route"], fault["token"]) == ("GET", "/v1/customers", "serviceall")
    assert (fault["nth"], fault["times"]) == (1, 2)


def test_action_is_armed_with_its_details(seen: Reader) -> None:
    """Those that the form has, and any other that the control API takes."""
    more = '{"probability": 0.5, "seed": 7}'
    fields = {"what": "delay", "seconds": "1.5", "nth": "3", "at": "after_commit", "more": more}
    seen.send("faults", "faults/arm", fields)
    [fault] = faults(seen)
    assert (fault["action"], fault["seconds"], fault["nth"], fault["at"]) == ("delay", 1.5, 3, "after_commit")
    assert (fault["probability"], fault["preset"], fault["status"]) == (0.5, None, None)


@pytest.mark.parametrize(
    ("fields", "status", "told"),
    [
        ({"what": "delay"}, 422, "seconds"),
        ({"what": "nothing"}, 422, "action"),
        ({"what": "html-502", "times": "often"}, 422, "times"),
        ({"what": "html-502", "times": "nan"}, 422, "times"),
        ({"what": "html-502", "route": "/v1/custmers"}, 422, "did you mean /v1/customers?"),
        ({"what": "html-502", "more": "[1]"}, 400, "object"),
        ({"what": "html-502", "more": "[1"}, 400, "JSON"),
        ({"what": "html-502", "more": '{"a":' * 40 + "1" + "}" * 40}, 400, "nested"),
        # "this is no JSON" where this version of Python reads to its end, else "this is nested too deep".
        ({"what": "html-502", "more": "[" * 2000}, 400, "this is n"),
        ({"what": "garbage"}, 409, "start the fake with paylera-mock"),
    ],
)
def test_fault_that_cannot_be_armed_is_told(seen: Reader, fields: dict[str, str], status: int, told: str) -> None:
    """With what is at fault, and nothing is armed."""
    answer = seen.send("faults", "faults/arm", fields)
    assert (answer.status_code, told in Page(answer.text).text, faults(seen)) == (status, True, [])


def test_fault_tells_what_it_waits_for(default: Fake) -> None:
    """And how often it struck."""
    default.control("POST", "faults", action="answer", status=500, nth=2, times=2)
    reader, secret = Reader(default.client), default.secret()
    found = []
    for _ in range(4):
        found.append(rows(reader)[0])
        default.call("GET", "/v1/customers", secret)
    waits = [row.partition("Waits for ")[2].partition(" Disarm")[0] for row in found]
    assert waits == [
        "matching request 2 Struck 0 of 2 times; 0 requests matched",
        "the next matching request Struck 0 of 2 times; 1 request matched",
        "the next matching request Struck 1 of 2 times; 2 requests matched",
        "nothing more Struck 2 of 2 times; 3 requests matched",
    ]
    assert ("armed" in found[2], "spent" in found[3]) == (True, True)


def test_fault_is_disarmed(seen: Reader) -> None:
    """By its button, or all at once; that it never struck stands there still."""
    for what in ("drop", "hang", "redirect"):
        seen.send("faults", "faults/arm", {"what": what})
    first = faults(seen)[0]["id"]
    assert seen.send("faults", f"{first}/disarm").status_code == 303
    assert [fault["action"] for fault in faults(seen)] == ["hang", "redirect"]
    assert f"{first}: drop at before_auth, any request" in seen.read("faults").text
    seen.send("faults", "faults/disarm")
    assert faults(seen) == []
    assert seen.read("faults").text.count("redirect at before_auth") == 1


def test_every_preset_and_action_can_be_picked(seen: Reader) -> None:
    """Each by a radio button, with what it does."""
    page = seen.read("faults")
    picked = [given.get("value") for tag, given in page.elements if tag == "input" and given.get("name") == "what"]
    assert picked == [*PRESETS, *Action]
    assert all(
        preset.description.partition(":")[0].replace("`", "").rstrip(".") in page.text for preset in PRESETS.values()
    )


def test_many_faults_are_listed_in_parts(default: Fake) -> None:
    """The others are led to."""
    for _ in range(51):
        default.control("POST", "faults", action="drop")
    reader = Reader(default.client)
    assert len(rows(reader)) == 50
    assert "flt_51" in reader.read("faults?offset=50").text


def test_hostile_fault_is_shown_as_text(default: Fake) -> None:
    """Its route and its problem may hold anything; its body and headers are not shown."""
    default.control("POST", "faults", action="answer", status=400, problem="<img src=x>\u202e", body="<script>")
    text = Reader(default.client).get("faults").text
    assert ("<img" in text, "\\u{202e}" in text, "&lt;script" in text) == (False, True, False)
