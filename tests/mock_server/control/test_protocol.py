"""The control API: the whole test-support protocol, and who may use it."""

from __future__ import annotations

from typing import Any, Final

import pytest
from flask import Flask
from werkzeug.test import Client

from helpers.fake import Fake, namespace_of
from paylera_fixtures.tokens import WELL_KNOWN
from paylera_fixtures.vocabulary import GRACE_SECONDS
from paylera_mock.app import EXTENSION, create_app
from paylera_mock.core.policy import Policy
from paylera_mock.http.access import Access, ControlSettings
from paylera_mock.namespaces.namespace import Namespace

CUSTOMERS: Final = "/v1/customers"
SECRET: Final = WELL_KNOWN[0].secret
CALLS: Final[tuple[tuple[str, str, dict[str, Any] | None], ...]] = (
    ("GET", "", None),
    ("POST", "namespaces", {}),
    ("POST", "tokens", {"audience": "service", "scopes": []}),
    ("GET", "clock", None),
    ("POST", "reset", {}),
)


def namespace_in(app: Flask, made: Fake) -> Namespace:
    """The namespace itself, beyond HTTP."""
    found: Namespace = app.extensions[EXTENSION].namespaces.find(made.base.removeprefix("/ns/"))
    return found


def test_it_says_what_it_can(fake: Fake) -> None:
    """Protocol, capabilities, and where the target is."""
    found = fake.client.get(fake.control_base).json
    assert found == {
        "protocol": 1,
        "capabilities": [
            "namespaces",
            "tokens",
            "clock",
            "versions",
            "actors",
            "tenants",
            "customers",
            "objects",
            "rate-limits",
        ],
        "url": f"http://localhost{fake.base}",
        "live_url": f"http://localhost{fake.base}/live",
        "environment": "sandbox",
    }


def test_a_new_namespace_tells_where_it_is(app: Any) -> None:
    """Its own addresses."""
    made = Client(app).post("/_mock/namespaces", json={}).json or {}
    base = f"http://localhost/ns/{made['id']}"
    assert made == {
        "id": made["id"],
        "url": base,
        "live_url": f"{base}/live",
        "control_url": f"{base}/_mock",
    }


def test_a_namespace_sees_nothing_of_another(app: Any, fake: Fake) -> None:
    """Neither its tokens nor its objects."""
    other = Client(app).post("/_mock/namespaces", json={}).json or {}
    answer = fake.client.get(f"/ns/{other['id']}{CUSTOMERS}", headers={"Authorization": f"Bearer {fake.secret()}"})
    assert answer.status_code == 401


def test_a_token_finds_its_namespace_at_the_root(fake: Fake) -> None:
    """Also without `/ns/<id>` in the path, and there on live too."""
    secrets = fake.secret(), fake.secret(environment="live")
    made = fake.control("POST", "customers").json or {}
    listed = fake.client.get(CUSTOMERS, headers={"Authorization": f"Bearer {secrets[0]}"}).json or {}
    live = fake.client.get(f"/live{CUSTOMERS}", headers={"Authorization": f"Bearer {secrets[1]}"})
    assert ([each["id"] for each in listed["data"]], live.status_code) == ([made["id"]], 200)


def test_a_deleted_namespace_is_gone(app: Any) -> None:
    """Its address is 404, its tokens are unknown at the root."""
    client = Client(app)
    made = client.post("/_mock/namespaces", json={}).json or {}
    secret = (client.post(f"{made['control_url']}/tokens", json={"audience": "service", "scopes": ["*"]}).json or {})[
        "secret"
    ]
    bearer = {"Authorization": f"Bearer {secret}"}
    deleted = client.delete(f"/_mock/namespaces/{made['id']}").status_code
    paths = (f"/ns/{made['id']}{CUSTOMERS}", f"/ns/{made['id']}/_mock", CUSTOMERS)
    assert [deleted, *(client.get(path, headers=bearer).status_code for path in paths)] == [204, 404, 404, 401]


def test_deleting_twice_is_404(fake: Fake) -> None:
    """What is gone cannot be deleted."""
    assert fake.client.delete("/_mock/namespaces/nothing").status_code == 404


