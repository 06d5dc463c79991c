"""Every number and every reading by which the fake decides, as one frozen value.

A profile, a reading or a mutant is another value of it. Nothing else in the package holds a limit or a status of the
contract.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from http import HTTPStatus
from typing import Any, Final, NamedTuple

from paylera_fixtures import vocabulary
from paylera_fixtures.api.operations import Resource
from paylera_fixtures.tokens import ALPHABET, prefix
from paylera_fixtures.vocabulary import Environment, Profile
from paylera_mock.core.ids import new_id
from paylera_mock.core.randomness import Randomness


class RouteGroup(StrEnum):
    """What shares one rate limit (reference, Rate limits)."""

    READ = "read"
    WRITE = "write"
    MONEY = "money-moving"
    ADMIN = "admin"


LIVE_RATES: Final[Mapping[RouteGroup, int]] = {
    RouteGroup.READ: 1000,
    RouteGroup.WRITE: 200,
    RouteGroup.MONEY: 100,
    RouteGroup.ADMIN: 50,
}
"""Requests per second of one tenant in live (reference, Rate limits)."""

SANDBOX_SHARE: Final = 10
"""Sandbox allows this part of live's rate (reference, Rate limits)."""

JOURNAL_SIZE: Final = 1000
"""Exchanges that a namespace remembers, unless its policy says otherwise."""


@dataclass(frozen=True)
class WebhookTerms:
    """How webhooks are delivered. Times are seconds.

    - `anywhere`: beyond loopback too;
    - `delays`: from each attempt to the next (reference, Webhook retries), and `timeout`: for one, by the time outside;
    - `rejections`: how many 4xx in a row disable an endpoint;
    - `pending`, `kept`, `body_limit`: deliveries that wait, deliveries that are remembered, bytes of an event.
    """

    anywhere: bool = False
    delays: tuple[float, ...] = (15, 60, 5 * 60, 30 * 60, 2 * 3600, 6 * 3600, 12 * 3600, 24 * 3600)
    timeout: float = 10
    rejections: int = 100
    # Bounds that no source gives.
    pending: int = 500
    kept: int = 1000
    body_limit: int = 256 * 1024


@dataclass(frozen=True)
class Policy:
    """How one fake Paylera decides.

    Statuses are HTTP's, times are seconds, sizes are bytes or characters as named.
    """

    profile: Profile = Profile.GUIDE
    # The readings: two pages answer these differently.
    scope_refusal: int = HTTPStatus.UNAUTHORIZED
    aal2_refusal: int = HTTPStatus.UNAUTHORIZED
    key_required_on: str = "creating"
    # What no source says, and this project chose.
    audience_refusal: int = HTTPStatus.FORBIDDEN
    grant_refusal: int = HTTPStatus.FORBIDDEN
    unknown_actor_refusal: int = HTTPStatus.UNPROCESSABLE_ENTITY
    unknown_version_refusal: int = HTTPStatus.BAD_REQUEST
    illegal_state_refusal: int = HTTPStatus.UNPROCESSABLE_ENTITY
    key_invalid_refusal: int = HTTPStatus.BAD_REQUEST
    # What the pages say.
    key_required_refusal: int = HTTPStatus.BAD_REQUEST
    key_mismatch_refusal: int = HTTPStatus.UNPROCESSABLE_ENTITY
    grace_seconds: float = vocabulary.GRACE_SECONDS
    key_lifetime_seconds: float = vocabulary.KEY_LIFETIME_SECONDS
    key_max_length: int = vocabulary.KEY_MAX_LENGTH
    page_default: int = vocabulary.PAGE_DEFAULT
    page_max: int = vocabulary.PAGE_MAX
    token_length: int = vocabulary.TOKEN_RANDOM_LENGTH
    token_alphabet: str = ALPHABET  # no source gives one
    new_id: Callable[[Resource, Randomness], str] = new_id  # nor the form of an id but its prefix
    releases: tuple[str, ...] = vocabulary.RELEASES
    overlap_months: int = 12
    trial_notice_days: int = 3  # before the end of a trial (reference, Trials)
    rates: Mapping[RouteGroup, int] = field(default_factory=lambda: LIVE_RATES, hash=False)
    rate_window_seconds: float = 1.0
    rates_enforced: bool = False  # in the default namespace; in another, whose clock stands still, never at first
    webhooks: WebhookTerms = field(default_factory=WebhookTerms)
    strict_bodies: bool = False  # whether what the contract does not name is refused, in bodies and queries
    # Bounds that keep hostile input harmless.
    body_limit: int = 1024 * 1024
    body_depth: int = 32
    control_body_limit: int = 64 * 1024 * 1024  # a snapshot of many objects; it comes from who runs the fake
    control_body_depth: int = 48
    journal_size: int = JOURNAL_SIZE

    @property
    def scopes(self) -> tuple[str, ...]:
        """Every scope that a token may be given, the wildcard last."""
        return vocabulary.scopes_of(self.profile)

    @property
    def readings(self) -> dict[str, str]:
        """The answer to each reading, as options spell it."""
        return {name: str(getattr(self, name)) for name in vocabulary.READINGS}

    def rate(self, group: RouteGroup, environment: Environment) -> int:
        """How many requests of a group one tenant may send in a window."""
        return self.rates[group] if environment is Environment.LIVE else self.rates[group] // SANDBOX_SHARE

    def new_secret(self, environment: Environment, randomness: Randomness) -> str:
        """A secret that no other token has (clauses token.format, token.length)."""
        return prefix(environment) + randomness.word(self.token_length, self.token_alphabet)

    @classmethod
    def for_profile(cls, profile: Profile = Profile.GUIDE, **readings: str | int) -> Policy:
        """The policy of a profile, with readings set on top.

        Raises `ValueError`, with the possible names and values in its text, for a reading or a value that is none.
        """
        return cls().with_readings(profile, **readings)

    def with_readings(self, profile: Profile, **readings: str | int) -> Policy:
        """The same under a profile, with readings set on top; what is neither stays.

        Raises `ValueError`, with the possible names and values in its text, for a reading or a value that is none.
        """
        chosen = vocabulary.readings_for(profile, **{name: str(value) for name, value in readings.items()})
        return self.but(
            profile=profile,
            scope_refusal=int(chosen["scope_refusal"]),
            aal2_refusal=int(chosen["aal2_refusal"]),
            key_required_on=chosen["key_required_on"],
        )

    def but(self, **changes: Any) -> Policy:
        """The same with some members changed."""
        return replace(self, **changes)


class Allowance(NamedTuple):
    """Where a tenant stands in a window: `reset` is when it is refilled, in whole seconds since the epoch.

    `retry_after` is `None` where the request is within the limit, else the whole seconds to wait.
    """

    group: RouteGroup
    limit: int
    remaining: int
    reset: int
    retry_after: int | None = None
