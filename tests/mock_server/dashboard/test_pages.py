"""Every page: its links and forms lead somewhere, and whatever a client sent stands there as text."""

from __future__ import annotations

import re
from typing import Final

import pytest

from helpers.dashboard import ROOT, Page, Reader
from helpers.fake import Fake
from paylera_fixtures.tokens import WELL_KNOWN
from paylera_mock.dashboard.rendering import make_visible

SECRET: Final = WELL_KNOWN[0].secret
SCRIPT: Final = "<script>alert(1)</script>"
TURNED: Final = "\u202egnp.exe"
ESCAPE: Final = "\x1b[31mred\x07"


def shape_of(address: str) -> str:
    """An address without what differs from one object to another."""
    return re.sub(r"(tok_|/ns/)\w+|/\d+", "*", address)


def test_every_link_leads_to_a_page(reader: Reader) -> None:
    """From the first page on, whatever can be reached."""
    reader.client.post("/_mock/namespaces", json={})
    statuses = {address: answer.status_code for address, answer in reader.walk()}
    assert {address: status for address, status in statuses.items() if status != 200} == {}
    assert {shape_of(address).partition("?")[0] for address in statuses} >= {
        f"{ROOT}/requests",
        f"{ROOT}/requests*",
        f"{ROOT}/tokens/matrix",
        f"{ROOT}*/tokens",
    }


def test_every_form_is_answered(reader: Reader) -> None:
    """One of each kind, as it stands: none ends in a page that says what is wrong."""
    pages = ["requests/1", "tokens", "clock", "faults", "objects", "requests", "findings", "reference"]
    forms = {shape_of(form.action): form for page in pages for form in reader.read(page).forms if form.method == "post"}
    answers = {shape: reader.client.post(form.action, data=form.fields).status_code for shape, form in forms.items()}
    assert len(answers) >= 7
    assert {shape: status for shape, status in answers.items() if status not in {200, 303}} == {}


def test_unknown_page_says_so(reader: Reader) -> None:
    """With the frame around it, by which one gets on."""
    answer = reader.get("requests/4711")
    assert answer.status_code == 404
    assert f"{ROOT}/tokens" in Page(answer.text).links


def test_unknown_namespace_says_so(reader: Reader) -> None:
    """It may have been deleted while somebody looked."""
    assert reader.get("ns/nothing/requests").status_code == 404


@pytest.mark.parametrize("method", ["PUT", "DELETE", "OPTIONS", "TRACE"])
def test_other_methods_are_refused(reader: Reader, method: str) -> None:
    """A page is got, a form is posted."""
    assert reader.client.open(f"{ROOT}/requests", method=method).status_code == 405


def test_head_of_a_page_has_no_body(reader: Reader) -> None:
    """As everywhere in HTTP."""
    answer = reader.client.head(f"{ROOT}/requests")
    assert (answer.status_code, answer.data) == (200, b"")


def test_hostile_request_is_shown_as_text(default: Fake) -> None:
    """In the list and in its trace: path, query, headers, body, and the name of the token."""
    secret = default.secret(name=f"{SCRIPT}{TURNED}")
    for path in (f"/v1/customers/{SCRIPT}%E2%80%AE", "/v1/customers/%1B%5B31m%00", "/v1/customers?limit=%3Cscript%3E"):
        default.call("GET", path, secret, headers={"User-Agent": SCRIPT, "X-Paylera-Acting-As": f"{SCRIPT}\x85"})
    body = f'{{"email": "{SCRIPT}{TURNED}"}}'
    default.call("POST", "/v1/customers", secret, key="'\"><img src=x>", data=f"{body}{ESCAPE}".encode())
    reader = Reader(default.client)
    for page in ("requests", "requests/1", "requests/2", "requests/3", "requests/4", "tokens", "tokens/matrix"):
        answer = reader.get(page)
        assert answer.status_code == 200
        elements = Page(answer.text).elements
        assert [given for tag, given in elements if tag == "script" and "src" not in given] == []
        assert [tag for tag, _ in elements if tag == "img"] == []
        assert re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e]", answer.text) is None


def test_unseen_characters_are_spelled_out() -> None:
    """Nobody is to take one text for another; line breaks and tabs are seen."""
    assert (
        make_visible(f"a\u200bb{TURNED}\x1b\x00\t\r\n\ud800") == "a\\u{200b}b\\u{202e}gnp.exe\\u{1b}\\u{0}\t\n\\u{d800}"
    )


def test_no_secret_is_on_a_page(reader: Reader) -> None:
    """The journal names them, and so do the pages."""
    reader.client.get(f"/v1/customers?key={SECRET}", headers={"X-Api-Key": SECRET})
    assert [address for address, answer in reader.walk() if SECRET in answer.text] == []


def test_namespace_is_picked(reader: Reader) -> None:
    """The same view is shown there."""
    made = reader.client.post("/_mock/namespaces", json={}).json or {}
    assert made["id"] in reader.get("tokens").text
    answer = reader.get(f"namespaces/choose?view=tokens&id={made['id']}")
    assert answer.headers["Location"] == f"{ROOT}/ns/{made['id']}/tokens"
    assert reader.get("namespaces/choose?view=tokens&id=").headers["Location"] == f"{ROOT}/tokens"


def test_namespaces_are_listed_in_pages(reader: Reader) -> None:
    """A thousand parallel tests have one each."""
    ids = [(reader.client.post("/_mock/namespaces", json={}).json or {})["id"] for _ in range(101)]
    first = reader.get("namespaces").text
    second = reader.client.get(next(link for link in Page(first).links if "cursor=" in link)).text
    rows = [text.partition("namespaces in all")[0].rpartition("Mutants")[2] for text in (first, second)]
    assert [(ids[-1] in row, ids[0] in row) for row in rows] == [(True, False), (False, True)]
