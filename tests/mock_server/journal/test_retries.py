"""Which request is another try of which: chains of attempts, and what is no retry."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask

from helpers.fake import Fake
from paylera_mock.app import EXTENSION, Views
from paylera_mock.journal.recorder import JournalEntry
from paylera_mock.journal.retries import Attempt, link_attempts

CUSTOMERS = "/v1/customers"
ADA = {"email": "ada@example.com"}
GRACE = {"email": "grace@example.com"}


class Wisher:
    """Sends requests to one namespace, and tells how they were linked."""

    def __init__(self, app: Flask, fake: Fake) -> None:
        self._app = app
        self._fake = fake
        self.secret = fake.secret("*")

    def create(self, key: str | None, body: dict[str, str], **more: Any) -> None:
        """Try to create a customer."""
        self._fake.call("POST", CUSTOMERS, more.pop("secret", self.secret), key=key, json=body, **more)

    def read(self, query: str = "") -> None:
        """Try to list customers."""
        self._fake.call("GET", f"{CUSTOMERS}{query}", self.secret)

    def fails(self, **fault: Any) -> None:
        """Have the next request fail."""
        assert self._fake.control("POST", "faults", **({"action": "answer"} | fault)).status_code == 201

    @property
    def linked(self) -> list[Attempt]:
        """The place of every request."""
        shell: Views = self._app.extensions[EXTENSION]
        namespace = shell.namespaces.find(self._fake.base.removeprefix("/ns/"))
        assert namespace is not None
        exchanges: list[JournalEntry] = namespace.journal.entries()
        return [linked.place for linked in link_attempts(exchanges).values()]


@pytest.fixture
def wisher(app: Flask, fake: Fake) -> Wisher:
    """A client of a namespace of the test's own."""
    return Wisher(app, fake)


FIRST_OF_TWO = [Attempt(1, None, 1), Attempt(2, 1, 1)]
TWO_FIRSTS = [Attempt(1, None, 1), Attempt(1, None, 2)]


@pytest.mark.parametrize(
    "fault",
    [{"status": 503}, {"status": 429, "retry_after": 1}, {"status": 401}, {"action": "drop", "at": "after_commit"}],
    ids=lambda fault: "-".join(map(str, fault.values())),
)
def test_the_same_body_after_a_failure_is_a_retry(wisher: Wisher, fault: dict[str, Any]) -> None:
    """Whatever key it has."""
    wisher.fails(**fault)
    wisher.create("first", ADA)
    wisher.create("second", ADA)
    assert wisher.linked == FIRST_OF_TWO


def test_the_same_key_is_a_retry(wisher: Wisher) -> None:
    """Even after a success, whose answer may have been lost on the way."""
    wisher.create("key", ADA)
    wisher.create("key", ADA)
    assert wisher.linked == FIRST_OF_TWO


def test_a_read_after_a_failure_is_a_retry(wisher: Wisher) -> None:
    """Reads have no key and no body."""
    wisher.fails(status=503)
    wisher.read()
    wisher.read()
    assert wisher.linked == FIRST_OF_TWO


def test_attempts_count_from_the_first(wisher: Wisher) -> None:
    """Each names the one before, and all name the first."""
    wisher.fails(status=503, times=2)
    wisher.create("key", ADA)
    wisher.create("key", ADA)
    wisher.create("key", ADA)
    assert wisher.linked == [Attempt(1, None, 1), Attempt(2, 1, 1), Attempt(3, 2, 1)]


def test_two_equal_wishes_are_two(wisher: Wisher) -> None:
    """The first was granted, so the second is another."""
    wisher.create("first", ADA)
    wisher.create("second", ADA)
    assert wisher.linked == TWO_FIRSTS


def test_another_body_after_a_failure_is_another_wish(wisher: Wisher) -> None:
    """What failed was given up."""
    wisher.fails(status=503)
    wisher.create("first", ADA)
    wisher.create("second", GRACE)
    assert wisher.linked == TWO_FIRSTS


def test_another_page_after_a_failure_is_another_wish(wisher: Wisher) -> None:
    """The query says what is asked for."""
    wisher.fails(status=503)
    wisher.read("?limit=1")
    wisher.read("?limit=2")
    assert wisher.linked == TWO_FIRSTS


def test_another_token_has_wishes_of_its_own(wisher: Wisher, fake: Fake) -> None:
    """Two clients may wish the same."""
    wisher.fails(status=503)
    wisher.create("first", ADA)
    wisher.create("second", ADA, secret=fake.secret("*"))
    assert wisher.linked == TWO_FIRSTS


def test_both_secrets_of_a_token_are_one_client(wisher: Wisher, fake: Fake) -> None:
    """Who rotates between two tries still tries the same, also where a fault answered before any rule did."""
    token = fake.token("*")
    wisher.fails(status=503)
    wisher.create("key", ADA, secret=token["secret"])
    fresh = fake.rotate(token["id"], fake.admin())["secret"]
    wisher.create("key", ADA, secret=fresh)
    assert wisher.linked[-1].attempt == 2
