"""What a test holds on to: tokens, time, the journal, faults, the audit log and questions about what was called."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import httpx
import pytest
import requests

from paylera_mock.testing import ControlCallError, Paylera, Token
from paylera_mock.testing.requests_adapter import PayleraAdapter

CUSTOMER = {"email": "ada@example.com"}


def call(fake: Paylera, token: Token, method: str = "GET", path: str = "/v1/customers", **more: Any) -> httpx.Response:
    """Send a request by httpx."""
    headers = {**token.headers, **more.pop("headers", {})}
    with httpx.Client(transport=fake.transport, base_url=fake.url) as client:
        return client.request(method, path, headers=headers, **more)


def create(fake: Paylera, key: str = "k1") -> httpx.Response:
    """Create a customer."""
    return call(fake, fake.everything, "POST", headers={"Idempotency-Key": key}, json=CUSTOMER)


@pytest.fixture
def proxied(monkeypatch: pytest.MonkeyPatch) -> None:
    """An environment that sends everything through a proxy, at which nobody listens."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.usefixtures("proxied")
def test_requests_asks_the_fake_through_no_proxy(paylera: Paylera, paylera_requests: PayleraAdapter) -> None:
    """A real socket to whom the URL names would be opened."""
    session = requests.Session()
    session.mount("https://", paylera_requests)
    answer = session.get(f"{paylera.url}/v1/customers", headers=paylera.everything.headers)
    assert answer.status_code == 200


@pytest.mark.usefixtures("proxied")
def test_httpx_asks_the_fake_through_no_proxy(paylera: Paylera) -> None:
    """A transport that is given outweighs the environment."""
    assert call(paylera, paylera.everything).status_code == 200


def test_a_token_has_what_was_asked_for(paylera: Paylera) -> None:
    """Scopes, audience and the rest."""
    token = paylera.token("admin:read", audience="admin", aal=2, name="ops")
    assert (token.scopes, token.audience, token.aal) == (("admin:read",), "admin", 2)


def test_a_token_opens_what_its_scopes_name(paylera: Paylera) -> None:
    """And nothing else."""
    token = paylera.token("customers:read")
    assert [call(paylera, token, path=f"/v1/{name}").status_code for name in ("customers", "plans")] == [200, 401]


@pytest.mark.parametrize("shown", [repr, str, "{}".format, "{!r}".format])
def test_a_token_shows_no_secret(paylera: Paylera, shown: Any) -> None:
    """Assertions that fail print what they compare."""
    token = paylera.everything
    assert token.secret not in shown(token)
    assert token.id in shown(token)


def test_the_ready_tokens_stay_the_same(paylera: Paylera) -> None:
    """Each is minted once, when it is asked for."""
    assert paylera.everything is paylera.everything
    assert (paylera.admin.audience, paylera.admin.aal) == ("admin", 2)


def test_the_plain_secret_is_of_the_fake(paylera: Paylera, paylera_token: str) -> None:
    """The fixture gives what a client is configured with."""
    assert paylera_token == paylera.everything.secret


def test_time_stands_still_until_it_is_moved(paylera: Paylera) -> None:
    """By seconds or a `timedelta`."""
    before = paylera.clock.now
    assert paylera.clock.now == before
    assert paylera.clock.advance(1.5) == before + timedelta(seconds=1.5)
    assert paylera.clock.advance(timedelta(hours=1)) == before + timedelta(hours=1, seconds=1.5)


def test_time_goes_to_an_instant(paylera: Paylera) -> None:
    """Exactly."""
    instant = paylera.clock.now + timedelta(days=3)
    assert paylera.clock.to(instant) == instant


def test_time_goes_to_an_instant_that_has_a_name(paylera: Paylera) -> None:
    """Here just before a key is forgotten."""
    create(paylera)
    expiry = paylera.clock.instants["key:k1:expiry"]
    assert paylera.clock.to("key:k1:expiry", offset_ms=-1) == expiry - timedelta(milliseconds=1)


def test_time_goes_forward_only(paylera: Paylera) -> None:
    """The error says what it was about."""
    with pytest.raises(ControlCallError, match="POST clock is refused: to: "):
        paylera.clock.to(paylera.clock.now - timedelta(seconds=1))


def test_the_journal_lists_by_filters(paylera: Paylera) -> None:
    """Those of the control API."""
    create(paylera)
    call(paylera, paylera.token())
    assert [exchange["method"] for exchange in paylera.journal] == ["POST", "GET"]
    assert [exchange["number"] for exchange in paylera.journal.list(status="4xx")] == [2]
    assert (len(paylera.journal), paylera.journal.last["number"]) == (2, 2)


def test_the_journal_waits(paylera: Paylera) -> None:
    """What is there already is found at once."""
    create(paylera)
    assert paylera.journal.wait_for(method="POST")["route"] == "/v1/customers"


def test_the_journal_tells_what_did_not_come(paylera: Paylera) -> None:
    """With what there was instead."""
    create(paylera)
    with pytest.raises(AssertionError, match=r"nothing came within 0 s that is method=GET: 1 exchanges in all"):
        paylera.journal.wait_for(seconds=0, method="GET")


