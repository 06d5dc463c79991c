"""The tokens of a namespace: what is kept of them, and how they are minted, rotated and revoked.

Of a secret only its digest and last four characters are kept.
"""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Iterator, MutableMapping
from dataclasses import dataclass, replace
from itertools import chain, islice
from typing import Any, Final

from paylera_fixtures.api.operations import Resource
from paylera_fixtures.tokens import digest
from paylera_fixtures.vocabulary import WILDCARD, Audience, Environment
from paylera_mock.core.clock import format_time
from paylera_mock.core.policy import Policy
from paylera_mock.core.randomness import Randomness
from paylera_mock.state.discarded import STEP, Part
from paylera_mock.state.ordered import OrderedItems
from paylera_mock.state.token_fingerprints import fingerprints
from paylera_mock.state.token_index import FormerOwner, Holder, TokenIndex, TokenOwner

_HINT_LENGTH: Final = 4


@dataclass(frozen=True, slots=True)
class StoredSecret:
    """What is kept of a secret.

    - `expires_at`: when its grace ends, since the epoch; `None` for the current one;
    - `fingerprints`: what an almost right one is known by (`fingerprints()`).
    """

    digest: str
    last4: str
    expires_at: float | None = None
    fingerprints: tuple[str, ...] = ()

    @classmethod
    def of(cls, plain: str, expires_at: float | None = None) -> StoredSecret:
        """What is kept of a plain secret."""
        return cls(digest(plain), plain[-_HINT_LENGTH:], expires_at, fingerprints(plain))


@dataclass(frozen=True, slots=True)
class Grant:
    """What a token may do, for whom, and where."""

    tenant_id: str
    audience: Audience
    scopes: tuple[str, ...]
    environment: Environment = Environment.SANDBOX
    aal: int = 1
    customer_id: str | None = None
    name: str | None = None


@dataclass(frozen=True, slots=True)
class StoredToken:
    """One token object. `secrets`: the current one first, then those rotated out, the latest first."""

    id: str
    grant: Grant
    default_version: str
    secrets: tuple[StoredSecret, ...]
    created_at: float
    sequence: int
    rotated_at: float | None = None
    revoked: bool = False
    revoked_at: float | None = None

    @property
    def grants_all(self) -> bool:
        """Whether it holds the wildcard."""
        return WILDCARD in self.grant.scopes

    def secret_with(self, secret_digest: str) -> StoredSecret:
        """The one of its secrets that has a digest."""
        return next(secret for secret in self.secrets if secret.digest == secret_digest)

    def view(self, now: float) -> dict[str, Any]:
        """The token as an object of the Admin API; never with its secret (clause rotation.secret-once)."""
        previous = self.secrets[1].expires_at if len(self.secrets) > 1 else None
        in_grace = previous is not None and previous > now and not self.revoked
        return {
            "id": self.id,
            "object": Resource.API_TOKEN.value,
            "name": self.grant.name,
            "environment": self.grant.environment.value,
            "audience": self.grant.audience.value,
            "scopes": list(self.grant.scopes),
            "aal": self.grant.aal,
            "default_version": self.default_version,
            "status": "revoked" if self.revoked else "active",
            "secret_last4": self.secrets[0].last4,
            "created_at": format_time(self.created_at),
            "rotated_at": None if self.rotated_at is None else format_time(self.rotated_at),
            "previous_secret_expires_at": format_time(previous) if in_grace and previous is not None else None,
        }


