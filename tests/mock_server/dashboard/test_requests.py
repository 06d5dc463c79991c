"""The view of requests: the list and its filters, events, one request, and asking again."""

from __future__ import annotations

import re
import threading

import pytest
from werkzeug.test import Client, TestResponse

from helpers.dashboard import Page, Reader
from paylera_fixtures.tokens import WELL_KNOWN
from paylera_mock.app import create_app
from paylera_mock.dashboard import dashboard

SECRETS = {token.token_id: token.secret for token in WELL_KNOWN}


def numbers(answer: TestResponse) -> list[int]:
    """The requests that are shown, from above."""
    return [int(number) for number in re.findall(r'<tr data-number="(\d+)"', answer.text)]


def call(reader: Reader, by: str = "tok_serviceall") -> None:
    """Send a request to the API."""
    reader.client.get("/v1/customers", headers={"Authorization": f"Bearer {SECRETS[by]}"})


def run_of(reader: Reader) -> str:
    """What the ids of events begin with, until the fake is started anew."""
    streams = [given.get("hx-sse:connect") for _, given in reader.read("requests").elements]
    return next(found[1] for each in streams if (found := re.search(r"after=([0-9a-f]{8})", each or "")))


def next_event(reader: Reader, last: str, **query: str) -> dict[str, str]:
    """The next event after another, by what its id ends with: its fields."""
    headers = {"Last-Event-ID": f"{run_of(reader)}.{last}"}
    text = reader.get("requests/stream", headers=headers, query_string=query).text
    fields: dict[str, str] = {}
    for line in text.splitlines():
        name, _, value = line.partition(": ")
        fields[name] = f"{fields.get(name, '')}{value}\n"
    return {name: value.strip() for name, value in fields.items()}


def ask(reader: Reader, number: int, **fields: str) -> str:
    """Ask again with a change: what the page says would be decided."""
    answer = reader.send(f"requests/{number}", f"requests/{number}/ask", fields)
    assert answer.status_code == 200, answer.text
    return Page(answer.text).text.partition("Nothing happens")[2]


# The list


def test_newest_request_stands_above(reader: Reader) -> None:
    """What just happened is what one looks for."""
    assert numbers(reader.get("requests")) == [4, 3, 2, 1]


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("method=POST", [4, 3]),
        ("status=4xx", [2]),
        ("token=servicenoscope", [2]),
        ("rule=replayed", [4]),
        ("clause=scope.required", [2]),
        ("route=/v1/customers&status=200", [1]),
        ("key=sub-create:ada", [4, 3]),
        ("path=/v1/nothing", []),
        ("method=&status=+", [4, 3, 2, 1]),
    ],
)
def test_filters_are_those_of_the_journal(reader: Reader, query: str, shown: list[int]) -> None:
    """They stand in the address, so that a list can be handed on; what is empty filters nothing."""
    assert numbers(reader.get(f"requests?{query}")) == shown


def test_filters_are_kept_in_what_leads_on(reader: Reader) -> None:
    """To the stream, to a pause, to older ones."""
    page = reader.read("requests?status=4xx")
    assert any("paused=yes" in link and "status=4xx" in link for link in page.links)
    assert [given["hx-sse:connect"] for _, given in page.elements if "hx-sse:connect" in given] == [
        f"/_mock/ui/requests/stream?after={run_of(reader)}.0.2&status=4xx"
    ]


def test_paused_list_has_no_stream(reader: Reader) -> None:
    """It stays as it is."""
    assert "hx-sse:connect" not in reader.get("requests?paused=yes").text


def test_retry_names_what_it_tries_again(reader: Reader) -> None:
    """Requests with one key are tied together."""
    row = reader.get("requests").text.partition('data-number="4"')[2].partition("</tr>")[0]
    assert "attempt 2" in row
    assert "/_mock/ui/requests/3" in Page(row).links


def test_older_requests_are_got_on_demand(reader: Reader) -> None:
    """A page has a hundred."""
    for _ in range(150):
        call(reader)
    first = reader.get("requests")
    older = next(link for link in Page(first.text).links if "cursor=" in link)
    assert numbers(first) == list(range(154, 54, -1))
    assert numbers(reader.client.get(older)) == list(range(54, 0, -1))


def test_list_is_cleared(reader: Reader) -> None:
    """As `DELETE C/journal` does."""
    assert reader.send("requests", "requests/clear").status_code == 303
    assert numbers(reader.get("requests")) == []


# Events


def test_event_has_what_came_since_the_last(reader: Reader) -> None:
    """Row by row, the newest first, and the id by which the next one is asked for."""
    event = next_event(reader, "0.2")
    assert re.findall(r'data-number="(\d+)"', event["data"]) == ["4", "3"]
    assert (event["id"], event["retry"]) == (f"{run_of(reader)}.0.4", "300")


