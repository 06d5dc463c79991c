"""The view of the API reference: which document, and which token what is tried is sent with."""

from __future__ import annotations

import re

import pytest

from helpers.dashboard import ROOT, Page, Reader
from helpers.fake import Fake
from paylera_fixtures.tokens import WELL_KNOWN


def document_of(reader: Reader, page: str = "reference") -> str:
    """The address of the document that a page shows."""
    return next(str(given["data-document"]) for _, given in reader.read(page).elements if "data-document" in given)


def pick(reader: Reader, token: str) -> str:
    """The secret that is used once a token was picked; empty without one."""
    found = re.search(r'id="secret">(\w+)<', reader.send("reference", "reference/token", {"token": token}).text)
    return found[1] if found else ""


def test_document_is_that_of_the_namespace(fake: Fake) -> None:
    """And of the environment that is chosen: each has its own base URL."""
    reader = Reader(fake.client, f"{ROOT}{fake.base}")
    addresses = [document_of(reader), document_of(reader, "reference?environment=live")]
    assert addresses == [f"{fake.base}/openapi/v1.json", f"{fake.base}/live/openapi/v1.json"]
    assert [fake.client.get(address).status_code for address in addresses] == [200, 200]
    assert document_of(Reader(fake.client)) == "/openapi/v1.json"


@pytest.mark.parametrize("name", ["serviceall", "expired", "live_serviceall"])
def test_well_known_token_is_picked(reader: Reader, name: str) -> None:
    """Its secret is known to everybody."""
    secrets = {f"live_{each.name}" if each.environment == "live" else each.name: each.secret for each in WELL_KNOWN}
    assert pick(reader, name) == secrets[name]


@pytest.mark.parametrize(("picked", "status"), [("mint-service", 403), ("mint-admin", 200)])
def test_token_is_minted_to_try_with(fake: Fake, picked: str, status: int) -> None:
    """In a namespace of which nobody here has a secret."""
    reader = Reader(fake.client, f"{ROOT}{fake.base}")
    secret = pick(reader, picked)
    assert fake.call("GET", "/v1/customers", secret).status_code == 200
    assert fake.call("GET", "/v1/admin/api-tokens", secret).status_code == status
    assert "reference" in reader.read("tokens").text


def test_token_is_minted_for_the_environment_that_is_shown(reader: Reader) -> None:
    """One of the other would be refused."""
    form = reader.form("reference?environment=live", "reference/token?environment=live")
    answer = reader.client.post(form.action, data={**form.fields, "token": "mint-service"})
    assert 'id="secret">sk_live_' in answer.text


@pytest.mark.parametrize("picked", ["none", "nobody"])
def test_nothing_is_sent_where_no_token_is_picked(reader: Reader, picked: str) -> None:
    """Nor for a name that none has."""
    assert pick(reader, picked) == ""


def test_another_namespace_lists_no_well_known_token(fake: Fake) -> None:
    """They are the default one's."""
    text = Reader(fake.client, f"{ROOT}{fake.base}").read("reference").text
    assert ("serviceall" in text, "service, every scope" in text) == (False, True)


def test_secret_is_on_no_page_that_is_got(reader: Reader) -> None:
    """Only a form that was sent is answered with one, and nothing keeps that answer."""
    answer = reader.send("reference", "reference/token", {"token": "serviceall"})
    assert answer.headers["Cache-Control"] == "no-store"
    assert "sk_" not in Page(reader.get("reference").text).text


def test_policy_is_that_of_every_page(reader: Reader) -> None:
    """No script and no style of a page's own, and nothing from elsewhere."""
    policies = {reader.get(page).headers["Content-Security-Policy"] for page in ("reference", "requests")}
    assert len(policies) == 1
    assert "unsafe" not in policies.pop()