class TokenStore:
    """The tokens of one namespace, by id and by the digests of their secrets.

    `index` is shared by all namespaces: it finds the namespace of a secret that comes without `/ns/<id>`. New ids and
    secrets are drawn from `randomness`.
    """

    def __init__(self, owner: TokenOwner, index: TokenIndex[Any], randomness: Randomness) -> None:
        self._owner = owner
        self._index = index
        self._holder = Holder[Any](owner)
        self._randomness = randomness
        self._tokens: MutableMapping[str, StoredToken] = {}
        self._in_order = self._listed = OrderedItems[StoredToken]()
        self._by_digest: MutableMapping[str, str] = {}
        self._by_fingerprint: dict[str, str] = {}

    def __iter__(self) -> Iterator[StoredToken]:
        """Every token, the newest first."""
        return self._listed.newest_first()

    def before(self, place: int | None) -> Iterator[StoredToken]:
        """The tokens in lower places than this, all where it is `None`, the newest first."""
        return self._listed.newest_first(before=place)

    def newest_first(
        self, tenant_id: str, environment: Environment, *, before: int | None = None
    ) -> Iterator[StoredToken]:
        """The tokens of a tenant in an environment, the newest first; with `before` only those in lower places."""
        return self._listed.newest_first((tenant_id, environment), before=before)

    @property
    def count(self) -> int:
        """How many there are, revoked ones included."""
        return len(self._tokens)

    def get(self, token_id: str) -> StoredToken | None:
        """The token with an id."""
        return self._tokens.get(token_id)

    def by_digest(self, secret_digest: str) -> StoredToken | None:
        """The token that one of whose secrets, current or past, has a digest."""
        token_id = self._by_digest.get(secret_digest)
        return None if token_id is None else self._tokens.get(token_id)

    def alike(self, fingerprint: str) -> StoredToken | None:
        """The token that has a secret with this fingerprint, current or past."""
        return self._tokens.get(self._by_fingerprint.get(fingerprint, ""))

    def elsewhere(self, secret_digest: str) -> TokenOwner | None:
        """The namespace of a secret, or of a fingerprint, that leads to another one than this."""
        found: TokenOwner | None = self._index.owner(secret_digest)
        return None if found is self._owner else found

    def former_owner(self, secret_digest: str) -> FormerOwner | None:
        """The namespace, this or another, whose deletion or reset ended a secret; `None` where none is remembered."""
        return self._index.former_owner(secret_digest)

    def keep(self, token: StoredToken) -> None:
        """Add a token, or put a changed one in the place of what it was."""
        self._tokens[token.id] = token
        self._in_order.put(token.sequence, token, ((token.grant.tenant_id, token.grant.environment),))
        for secret in token.secrets:
            self._by_digest[secret.digest] = token.id
            self._by_fingerprint.update(dict.fromkeys(secret.fingerprints, token.id))
            # The secrets of a snapshot may be another namespace's already, and stay so.
            self._index.enter(self._holder, secret.digest, secret.fingerprints)

    def mint(self, grant: Grant, *, version: str, now: float, policy: Policy) -> tuple[StoredToken, str]:
        """Make a token with these grants: the token, and its secret, which is not kept."""
        plain = policy.new_secret(grant.environment, self._randomness)
        token_id = policy.new_id(Resource.API_TOKEN, self._randomness)
        token = StoredToken(token_id, grant, version, (StoredSecret.of(plain),), now, len(self._tokens))
        self.keep(token)
        return token, plain

    def rotate(self, token: StoredToken, *, now: float, policy: Policy) -> tuple[StoredToken, str]:
        """Give a token a new secret; the present one ends a grace from now, older ones when they would have."""
        plain = policy.new_secret(token.grant.environment, self._randomness)
        outgoing = replace(token.secrets[0], expires_at=now + policy.grace_seconds)
        rotated = replace(token, secrets=(StoredSecret.of(plain), outgoing, *token.secrets[1:]), rotated_at=now)
        self.keep(rotated)
        return rotated, plain

    def revoke(self, token: StoredToken, *, now: float | None = None) -> None:
        """End a token with every secret it has (clauses revocation.immediate, revocation.covers-grace)."""
        self.keep(replace(token, revoked=True, revoked_at=now))

    def end(self) -> None:
        """From now on no secret leads here by itself."""
        self._holder.end()

    def take_out(self) -> Iterator[None]:
        """Take every secret out of the index, some at each step."""
        digests = chain(self._by_digest, self._by_fingerprint)
        while some := tuple(islice(digests, STEP)):
            self._index.take_out(some, self._holder)
            yield

    def parts(self) -> list[Part]:
        """What it consists of."""
        return [self._tokens, self._by_digest, self._by_fingerprint, *self._in_order.parts()]

    def overlay(self) -> TokenStore:
        """The same tokens, in a store that no secret leads to: what is changed in it is changed in it alone.

        It is for as long as nothing changes here, and lists what is here.
        """
        tokens = TokenStore(self._owner, TokenIndex[Any](), self._randomness)
        tokens._tokens, tokens._by_digest = ChainMap({}, self._tokens), ChainMap({}, self._by_digest)
        tokens._listed = self._in_order
        return tokens
