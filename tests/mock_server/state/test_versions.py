"""API versions: which one a request is processed against, and what is said of old ones."""

from __future__ import annotations

from typing import Final

import pytest

from helpers.fake import Fake
from paylera_mock.core.policy import Policy
from paylera_mock.state.versions import Versions, is_dated

CUSTOMERS: Final = "/v1/customers"
OLD: Final = "2025-10-01"
CURRENT: Final = "2026-04-01"
NEXT: Final = "2027-01-01"


def echo(fake: Fake, secret: str | None = None, *, asked: str | None = None, path: str = CUSTOMERS) -> str:
    """The version that an answer names."""
    headers = {} if asked is None else {"Paylera-Version": asked}
    return fake.call("GET", path, secret, headers=headers).headers["Paylera-Version"]


def test_a_version_can_be_pinned(fake: Fake) -> None:
    """Clause version.pinned."""
    secret = fake.secret()
    assert [echo(fake, secret, asked=version) for version in (OLD, CURRENT)] == [OLD, CURRENT]


def test_a_token_has_the_default_of_its_time(fake: Fake) -> None:
    """Clauses version.default and version.survives-release."""
    before = fake.secret()
    fake.release(NEXT)
    assert [echo(fake, before), echo(fake, fake.secret())] == [CURRENT, NEXT]


@pytest.mark.parametrize("path", ["/v1/nothing", "/v1/customers/x", "/v1/admin/actors"])
def test_a_refusal_echoes_the_version_asked_for(fake: Fake, path: str) -> None:
    """Errors included (clause version.echo)."""
    assert echo(fake, fake.secret(), asked=OLD, path=path) == OLD


@pytest.mark.parametrize("asked", [None, OLD, "nonsense"])
def test_without_a_token_the_default_is_echoed(fake: Fake, asked: str | None) -> None:
    """Nothing is settled there."""
    assert echo(fake, asked=asked) == CURRENT


@pytest.mark.parametrize("asked", ["", "2026-04-02", "latest", "2026-4-1", "2026-04-01,2025-10-01", " ", "2099-01-01"])
def test_an_unknown_version_is_refused(fake: Fake, asked: str) -> None:
    """Malformed, unreleased, sent twice: never silently served (clause version.unknown)."""
    answer = fake.call("GET", CUSTOMERS, fake.secret(), headers={"Paylera-Version": asked})
    found = answer.status_code, (answer.json or {})["problem"], answer.headers["Paylera-Version"]
    assert found == (400, "version.unsupported", CURRENT)


def test_an_old_version_is_announced(fake: Fake) -> None:
    """Deprecated when the next one shipped, gone a year later (clause version.old-announced)."""
    headers = fake.call("GET", CUSTOMERS, fake.secret(), headers={"Paylera-Version": OLD}).headers
    assert (headers["Deprecation"], headers["Sunset"]) == ("@1775001600", "Thu, 01 Apr 2027 00:00:00 GMT")


def test_the_current_version_is_not_announced(fake: Fake) -> None:
    """It has no end yet."""
    headers = fake.call("GET", CUSTOMERS, fake.secret()).headers
    assert ("Deprecation" in headers, "Sunset" in headers) == (False, False)


def test_a_release_makes_the_former_default_an_old_one(fake: Fake) -> None:
    """Counted from the moment of the release by the namespace's clock."""
    secret = fake.secret()
    fake.release(NEXT)
    assert "Sunset" in fake.call("GET", CUSTOMERS, secret).headers


@pytest.mark.parametrize(
    ("text", "dated"),
    [("2026-04-01", True), ("2026-02-30", False), ("2026-4-1", False), ("20260401", False), ("", False)],
)
def test_a_version_is_a_date(text: str, *, dated: bool) -> None:
    """One that the calendar has."""
    assert is_dated(text) is dated


def test_the_sunset_of_a_leap_day_exists() -> None:
    """A year after a 29th of February comes a 28th."""
    versions = Versions(Policy(releases=("2023-01-01", "2024-02-29")))
    assert dict(versions.headers("2023-01-01"))["Sunset"] == "Fri, 28 Feb 2025 00:00:00 GMT"
