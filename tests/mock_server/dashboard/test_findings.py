"""The view of findings and coverage: what clients do wrong in which requests, and what their tests have met."""

from __future__ import annotations

import re

import pytest

from helpers.client_under_test import ClientUnderTest
from helpers.dashboard import ROOT, Page, Reader
from helpers.fake import Fake
from paylera_fixtures.clauses import BY_ID


def client_of_another(default: Fake) -> ClientUnderTest:
    """A client of a new namespace of the same fake."""
    made = default.control("POST", "namespaces").json or {}
    return ClientUnderTest(type(default)(default.client, f"/ns/{made['id']}"))


def requests_on(page: Page) -> list[str]:
    """The links of a page that lead to one request."""
    return [link for link in page.links if re.search(r"/requests/\d+$", link)]


# Findings


def test_finding_is_shown_with_what_to_do(default: Fake) -> None:
    """What was done, the fix, the clause in plain words, and how often."""
    ClientUnderTest(default).creates(None)
    text = Reader(default.client).read("findings").text
    for part in (
        "1 error",
        "key-missing",
        "/v1/customers",
        "Send an Idempotency-Key",
        BY_ID["idempotency.required"].section,
    ):
        assert part in text


def test_finding_leads_to_the_request_that_shows_it(default: Fake) -> None:
    """In the trace of that request stands why it was refused."""
    client = ClientUnderTest(default)
    client.creates("k")
    client.creates(None)
    (link,) = requests_on(Reader(default.client).read("findings"))
    assert "Refused by key-present" in Page(default.client.get(link).text).text


def test_finding_names_no_request_of_a_cleared_journal(default: Fake) -> None:
    """Its numbers are given to others."""
    ClientUnderTest(default).creates(None)
    reader = Reader(default.client)
    reader.send("requests", "requests/clear")
    ClientUnderTest(default).creates("k")
    page = reader.read("findings")
    assert (requests_on(page), "no longer in a journal" in page.text) == ([], True)


def test_flawless_client_is_told_so(default: Fake) -> None:
    """And how much was looked for."""
    text = Reader(default.client).read("findings").text
    assert ("Nothing was found." in text, "Clear" in text) == (True, False)


def test_findings_are_cleared(default: Fake) -> None:
    """Those of the namespace alone."""
    other = client_of_another(default)
    other.creates(None)
    ClientUnderTest(default).creates(None)
    reader = Reader(default.client)
    assert reader.send("findings", "findings/clear").headers["Location"] == f"{ROOT}/findings"
    assert ("key-missing" in reader.get("findings").text, len(other.found)) == (False, 1)


def test_findings_of_all_lead_into_their_namespaces(default: Fake) -> None:
    """Each request is in the journal of its own."""
    clients = [client_of_another(default) for _ in range(2)]
    for client in clients:
        client.creates(None)
    page = Reader(default.client).read("findings?scope=all")
    links = requests_on(page)
    assert ["2 errors" in page.text, len(links)] == [True, 2]
    assert [default.client.get(link).status_code for link in links] == [200, 200]


def test_findings_of_a_deleted_namespace_stay(default: Fake) -> None:
    """Without a link, as its journal is gone."""
    client = client_of_another(default)
    client.creates(None)
    default.client.delete(f"/_mock/namespaces/{client.fake.base.removeprefix('/ns/')}")
    page = Reader(default.client).read("findings?scope=all")
    assert ("key-missing" in page.text, requests_on(page)) == (True, [])


def test_findings_of_all_come_in_pages(default: Fake) -> None:
    """Of a thousand namespaces the first page does not hold them all; clearing means all of them."""
    for _ in range(51):
        client_of_another(default).creates(None)
    reader = Reader(default.client)
    first = reader.read("findings?scope=all")
    (older,) = (link for link in first.links if "cursor=" in link)
    second = Page(default.client.get(older).text)
    assert ["50 errors" in first.text, "1 error" in second.text] == [True, True]
    reader.send("findings?scope=all", "findings/clear?scope=all")
    assert "Nothing was found" in reader.get("findings?scope=all").text


def test_own_findings_come_in_pages(default: Fake) -> None:
    """Of hundreds of clients each has its own."""
    for _ in range(51):
        ClientUnderTest(default).creates(None)
    reader = Reader(default.client)
    assert "Findings 1 to 50 of" in reader.read("findings").text
    assert "Findings 51 to" in reader.read("findings?offset=50").text


@pytest.mark.parametrize("page", ["findings", "findings/coverage", "requests"])
def test_namespace_cannot_ask_for_all(fake: Fake, page: str) -> None:
    """As with the control API; nor does it lead there."""
    reader = Reader(fake.client, f"{ROOT}{fake.base}")
    assert "All namespaces" not in reader.get(page).text
    assert reader.get(f"{page}?scope=all").status_code == 422


def test_hostile_member_is_no_element(default: Fake) -> None:
    """A finding may name what a client sent, and by which token."""
    name = "<script>alert(1)</script>\u202e"
    secret = default.secret(name=name)
    body = {"email": "ada@example.com", name: 1}
    default.call("POST", f"/v1/customers?{name}=1", secret, key="k", json=body)
    answer = Reader(default.client).get("findings")
    elements = Page(answer.text).elements
    assert "unknown-member" in answer.text
    assert [given for tag, given in elements if tag == "script" and "src" not in given] == []
    assert "\u202e" not in answer.text


# Coverage


def test_coverage_tells_what_was_met_and_what_was_not(default: Fake) -> None:
    """What is left comes with how to meet it."""
    ClientUnderTest(default).creates(None)
    page = Reader(default.client).read("findings/coverage")
    missing, met = page.text.split(" Met ")
    assert ("idempotency.required once" in met, "To meet it: Send a request without Authorization." in missing) == (
        True,
        True,
    )
    (meter,) = (given for tag, given in page.elements if tag == "meter")
    assert (meter["value"], meter["max"]) == ("1", "42")


def test_coverage_of_all_is_that_of_every_namespace(default: Fake) -> None:
    """Also of those that are gone."""
    client = client_of_another(default)
    client.creates(None)
    default.client.delete(f"/_mock/namespaces/{client.fake.base.removeprefix('/ns/')}")
    reader = Reader(default.client)
    assert ["0 of 42" in reader.read(f"findings/coverage{query}").text for query in ("", "?scope=all")] == [True, False]


# Live requests of all


def test_requests_of_all_are_listed_with_their_namespaces(default: Fake) -> None:
    """The newest first, each leads to its trace."""
    other = client_of_another(default)
    default.call("GET", "/v1/plans")
    other.creates(None)
    page = Reader(default.client).read("requests?scope=all")
    links = [link for link in requests_on(page) if link.endswith("/1")]
    assert links == [f"{ROOT}{other.fake.base}/requests/1", f"{ROOT}/requests/1"]
    assert f"in {other.fake.base.removeprefix('/ns/')}" in page.text


def test_stream_of_all_tells_what_is_new(default: Fake) -> None:
    """It asks again after a while, by an id that is another one once something has come, anywhere."""
    reader = Reader(default.client)
    other = client_of_another(default)
    streams = [
        given["hx-sse:connect"] for _, given in reader.read("requests?scope=all").elements if "hx-sse:connect" in given
    ]
    stream = str(streams[0])
    assert "data:" not in default.client.get(stream).text
    other.creates(None)
    event = default.client.get(stream).text
    assert ("key-present" in event, "retry: 2000" in event) == (True, True)
    seen = event.partition("id: ")[2].partition("\n")[0]
    assert "data:" not in default.client.get(stream, headers={"Last-Event-ID": seen}).text
