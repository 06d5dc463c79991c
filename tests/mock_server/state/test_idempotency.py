"""Idempotency keys: needed, remembered, replayed, forgotten."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import pytest

from helpers.fake import Fake
from paylera_fixtures.api.operations import OPERATIONS, Operation

CUSTOMERS: Final = "/v1/customers"
ADA: Final = {"email": "ada@example.com"}
DAY: Final = 24 * 60 * 60
POSTS: Final = [operation for operation in OPERATIONS if operation.method == "POST"]
# What belongs to the moment, not to the answer.
OF_THE_MOMENT: Final = ("X-RateLimit", "Paylera-Mock")


def kept(answer: Any) -> tuple[Any, ...]:
    """What a replay repeats: status, body bytes, headers."""
    headers = [(name, value) for name, value in answer.headers if not name.startswith(OF_THE_MOMENT)]
    return answer.status_code, answer.data, headers


def count(fake: Fake, secret: str) -> int:
    """How many customers there are."""
    return len((fake.call("GET", f"{CUSTOMERS}?limit=100", secret).json or {})["data"])


@pytest.mark.parametrize("operation", [o for o in POSTS if o.key_when_creating], ids=str)
def test_what_creates_or_moves_money_needs_a_key(fake: Fake, operation: Operation) -> None:
    """The refusal has the guide's members (clause idempotency.required)."""
    body = fake.call("POST", operation.concrete("x"), fake.admin()).json or {}
    assert {member: body[member] for member in ("type", "title", "status", "problem")} == {
        "type": "https://errors.paylera.io/idempotency/required",
        "title": "Idempotency-Key required",
        "status": 400,
        "problem": "idempotency.required",
    }


@pytest.mark.parametrize("operation", [o for o in POSTS if not o.key_when_creating], ids=str)
def test_other_posts_need_none(fake: Fake, operation: Operation) -> None:
    """In the reading `creating`."""
    assert fake.call("POST", operation.concrete("x"), fake.admin()).status_code == 404


@pytest.mark.parametrize("operation", POSTS, ids=str)
def test_every_post_needs_a_key_in_the_reference(reference: Fake, operation: Operation) -> None:
    """In the reading `every-post`."""
    answer = reference.call("POST", operation.concrete("x"), reference.admin())
    assert (answer.json or {})["problem"] == "idempotency.required"


@pytest.mark.parametrize("key", ["", " ", "\t "])
def test_a_blank_key_is_none(fake: Fake, key: str) -> None:
    """Clause idempotency.empty-key."""
    answer = fake.call("POST", CUSTOMERS, fake.secret(), key=key, json=ADA)
    assert (answer.json or {})["problem"] == "idempotency.required"


def test_a_refusal_for_want_of_a_key_changes_nothing(fake: Fake) -> None:
    """Clause idempotency.required-has-no-effect."""
    secret = fake.secret()
    fake.call("POST", CUSTOMERS, secret, json=ADA)
    assert count(fake, secret) == 0


def test_a_key_of_255_characters_is_taken(fake: Fake) -> None:
    """Clause idempotency.key-length."""
    assert fake.call("POST", CUSTOMERS, fake.secret(), key="k" * 255, json=ADA).status_code == 201


@pytest.mark.parametrize("key", ["a b", "a\tb", "\xa0", "clé", "cl\xc3\xa9", "a\x7fb"])
def test_a_key_is_of_visible_ascii(fake: Fake, key: str) -> None:
    """As the document has it: other characters do not travel unharmed through every proxy."""
    answer = fake.call("POST", CUSTOMERS, fake.secret(), key=key, json=ADA)
    assert (answer.status_code, (answer.json or {})["problem"]) == (400, "idempotency.key_invalid")


def test_every_visible_character_of_ascii_may_be_in_a_key(fake: Fake) -> None:
    """All 94 of them, a comma too."""
    key = "".join(map(chr, range(ord("!"), ord("~") + 1)))
    assert fake.call("POST", CUSTOMERS, fake.secret(), key=key, json=ADA).status_code == 201


def test_two_keys_are_refused(fake: Fake) -> None:
    """Which of them would be remembered? That is so of a PATCH too, which needs none."""
    secret = fake.secret()
    customer = (fake.control("POST", "customers").json or {})["id"]
    headers = [("Authorization", f"Bearer {secret}"), ("Idempotency-Key", "a"), ("Idempotency-Key", "b")]
    answers = [
        fake.client.open(f"{fake.base}{path}", method=method, headers=headers, json=ADA)
        for method, path in (("POST", CUSTOMERS), ("PATCH", f"{CUSTOMERS}/{customer}"))
    ]
    assert [(each.json or {})["problem"] for each in answers] == ["idempotency.key_invalid"] * 2


def test_a_key_of_256_characters_is_refused(fake: Fake) -> None:
    """Clause idempotency.key-too-long."""
    answer = fake.call("POST", CUSTOMERS, fake.secret(), key="k" * 256, json=ADA)
    assert (answer.status_code, (answer.json or {})["problem"]) == (400, "idempotency.key_invalid")