def test_event_comes_when_something_happens(reader: Reader) -> None:
    """It is waited for."""
    events: list[dict[str, str]] = []
    waiting = threading.Thread(target=lambda: events.append(next_event(reader, "0.4", status="401")))
    waiting.start()
    call(reader)
    call(reader, by="tok_servicenoscope")
    waiting.join()
    assert re.findall(r'data-number="(\d+)"', events[0]["data"]) == ["6"]


def test_burst_is_one_event_of_its_newest(reader: Reader) -> None:
    """They take the place of all that was shown: nobody reads a thousand rows, and none is missed unnoticed."""
    for _ in range(150):
        call(reader)
    event = next_event(reader, "0.4")
    assert re.findall(r'data-number="(\d+)"', event["data"]) == [str(number) for number in range(154, 54, -1)]
    assert 'hx-partial hx-target="#rows" hx-swap="innerHTML"' in event["data"]


def test_cleared_journal_is_told(reader: Reader) -> None:
    """Its numbers begin again, and what is shown is no more."""
    reader.client.delete("/_mock/journal")
    call(reader)
    assert next_event(reader, "0.4")["event"] == "journal-cleared"


def test_too_many_streams_are_asked_to_come_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """They must not take every thread of the server."""
    monkeypatch.setattr(dashboard, "_WAITING_AT_MOST", 0)
    text = Reader(Client(create_app())).get("requests/stream", headers={"Last-Event-ID": "0a0b0c0d.0.7"}).text
    assert text.splitlines()[:3] == ["retry: 2000", "id: 0a0b0c0d.0.7", "event: busy"]


def test_journal_of_a_fake_that_was_started_anew_is_told(reader: Reader) -> None:
    """It numbers from 1 again: what is shown is no more, however far the numbers have come."""
    text = reader.get("requests/stream", headers={"Last-Event-ID": "0a0b0c0d.0.2"}).text
    assert "event: journal-cleared" in text


def test_place_of_a_stream_is_given_back(reader: Reader) -> None:
    """Whoever asked has gone."""
    last = {"Last-Event-ID": f"{run_of(reader)}.0.1"}
    answers = [reader.get("requests/stream", headers=last).status_code for _ in range(40)]
    assert set(answers) == {200}


# One request


def test_deciding_check_stands_in_front(reader: Reader) -> None:
    """What it wanted, what it got, what to do, and the clause in plain words."""
    text = Page(reader.get("requests/2").text).text
    decided = text.partition("Refused")[2].partition("All 23 checks")[0]
    for part in ("scope-granted", "the scope customers:read", "What to do", "scope.required", "Authenticate guide"):
        assert part in decided


def test_every_check_is_listed(reader: Reader) -> None:
    """In order, with how it ended."""
    text = reader.get("requests/2").text
    assert re.findall(r'<li class="([\w-]+)">', text).count("not-reached") == 11
    assert re.findall(r'<li class="([\w-]+)">', text).count("refused") == 1


def test_requests_with_the_same_key_stand_together(reader: Reader) -> None:
    """With what became of each."""
    text = Page(reader.get("requests/4").text).text.partition("Requests with this key")[2]
    assert re.findall(r"#(\d)", text.partition("Request ")[0]) == ["3", "4"]


# Asked again


def test_asking_again_without_a_change_tells_what_is_so_now(reader: Reader) -> None:
    """The first request of a key would be a replay now."""
    assert "The answer that was kept for the key would be sent again." in ask(reader, 3)


@pytest.mark.parametrize(
    ("number", "fields", "told"),
    [
        (2, {"token": "tok_serviceall"}, "The answer would be sent."),
        (2, {"token": "none"}, "auth.missing_token"),
        (3, {"Idempotency-Key": ""}, "idempotency.required"),
        (3, {"Idempotency-Key": "another"}, "The operation would happen"),
        (1, {"Paylera-Version": "1999-01-01"}, "version.unsupported"),
        (1, {"X-Paylera-Acting-As": "actor_nobody"}, "validation.failed"),
        (1, {"path": "/v1/customers/cus_nobody"}, "resource.not_found"),
        (1, {"path": "/v1/admin/actors"}, "auth.audience_required"),
        (3, {"body": "{", "Idempotency-Key": "another"}, "request.malformed"),
    ],
)
def test_request_is_asked_again_with_a_change(reader: Reader, number: int, fields: dict[str, str], told: str) -> None:
    """Each of its parts, one at a time."""
    assert told in ask(reader, number, **fields)


def test_asking_has_no_effect(reader: Reader) -> None:
    """Neither on objects nor on the journal."""
    snapshot = reader.client.get("/_mock/snapshot").json or {}
    assert "The operation would happen" in ask(reader, 3, **{"Idempotency-Key": "another"})
    assert (reader.client.get("/_mock/snapshot").json or {})["objects"] == snapshot["objects"]
    assert numbers(reader.get("requests")) == [4, 3, 2, 1]


def test_what_cannot_be_asked_is_told(reader: Reader) -> None:
    """With the member that is at fault."""
    answer = reader.send("requests/1", "requests/1/ask", {"path": "no path"})
    assert answer.status_code == 422
    assert "path" in Page(answer.text).text