def test_an_empty_journal_has_no_last_exchange(paylera: Paylera) -> None:
    """The message says who should have sent something."""
    with pytest.raises(AssertionError, match="has sent none to this namespace"):
        _ = paylera.journal.last


def test_a_journal_is_cleared(paylera: Paylera) -> None:
    """So that a test looks at its second half alone."""
    create(paylera)
    paylera.journal.clear()
    assert list(paylera.journal) == []


def test_faults_come_and_go(paylera: Paylera) -> None:
    """One by one, or all."""
    first, _ = paylera.faults.add("drop"), paylera.faults.add("answer", status=500)
    paylera.faults.remove(first["id"])
    assert [fault["action"] for fault in paylera.faults] == ["answer"]
    paylera.faults.clear()
    assert list(paylera.faults) == []


def test_a_bad_fault_is_refused(paylera: Paylera) -> None:
    """The error names the member and what it may be."""
    with pytest.raises(ControlCallError, match="POST faults is refused: action: This must be one of "):
        paylera.faults.add("burn")


def test_the_audit_log_is_there(paylera: Paylera) -> None:
    """Each write that was accepted, the oldest first."""
    create(paylera, "k1")
    create(paylera, "k2")
    create(paylera, "k2")
    assert [record["operation"] for record in paylera.audit] == ["create_customer"] * 2


def test_objects_are_made(paylera: Paylera) -> None:
    """Ready to be acted on, and found by the API."""
    payment, customer = paylera.make("payment", status="succeeded"), paylera.customer()
    assert call(paylera, paylera.everything, path=f"/v1/payments/{payment}").json()["status"] == "succeeded"
    assert call(paylera, paylera.everything, path=f"/v1/customers/{customer}").status_code == 200


def test_actors_and_tenants_are_made(paylera: Paylera) -> None:
    """An actor of another tenant is unknown."""
    actor = paylera.actor(tenant_id=paylera.tenant())
    answer = call(paylera, paylera.everything, headers={"X-Paylera-Acting-As": actor})
    assert answer.status_code >= 400


def test_what_was_called_is_verified(paylera: Paylera) -> None:
    """The answer has the numbers of the exchanges."""
    create(paylera)
    assert paylera.verify(method="POST", route="/v1/customers", times=1)["matched"] == [1]


def test_what_was_not_called_fails_with_the_closest(paylera: Paylera) -> None:
    """The message says what is different."""
    create(paylera)
    with pytest.raises(AssertionError, match=r"exchange 1: .*is 'POST', not 'GET'"):
        paylera.verify(method="GET", route="/v1/customers")


def test_findings_are_there(paylera: Paylera) -> None:
    """A POST without a key is what clients do wrong first."""
    call(paylera, paylera.everything, "POST", json=CUSTOMER)
    assert [finding["id"] for finding in paylera.findings] == ["key-missing"]


def test_hints_are_apart(paylera: Paylera) -> None:
    """What is legal fails no test that wants no findings."""
    call(paylera, paylera.everything)
    assert (paylera.findings, [hint["id"] for hint in paylera.hints]) == ([], ["no-version-pinned"])


def test_any_other_call_can_be_made(paylera: Paylera) -> None:
    """What has no verb of its own."""
    paylera.call("POST", "versions", {"version": "2027-01-01"})
    assert call(paylera, paylera.everything).headers["Paylera-Version"]
    assert paylera.call("GET", "versions")["current"] == "2027-01-01"


def test_the_control_api_is_at_its_url(paylera: Paylera) -> None:
    """For clients that reach it by HTTP, at the sandbox's host."""
    with httpx.Client(transport=paylera.transport) as client:
        client.post(f"{paylera.control_url}/clock/advance", json={"seconds": 60})
        shown = client.get(f"{paylera.control_url}/clock").json()["now"]
    assert shown.startswith(paylera.clock.now.isoformat(timespec="milliseconds")[:-6])


def test_the_document_is_at_both_hosts(paylera: Paylera) -> None:
    """It takes no token."""
    with httpx.Client(transport=paylera.transport) as client:
        statuses = [client.get(f"{url}/openapi/v1.json").status_code for url in (paylera.url, paylera.live_url)]
    assert statuses == [200, 200]


def test_a_fake_that_is_closed_answers_nobody(paylera: Paylera) -> None:
    """A client that outlives its test is told so."""
    token = paylera.everything
    paylera.close()
    with pytest.raises(httpx.ConnectError, match="ends with the test that it is for"):
        call(paylera, token)


def test_a_plain_secret_does_not_show_in_a_traceback(paylera_token: str) -> None:
    """Where pytest lists the arguments of a test that fails."""
    assert paylera_token not in repr(paylera_token)
    assert f"Bearer {paylera_token}".startswith("Bearer sk_sandbox_")


def test_a_client_of_another_host_is_told_who_listens(paylera: Paylera) -> None:
    """A misspelt URL is found by the message."""
    with (
        httpx.Client(transport=paylera.transport) as client,
        pytest.raises(httpx.ConnectError, match=r"nobody listens at api\.paylera\.com .* api\.sandbox\.paylera\.io, "),
    ):
        client.get("https://api.paylera.com/v1/customers")
