"""Under which names the fake answers, so that no web page reaches it by rebinding a name."""

from __future__ import annotations

from typing import Final

import pytest
from werkzeug.test import Client

from helpers.fake import Fake
from paylera_fixtures.tokens import WELL_KNOWN
from paylera_mock.app import create_app
from paylera_mock.http.access import Access
from paylera_mock.http.hosts import OwnHosts

SECRET: Final = WELL_KNOWN[0].secret
PATHS: Final = ("/v1/customers", "/live/v1/customers", "/_mock", "/_mock/health", "/openapi/v1.json", "/anything")
ENDPOINTS: Final = "/v1/admin/webhook-endpoints"

FOREIGN: Final = (
    "evil.example",
    "evil.example:4242",
    "127.0.0.1.evil.example",
    "localhost.evil.example",
    "10.0.0.1",
    "",
    "localhost, evil.example",
)
OWN: Final = (
    "localhost:4242",
    "127.0.0.1:80",
    "[::1]:4242",
    "127.1.2.3",
    "LOCALHOST",
    "localhost.",
    "paylera.localhost:4242",
    "api.sandbox.paylera.io",
    "api.paylera.io:443",
)


def statuses(client: Client, host: str) -> list[int]:
    """What each path is answered under a name."""
    headers = {"Authorization": f"Bearer {SECRET}"}
    return [client.get(path, headers=headers, environ_overrides={"HTTP_HOST": host}).status_code for path in PATHS]


@pytest.mark.parametrize("host", FOREIGN)
def test_another_host_is_misdirected(default: Fake, host: str) -> None:
    """On the API, the control API and the documents alike."""
    assert statuses(default.client, host) == [421] * len(PATHS)


def test_the_refusal_names_the_option(default: Fake) -> None:
    """And is a problem document."""
    answer = default.client.get("/v1/customers", headers={"Host": "evil.example"})
    assert (answer.content_type, "--allow-host" in answer.text) == ("application/problem+json", True)


@pytest.mark.parametrize("host", OWN)
def test_its_own_names_are_answered(default: Fake, host: str) -> None:
    """Those of loopback, and those of production, whoever has them lead here."""
    assert statuses(default.client, host) == [200, 401, 200, 200, 200, 404]


@pytest.mark.parametrize(
    ("listens_on", "host", "status"),
    [
        ("127.0.0.1", "paylera:4242", 200),
        ("127.0.0.1", "PAYLERA", 200),
        ("127.0.0.1", "other", 421),
        ("127.0.0.1", "192.0.2.1", 421),
        ("192.0.2.1", "192.0.2.1:4242", 200),
        ("192.0.2.1", "192.0.2.2", 421),
        ("0.0.0.0", "192.0.2.1", 200),  # noqa: S104 - nothing listens
        ("::", "[2001:db8::1]:4242", 200),
        ("::", "other", 421),
        ("fake.internal", "fake.internal:80", 200),
    ],
)
def test_more_names_can_be_allowed(listens_on: str, host: str, status: int) -> None:
    """Those that are named, and the address that it listens on."""
    client = Client(create_app(access=Access(OwnHosts.listening_on(listens_on, ("Paylera",)))))
    assert client.get("/_mock", headers={"Host": host}).status_code == status


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({}, 201),
        ({"Sec-Fetch-Mode": "cors"}, 201),  # as Node's fetch sends it
    ],
)
def test_no_page_says_where_webhooks_go(fake: Fake, headers: dict[str, str], status: int) -> None:
    """Else a page could have the fake post to other ports of the machine, by a token that everybody knows."""
    body = {"url": "http://127.0.0.1:1/", "events": ["*"]}
    answer = fake.call("POST", ENDPOINTS, fake.admin(), key="k", json=body, headers=headers)
    assert answer.status_code == status


def test_no_page_moves_an_endpoint(fake: Fake) -> None:
    """Nor one that is there already."""
    admin = fake.admin()
    made = fake.call("POST", ENDPOINTS, admin, key="k", json={"url": "http://127.0.0.1:1/", "events": ["*"]})
    path = f"{ENDPOINTS}/{(made.json or {})['id']}"
    page = {"Origin": "https://evil.example"}
    answer = fake.call("PATCH", path, admin, json={"url": "http://127.0.0.1:2/"}, headers=page)
    seen = fake.call("GET", path, admin, headers=page).json or {}
    assert (answer.status_code, seen["url"]) == (403, "http://127.0.0.1:1/")
