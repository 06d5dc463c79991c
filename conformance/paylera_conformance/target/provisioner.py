"""Where credentials, objects and moved clocks come from: what a test may ask for, and who answers.

A provisioner never fails a target: what it cannot give, it says in a `Blocked` that names the remedy.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol

from paylera_conformance.model.outcomes import Blocked
from paylera_conformance.model.tokens import Credential, TokenState
from paylera_conformance.target.settings import Settings, VersionSettings
from paylera_fixtures.api.operations import Resource
from paylera_fixtures.vocabulary import WILDCARD, Audience, Environment, Profile, scopes_of

OWN: Final = "own"
OTHER: Final = "other"
"""The two tenants that a need may speak of."""


@dataclass(frozen=True)
class Need:
    """The token that a test asks for.

    - `scopes`: exactly these, unless `at_least`: then these and any others, the wildcard standing for all;
    - `tenant`: `OWN` or `OTHER`;
    - `odd`: something no issuer need grant; a token that grants less will do, and is the refusal looked for;
    - `disposable`: it will be rotated or revoked, so its id must be known too;
    - `role`: how reports name it.
    """

    role: str
    audience: Audience = Audience.SERVICE
    scopes: tuple[str, ...] = (WILDCARD,)
    aal: int = 1
    environment: Environment | None = None
    tenant: str = OWN
    customer_id: str | None = None
    disposable: bool = False
    odd: bool = False
    at_least: bool = False
    state: TokenState = TokenState.ACTIVE

    def describe(self) -> str:
        """The need in words, for whoever must mint the token."""
        scopes = "no scope" if not self.scopes else "scopes " + " ".join(self.scopes)
        article = "an" if self.audience is Audience.ADMIN else "a"
        parts = [f"{article} {self.audience} token with {scopes}"]
        if self.aal > 1:
            parts.append(f"aal {self.aal}")
        if self.environment is not None:
            parts.append(f"of {self.environment}")
        if self.tenant == OTHER:
            parts.append('of another tenant (tenant = "other")')
        if self.customer_id:
            parts.append(f"bound to customer {self.customer_id}")
        if self.state is not TokenState.ACTIVE:
            parts.append(f'state = "{self.state}"')
        if self.disposable:
            parts.append("disposable = true, with its id")
        return ", ".join(parts)


def all_scopes_but(scope: str, profile: Profile) -> tuple[str, ...]:
    """Every scope of a profile but one, and without the wildcard."""
    return tuple(known for known in scopes_of(profile) if known not in {scope, WILDCARD})


def _has_scopes(token: Credential, need: Need) -> bool:
    if need.at_least:
        return all(token.grants(scope) for scope in need.scopes)
    return set(token.scopes) == set(need.scopes)


class Provisioner(Protocol):
    """What every driver can be asked. Each method raises `Blocked` where it cannot give what was asked for."""

    url: str
    live_url: str | None
    stands_still: bool
    """Whether time passes only when moved."""
    vanishes: bool
    """Whether all that was made in it goes with `close`, so that nothing need be removed."""

    def token(self, need: Need) -> Credential:
        """A token as needed."""

    def known_actor(self) -> str:
        """The id of an actor of the own tenant's registry."""

    def foreign_actor(self) -> str:
        """The id of an actor that exists, in another tenant's registry only."""

    def customer(self) -> str | None:
        """The id of a customer made for this test; `None`: make one through the API."""

    def object(self, kind: Resource, status: str | None, customer_id: str | None = None) -> str | None:
        """The id of an object ready to be acted on; `None`: look for one through the API."""

    def now(self) -> datetime:
        """The target's own time."""

    def advance(self, seconds: float) -> datetime:
        """Move the target's time on, and give the new one."""

    def versions(self) -> VersionSettings:
        """The versions that the target supports, and its current default."""

    def release(self, version: str) -> VersionSettings:
        """Make a version the default for tokens to come."""

    def enforce_rate_limits(self) -> None:
        """Have requests refused beyond the rate limit."""

    def isolate(self) -> Provisioner:
        """What the next test is to use: a namespace of its own where the target has such."""

    def close(self) -> None:
        """Undo what was done to the target as a whole; never raises."""


class StaticProvisioner:
    """Hands out what the configuration file lists, and nothing else."""

    stands_still = False
    vanishes = False

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._used: set[str] = set()
        self.url = settings.url
        self.live_url = settings.live_url

    def token(self, need: Need) -> Credential:
        """The first listed token that is what is needed; a disposable one is given once, others before it."""
        for token in sorted(self._settings.tokens, key=lambda token: (token.disposable, not token.may_cross)):
            if self._fits(token, need):
                if need.disposable:
                    self._used.add(token.secret.reveal())
                return token
        raise Blocked(f"no token listed is {need.describe()}: mint one and list it under [tokens]")

    def _fits(self, token: Credential, need: Need) -> bool:
        same = (
            token.audience is need.audience
            and _has_scopes(token, need)
            and token.aal == need.aal
            and token.environment is (need.environment or self._settings.environment)
            and token.state is need.state
            and (token.tenant_id == OTHER) == (need.tenant == OTHER)
        )
        bound = need.customer_id is None or token.customer_id == need.customer_id
        spent = token.secret.reveal() in self._used
        return same and bound and not spent and (not need.disposable or (token.disposable and token.id is not None))

    def known_actor(self) -> str:
        """`[actors] known`."""
        if self._settings.known_actor:
            return self._settings.known_actor
        raise Blocked("no actor of the tenant's registry is known: set [actors] known")

    def foreign_actor(self) -> str:
        """`[actors] foreign`."""
        if self._settings.foreign_actor:
            return self._settings.foreign_actor
        raise Blocked("no actor of another tenant is known: set [actors] foreign")

    def customer(self) -> str | None:
        """None: customers are made through the API."""
        return None

    def object(self, kind: Resource, status: str | None, customer_id: str | None = None) -> str | None:  # noqa: ARG002
        """None: objects are made or looked for through the API."""
        return None

    def now(self) -> datetime:
        """Not to be had without a control API."""
        raise Blocked(
            "the target's clock cannot be read: this needs a control API (driver control) or waiting (run --state)"
        )

    def advance(self, seconds: float) -> datetime:
        """Not to be had without a control API."""
        raise Blocked(f"time cannot be moved by {seconds:g} s: this needs a control API with `clock` (driver control)")

    def versions(self) -> VersionSettings:
        """`[versions]`."""
        return self._settings.versions

    def release(self, version: str) -> VersionSettings:
        """Not to be had without a control API."""
        raise Blocked(f"version {version} cannot be released: this needs a control API with `versions`")

    def enforce_rate_limits(self) -> None:
        """Nothing to do: a deployment enforces its limits."""

    def isolate(self) -> StaticProvisioner:
        """Itself: there is one world."""
        return self

    def close(self) -> None:
        """Nothing to undo."""