def test_a_replay_repeats_status_body_and_headers(fake: Fake) -> None:
    """Byte for byte (clause idempotency.replay)."""
    secret = fake.secret()
    first, again = (fake.call("POST", CUSTOMERS, secret, key="k", json=ADA) for _ in range(2))
    assert kept(again) == kept(first)


def test_a_replay_has_no_effect(fake: Fake) -> None:
    """Clause idempotency.replay-has-no-effect."""
    secret = fake.secret()
    for _ in range(3):
        fake.call("POST", CUSTOMERS, secret, key="k", json=ADA)
    assert count(fake, secret) == 1


def test_a_replay_is_not_audited(fake: Fake) -> None:
    """It is no write, so the log has the first one only."""
    admin = fake.admin()
    for _ in range(2):
        fake.call("POST", CUSTOMERS, admin, key="k", json=ADA)
    assert len((fake.call("GET", "/v1/admin/audit-log", admin).json or {})["data"]) == 1


def test_an_error_is_replayed_too(fake: Fake) -> None:
    """Even when the state has changed since (clause idempotency.replay-error)."""
    secret, invoice = fake.secret(), fake.made("invoice", status="draft")
    path = f"/v1/invoices/{invoice}/pay"
    first = fake.call("POST", path, secret, key="k", json={})
    fake.call("POST", f"/v1/invoices/{invoice}/finalize", secret)
    assert (first.status_code, kept(fake.call("POST", path, secret, key="k", json={}))) == (422, kept(first))


def test_an_error_of_validation_is_replayed(fake: Fake) -> None:
    """What is answered after the check of the key is remembered, the trace's id with it."""
    secret = fake.secret()
    first, again = (fake.call("POST", CUSTOMERS, secret, key="k", json={}) for _ in range(2))
    assert (first.status_code, again.data) == (422, first.data)


def test_a_refusal_before_the_key_is_not_remembered(fake: Fake) -> None:
    """A missing scope, once granted to another token of the tenant, does not stand in the way."""
    fake.call("POST", CUSTOMERS, fake.secret("customers:read"), key="k", json=ADA)
    assert fake.call("POST", CUSTOMERS, fake.secret(), key="k", json=ADA).status_code == 201


def test_another_body_is_a_mismatch(fake: Fake) -> None:
    """Clause idempotency.body-mismatch."""
    secret = fake.secret()
    fake.call("POST", CUSTOMERS, secret, key="k", json=ADA)
    answer = fake.call("POST", CUSTOMERS, secret, key="k", json={"email": "grace@example.com"})
    assert (answer.status_code, (answer.json or {})["problem"]) == (422, "idempotency.body_mismatch")


def test_bodies_are_compared_as_bytes(fake: Fake) -> None:
    """The same JSON with another space in it is another body."""
    secret, json = fake.secret(), "application/json"
    fake.call("POST", CUSTOMERS, secret, key="k", data=b'{"email":"a@example.com"}', content_type=json)
    answer = fake.call("POST", CUSTOMERS, secret, key="k", data=b'{"email": "a@example.com"}', content_type=json)
    assert (answer.json or {})["problem"] == "idempotency.body_mismatch"


def test_a_mismatch_does_not_replace_what_is_remembered(fake: Fake) -> None:
    """After it, the first request is still replayed."""
    secret = fake.secret()
    first = fake.call("POST", CUSTOMERS, secret, key="k", json=ADA)
    fake.call("POST", CUSTOMERS, secret, key="k", json={"email": "grace@example.com"})
    assert kept(fake.call("POST", CUSTOMERS, secret, key="k", json=ADA)) == kept(first)


@pytest.mark.parametrize("other", ["K" + "k" * 254, "k" * 254 + "x", "k" * 254])
def test_keys_that_differ_anywhere_are_different(fake: Fake, other: str) -> None:
    """In case, in the last character, in length (clause idempotency.distinct-keys)."""
    secret = fake.secret()
    for key in ("k" * 255, other):
        fake.call("POST", CUSTOMERS, secret, key=key, json=ADA)
    assert count(fake, secret) == 2


def test_a_key_belongs_to_its_route(fake: Fake) -> None:
    """Also to the concrete object in it (clause idempotency.per-route)."""
    secret = fake.secret()
    paths = [f"/v1/wallets/{fake.made('wallet')}/credits" for _ in range(2)]
    ids = {(fake.call("POST", path, secret, key="k", json={"amount": "1.00"}).json or {})["id"] for path in paths}
    assert len(ids) == 2


def test_a_key_belongs_to_its_tenant(fake: Fake) -> None:
    """Clause idempotency.per-tenant."""
    secrets = fake.secret(), fake.secret(tenant_id=fake.tenant())
    ids = {(fake.call("POST", CUSTOMERS, secret, key="k", json=ADA).json or {})["id"] for secret in secrets}
    assert len(ids) == 2