def test_a_namespace_can_follow_another_profile(app: Any) -> None:
    """An extension of the mock's own, with readings on top."""
    client = Client(app)
    body = {"profile": "reference", "readings": {"scope_refusal": 401}}
    made = client.post("/_mock/namespaces", json=body).json or {}
    secret = (client.post(f"{made['control_url']}/tokens", json={"audience": "service", "scopes": []}).json or {})[
        "secret"
    ]
    bearer = {"Authorization": f"Bearer {secret}"}
    assert client.get(f"{made['url']}/v1/invoices", headers=bearer).status_code == 401


@pytest.mark.parametrize("body", [{"profile": "reference"}, {"readings": {"aal2_refusal": 403}}])
def test_a_namespace_keeps_what_its_body_does_not_say(body: dict[str, Any]) -> None:
    """A profile and readings are all that changes: every other number is the parent's."""
    kept = {"journal_size": 5, "grace_seconds": 7, "key_lifetime_seconds": 9}
    app = create_app(Policy().but(**kept))
    policy = namespace_in(app, namespace_of(app, **body)).policy
    assert {name: getattr(policy, name) for name in kept} == kept


def test_a_reading_leaves_the_other_readings_of_the_parent() -> None:
    """A body that names no profile names no profile's readings either."""
    app = create_app(Policy().but(scope_refusal=403))
    policy = namespace_in(app, namespace_of(app, readings={"aal2_refusal": 403})).policy
    assert (policy.scope_refusal, policy.aal2_refusal) == (403, 403)


def test_a_mutant_of_the_parent_can_be_switched_off_in_a_namespace_with_a_reading() -> None:
    """What a mutant of the parent changes in the policy is not taken for the parent's policy."""
    app = create_app(mutants=["rotation-ends-at-once"])
    made = namespace_of(app, readings={"aal2_refusal": 403})
    made.control("POST", "mutants", ids=[])
    assert namespace_in(app, made).policy.grace_seconds == GRACE_SECONDS


@pytest.mark.parametrize(
    "body", [{"profile": "none"}, {"readings": {"none": 1}}, {"readings": {"scope_refusal": 402}}, {"readings": []}]
)
def test_a_profile_that_is_none_is_refused(app: Any, body: dict[str, Any]) -> None:
    """With the possible names in the text."""
    assert Client(app).post("/_mock/namespaces", json=body).status_code == 422


def test_a_token_is_minted_as_asked(fake: Fake) -> None:
    """Even odd: unknown scopes, AAL2 for a service."""
    token = fake.token("made:up", aal=2)
    shown = {member: token[member] for member in ("audience", "scopes", "aal", "environment", "default_version")}
    assert shown == {
        "audience": "service",
        "scopes": ["made:up"],
        "aal": 2,
        "environment": "sandbox",
        "default_version": "2026-04-01",
    }


def test_a_customer_token_gets_a_customer(fake: Fake) -> None:
    """Where none is named; it sees that one alone."""
    fake.control("POST", "customers")
    token = fake.token("*", audience="customer")
    listed = (fake.call("GET", CUSTOMERS, token["secret"]).json or {})["data"]
    assert [each["id"] for each in listed] == [token["customer_id"]]


def test_a_tenant_spans_both_environments(fake: Fake) -> None:
    """Its objects do not."""
    tenant = fake.tenant()
    sandbox, live = (fake.secret(tenant_id=tenant, environment=name) for name in ("sandbox", "live"))
    fake.call("POST", CUSTOMERS, sandbox, key="k", json={"email": "ada@example.com"})
    counts = [
        len((fake.call("GET", CUSTOMERS, sandbox).json or {})["data"]),
        len((fake.call("GET", CUSTOMERS, live, live=True).json or {})["data"]),
    ]
    assert counts == [1, 0]


def test_the_clock_stands_still_until_advanced(fake: Fake) -> None:
    """In a namespace that was made."""
    times = [(fake.control("GET", "clock").json or {})["now"] for _ in range(2)]
    fake.advance(86399.5)
    later = (fake.control("GET", "clock").json or {})["now"]
    assert (times[0] == times[1], later > times[1]) == (True, True)


@pytest.mark.parametrize("seconds", [-1, "1", None, True, 1e30, 10**400, 1e12])
def test_a_clock_is_not_moved_by_nonsense(fake: Fake, seconds: Any) -> None:
    """Backwards, beyond the calendar, or by what is no number."""
    assert fake.control("POST", "clock/advance", seconds=seconds).status_code == 422


