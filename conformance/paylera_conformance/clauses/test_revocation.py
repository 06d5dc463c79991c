"""Revoking: immediate, whole, and of one token only."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from paylera_conformance.probe import refusals
from paylera_conformance.probe.marks import covers
from paylera_conformance.probe.probe import Probe
from paylera_conformance.probe.refusals import Refusal
from paylera_conformance.scenarios.token_lifecycle import (
    REVOKE,
    absent_id,
    disposable,
    granted,
    revocation_request,
    revoke,
    rotate,
)
from paylera_conformance.scenarios.token_uses import (
    ADMINISTERS,
    DEEDS,
    READS,
    TokenUse,
    blocked_unless_accepted,
    blocked_unless_refused,
    each_deed,
    each_no_admin,
    refuses_ended,
    refuses_no_admin,
    strangers_token,
)
from paylera_conformance.target.settings import Mode

REVOKED = "the token was revoked by the request before"
ONLY_ONE = "a DELETE ends the token that its path names, and no other"
GONE = Refusal(frozenset({404, 410}), needs_problem=False)
ENDED = Refusal(frozenset({401, 403}), needs_problem=False)
"""That a secret no longer works; how a revoked one is refused is what revocation.immediate says."""


@covers("revocation.immediate", mode=Mode.FULL)
@each_deed()
def test_the_next_request_of_a_revoked_token_is_refused(paylera_probe: Probe, deed: TokenUse) -> None:
    """Who revokes a leaked token races a thief, so that not one request more may pass."""
    token = deed.token(paylera_probe)
    # It is used before, so that whoever keeps tokens in a cache has this one there, and twice, since it may itself
    # have been ended by what it did.
    for _ in range(2):
        paylera_probe.control(deed.by(paylera_probe, token))
    following = deed.by(paylera_probe, token)
    granted(paylera_probe, revocation_request(paylera_probe, token), hint="the guide has an admin token revoke")
    refuses_ended(
        paylera_probe, following, as_=refusals.INVALID, change=REVOKED,
        hint="a token that is looked up in a cache must leave it when it is revoked",
    )  # fmt: skip


@covers("revocation.needs-admin", mode=Mode.FULL)
@each_no_admin()
def test_nobody_but_an_admin_revokes(paylera_probe: Probe, who: str) -> None:
    """A leaked token must not be able to lock its owner out."""
    refuses_no_admin(paylera_probe, who, revocation_request)


@covers("revocation.needs-admin", mode=Mode.FULL)
def test_a_refused_revocation_revokes_nothing(paylera_probe: Probe) -> None:
    """The refusal comes before the effect."""
    target = disposable(paylera_probe, "target", at_least=True)
    paylera_probe.control(READS.by(paylera_probe, target))
    paylera_probe.send(revocation_request(paylera_probe, target).by(paylera_probe.shop.service))
    paylera_probe.accepts(
        READS.by(paylera_probe, target),
        wanted="a 2xx, since nobody but a service token has tried to revoke the token",
        hint="the refusal must come before the effect",
    )


@covers("revocation.only-target", mode=Mode.FULL)
@pytest.mark.parametrize("deed", DEEDS, ids=[f"another-that-{deed.name}" for deed in DEEDS])
def test_no_other_token_is_touched(paylera_probe: Probe, deed: TokenUse) -> None:
    """A token is revoked in an emergency: what else it takes down is an outage."""
    target, twin = deed.token(paylera_probe), deed.token(paylera_probe)
    paylera_probe.control(deed.by(paylera_probe, twin))
    ended = READS.by(paylera_probe, target)
    revoke(paylera_probe, target)
    blocked_unless_refused(paylera_probe, ended, as_=refusals.INVALID, see="revocation.immediate")
    paylera_probe.accepts(deed.by(paylera_probe, twin), wanted="a 2xx, since another token was revoked", hint=ONLY_ONE)


@covers("revocation.only-target", mode=Mode.FULL)
def test_the_token_that_revokes_is_not_touched(paylera_probe: Probe) -> None:
    """The admin token in the header is not the one in the path."""
    revoke(paylera_probe, disposable(paylera_probe, at_least=True))
    paylera_probe.accepts(
        ADMINISTERS.ask(paylera_probe), wanted="a 2xx, since another token was revoked", hint=ONLY_ONE
    )


@covers("revocation.covers-grace", mode=Mode.FULL)
def test_a_secret_in_its_grace_is_revoked_with_its_token(paylera_probe: Probe) -> None:
    """Whoever revokes after a leak must not leave the leaked secret its 24 hours."""
    rotation = rotate(paylera_probe, READS.token(paylera_probe))
    following = READS.by(paylera_probe, rotation.old)
    blocked_unless_accepted(paylera_probe, following, see="rotation.grace-holds")
    revoke(paylera_probe, rotation.new)
    ended = READS.by(paylera_probe, rotation.new)
    blocked_unless_refused(paylera_probe, ended, as_=refusals.INVALID, see="revocation.immediate")
    refuses_ended(
        paylera_probe, following, as_=ENDED, change="a secret in its grace, of a token that was revoked",
        hint="revoking ends every secret of the token, the rotated-out ones too",
    )  # fmt: skip


@covers("revocation.unknown-id", mode=Mode.FULL)
def test_revoking_an_unknown_id_is_not_found(paylera_probe: Probe) -> None:
    """Who mistypes an id must not take it that the token is dead now."""
    token = disposable(paylera_probe, at_least=True)
    control = revocation_request(paylera_probe, token)
    paylera_probe.refuses(
        control.at(REVOKE.concrete(quote(absent_id(str(token.id)), safe=""))), control=control, as_=refusals.NOT_FOUND,
        change="the id of no token",
    )  # fmt: skip


@covers("revocation.unknown-id", mode=Mode.FULL)
def test_another_tenants_id_is_not_found(paylera_probe: Probe) -> None:
    """What another tenant owns is not visible, and so does not exist: 404."""
    control = revocation_request(paylera_probe, disposable(paylera_probe, at_least=True))
    theirs = revocation_request(paylera_probe, strangers_token(paylera_probe))
    paylera_probe.refuses(
        theirs, control=control, as_=refusals.NOT_FOUND, change="the id of another tenant's token",
        hint="a token is looked for among those of the caller's tenant only",
    )  # fmt: skip


@covers("revocation.unknown-id", mode=Mode.FULL)
def test_revoking_twice_is_no_error_of_the_server(paylera_probe: Probe) -> None:
    """A DELETE may be sent again by whoever missed the answer: a 2xx, 404 or 410."""
    request = revocation_request(paylera_probe, disposable(paylera_probe, at_least=True))
    paylera_probe.guarded(request)
    again = paylera_probe.send(request)
    blocked_unless_accepted(paylera_probe, ADMINISTERS.ask(paylera_probe), see="revocation.only-target")
    paylera_probe.expect(
        "a 2xx, 404 or 410",
        holds=again.response.ok or GONE.accepts(again.response),
        got=refusals.describe(again.response),
        exchange=again,
        change="the same DELETE a second time",
    )
