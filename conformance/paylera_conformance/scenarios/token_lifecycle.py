"""The life of a token as a test lives it: minted, rotated, run out, revoked."""

from __future__ import annotations

import secrets
import string
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final
from urllib.parse import quote

from paylera_conformance.model.messages import FRESH_KEY, Exchange, Request
from paylera_conformance.model.outcomes import Blocked, Violation
from paylera_conformance.model.tokens import Credential, TokenState
from paylera_conformance.probe.answers import find_secrets
from paylera_conformance.probe.probe import Probe
from paylera_conformance.target.provisioner import Need
from paylera_conformance.target.settings import Mode
from paylera_fixtures.api.operations import BY_ID
from paylera_fixtures.tokens import environment_of
from paylera_fixtures.vocabulary import GRACE_SECONDS, Problems

ROTATE = BY_ID["rotate_api_token"]
REVOKE = BY_ID["revoke_api_token"]

_AAL2: Final = 2
_ID_TAIL: Final = 12
"""So many characters of an id are made up: enough that no object has it."""


@dataclass(frozen=True)
class Rotation:
    """A token rotated: its secrets before and after, the answer, and the target's time around it.

    `before` and `after` are `None` where the target's clock cannot be read.
    """

    old: Credential
    new: Credential
    exchange: Exchange
    before: datetime | None
    after: datetime | None


def disposable(probe: Probe, role: str = "disposable", **grants: Any) -> Credential:
    """A token that may be rotated and revoked, its id known.

    Where none is listed, one is made through the target's own API, if it offers that and the mode lets.
    """
    return probe.register_secret(probe.factory.disposable(Need(role, disposable=True, **grants)))


def rotation_request(probe: Probe, token: Credential) -> Request:
    """The request by which an admin token rotates another."""
    return Request("POST", _path(ROTATE.path, token), probe.tokens.admin, key=FRESH_KEY, consumes=True).with_json({})


def revocation_request(probe: Probe, token: Credential) -> Request:
    """The request by which an admin token revokes another."""
    return Request("DELETE", _path(REVOKE.path, token), probe.tokens.admin, consumes=True)


def _path(template: str, token: Credential) -> str:
    if token.id is None:
        raise Blocked(f"the id of {token} is not known: set id in its table")
    return template.replace("{id}", quote(token.id, safe=""))


def rotate(probe: Probe, token: Credential) -> Rotation:
    """Rotate a token; that it can be rotated is the control of what follows."""
    before = _now(probe)
    exchange = probe.require_accepted(rotation_request(probe, token))
    after = _now(probe)
    issued = find_secrets(exchange, other_than=token)
    if len(issued) != 1:
        raise Blocked(
            f"the rotation answered {len(issued)} new secrets, not one (see rotation.new-secret)", exchange=exchange
        )
    new = replace(token.with_secret(issued[0], f"{token.secret.role} rotated"), id=_id_after(exchange) or token.id)
    if environment_of(issued[0]) is not token.environment:
        raise Blocked("the new secret is one of the other environment (see rotation.new-secret)", exchange=exchange)
    return Rotation(token, probe.register_secret(new), exchange, before, after)


def _id_after(exchange: Exchange) -> str | None:
    """The token's id in the answer to its rotation: whether it is the one before is for the target to say."""
    answer = exchange.response.object
    given = answer.get("id") or answer.get("api_token_id")
    return given if isinstance(given, str) else None


def _now(probe: Probe) -> datetime | None:
    try:
        return probe.clock.now()
    except Blocked:
        return None


def granted(probe: Probe, request: Request, *, hint: str = "") -> Exchange:
    """What the clause grants to an admin is accepted; one who has not asserted AAL2 may be asked for that first.

    Raises as `Probe.accepts` does.
    """
    try:
        return probe.accepts(request, hint=hint)
    except Violation as violation:
        refused = violation.exchange
        lacks_aal2 = request.token is not None and request.token.aal < _AAL2
        if lacks_aal2 and refused is not None and refused.response.problem == Problems.AAL2_REQUIRED.code:
            raise Blocked(f"{request} asks for AAL2: list an admin token with aal = 2", exchange=refused) from None
        raise


def absent_id(known: str) -> str:
    """An id of the form of a known one that no object has: its last characters are others of the same kind."""
    prefix, underscore, own = known.rpartition("_")
    own = own.rjust(_ID_TAIL, "7")
    tail = "".join(secrets.choice(_alike(character)) for character in own[-_ID_TAIL:])
    return prefix + underscore + own[:-_ID_TAIL] + tail


def _alike(character: str) -> str:
    for alphabet in (string.digits, "abcdef", "ABCDEF", string.ascii_lowercase, string.ascii_uppercase):
        if character in alphabet:
            return alphabet
    return character


def revoke(probe: Probe, token: Credential) -> None:
    """Revoke a token; that it can be revoked is the control of what follows."""
    probe.require_accepted(revocation_request(probe, token))


def revoked(probe: Probe) -> Credential:
    """A token that was revoked: one revoked here and now where the mode lets, else one that is listed as such."""
    if probe.settings.mode is not Mode.FULL:
        return probe.provisioner.token(Need("revoked", state=TokenState.REVOKED))
    token = disposable(probe, "revoked")
    probe.require_accepted(probe.factory.request_for(BY_ID["list_customers"], token))
    revoke(probe, token)
    return replace(token, state=TokenState.REVOKED)


def expired(probe: Probe) -> Credential:
    """A secret that was rotated out more than a grace ago: one made so, else one that is listed as such."""
    try:
        return probe.provisioner.token(Need("expired", state=TokenState.EXPIRED))
    except Blocked:
        if probe.settings.mode is not Mode.FULL:
            raise
        # Nothing is to be spent where time cannot be moved.
        probe.clock.now()
        rotation = rotate(probe, disposable(probe, "expired"))
    end_grace(probe, rotation)
    return replace(rotation.old, state=TokenState.EXPIRED)


def end_grace(probe: Probe, rotation: Rotation) -> None:
    """Move the target's time to a second after the grace has ended."""
    probe.clock.move_to(rotation.after or probe.clock.now(), seconds=GRACE_SECONDS + 1)
