"""Revoking: immediate, whole, and of one token only (guide, Revoking)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from paylera_conformance.probe import refusals
from paylera_conformance.probe.marks import covers
from paylera_conformance.probe.probe import Probe
from paylera_conformance.scenarios import workers
from paylera_conformance.scenarios.further_cases import drop_where_blocked
from paylera_conformance.scenarios.other_environment import OtherEnvironment
from paylera_conformance.scenarios.token_lifecycle import (
    disposable_token,
    expect_granted_to_admin,
    revocation_request,
    revoke,
    rotate,
    rotate_repeatedly,
    rotation_request,
    token_made_by,
)
from paylera_conformance.scenarios.token_uses import (
    ADMINISTERS,
    NO_ADMINS,
    READS,
    TOKEN_USES,
    Attempt,
    TokenUse,
    expect_ended,
    expect_no_admin_may,
    expect_other_tenants_id_refused,
    expect_unknown_id_refused,
)
from paylera_conformance.scenarios.workers import expect_refused_everywhere, require_known_everywhere
from paylera_conformance.target.settings import Mode
from paylera_fixtures.api.operations import BY_ID
from paylera_fixtures.vocabulary import Audience

ONLY_ONE = "a DELETE ends the token that its path names, and no other"
ROTATIONS = 3
SEE_IMMEDIATE = "revocation.immediate"
"""How a revoked secret is refused is what this clause says; the others only ask that it no longer works."""


@covers("revocation.immediate", mode=Mode.FULL)
@pytest.mark.parametrize("use", TOKEN_USES.values(), ids=TOKEN_USES)
def test_the_next_request_of_a_revoked_token_is_refused(probe: Probe, use: TokenUse) -> None:
    """A leaked token may be in use already, so that not one request more may be accepted."""
    token = use.token(probe)
    # It is used before, so that whoever keeps tokens in a cache has this one there, and twice, since it may itself
    # have been ended by what it did.
    for _ in range(2):
        probe.require_accepted(use.request_by(probe, token))
    following = use.request_by(probe, token)
    expect_granted_to_admin(probe, revocation_request(probe, token), hint="the guide has an admin token revoke")
    expect_ended(
        probe,
        following,
        refusals.INVALID,
        change="the token was revoked by the request before",
        hint="a token that is looked up in a cache must leave it when it is revoked",
    )


@covers("revocation.immediate", mode=Mode.FULL)
def test_who_revokes_itself_is_refused_from_then_on(probe: Probe) -> None:
    """An operator's token may be the one that leaked."""
    with drop_where_blocked():
        token = ADMINISTERS.token(probe)
        following = ADMINISTERS.request_by(probe, token)
        probe.require_accepted(revocation_request(probe, token).by(token))
    change = "the token has revoked itself by the request before"
    expect_ended(probe, following, refusals.INVALID, change=change, hint="whoever asks, a DELETE ends the token")


@covers("revocation.immediate", mode=Mode.FULL, each_operation=True)
@pytest.mark.parametrize("use", workers.USES.values(), ids=workers.USES)
def test_every_worker_knows_that_a_token_was_revoked(probe: Probe, use: TokenUse) -> None:
    """Behind one address there may be many processes, and the one that is asked next knows it too."""
    token = use.token(probe)
    request = use.request_by(probe, token)
    require_known_everywhere(probe, request)
    revoke(probe, token)
    expect_refused_everywhere(
        probe,
        request,
        refusals.INVALID,
        change="the token was revoked by the request before",
        hint="a process that keeps tokens must learn of a revocation before it is answered",
    )
    probe.require_accepted(request.by(use.token(probe)))
    probe.proofs += 1


