"""Time by the control API: to an instant, to one that has a name, frozen or running."""

from __future__ import annotations

from typing import Any

import pytest

from helpers.fake import Fake


def ahead(fake: Fake) -> dict[str, str]:
    """The instants that have a name."""
    return dict((fake.control("GET", "clock/instants").json or {})["instants"])


def go(fake: Fake, to: str, offset_ms: float = 0) -> str:
    """Move the clock to an instant: what it then says."""
    answer = fake.control("POST", "clock", to=to, offset_ms=offset_ms)
    assert answer.status_code == 200, answer.text
    return str((answer.json or {})["now"])


def reads(fake: Fake, secret: str) -> int:
    """What a read with a secret is answered."""
    return fake.call("GET", "/v1/customers", secret).status_code


@pytest.mark.parametrize("name", ["mine", "id"])
def test_a_grace_ends_at_its_name(fake: Fake, name: str) -> None:
    """A millisecond before, the old secret works; by the token's name or by its id."""
    token = fake.token("*", name="mine")
    fake.rotate(token["id"], fake.admin())
    instant = f"token:{ {'mine': 'mine', 'id': token['id']}[name] }:grace_end"
    go(fake, instant, offset_ms=-1)
    before = reads(fake, token["secret"])
    go(fake, instant)
    assert (before, reads(fake, token["secret"])) == (200, 401)


def test_a_well_known_secret_names_its_grace(default: Fake) -> None:
    """As `paylera-mock tokens` lists it, though the token object has another name."""
    default.control("POST", "clock", running=False)
    old = "sk_sandbox_rotatedold0000000000000000000000"
    go(default, "token:rotatedold:grace_end", offset_ms=-1)
    before = reads(default, old)
    go(default, "token:rotatedold:grace_end")
    assert (before, reads(default, old)) == (200, 401)


def test_a_key_expires_at_its_name(fake: Fake) -> None:
    """A millisecond before, it is replayed; then it starts afresh."""
    secret = fake.secret()

    def create() -> str:
        answer = fake.call("POST", "/v1/customers", secret, key="first", json={"email": "a@b.example"})
        return str((answer.json or {})["id"])

    original = create()
    go(fake, "key:first:expiry", offset_ms=-1)
    replayed = create()
    go(fake, "key:first:expiry")
    assert replayed == original
    assert create() != original


def test_the_rate_is_refilled_at_its_name(fake: Fake) -> None:
    """Where the limits are enforced, what is over them is refused until then."""
    fake.control("POST", "rate-limits", enforced=True)
    secret = fake.secret()
    statuses = [reads(fake, secret) for _ in range(101)]
    go(fake, "rate-limit:reset")
    assert (statuses[99], statuses[100], reads(fake, secret)) == (200, 429, 200)


def test_instants_that_are_past_have_no_name(fake: Fake) -> None:
    """A grace that is over cannot be gone to."""
    token = fake.token("*", name="mine")
    fake.rotate(token["id"], fake.admin())
    assert "token:mine:grace_end" in ahead(fake)
    fake.advance(86401)
    assert "token:mine:grace_end" not in ahead(fake)


@pytest.mark.parametrize(
    ("to", "now"),
    [
        ("2099-01-01T00:00:00Z", "2099-01-01T00:00:00.000Z"),
        ("2099-01-01T00:00:00.250+02:00", "2098-12-31T22:00:00.250Z"),
        ("2099-01-01", "2099-01-01T00:00:00.000Z"),
    ],
)
def test_the_clock_goes_to_an_instant(fake: Fake, to: str, now: str) -> None:
    """In RFC 3339, or what Python takes for it; UTC where no zone is given."""
    assert go(fake, to) == now


def test_a_clock_can_run(fake: Fake) -> None:
    """Time passes then; frozen again, it stands still."""
    running = fake.control("POST", "clock", running=True).json or {}
    frozen = fake.control("POST", "clock", running=False).json or {}
    assert (running["running"], frozen["running"]) == (True, False)
    assert (fake.control("GET", "clock").json or {})["now"] == frozen["now"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "to"),
        ({"to": "tomorrow"}, "to"),
        ({"to": "token:nobody:grace_end"}, "to"),
        ({"to": "1999-01-01T00:00:00Z"}, "to"),
        ({"to": "9999-12-31T00:00:00Z"}, "to"),
        ({"to": 7}, "to"),
        ({"running": "yes"}, "running"),
        ({"to": "2099-01-01", "offset_ms": "1"}, "offset_ms"),
    ],
    ids=str,
)
def test_what_is_no_instant_is_refused(fake: Fake, body: dict[str, Any], field: str) -> None:
    """By the member that is wrong, and the clock stays."""
    before = (fake.control("GET", "clock").json or {})["now"]
    answer = fake.control("POST", "clock", **body)
    assert (answer.status_code, (answer.json or {})["errors"][0]["field"]) == (422, field)
    assert (fake.control("GET", "clock").json or {})["now"] == before
