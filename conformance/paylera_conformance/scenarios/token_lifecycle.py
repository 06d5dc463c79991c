"""Tokens that a test makes, rotates, lets expire and revokes."""

from __future__ import annotations

import re
import string
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final
from urllib.parse import quote

from paylera_conformance.model.messages import FRESH_KEY, Exchange, Request
from paylera_conformance.model.outcomes import Blocked, Violation
from paylera_conformance.model.tokens import Credential, TokenState
from paylera_conformance.probe.answers import find_id, require_secret, require_token_id
from paylera_conformance.probe.probe import Probe
from paylera_conformance.target.provisioner import Need
from paylera_conformance.target.settings import Mode
from paylera_fixtures.api.operations import BY_ID, Resource
from paylera_fixtures.redaction import Secret
from paylera_fixtures.tokens import environment_of
from paylera_fixtures.vocabulary import AAL2, GRACE_SECONDS, Problems

_LIST: Final = BY_ID["list_customers"]
_CREATE_TOKEN: Final = BY_ID["create_api_token"]
_ID_TAIL: Final = 12
"""So many characters of an id are made up: enough that no object has it."""

_COUNTED: Final = re.compile(r"(|.*[^0-9A-Za-z])[0-9]{1,9}", re.ASCII | re.DOTALL)
"""An id that ends in a number, or is one, as a database counts them."""


def disposable_token(probe: Probe, role: str = "disposable", **grants: Any) -> Credential:
    """A token that may be rotated and revoked, its id known.

    Where none is listed, one is made through the target's own API, if it offers that and the mode lets. `Blocked` is
    raised where there is neither.
    """
    return probe.register_secret(probe.factory.disposable_token(Need(role, disposable=True, **grants)))


def rotation_request(probe: Probe, token: Credential) -> Request:
    """The request by which an admin token rotates another. Raises `Blocked` where the other's id is not known."""
    request = Request("POST", _path_of("rotate_api_token", token), probe.tokens.admin, key=FRESH_KEY, consumes=True)
    return request.with_json({})


def revocation_request(probe: Probe, token: Credential) -> Request:
    """The request by which an admin token revokes another. Raises `Blocked` where the other's id is not known."""
    return Request("DELETE", _path_of("revoke_api_token", token), probe.tokens.admin, consumes=True)


def _path_of(operation_id: str, token: Credential) -> str:
    return BY_ID[operation_id].concrete(quote(require_token_id(token), safe=""))


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


def rotate(probe: Probe, token: Credential) -> Rotation:
    """Rotate a token. Raises `Blocked` where that does not give one new secret of the token's environment."""
    before = _now(probe)
    exchange = probe.require_accepted(rotation_request(probe, token))
    after = _now(probe)
    secret = require_secret(exchange, see="rotation.new-secret", other_than=token)
    if environment_of(secret) is not token.environment:
        raise Blocked("the new secret is one of the other environment (see rotation.new-secret)", exchange=exchange)
    # Whether a rotated token keeps its id is for the target to say.
    identifier = find_id(exchange.response.json, Resource.API_TOKEN) or token.id
    new = replace(token.with_secret(secret, f"{token.secret.role} rotated"), id=identifier)
    return Rotation(token, probe.register_secret(new), exchange, before, after)


def rotate_repeatedly(probe: Probe, token: Credential, times: int) -> list[Rotation]:
    """Rotate a token several times in a row; gives the rotations, the first one first."""
    rotations: list[Rotation] = []
    for _ in range(times):
        rotations.append(rotate(probe, rotations[-1].new if rotations else token))
    return rotations


def _now(probe: Probe) -> datetime | None:
    try:
        return probe.clock.now()
    except Blocked:
        return None


