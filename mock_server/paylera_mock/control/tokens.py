"""The tokens of a namespace, as who runs the fake sees them: the mock's own calls, which ask for no admin token."""

from __future__ import annotations

from enum import StrEnum
from operator import attrgetter

from msgspec import Struct

from paylera_fixtures.api.operations import Resource
from paylera_fixtures.vocabulary import Audience, Environment
from paylera_mock.control.request import ControlRequest, PageQuery
from paylera_mock.core import problems
from paylera_mock.core.clock import format_time
from paylera_mock.core.problems import RefusedError
from paylera_mock.state.token_names import name_of
from paylera_mock.state.tokens import StoredSecret, StoredToken


class TokenState(StrEnum):
    """Whether a token works: with one secret, with the old ones too, or with none."""

    ACTIVE = "active"
    GRACE = "grace"
    REVOKED = "revoked"


class FormerSecret(Struct):
    """A secret that was rotated out: what it is called, and when it ends. `seconds_left` is 0 where it has ended."""

    name: str
    last4: str
    expires_at: str
    seconds_left: float


class TokenEntry(Struct):
    """A token without its secrets.

    - `label`: its name or its id, or what its well-known secret is called;
    - `former_secrets`: the latest first; `grace_seconds`: how long each works on, if the token is not revoked.
    """

    id: str
    label: str
    name: str | None
    state: TokenState
    tenant_id: str
    environment: Environment
    audience: Audience
    scopes: tuple[str, ...]
    aal: int
    customer_id: str | None
    default_version: str
    secret_last4: str
    created_at: str
    rotated_at: str | None
    revoked_at: str | None
    former_secrets: list[FormerSecret]
    grace_seconds: float


class TokenList(Struct):
    """A page of the tokens, and how many there are."""

    data: list[TokenEntry]
    count: int
    next_cursor: int | None


class RotatedToken(Struct):
    """A token with its new secret, which is in this answer only, and when the former one ends."""

    id: str
    secret: str
    previous_secret_expires_at: str


def list_tokens(call: ControlRequest, query: PageQuery) -> TokenList:
    """`GET C/tokens`: the tokens without their secrets, the newest first, in pages."""
    tokens = call.state.tokens
    page, next_cursor = query.take(tokens.before, attrgetter("sequence"))
    return TokenList([_view(call, token) for token in page], tokens.count, next_cursor)


def read_token(call: ControlRequest) -> TokenEntry:
    """`GET C/tokens/{id}`: one token without its secrets. Raises `RefusedError` where there is none."""
    return _view(call, call.find_token(call.identifier))


def rotate_token(call: ControlRequest) -> RotatedToken:
    """`POST C/tokens/{id}/rotate`: give a token a new secret; the former one works on for the grace.

    Raises `RefusedError` where there is no such token, or it is revoked.
    """
    token, state = _find_active_token(call), call.state
    now = state.clock.epoch()
    rotated, secret = state.tokens.rotate(token, now=now, policy=state.policy)
    return RotatedToken(rotated.id, secret, format_time(now + state.policy.grace_seconds))


def revoke_token(call: ControlRequest) -> None:
    """`DELETE C/tokens/{id}`: end a token at once, with every secret it has.

    Raises `RefusedError` where there is no such token, or it is revoked already.
    """
    token = _find_active_token(call)
    call.state.tokens.revoke(token, now=call.state.clock.epoch())


def _find_active_token(call: ControlRequest) -> StoredToken:
    token = call.find_token(call.identifier)
    if token.revoked:
        raise RefusedError(problems.not_found(Resource.API_TOKEN.value))
    return token


def _view(call: ControlRequest, token: StoredToken) -> TokenEntry:
    state, grant = call.state, token.grant
    now = state.clock.epoch()
    former = [_view_former(token, secret, now) for secret in token.secrets if secret.expires_at is not None]
    token_state = TokenState.GRACE if any(each.seconds_left for each in former) else TokenState.ACTIVE
    return TokenEntry(
        id=token.id,
        label=name_of(token, token.secrets[0]),
        name=grant.name,
        state=TokenState.REVOKED if token.revoked else token_state,
        tenant_id=grant.tenant_id,
        environment=grant.environment,
        audience=grant.audience,
        scopes=grant.scopes,
        aal=grant.aal,
        customer_id=grant.customer_id,
        default_version=token.default_version,
        secret_last4=token.secrets[0].last4,
        created_at=format_time(token.created_at),
        rotated_at=None if token.rotated_at is None else format_time(token.rotated_at),
        revoked_at=None if token.revoked_at is None else format_time(token.revoked_at),
        former_secrets=former,
        grace_seconds=state.policy.grace_seconds,
    )


def _view_former(token: StoredToken, secret: StoredSecret, now: float) -> FormerSecret:
    ends = secret.expires_at or 0.0
    left = 0.0 if token.revoked else max(0.0, ends - now)
    return FormerSecret(name_of(token, secret), secret.last4, format_time(ends), left)
