"""The view of API tokens: what each may do, minted, rotated, revoked, and who may call what."""

from __future__ import annotations

import re

import pytest

from helpers.dashboard import Page, Reader
from helpers.fake import Fake
from paylera_fixtures.api.operations import OPERATIONS


def secret_on(text: str) -> str:
    """The secret that a page shows."""
    found = re.search(r'id="secret">(sk_\w+)<', text)
    assert found is not None
    return found[1]


def status_of(reader: Reader, secret: str) -> int:
    """How a request by a secret is answered."""
    return reader.client.get("/v1/customers", headers={"Authorization": f"Bearer {secret}"}).status_code


def bars(reader: Reader) -> list[float]:
    """How long each bar of the list is, and how much of it is left."""
    found = [given for tag, given in reader.read("tokens").elements if tag == "meter"]
    return [float(given[name] or "") for given in found for name in ("max", "value")]


def test_tokens_are_listed_with_what_they_may(reader: Reader) -> None:
    """Audience, environment, scopes, assurance, version, state."""
    row = reader.get("tokens").text.partition('id="tok_customerada"')[2].partition("</li>")[0]
    words = Page(row).text.split()
    for word in ("customerada", "active", "sandbox", "customer", "cus_ada", "AAL", "2026-04-01", "ten_main", "*"):
        assert word in words


def test_grace_is_a_bar_that_runs_down(default: Fake) -> None:
    """By the clock of the namespace."""
    reader = Reader(default.client)
    default.control("POST", "clock", running=False)
    most, before = bars(reader)
    default.advance(6 * 3600)
    assert bars(reader) == pytest.approx([most, before - 6 * 3600])
    default.advance(24 * 3600)
    assert bars(reader) == []


def test_token_is_minted(reader: Reader) -> None:
    """Its secret works, and is shown this once."""
    answer = reader.send("tokens", "tokens/mint", {"name": "crm", "audience": "service", "scopes": ["customers:read"]})
    secret = secret_on(answer.text)
    assert status_of(reader, secret) == 200
    assert secret not in reader.get("tokens").text
    assert answer.headers["Cache-Control"] == "no-store"


def test_odd_token_is_minted_too(reader: Reader) -> None:
    """So that refusals can be tried."""
    fields = {"audience": "service", "aal": "2", "environment": "live", "other_scopes": "customers:delete read"}
    reader.send("tokens", "tokens/mint", fields)
    row = reader.get("tokens").text.partition('class="tokens"')[2].partition("</li>")[0]
    assert re.findall(r'class="scope"><bdi>(.*?)<', row) == ["customers:delete", "read"]
    assert ("AAL 2" in row, ">live<" in row) == (True, True)


def test_token_that_cannot_be_minted_is_told(reader: Reader) -> None:
    """With the member that is at fault."""
    answer = reader.send("tokens", "tokens/mint", {"audience": "anybody"})
    assert (answer.status_code, "audience" in Page(answer.text).text) == (422, True)


def test_token_is_rotated(reader: Reader) -> None:
    """The new secret is shown once, the former one works on for the grace."""
    secret = secret_on(reader.send("tokens", "tokens/mint", {"audience": "service", "scopes": ["*"]}).text)
    found = re.search(r"tokens/(tok_\w+)/rotate", reader.get("tokens").text)
    assert found is not None
    new = secret_on(reader.send("tokens", f"{found[1]}/rotate").text)
    assert (new != secret, status_of(reader, secret), status_of(reader, new)) == (True, 200, 200)


def test_token_is_revoked(reader: Reader) -> None:
    """At once, and it can be neither revoked nor rotated any more."""
    secret = secret_on(reader.send("tokens", "tokens/mint", {"audience": "service", "scopes": ["*"]}).text)
    found = re.search(r"tokens/(tok_\w+)/revoke", reader.get("tokens").text)
    assert found is not None
    assert reader.send("tokens", f"{found[1]}/revoke").status_code == 303
    assert status_of(reader, secret) == 401
    assert [form for form in reader.read("tokens").forms if found[1] in form.action] == []


def test_endpoint_tells_what_it_requires(reader: Reader) -> None:
    """As the dashboard of the guide does: scope, audience, assurance; and which tokens have that."""
    text = " ".join(reader.read("tokens/endpoint?operation=cancel_payment").text.split())
    for part in ("Scope payments:write , or *", "Audience service or admin", "Assurance AAL 2", "adminaal2 yes"):
        assert part in text
    assert "serviceread no 401 auth.scope_required" in text


def test_every_endpoint_can_be_picked(reader: Reader) -> None:
    """All of the API's."""
    options = [given.get("value") for tag, given in reader.read("tokens/endpoint").elements if tag == "option"]
    assert options[-len(OPERATIONS) :] == [operation.id for operation in OPERATIONS]


def test_unknown_endpoint_is_told(reader: Reader) -> None:
    """An old link may name one."""
    assert reader.get("tokens/endpoint?operation=nothing").status_code == 422


def test_matrix_has_every_operation_by_every_token(reader: Reader) -> None:
    """Accepted, or refused with the code."""
    text = reader.get("tokens/matrix").text
    assert len(re.findall(r'<td class="cell (?:good|bad)">', text)) == len(OPERATIONS) * 11
    row = text.partition("operation=create_customer")[2].partition("</tr>")[0]
    assert re.findall(r"accepted|<code>([a-z 0-9]+)</code>", row) == [
        "",
        "",
        "invalid token",
        "expired token",
        "",
        "",
        "",
        "audience required",
        "scope required",
        "scope required",
        "",
    ]


def test_matrix_has_so_many_tokens_at_once(default: Fake) -> None:
    """The others are led to."""
    for _ in range(10):
        default.token("*")
    reader = Reader(default.client)
    first = reader.get("tokens/matrix").text
    assert len(re.findall(r'class="cell', first)) == len(OPERATIONS) * 16
    older = next(link for link in Page(first).links if "cursor=" in link)
    assert len(re.findall(r'class="cell', reader.client.get(older).text)) == len(OPERATIONS) * 5


def test_tokens_of_a_namespace_are_its_own(fake: Fake) -> None:
    """Each is a fake of its own."""
    fake.token("customers:read", name="only-here")
    reader = Reader(fake.client, f"/_mock/ui{fake.base}")
    assert "only-here" in reader.get("tokens").text
    assert "only-here" not in Reader(fake.client).get("tokens").text
    assert "serviceall" not in reader.get("tokens").text
