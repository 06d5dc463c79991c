"""What the contract does not name, in bodies and queries: told, and refused where that is asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from helpers.fake import Fake, namespace_of

CUSTOMERS = "/v1/customers"
HINT = "Paylera-Mock-Hint"
ADA = {"email": "ada@example.com"}

UNKNOWN: list[tuple[dict[str, Any], list[str]]] = [
    ({"json": ADA | {"nmae": "Ada"}}, ["nmae, did you mean name?"]),
    ({"json": ADA | {"billing_address": {"citty": "Rome"}}}, ["billing_address.citty, did you mean city?"]),
    ({"json": ADA | {"zzz": 1}}, ["zzz"]),
    ({"json": ADA | {"nmae": "Ada", "zzz": 1}}, ["nmae, did you mean name?", "zzz"]),
    ({"json": ADA, "query_string": {"expand": "x"}}, ["expand"]),
    ({"json": ADA | {"sk_sandbox_0123456789": 1}}, ["a name with odd characters"]),
]
"""What is sent to make a customer, and what is said of it."""


def create(fake: Fake, **sent: Any) -> Any:
    """Make a customer."""
    return fake.call("POST", CUSTOMERS, fake.secret(), key="key", **sent)


@pytest.fixture
def strict(app: Flask) -> Fake:
    """A namespace that refuses what the contract does not name."""
    return namespace_of(app, strict_bodies=True)


@pytest.mark.parametrize(("sent", "named"), UNKNOWN, ids=[str(named) for _, named in UNKNOWN])
def test_what_is_unknown_is_told_and_ignored(fake: Fake, sent: dict[str, Any], named: list[str]) -> None:
    """No source says that it is refused."""
    answer = create(fake, **sent)
    said = answer.headers[HINT]
    assert (answer.status_code, said.rstrip("?.")) == (
        201,
        f"POST /v1/customers does not name this, and ignores it: {'; '.join(named)}".rstrip("?."),
    )


@pytest.mark.parametrize(("sent", "named"), UNKNOWN, ids=[str(named) for _, named in UNKNOWN])
def test_what_is_unknown_is_refused_where_asked(strict: Fake, sent: dict[str, Any], named: list[str]) -> None:
    """Each by its place, and nothing is made."""
    answer = create(strict, **sent)
    errors = (answer.json or {})["errors"]
    assert (answer.status_code, [error["code"] for error in errors]) == (422, ["member.unknown"] * len(named))
    assert (strict.call("GET", CUSTOMERS, strict.secret()).json or {})["data"] == []


@pytest.mark.parametrize("action", ["cancel", "pause"])
def test_a_member_is_told_where_an_operation_takes_none(fake: Fake, strict: Fake, action: str) -> None:
    """Whoever sends one wants something that does not happen."""
    answers = [
        each.call(
            "POST",
            f"/v1/subscriptions/{each.made('subscription')}/{action}",
            each.secret(),
            json={"at_period_end": True},
        )
        for each in (fake, strict)
    ]
    assert [answer.status_code for answer in answers] == [200, 422], answers[1].text
    assert answers[0].headers[HINT].endswith("does not name this, and ignores it: at_period_end.")


def test_a_strict_namespace_takes_what_was_read_and_is_sent_back(strict: Fake) -> None:
    """A client that reads an object, changes a member and sends the whole has made up none of the others."""
    path = f"{CUSTOMERS}/{(create(strict, json=ADA).json or {})['id']}"
    read = strict.call("GET", path, strict.secret()).json or {}
    sent = [
        strict.call("PATCH", path, strict.secret(), json=read | more) for more in ({"name": "Ada"}, {"nmae": "Ada"})
    ]
    assert [(answer.status_code, HINT in answer.headers) for answer in sent] == [(200, False), (422, True)]


@pytest.mark.parametrize("make", [lambda fake: fake.call("GET", f"{CUSTOMERS}?limt=2", fake.secret())])
def test_a_parameter_is_refused_with_what_may_be_meant(strict: Fake, make: Callable[[Fake], Any]) -> None:
    """A page of another length than was asked for would be a riddle."""
    (error,) = make(strict).json["errors"]
    assert (error["field"], error["message"]) == ("limt", "There is no such member or parameter. Did you mean limit?")


def test_what_is_known_is_taken_by_a_strict_namespace(strict: Fake) -> None:
    """Every member of a body, those of free maps, and the parameters of lists."""
    address = {"city": "Rome", "country": "IT"}
    body = ADA | {"name": "Ada", "billing_address": address, "metadata": {"any": "thing"}}
    made = create(strict, json=body)
    listed = strict.call("GET", f"{CUSTOMERS}?limit=2", strict.secret())
    assert (made.status_code, listed.status_code, HINT in made.headers) == (201, 200, False)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"email": 1}, "This has the wrong type: it must be a string."),
        ({"email": "a@b.example", "metadata": []}, "This has the wrong type: it must be an object."),
    ],
    ids=str,
)
def test_a_wrong_type_names_the_right_one(fake: Fake, body: dict[str, Any], message: str) -> None:
    """And never the value."""
    (error,) = create(fake, json=body).json["errors"]
    assert (error["code"], error["message"]) == ("member.type", message)
