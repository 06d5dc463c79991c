"""The life of a token as a test lives it: minted, rotated, run out, revoked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from urllib.parse import quote

from paylera_conformance.exchange import FRESH_KEY, Exchange, Request
from paylera_conformance.outcomes import Blocked, Violation
from paylera_conformance.probe import Probe
from paylera_conformance.provision import Need
from paylera_conformance.settings import Mode
from paylera_conformance.tokens import Token, TokenState
from paylera_fixtures.operations import BY_ID
from paylera_fixtures.tokens import TOKEN_FORM
from paylera_fixtures.vocabulary import GRACE_SECONDS

ROTATE = BY_ID["rotate_api_token"]
REVOKE = BY_ID["revoke_api_token"]


@dataclass(frozen=True)
class Rotation:
    """A token rotated: its secrets before and after, the answer, and the target's time around it.

    `before` and `after` are `None` where the target's clock cannot be read.
    """

    old: Token
    new: Token
    exchange: Exchange
    before: datetime | None
    after: datetime | None


def disposable(probe: Probe, role: str = "disposable", **grants: Any) -> Token:
    """A token that may be rotated and revoked, its id known."""
    return probe.token(Need(role, disposable=True, **grants))


def rotation_request(probe: Probe, token: Token) -> Request:
    """The request by which an admin token rotates another."""
    return Request("POST", _path(ROTATE.path, token), probe.shop.admin, key=FRESH_KEY, consumes=True).with_json({})


def revocation_request(probe: Probe, token: Token) -> Request:
    """The request by which an admin token revokes another."""
    return Request("DELETE", _path(REVOKE.path, token), probe.shop.admin, consumes=True)


def _path(template: str, token: Token) -> str:
    if token.id is None:
        raise Blocked(f"the id of {token} is not known: set id in its table")
    return template.replace("{id}", quote(token.id, safe=""))


def rotate(probe: Probe, token: Token) -> Rotation:
    """Rotate a token; that it can be rotated is the control of what follows."""
    before = _now(probe)
    exchange = probe.control(rotation_request(probe, token))
    after = _now(probe)
    secrets = issued_secrets(exchange, other_than=token)
    if len(secrets) != 1:
        raise Blocked(
            f"the rotation answered {len(secrets)} new secrets, not one (see rotation.new-secret)", exchange=exchange
        )
    new = token.with_secret(secrets[0], f"{token.secret.role} rotated")
    return Rotation(token, probe.known(new), exchange, before, after)


def _now(probe: Probe) -> datetime | None:
    try:
        return probe.clock.now()
    except Blocked:
        return None


def revoke(probe: Probe, token: Token) -> None:
    """Revoke a token; that it can be revoked is the control of what follows."""
    probe.control(revocation_request(probe, token))


def revoked(probe: Probe) -> Token:
    """A token that was revoked: one revoked here and now where the mode lets, else one that is listed as such."""
    if probe.settings.mode is not Mode.FULL:
        return probe.token(Need("revoked", state=TokenState.REVOKED))
    token = disposable(probe, "revoked")
    probe.control(probe.shop.request_for(BY_ID["list_customers"], token))
    revoke(probe, token)
    return replace(token, state=TokenState.REVOKED)


def expired(probe: Probe) -> Token:
    """A secret that was rotated out more than a grace ago: one made so, else one that is listed as such."""
    try:
        return probe.token(Need("expired", state=TokenState.EXPIRED))
    except Blocked:
        rotation = rotate(probe, disposable(probe, "expired"))
    end_grace(probe, rotation)
    return replace(rotation.old, state=TokenState.EXPIRED)


def end_grace(probe: Probe, rotation: Rotation) -> None:
    """Move the target's time to a second after the grace has ended."""
    probe.clock.to(rotation.after or probe.clock.now(), seconds=GRACE_SECONDS + 1)


def issued_secrets(exchange: Exchange, *, other_than: Token | None = None) -> list[str]:
    """The whole strings in an answer that have a token's form; a masked hint is none."""
    known = None if other_than is None else other_than.secret.reveal()
    found = dict.fromkeys(text for text in _strings(exchange.response.json) if TOKEN_FORM.fullmatch(text))
    return [text for text in found if text != known]


def the_secret(exchange: Exchange) -> str:
    """The secret that an answer issues. Raises `Violation` where there is not exactly one."""
    secrets = issued_secrets(exchange)
    if len(secrets) == 1:
        return secrets[0]
    raise Violation(
        "one whole string of the form sk_<env>_<random> in the answer", f"{len(secrets)} of them", exchange=exchange
    )


def _strings(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from _strings(item)
    elif isinstance(value, dict):
        for item in value.values():
            yield from _strings(item)