@covers("revocation.immediate", mode=Mode.FULL)
def test_nothing_brings_a_revoked_token_back(probe: Probe) -> None:
    """Whoever missed the answer sends the DELETE again, and a script that rotates all tokens comes by every night."""
    token = READS.token(probe)
    following = READS.request_by(probe, token)
    probe.require_accepted(following)
    revoke(probe, token)
    probe.require_refused(following, refusals.INVALID, see=SEE_IMMEDIATE)
    probe.send(revocation_request(probe, token))
    hint = "revoking is final: what is refused or repeated afterwards changes nothing of that"
    expect_ended(probe, following, refusals.INVALID, change="a token whose DELETE was sent a second time", hint=hint)
    with drop_where_blocked():
        probe.require_refused(rotation_request(probe, token), see="rotation.revoked-stays")
    expect_ended(probe, following, refusals.INVALID, change="a token that could not be rotated", hint=hint)


@covers("revocation.immediate", mode=Mode.FULL, each_operation=True)
def test_a_token_made_in_the_other_environment_ends_there(probe: Probe) -> None:
    """What is made through the API of that environment is revoked through it."""
    there = OtherEnvironment.of(probe)
    with drop_where_blocked():
        admin, accepted = there.token(Audience.ADMIN), there.request(BY_ID["list_customers"], there.token())
        made = token_made_by(probe, admin)
        following = accepted.by(made)
        probe.require_accepted(following)
        probe.require_accepted(replace(revocation_request(probe, made), token=admin, live=True))
    change = "the token was revoked by the request before, in the other environment"
    hint = "what is so of a token in one environment is so in the other"
    probe.baseline(replace(accepted, consumes=True)).refuses(following, refusals.INVALID, change=change, hint=hint)


@covers("revocation.needs-admin", mode=Mode.FULL)
@pytest.mark.parametrize(("who", "prepare"), NO_ADMINS.values(), ids=NO_ADMINS)
def test_nobody_but_an_admin_revokes(probe: Probe, who: str, prepare: Callable[[Probe], Attempt]) -> None:
    """A leaked token must not be able to lock its owner out."""
    expect_no_admin_may(probe, who, prepare, revocation_request)


@covers("revocation.needs-admin", mode=Mode.FULL)
def test_a_refused_revocation_revokes_nothing(probe: Probe) -> None:
    """The refusal comes before the effect."""
    target = disposable_token(probe, "target", at_least=True)
    probe.require_accepted(READS.request_by(probe, target))
    probe.send(revocation_request(probe, target).by(probe.tokens.service))
    probe.accepts(
        READS.request_by(probe, target),
        wanted="a 2xx, since nobody but a service token has tried to revoke the token",
        hint="the refusal must come before the effect",
    )


@covers("revocation.only-target", mode=Mode.FULL)
@pytest.mark.parametrize("use", TOKEN_USES.values(), ids=[f"another-that-{name}" for name in TOKEN_USES])
def test_no_other_token_is_touched(probe: Probe, use: TokenUse) -> None:
    """A token is revoked in an emergency: every other token that ends with it is an outage."""
    target, twin = use.token(probe), use.token(probe)
    probe.require_accepted(use.request_by(probe, twin))
    read = READS.request_by(probe, target)
    revoke(probe, target)
    probe.require_refused(read, refusals.INVALID, see=SEE_IMMEDIATE)
    probe.accepts(use.request_by(probe, twin), wanted="a 2xx, since another token was revoked", hint=ONLY_ONE)


@covers("revocation.only-target", mode=Mode.FULL, each_operation=True)
def test_a_namesake_is_not_touched(probe: Probe) -> None:
    """A name is for people: two tokens may have the same, and the path names one of them by its id."""
    name = probe.factory.unique_name()
    with drop_where_blocked():
        admin = probe.tokens.admin
        first, second, third = (token_made_by(probe, admin, name=name) for _ in range(3))
    reads = [READS.request_by(probe, token) for token in (first, second, third)]
    for read in reads:
        probe.require_accepted(read)
    revoke(probe, second)
    probe.send(reads[1])  # that it is let in still is seen for revocation.immediate
    # The first may be the one that is found by the name, and so the one that is ended.
    for number, read in ((1, reads[0]), (3, reads[2])):
        wanted = f"a 2xx for the token {number} of three with one name, of which the second was revoked"
        probe.accepts(read, wanted=wanted, hint=ONLY_ONE)
    probe.require_refused(reads[1], refusals.INVALID, see=SEE_IMMEDIATE)