def test_a_version_is_released(fake: Fake) -> None:
    """It becomes the default; the others stay."""
    fake.release("2027-01-01")
    assert fake.control("GET", "versions").json == {
        "current": "2027-01-01",
        "supported": ["2025-10-01", "2026-04-01", "2027-01-01"],
    }


@pytest.mark.parametrize("version", ["2026-04-01", "soon", "", 5])
def test_a_version_that_is_none_is_not_released(fake: Fake, version: Any) -> None:
    """Neither one that was released before."""
    assert fake.control("POST", "versions", version=version).status_code == 422


def test_a_reset_puts_everything_back(fake: Fake) -> None:
    """Tokens, objects, versions, clock."""
    before = fake.control("GET", "clock").json, fake.control("GET", "versions").json
    secret = fake.secret()
    fake.call("POST", CUSTOMERS, secret, key="k", json={"email": "ada@example.com"})
    fake.release("2027-01-01")
    fake.advance(5)
    status = fake.control("POST", "reset").status_code
    after = fake.control("GET", "clock").json, fake.control("GET", "versions").json
    seen = fake.call("GET", CUSTOMERS, fake.secret()).json or {}
    assert (status, after, fake.call("GET", CUSTOMERS, secret).status_code, seen["data"]) == (204, before, 401, [])


def test_a_reset_brings_the_well_known_tokens_back(default: Fake) -> None:
    """A token that was revoked works again."""
    admin = next(token.secret for token in WELL_KNOWN if token.name == "adminaal2")
    default.call("DELETE", "/v1/admin/api-tokens/tok_serviceall", admin)
    revoked = default.call("GET", CUSTOMERS, SECRET).status_code
    default.control("POST", "reset")
    assert (revoked, default.call("GET", CUSTOMERS, SECRET).status_code) == (401, 200)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("tokens", {}),
        ("tokens", {"audience": "king", "scopes": []}),
        ("tokens", {"audience": "service", "scopes": "x"}),
        ("tokens", {"audience": "service", "scopes": [1]}),
        ("tokens", {"audience": "service", "scopes": [], "tenant_id": "ten_x"}),
        ("tokens", {"audience": "service", "scopes": [], "environment": "moon"}),
        ("tokens", {"audience": "service", "scopes": [], "aal": "two"}),
        ("objects", {"kind": "nothing"}),
        ("objects", {"kind": "payment", "status": "nothing"}),
        ("actors", {"tenant_id": 5}),
        ("rate-limits", {"enforced": "yes"}),
    ],
)
def test_a_call_that_makes_no_sense_is_refused(fake: Fake, path: str, body: dict[str, Any]) -> None:
    """With the member that is wrong."""
    answer = fake.control("POST", path, **body)
    assert (answer.status_code, (answer.json or {})["problem"]) == (422, "validation.failed")


@pytest.mark.parametrize(
    ("method", "path", "status"), [("GET", "nothing", 404), ("PUT", "tokens", 405), ("GET", "customers", 405)]
)
def test_a_call_that_is_none_is_a_problem(fake: Fake, method: str, path: str, status: int) -> None:
    """As in the API itself."""
    answer = fake.client.open(f"{fake.control_base}/{path}", method=method)
    assert (answer.status_code, answer.content_type) == (status, "application/problem+json")


@pytest.mark.parametrize("body", [b"{", b"[]", b'{"a":NaN}', b"\xff"])
def test_a_body_that_is_no_json_is_refused(fake: Fake, body: bytes) -> None:
    """As in the API itself."""
    assert fake.client.post(f"{fake.control_base}/tenants", data=body).status_code == 400


@pytest.mark.parametrize("path", [f"/ns/nothing/{rest}" for rest in ("_mock", "v1/customers", "openapi/v1.json")])
def test_an_unknown_namespace_is_404(fake: Fake, path: str) -> None:
    """Whatever is asked of it."""
    assert fake.client.get(path).status_code == 404


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
@pytest.mark.parametrize(("method", "path", "body"), CALLS)
def test_pages_are_refused(
    fake: Fake, method: str, path: str, body: dict[str, Any] | None, headers: dict[str, str]
) -> None:
    """A web page must not mint tokens (and nothing allows it by CORS)."""
    answer = fake.client.open(f"/_mock/{path}", method=method, json=body, headers=headers)
    assert (answer.status_code, "Access-Control-Allow-Origin" in answer.headers) == (403, False)