def expect_granted_to_admin(probe: Probe, request: Request, *, hint: str = "") -> Exchange:
    """The clause grants the request about a token to an admin; one without AAL2 may be asked for that first.

    Raises `Blocked` where AAL2 is asked for; else as `Probe.accepts` does.
    """
    try:
        return probe.accepts(request, hint=hint)
    except Violation as violation:
        refused = violation.exchange
        lacks_aal2 = request.token is not None and request.token.aal < AAL2
        if lacks_aal2 and refused is not None and refused.response.problem == Problems.AAL2_REQUIRED.code:
            raise Blocked(f"{request} asks for AAL2: list an admin token with aal = 2", exchange=refused) from None
        raise


def make_absent_id(probe: Probe, known: str) -> str:
    """An id of the form of a known one that no object has: its last characters are others of the same kind."""
    prefix, underscore, own = known.rpartition("_")
    own = own.rjust(_ID_TAIL, "7")
    alphabets = [_alphabet_of(character) for character in own[-_ID_TAIL:]]
    tail = probe.draw(lambda: "".join(probe.variation.choice(alphabet) for alphabet in alphabets))
    return prefix + underscore + own[:-_ID_TAIL] + tail


def may_be_counted_with(identifier: str, known: str) -> bool:
    """Whether an id may be another object's of a known one's kind: where they are counted, 12 says that 1 is there."""
    one, other = _COUNTED.fullmatch(identifier), _COUNTED.fullmatch(known)
    return one is not None and other is not None and one[1] == other[1]


def _alphabet_of(character: str) -> str:
    alphabets = (string.digits, "abcdef", "ABCDEF", string.ascii_lowercase, string.ascii_uppercase)
    return next((alphabet for alphabet in alphabets if character in alphabet), character)


def revoke(probe: Probe, token: Credential) -> None:
    """Revoke a token. Raises `Blocked` where that is refused."""
    probe.require_accepted(revocation_request(probe, token))


def token_made_by(probe: Probe, maker: Credential, **members: Any) -> Credential:
    """A token that another one makes through the Admin API of its environment. `members`: further ones of its body.

    Raises `Inapplicable` where the target makes none, `Blocked` where it does not for this one.
    """
    is_live = maker.environment is not probe.settings.environment
    creation = replace(probe.factory.request_for(_CREATE_TOKEN, maker), live=is_live)
    exchange = probe.require_accepted(creation.with_json({**creation.json, **members}))
    secret = require_secret(exchange, see="token.format")
    identifier = find_id(exchange.response.json, Resource.API_TOKEN)
    scopes = tuple(exchange.request.json["scopes"])
    made = Credential(Secret(secret, "made by another"), scopes=scopes, environment=maker.environment, id=identifier)
    return probe.register_secret(made)


def revoked_token(probe: Probe) -> Credential:
    """A token that was revoked: in this run, here and now if need be, where the mode lets, else one listed as such."""
    need = Need("revoked", state=TokenState.REVOKED)
    if probe.settings.mode is not Mode.FULL:
        return probe.provisioner.token(need)
    # An adapter's tokens are its own business.
    earlier = None if probe.settings.driver == "python" else probe.provisioner.revoked_token(need)
    if earlier is not None:
        return probe.register_secret(earlier)
    token = disposable_token(probe, "revoked")
    probe.require_accepted(probe.factory.request_for(_LIST, token))
    revoke(probe, token)
    return replace(token, state=TokenState.REVOKED)


def expired_token(probe: Probe) -> Credential:
    """A secret that was rotated out more than a grace ago: one that is listed as such, else one made so."""
    try:
        return probe.provisioner.token(Need("expired", state=TokenState.EXPIRED))
    except Blocked:
        if probe.settings.mode is not Mode.FULL:
            raise
    probe.clock.now()  # nothing is to be spent where time cannot be moved
    rotation = rotate(probe, disposable_token(probe, "expired"))
    probe.clock.move_to(rotation.after or probe.clock.now(), seconds=GRACE_SECONDS + 1)
    return replace(rotation.old, state=TokenState.EXPIRED)