def test_two_tokens_of_a_tenant_share_a_key(fake: Fake) -> None:
    """The key is the tenant's, not the token's."""
    first, again = (fake.call("POST", CUSTOMERS, fake.secret(), key="k", json=ADA) for _ in range(2))
    assert kept(again) == kept(first)


def test_a_key_belongs_to_its_environment(fake: Fake) -> None:
    """The objects of sandbox and live are not the same."""
    answers = [
        fake.call("POST", CUSTOMERS, fake.secret(environment=environment), key="k", json=ADA, live=live)
        for environment, live in (("sandbox", False), ("live", True))
    ]
    assert len({(answer.json or {})["id"] for answer in answers}) == 2


@pytest.mark.parametrize(("seconds", "customers"), [(DAY - 1, 1), (DAY, 2), (DAY + 1, 2)])
def test_a_key_lives_a_day_from_its_first_use(fake: Fake, seconds: int, customers: int) -> None:
    """Clause idempotency.lifetime."""
    secret = fake.secret()
    fake.call("POST", CUSTOMERS, secret, key="k", json=ADA)
    fake.advance(seconds)
    fake.call("POST", CUSTOMERS, secret, key="k", json=ADA)
    assert count(fake, secret) == customers


def test_a_replay_does_not_prolong_a_key(fake: Fake) -> None:
    """Its time is counted from its first use, not from its last."""
    secret = fake.secret()
    for _ in range(3):
        fake.call("POST", CUSTOMERS, secret, key="k", json=ADA)
        fake.advance(DAY * 0.6)
    assert count(fake, secret) == 2


def test_a_replay_is_authorised(fake: Fake) -> None:
    """With a token that was revoked meanwhile it is refused (clause idempotency.replay-is-authorised)."""
    token, admin = fake.token("*"), fake.admin()
    fake.call("POST", CUSTOMERS, token["secret"], key="k", json=ADA)
    fake.call("DELETE", f"/v1/admin/api-tokens/{token['id']}", admin)
    assert fake.call("POST", CUSTOMERS, token["secret"], key="k", json=ADA).status_code == 401


def test_a_replay_needs_the_scope(fake: Fake) -> None:
    """Another token of the tenant, without the scope, does not get the answer."""
    fake.call("POST", CUSTOMERS, fake.secret(), key="k", json=ADA)
    answer = fake.call("POST", CUSTOMERS, fake.secret("customers:read"), key="k", json=ADA)
    assert (answer.json or {})["problem"] == "auth.scope_required"


def test_a_replay_under_another_version_is_the_stored_answer(fake: Fake) -> None:
    """Also its version header is that of the first."""
    secret = fake.secret()
    first = fake.call("POST", CUSTOMERS, secret, key="k", json=ADA)
    again = fake.call("POST", CUSTOMERS, secret, key="k", json=ADA, headers={"Paylera-Version": "2025-10-01"})
    assert kept(again) == kept(first)


def test_a_key_is_honoured_where_none_is_needed(fake: Fake) -> None:
    """A PATCH takes one: the second is a replay of the first, not another change."""
    secret = fake.secret()
    customer = (fake.call("POST", CUSTOMERS, secret, key="k", json=ADA).json or {})["id"]
    first = fake.call("PATCH", f"{CUSTOMERS}/{customer}", secret, key="p", json={"name": "Ada"})
    fake.advance(60)
    assert fake.call("PATCH", f"{CUSTOMERS}/{customer}", secret, key="p", json={"name": "Ada"}).data == first.data


def test_a_key_on_a_read_is_ignored(fake: Fake) -> None:
    """A GET answers what is, not what was (clause idempotency.not-needed)."""
    secret = fake.secret()
    fake.call("GET", CUSTOMERS, secret, key="k")
    fake.call("POST", CUSTOMERS, secret, key="k", json=ADA)
    assert len((fake.call("GET", CUSTOMERS, secret, key="k").json or {})["data"]) == 1


def test_a_secret_is_not_replayed(fake: Fake) -> None:
    """It is kept as a digest only, so the replay shows none; all else is the same."""
    token, admin = fake.token("*"), fake.admin()
    path = f"/v1/admin/api-tokens/{token['id']}/rotate"
    first, again = (fake.call("POST", path, admin, key="k").json or {} for _ in range(2))
    assert again == first | {"secret": None}


@pytest.mark.parametrize("threads", [2, 8, 32])
def test_one_key_in_parallel_has_one_effect(fake: Fake, threads: int) -> None:
    """The second waits for the first and replays it (clause idempotency.concurrent)."""
    secret = fake.secret()
    with ThreadPoolExecutor(threads) as pool:
        sent = [pool.submit(fake.call, "POST", CUSTOMERS, secret, key="k", json=ADA) for _ in range(threads)]
        answers = {kept(future.result())[:2] for future in sent}
    assert (len(answers), count(fake, secret)) == (1, 1)
