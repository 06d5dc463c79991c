"""Seed files: tokens and objects as people write them down, made by the API's own operations."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import pytest
from werkzeug.test import Client

from paylera_fixtures.tokens import prefix
from paylera_fixtures.vocabulary import Environment
from paylera_mock.app import EXTENSION, create_app
from paylera_mock.core.typed_json import InvalidInputError
from paylera_mock.namespaces.initial_state import load_initial_state

HEAD: Final = {"schema": 1, "kind": "seed"}
MARY: Final = {"id": "cus_mary", "email": "mary@example.com"}
TOKEN: Final = {"name": "ci", "audience": "service", "scopes": ["*"]}
OWN: Final = "sk_sandbox_" + "ci".ljust(32, "0")
WHOLE: Final = {
    **HEAD,
    "products": [{"code": "gold", "name": "Gold"}],
    "plans": [{"id": "plan_gold", "product_code": "gold", "code": "gold-eur", "currency": "EUR", "interval": "month"}],
    "customers": [MARY, {"email": "live@example.com", "environment": "live"}],
    "subscriptions": [{"id": "sub_1", "customer_id": "cus_mary", "plan_code": "gold-eur", "then": ["cancel"]}],
    "invoices": [
        {
            "id": "inv_1",
            "customer_id": "cus_mary",
            "currency": "EUR",
            "lines": [{"description": "Seats", "quantity": "2", "unit_amount": "5.00"}],
            "then": ["finalize"],
        }
    ],
    "wallets": [
        {"id": "wal_1", "customer_id": "cus_mary", "currency": "EUR", "then": [{"credits": {"amount": "7.00"}}]}
    ],
    "webhook_endpoints": [{"id": "we_1", "url": "http://127.0.0.1:9/hook", "events": ["*"]}],
    "actors": [{"id": "actor_mary", "name": "Mary"}],
    "tokens": [
        TOKEN,
        {"name": "mary", "audience": "customer", "scopes": ["customers:read"], "customer": "cus_mary"},
        {"name": "boss", "audience": "admin", "scopes": ["*"], "aal": 2},
        {"name": "elsewhere", "audience": "service", "scopes": ["*"], "tenant": "ten_mine"},
    ],
}
"""Something in every section."""


def written(folder: Path, document: object) -> Path:
    """A file that holds a document."""
    file = folder / "seed.json"
    file.write_text(document if isinstance(document, str) else json.dumps(document), encoding="utf-8")
    return file


def sown(file: Path, **settings: Any) -> Client:
    """A fake that has begun with a file."""
    app = create_app(**settings)
    app.extensions[EXTENSION].namespaces.default.begin_with(load_initial_state(file))
    return Client(app)


def seen(client: Client, path: str, secret: str = OWN) -> dict[str, Any]:
    """What a token is shown."""
    answer = client.get(path, headers={"Authorization": f"Bearer {secret}"})
    assert answer.status_code == 200, answer.text
    return dict(answer.json or {})


@pytest.fixture
def client(tmp_path: Path) -> Client:
    """A fake that began with the whole file."""
    return sown(written(tmp_path, WHOLE))


@pytest.mark.parametrize(
    ("path", "member", "value"),
    [
        ("/v1/customers/cus_mary", "customer_id", "cus_mary"),
        ("/v1/plans/plan_gold", "code", "gold-eur"),
        ("/v1/subscriptions/sub_1", "status", "canceled"),
        ("/v1/invoices/inv_1", "status", "open"),
        ("/v1/invoices/inv_1", "total", "10.00"),
        ("/v1/wallets/wal_1", "balance", "7.00"),
    ],
)
def test_objects_are_made_by_the_operations_of_the_api(client: Client, path: str, member: str, value: str) -> None:
    """Under the ids that the file gives, and taken on by its steps."""
    assert seen(client, path)[member] == value


def test_actors_and_endpoints_are_made_too(client: Client) -> None:
    """They are of the Admin API."""
    boss = "sk_sandbox_" + "boss".ljust(32, "0")
    lists = [seen(client, f"/v1/admin/{path}", boss)["data"] for path in ("actors", "webhook-endpoints")]
    assert [each[0]["id"] for each in lists] == ["actor_mary", "we_1"]


def test_a_token_without_secret_is_spelled_like_the_well_known_ones(client: Client) -> None:
    """Everybody can write it down."""
    assert client.get("/v1/customers", headers={"Authorization": f"Bearer {OWN}"}).status_code == 200


def test_a_customer_token_sees_its_customer_alone(client: Client) -> None:
    """As it is bound to it."""
    mary = "sk_sandbox_" + "mary".ljust(32, "0")
    assert [each["id"] for each in seen(client, "/v1/customers", mary)["data"]] == ["cus_mary"]


def test_a_token_can_be_of_another_tenant(client: Client) -> None:
    """Which the file opens by naming it."""
    other = "sk_sandbox_" + "elsewhere".ljust(32, "0")
    assert seen(client, "/v1/customers", other)["data"] == []


def test_what_there_is_from_the_start_stays(client: Client) -> None:
    """The well-known tokens, and what they see."""
    ids = [each["id"] for each in seen(client, "/v1/customers")["data"]]
    assert ("cus_ada" in ids, "cus_mary" in ids) == (True, True)


def test_nothing_of_it_is_in_the_audit_log(client: Client) -> None:
    """Nobody asked for it by a request."""
    assert seen(client, "/v1/admin/audit-log", "sk_sandbox_" + "boss".ljust(32, "0"))["data"] == []


def test_a_reset_makes_it_again(client: Client) -> None:
    """It is how the fake begins."""
    client.delete("/v1/customers/cus_mary", headers={"Authorization": f"Bearer {OWN}"})
    client.post("/_mock/reset")
    assert seen(client, "/v1/customers/cus_mary")["id"] == "cus_mary"


def test_a_secret_can_come_from_a_variable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """So that none need stand in a file."""
    secret = "sk_sandbox_" + "x1Y2" * 8
    monkeypatch.setenv("CI_SECRET", secret)
    file = written(tmp_path, HEAD | {"tokens": [TOKEN | {"secret": "${CI_SECRET}"}]})
    assert "data" in seen(sown(file), "/v1/customers", secret)


def test_a_token_of_live_works_there(tmp_path: Path) -> None:
    """And begins as tokens of live do."""
    file = written(tmp_path, HEAD | {"tokens": [TOKEN | {"environment": "live"}]})
    secret = prefix(Environment.LIVE) + "ci".ljust(32, "0")
    assert "data" in seen(sown(file), "/live/v1/customers", secret)


def test_a_seeded_fake_makes_the_same_of_a_file(tmp_path: Path) -> None:
    """To the byte."""
    file = written(tmp_path, WHOLE)
    lists = [sown(file, seed=7).get("/v1/customers", headers={"Authorization": f"Bearer {OWN}"}) for _ in range(2)]
    assert lists[0].data == lists[1].data


def test_a_snapshot_is_a_beginning_too(tmp_path: Path, client: Client) -> None:
    """The file says what it is."""
    file = written(tmp_path, client.get("/_mock/snapshot").text)
    assert seen(sown(file), "/v1/wallets/wal_1")["balance"] == "7.00"


FLAWS: Final[tuple[tuple[object, str], ...]] = (
    ("{", "line 1, column 2: this is no JSON"),
    ([], "this must be a JSON object"),
    ({"kind": "seed"}, "schema: this must be 1"),
    ({"schema": 2, "kind": "seed"}, "a later schema needs a later paylera-mock"),
    ({"schema": 1}, "kind: this must be"),
    ({"schema": 1, "kind": "fixture"}, "kind: this must be"),
    ('{"schema": 1, "kind": "seed", "tokens": [], "tokens": []}', "tokens: this member is there twice"),
    (HEAD | {"custmers": []}, "custmers: there is no such member: there are schema, kind, tokens"),
    (HEAD | {"customers": {}}, "customers: this must be a list"),
    (HEAD | {"customers": [{}]}, "customers[0].email: A required member is missing"),
    (HEAD | {"customers": [{"email": "mary"}]}, "customers[0].email: This does not have the form"),
    (
        HEAD | {"customers": [MARY, {"email": "m@m.m", "nmae": "M"}]},
        "customers[1].nmae: there is no such member: there",
    ),
    (HEAD | {"customers": [MARY | {"id": "mary"}]}, "customers[0].id: an id of this kind begins with cus_"),
    (HEAD | {"customers": [MARY, MARY]}, "customers[1].id: another object has this id"),
    (
        HEAD | {"customers": [MARY | {"environment": "test"}]},
        "customers[0].environment: this must be one of sandbox, live",
    ),
    (HEAD | {"customers": [MARY | {"tenant": "ten mine"}]}, "customers[0].tenant: a tenant is named"),
    (HEAD | {"customers": [MARY | {"then": ["delete"]}]}, "customers[0].then[0]: there is no such step"),
    (HEAD | {"customers": [MARY | {"then": [{}]}]}, "customers[0].then[0]: a step is one word"),
    (HEAD | {"invoices": [{"customer_id": "cus_no", "currency": "EUR"}]}, "invoices[0].customer_id: There is no such"),
    (HEAD | {"tokens": [{"name": "ci"}]}, "tokens[0].audience: this is missing: it must be one of "),
    (HEAD | {"tokens": [TOKEN | {"scopes": ["customers:raed"]}]}, "tokens[0].scopes[0]: there is no such scope"),
    (HEAD | {"tokens": [TOKEN | {"audience": "customer"}]}, "tokens[0].customer: a customer token is bound"),
    (HEAD | {"tokens": [TOKEN | {"customer": "cus_no"}]}, "tokens[0].customer: there is no such customer"),
    (HEAD | {"tokens": [TOKEN | {"name": "two words"}]}, "tokens[0].name: a token without secret is named"),
    (HEAD | {"tokens": [TOKEN, TOKEN]}, "tokens[1]: another token has this secret"),
    (
        HEAD | {"tokens": [TOKEN | {"secret": "${NOT_SET_HERE}"}]},
        "refers to ${NOT_SET_HERE}, which is not set: export NOT_SET_HERE",
    ),
    (HEAD | {"tokens": [TOKEN | {"aal": 3}]}, "tokens[0].aal: this must be one of 1, 2"),
)
"""A document, and what is said about it."""


@pytest.mark.parametrize(("document", "complaint"), FLAWS)
def test_a_flaw_is_told_with_its_place(tmp_path: Path, document: object, complaint: str) -> None:
    """And with what to do about it."""
    with pytest.raises(InvalidInputError) as raised:
        sown(written(tmp_path, document))
    assert complaint in str(raised.value)


@pytest.mark.parametrize("secret", ["hunter2hunter2", "sk_sandbox_hunter2 hunter2", "sk_live_" + "hunter2" * 4])
def test_a_flawed_secret_is_not_repeated(tmp_path: Path, secret: str) -> None:
    """It may be a real one in the wrong place."""
    with pytest.raises(InvalidInputError, match=r"tokens\[0\]\.secret: ") as raised:
        sown(written(tmp_path, HEAD | {"tokens": [TOKEN | {"secret": secret}]}))
    assert "hunter2" not in str(raised.value)


def test_a_file_that_is_no_text_is_told(tmp_path: Path) -> None:
    """Some editors write UTF-16."""
    file = tmp_path / "seed.json"
    file.write_bytes('{"schema": 1}'.encode("utf-16"))
    with pytest.raises(InvalidInputError, match="not UTF-8"):
        load_initial_state(file)