@covers("revocation.only-target", mode=Mode.FULL)
def test_the_token_that_revokes_is_not_touched(probe: Probe) -> None:
    """The admin token in the header is not the one in the path."""
    revoke(probe, disposable_token(probe, at_least=True))
    probe.accepts(ADMINISTERS.make_request(probe), wanted="a 2xx, since another token was revoked", hint=ONLY_ONE)


@covers("revocation.only-target", mode=Mode.FULL, each_operation=True)
def test_what_a_token_has_made_is_not_touched(probe: Probe) -> None:
    """An operator who leaves must not take along the tokens that run the business."""
    with drop_where_blocked():
        maker = ADMINISTERS.token(probe)
        made = token_made_by(probe, maker)
    probe.require_accepted(READS.request_by(probe, made))
    revoke(probe, maker)
    wanted = "a 2xx for a token that the revoked one had made"
    probe.accepts(READS.request_by(probe, made), wanted=wanted, hint=ONLY_ONE)


@covers("revocation.covers-grace", mode=Mode.FULL)
def test_a_secret_in_its_grace_is_revoked_with_its_token(probe: Probe) -> None:
    """Whoever revokes after a leak must not leave the leaked secret its 24 hours."""
    rotation = rotate(probe, READS.token(probe))
    following = READS.request_by(probe, rotation.old)
    probe.require_accepted(following, see="rotation.grace-holds")
    revoke(probe, rotation.new)
    probe.require_refused(READS.request_by(probe, rotation.new), refusals.INVALID, see=SEE_IMMEDIATE)
    expect_ended(
        probe,
        following,
        refusals.FORBIDDEN,
        change="a secret in its grace, of a token that was revoked",
        hint="revoking ends every secret of the token, the rotated-out ones too",
    )


@covers("revocation.covers-grace", mode=Mode.FULL)
def test_every_secret_in_its_grace_is_revoked_with_its_token(probe: Probe) -> None:
    """A token may have been rotated more than once since it leaked, and the leaked secret may be any of them."""
    rotations = rotate_repeatedly(probe, READS.token(probe), ROTATIONS)
    following = [READS.request_by(probe, rotation.old) for rotation in rotations]
    for request in following:
        probe.require_accepted(request, see="rotation.again")
    revoke(probe, rotations[-1].new)
    for number, request in enumerate(following, 1):
        expect_ended(
            probe,
            request,
            refusals.FORBIDDEN,
            change=f"the secret that the rotation {number} of {ROTATIONS} ended, of a token that was revoked",
            hint="revoking ends every secret of the token, however many were rotated out",
        )


@covers("revocation.unknown-id", mode=Mode.FULL)
def test_revoking_an_unknown_id_is_not_found(probe: Probe) -> None:
    """Who mistypes an id must not take it that the token is dead now."""
    expect_unknown_id_refused(probe, revocation_request)


@covers("revocation.unknown-id", mode=Mode.FULL)
def test_another_tenants_id_is_not_found(probe: Probe) -> None:
    """What another tenant owns is not visible, and so does not exist: 404."""
    expect_other_tenants_id_refused(probe, revocation_request)


@covers("revocation.unknown-id", mode=Mode.FULL)
def test_revoking_twice_is_no_error_of_the_server(probe: Probe) -> None:
    """A DELETE may be sent again by whoever missed the answer: a 2xx, 404 or 410."""
    request = revocation_request(probe, disposable_token(probe, at_least=True))
    probe.require_proven(request)
    again = probe.send(request)
    probe.require_accepted(ADMINISTERS.make_request(probe), see="revocation.only-target")
    probe.expect(
        again,
        "a 2xx, 404 or 410",
        holds=again.response.ok or refusals.GONE.accepts(again.response),
        change="the same DELETE a second time",
    )
