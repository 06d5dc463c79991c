"""Where credentials, objects and moved clocks come from: what a test may ask for, and what the file alone can give.

A provisioner never fails a target: what it cannot give, it says in a `Blocked` that names the remedy.
"""

from __future__ import annotations

import copy
import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from paylera_conformance.model.messages import Exchange
from paylera_conformance.model.outcomes import Blocked
from paylera_conformance.model.tokens import Credential, TokenState
from paylera_conformance.target.settings import Settings, VersionSettings
from paylera_conformance.target.token_pool import TokenPool
from paylera_fixtures.api.operations import Resource
from paylera_fixtures.redaction import Secret
from paylera_fixtures.vocabulary import WILDCARD, Audience, Environment, Profile, scopes_of

OWN: Final = "own"
OTHER: Final = "other"
"""The two tenants that a need may speak of."""

ACTED_ON: Final = "to be acted on"
"""The role of a token that requests name in their path and that nothing else is about, so that any will do."""


_MOVES: Final = ("advance", "release", "enforce_rate_limits")
"""What of a provisioner moves something for whoever uses the same part of the target."""


@dataclass(frozen=True)
class Need:
    """The token that a test asks for.

    - `scopes`: exactly these, unless `at_least`: then these and any others, the wildcard standing for all;
    - `tenant`: `OWN` or `OTHER`;
    - `odd`: something no issuer need grant; a token that grants less will do, and is the refusal looked for;
    - `disposable`: it will be rotated or revoked, so its id must be known too;
    - `older_than`: a version that became the default after the token was made, where one made before is listed;
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
    older_than: str | None = None
    state: TokenState = TokenState.ACTIVE

    @property
    def takes_wildcard(self) -> bool:
        """Whether a token that may do all will do."""
        return self.at_least or self.role == ACTED_ON

    def describe(self) -> str:
        """The need in words, for whoever must mint the token."""
        scopes = _describe_scopes(self.scopes)
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
        if self.older_than:
            parts.append(f"made before version {self.older_than} (its default_version)")
        if self.disposable:
            parts.append("disposable = true, with its id")
        return ", ".join(parts)


def _describe_scopes(scopes: tuple[str, ...]) -> str:
    """Scopes in words, without a list of eleven where it is all of a profile but one."""
    for profile in Profile:
        for scope in scopes_of(profile):
            if scopes == all_scopes_but(scope, profile):
                return f"every scope but {scope}, and without *"
    shown = (json.dumps(scope) if not scope or " " in scope or not scope.isprintable() else scope for scope in scopes)
    return f"scopes {' '.join(shown)}" if scopes else "no scope"


def all_scopes_but(scope: str, profile: Profile) -> tuple[str, ...]:
    """Every scope of a profile but one, and without the wildcard."""
    return tuple(known for known in scopes_of(profile) if known not in {scope, WILDCARD})


def share_tokens(tokens: Iterable[Credential], worker: str, count: int) -> tuple[Credential, ...]:
    """The tokens that one process of a run has: of each kind of disposable ones its share, and all the others.

    - `worker`: the name of the process, from `gw0` on; `count`: how many there are.
    """
    number = int(worker.removeprefix("gw"))
    seen: Counter[object] = Counter()
    shared = []
    for token in tokens:
        kind = replace(token, secret=Secret("", ""), id=None)
        if not token.disposable or seen[kind] % count == number:
            shared.append(token)
        seen[kind] += token.disposable
    return tuple(shared)


def _rank(token: Credential, need: Need) -> tuple[bool, ...]:
    """By what one of several tokens that fit is chosen: the lowest, which others can best do without."""
    # Whoever needs some scope at least is counted among those who need all (`rehearsal/token_counts.py`).
    is_rarer = need.disposable and need.takes_wildcard and WILDCARD not in token.scopes
    return (token.disposable, not token.may_cross, is_rarer)


class Provisioner:
    """What every driver can be asked; as it stands it gives what the configuration file lists.

    Each method raises `Blocked` where it cannot give what is asked for.

    - `stands_still`: whether time passes only when moved;
    - `vanishes`: whether all that is made in it goes with `close`, so that nothing need be removed;
    - `isolates`: whether `isolate` gives namespaces, each under a URL of its own;
    - `calls`: what was asked of a control API for it, in order, and what that answered: one list, which only grows;
    - `lent`: the listed tokens that this case was given to use up and that were not taken back, each with what it is
      for; nothing where tokens are minted.
    """

    stands_still = False
    vanishes = False
    isolates = False
    lent: Sequence[tuple[Credential, Need]] = ()

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._pool = TokenPool(settings.tokens)
        self.calls: list[Exchange] = []
        self.url = settings.url
        self.live_url = settings.live_url

    @property
    def has_one_world(self) -> bool:
        """Whether all cases share what one of them may move: the clock, the versions, the enforcement of limits."""
        own = type(self)
        moves = any(getattr(own, name) is not getattr(Provisioner, name) for name in _MOVES)
        return moves and own.isolate is Provisioner.isolate

    def token(self, need: Need) -> Credential:
        """A token as needed: the first listed one that is so; a disposable one is given once, others before it.

        Raises `Blocked` where none is.
        """
        fitting = [token for token in self._pool if self._fits(token, need)]
        if not fitting:
            raise Blocked(f"no token listed is {need.describe()}: mint one and list it under [tokens]")
        token = min(fitting, key=lambda token: _rank(token, need))
        if need.disposable:
            self._pool.lend(token)
        return token

    def _fits(self, token: Credential, need: Need) -> bool:
        if need.takes_wildcard:
            has_scopes = need.role == ACTED_ON or all(token.grants(scope) for scope in need.scopes)
        else:
            has_scopes = set(token.scopes) == set(need.scopes)
        return (
            has_scopes
            and (token.audience, token.aal, token.state) == (need.audience, need.aal, need.state)
            and token.environment is (need.environment or self._settings.environment)
            and (token.tenant_id == OTHER) == (need.tenant == OTHER)
            and need.customer_id in {None, token.customer_id}
            and self._is_of_age(token, need)
            and (not need.disposable or (token.disposable and token.id is not None))
        )

    def _is_of_age(self, token: Credential, need: Need) -> bool:
        """An old token that may be used up is kept for whoever asks for an old one: no other can be had."""
        latest = need.older_than or self._settings.versions.current or ""
        is_old = token.default_version is not None and token.default_version < latest
        return is_old if need.older_than else not (need.disposable and is_old)

    def take_back(self, token: Credential, as_it_is: Credential | None) -> None:
        """Have a token that was lent for the next case.

        - `as_it_is`: the token as the case has left it, with its newest secret and its state; `None` where nobody
          knows, so that no other case can have it.
        """

    def revoked_token(self, need: Need) -> Credential | None:  # noqa: ARG002
        """A token that a case of this run has revoked, and that was as needed until then; `None` where there is none.

        One that is listed as revoked is not looked for.
        """
        return None

    def known_actor(self) -> str:
        """The id of an actor of the own tenant's registry. Raises `Blocked` where none is known."""
        if self._settings.known_actor:
            return self._settings.known_actor
        raise Blocked("no actor of the tenant's registry is known: set [actors] known")

    def foreign_actor(self) -> str:
        """The id of an actor that exists, in another tenant's registry only. Raises `Blocked` where none is known."""
        if self._settings.foreign_actor:
            return self._settings.foreign_actor
        raise Blocked("no actor of another tenant is known: set [actors] foreign")

    def customer(self) -> str | None:
        """The id of a customer made for this test; `None`: make one through the API."""
        return None

    def object(self, kind: Resource, status: str | None, customer_id: str | None = None) -> str | None:  # noqa: ARG002
        """The id of an object ready to be acted on; `None`: make one or look for one through the API."""
        return None

    def now(self) -> datetime:
        """The target's own time. Raises `Blocked` where it cannot be read."""
        raise Blocked(
            "the target's clock cannot be read: this needs a control API (driver control) or waiting (run --state)"
        )

    def advance(self, seconds: float) -> datetime:
        """Move the target's time on, and give the new one. Raises `Blocked` where it cannot be moved."""
        raise Blocked(f"time cannot be moved by {seconds:g} s: this needs a control API with `clock` (driver control)")

    def versions(self) -> VersionSettings:
        """The versions that the target supports, and its current default."""
        return self._settings.versions

    def release(self, version: str) -> VersionSettings:
        """Make a version the default for tokens to come. Raises `Blocked` where that cannot be done."""
        raise Blocked(f"version {version} cannot be released: this needs a control API with `versions`")

    def enforce_rate_limits(self) -> None:
        """Have requests refused beyond the rate limit, if the target does not do so anyway."""

    def isolate(self) -> Provisioner:
        """What the next test is to use: a namespace of its own where the target has such."""
        return self

    def close(self) -> None:
        """Undo what was done to the target as a whole; never raises."""


class StaticProvisioner(Provisioner):
    """The driver `static`: gives what the file lists, and has again what a case has not used up."""

    def token(self, need: Need) -> Credential:
        """As above; one that is to be used up is lent to this case, and to no other until it is taken back."""
        token = super().token(need)
        if need.disposable:
            self.lent = (*self.lent, (token, need))
        return token

    def take_back(self, token: Credential, as_it_is: Credential | None) -> None:
        """As above."""
        self.lent = tuple((lent, need) for lent, need in self.lent if lent is not token)
        if as_it_is is not None:
            self._pool.take_back(token, as_it_is)

    def revoked_token(self, need: Need) -> Credential | None:
        """As above."""
        wanted = replace(need, state=TokenState.REVOKED)
        return next((token for token in self._pool if token.disposable and self._fits(token, wanted)), None)

    def isolate(self) -> StaticProvisioner:
        """The same for one case, which knows what that case was lent."""
        own = copy.copy(self)
        own.lent = ()
        return own
