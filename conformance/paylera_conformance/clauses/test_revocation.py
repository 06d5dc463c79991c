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
def test_the_next_request_of_a_revoked_token_is_refused(probe: Probe, deed: TokenUse) -> None:
    """Who revokes a leaked token races a thief, so that not one request more may pass."""
    token = deed.token(probe)
    # It is used before, so that whoever keeps tokens in a cache has this one there, and twice, since it may itself
    # have been ended by what it did.
    for _ in range(2):
        probe.require_accepted(deed.by(probe, token))
    following = deed.by(probe, token)
    granted(probe, revocation_request(probe, token), hint="the guide has an admin token revoke")
    refuses_ended(
        probe,
        following,
        as_=refusals.INVALID,
        change=REVOKED,
        hint="a token that is looked up in a cache must leave it when it is revoked",
    )


@covers("revocation.needs-admin", mode=Mode.FULL)
@each_no_admin()
def test_nobody_but_an_admin_revokes(probe: Probe, who: str) -> None:
    """A leaked token must not be able to lock its owner out."""
    refuses_no_admin(probe, who, revocation_request)


@covers("revocation.needs-admin", mode=Mode.FULL)
def test_a_refused_revocation_revokes_nothing(probe: Probe) -> None:
    """The refusal comes before the effect."""
    target = disposable(probe, "target", at_least=True)
    probe.require_accepted(READS.by(probe, target))
    probe.send(revocation_request(probe, target).by(probe.tokens.service))
    probe.accepts(
        READS.by(probe, target),
        wanted="a 2xx, since nobody but a service token has tried to revoke the token",
        hint="the refusal must come before the effect",
    )


@covers("revocation.only-target", mode=Mode.FULL)
@pytest.mark.parametrize("deed", DEEDS, ids=[f"another-that-{deed.name}" for deed in DEEDS])
def test_no_other_token_is_touched(probe: Probe, deed: TokenUse) -> None:
    """A token is revoked in an emergency: what else it takes down is an outage."""
    target, twin = deed.token(probe), deed.token(probe)
    probe.require_accepted(deed.by(probe, twin))
    ended = READS.by(probe, target)
    revoke(probe, target)
    probe.require_refused(ended, refusals.INVALID, see="revocation.immediate")
    probe.accepts(deed.by(probe, twin), wanted="a 2xx, since another token was revoked", hint=ONLY_ONE)


@covers("revocation.only-target", mode=Mode.FULL)
def test_the_token_that_revokes_is_not_touched(probe: Probe) -> None:
    """The admin token in the header is not the one in the path."""
    revoke(probe, disposable(probe, at_least=True))
    probe.accepts(ADMINISTERS.ask(probe), wanted="a 2xx, since another token was revoked", hint=ONLY_ONE)


@covers("revocation.covers-grace", mode=Mode.FULL)
def test_a_secret_in_its_grace_is_revoked_with_its_token(probe: Probe) -> None:
    """Whoever revokes after a leak must not leave the leaked secret its 24 hours."""
    rotation = rotate(probe, READS.token(probe))
    following = READS.by(probe, rotation.old)
    probe.require_accepted(following, see="rotation.grace-holds")
    revoke(probe, rotation.new)
    ended = READS.by(probe, rotation.new)
    probe.require_refused(ended, refusals.INVALID, see="revocation.immediate")
    refuses_ended(
        probe,
        following,
        as_=ENDED,
        change="a secret in its grace, of a token that was revoked",
        hint="revoking ends every secret of the token, the rotated-out ones too",
    )


@covers("revocation.unknown-id", mode=Mode.FULL)
def test_revoking_an_unknown_id_is_not_found(probe: Probe) -> None:
    """Who mistypes an id must not take it that the token is dead now."""
    token = disposable(probe, at_least=True)
    control = revocation_request(probe, token)
    probe.baseline(control).refuses(
        control.at(REVOKE.concrete(quote(absent_id(str(token.id)), safe=""))),
        refusals.NOT_FOUND,
        change="the id of no token",
    )


@covers("revocation.unknown-id", mode=Mode.FULL)
def test_another_tenants_id_is_not_found(probe: Probe) -> None:
    """What another tenant owns is not visible, and so does not exist: 404."""
    control = revocation_request(probe, disposable(probe, at_least=True))
    theirs = revocation_request(probe, strangers_token(probe))
    probe.baseline(control).refuses(
        theirs,
        refusals.NOT_FOUND,
        change="the id of another tenant's token",
        hint="a token is looked for among those of the caller's tenant only",
    )


@covers("revocation.unknown-id", mode=Mode.FULL)
def test_revoking_twice_is_no_error_of_the_server(probe: Probe) -> None:
    """A DELETE may be sent again by whoever missed the answer: a 2xx, 404 or 410."""
    request = revocation_request(probe, disposable(probe, at_least=True))
    probe.require_proven(request)
    again = probe.send(request)
    probe.require_accepted(ADMINISTERS.ask(probe), see="revocation.only-target")
    probe.expect(
        "a 2xx, 404 or 410",
        holds=again.response.ok or GONE.accepts(again.response),
        got=refusals.describe(again.response),
        exchange=again,
        change="the same DELETE a second time",
    )