def test_its_own_page_may_call(fake: Fake) -> None:
    """An origin that is the server's own is no other one."""
    headers = {"Origin": "http://localhost", "Sec-Fetch-Site": "same-origin"}
    assert fake.client.post("/_mock/tenants", json={}, headers=headers).status_code == 201


@pytest.mark.parametrize(
    ("authorization", "status"), [(None, 401), ("Bearer wrong", 401), ("Basic right", 401), ("Bearer right", 200)]
)
def test_a_control_token_is_asked_for(authorization: str | None, status: int) -> None:
    """Where one is set."""
    client = Client(create_app(access=Access(control=ControlSettings(token="right"))))  # noqa: S106 - the test's own
    headers = {} if authorization is None else {"Authorization": authorization}
    assert client.get("/_mock", headers=headers).status_code == status


def test_it_can_be_switched_off() -> None:
    """Then there is none."""
    client = Client(create_app(access=Access(control=ControlSettings(enabled=False))))
    assert client.get("/_mock").status_code == 404


def test_the_rate_is_enforced_where_asked(fake: Fake) -> None:
    """Off in a new namespace (clause rate-limit.refusal)."""
    secret = fake.secret()
    free = {fake.call("GET", "/v1/nothing", secret).status_code for _ in range(101)}
    fake.control("POST", "rate-limits", enforced=True)
    refused = fake.call("GET", CUSTOMERS, secret)
    found = refused.status_code, (refused.json or {})["problem"], refused.headers["Retry-After"]
    assert (free, found) == ({404}, (429, "rate_limit.exceeded", "1"))


def test_a_window_refills_when_the_clock_moves(fake: Fake) -> None:
    """Waiting as told helps."""
    fake.control("POST", "rate-limits", enforced=True)
    secret = fake.secret()
    statuses = [fake.call("GET", CUSTOMERS, secret).status_code for _ in range(101)]
    fake.advance(1)
    assert (statuses[-2:], fake.call("GET", CUSTOMERS, secret).status_code) == ([200, 429], 200)


def test_tokens_of_a_tenant_share_a_window(fake: Fake) -> None:
    """The limit is the tenant's; another tenant has its own."""
    for _ in range(3):
        fake.call("GET", CUSTOMERS, fake.secret())
    remaining = "X-RateLimit-Remaining"
    own = fake.call("GET", CUSTOMERS, fake.secret()).headers[remaining]
    others = fake.call("GET", CUSTOMERS, fake.secret(tenant_id=fake.tenant())).headers[remaining]
    assert (own, others) == ("96", "99")


@pytest.mark.parametrize(
    ("method", "path", "live", "limit"),
    [
        ("GET", "/v1/customers", False, "100"),
        ("GET", "/v1/customers", True, "1000"),
        ("POST", "/v1/customers", False, "20"),
        ("DELETE", "/v1/customers/x", True, "200"),
        ("POST", "/v1/payments/x/refunds", False, "10"),
        ("POST", "/v1/payments/x/cancel", True, "100"),
        ("GET", "/v1/payments/x", True, "1000"),
        ("GET", "/v1/admin/actors", False, "5"),
        ("DELETE", "/v1/admin/actors/x", True, "50"),
    ],
)
def test_each_group_has_its_limit(fake: Fake, method: str, path: str, limit: str, *, live: bool) -> None:
    """Sandbox has a tenth of live."""
    assert fake.call(method, path, live=live).headers["X-RateLimit-Limit"] == limit


def test_a_refusal_over_the_rate_is_not_remembered(fake: Fake) -> None:
    """After waiting, the same request with the same key is carried out."""
    fake.control("POST", "rate-limits", enforced=True)
    secret, ada = fake.secret(), {"email": "ada@example.com"}
    for number in range(20):
        fake.call("POST", CUSTOMERS, secret, key=f"{number}", json=ada)
    refused = fake.call("POST", CUSTOMERS, secret, key="k", json=ada).status_code
    fake.advance(1)
    assert (refused, fake.call("POST", CUSTOMERS, secret, key="k", json=ada).status_code) == (429, 201)
