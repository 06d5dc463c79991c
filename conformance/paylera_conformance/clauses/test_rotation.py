"""Rotating: a new secret at once, the old one for a day more, and the token otherwise as it was."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from paylera_conformance.probe import refusals
from paylera_conformance.probe.answers import find_secrets
from paylera_conformance.probe.marks import covers, each_operation
from paylera_conformance.probe.probe import Probe
from paylera_conformance.probe.refusals import Refusal
from paylera_conformance.scenarios.rotation import (
    KEPT,
    WITHHELD,
    GrantCheck,
    blocked_unless_recognised,
    each_grant,
    issuing,
    shows_secret,
    still_accepts,
    used_and_rotated,
    views_of,
)
from paylera_conformance.scenarios.token_lifecycle import (
    ROTATE,
    Rotation,
    absent_id,
    disposable,
    expired,
    granted,
    revoked,
    rotate,
    rotation_request,
)
from paylera_conformance.scenarios.token_uses import (
    READS,
    TokenUse,
    each_deed,
    each_no_admin,
    refuses_no_admin,
    strangers_token,
)
from paylera_conformance.target.settings import Mode
from paylera_fixtures.api.operations import BY_ID, Operation
from paylera_fixtures.tokens import environment_of

NO_STORE = "no-store"
ENDED = Refusal(frozenset({401, 403}), needs_problem=False)
"""That a secret no longer works; how one whose grace is over is refused is what rotation.grace-ends says."""
LATEST = 23.9
"""Hours after a rotation until which a secret in its grace is looked at, where time is only waited for."""

LIST = BY_ID["list_customers"]
ISSUING = frozenset({"rotate_api_token", "create_api_token"})


@covers("rotation.new-secret", mode=Mode.FULL)
def test_rotating_gives_a_new_secret(probe: Probe) -> None:
    """What leaked is replaced, in the environment that it is for."""
    old = disposable(probe, at_least=True)
    exchange = granted(probe, rotation_request(probe, old), hint="the guide has an admin token rotate")
    new = find_secrets(exchange, other_than=old)
    probe.expect(
        "one new secret of the form sk_<env>_<random>, different from the old",
        holds=len(new) == 1,
        got=f"{len(new)} of them",
    )
    probe.expect(
        f"a secret of {old.environment}",
        holds=environment_of(new[0]) is old.environment,
        got=f"one of {environment_of(new[0])}",
    )


@covers("rotation.new-works", mode=Mode.FULL)
def test_the_new_secret_works_at_once(probe: Probe) -> None:
    """Who rotates deploys the new secret in the same minute."""
    new = used_and_rotated(probe, READS).new
    probe.accepts(READS.by(probe, new), wanted="a 2xx for the new secret")


@covers("rotation.new-works", mode=Mode.FULL)
def test_the_new_secret_outlives_the_grace(probe: Probe) -> None:
    """What ends after 24 hours is the old secret."""
    start = probe.clock.now()
    new = used_and_rotated(probe, READS).new
    probe.clock.move_to(start, hours=25)
    probe.accepts(READS.by(probe, new), wanted="a 2xx for the new secret, 25 hours after the rotation")


@covers("rotation.grace-holds", mode=Mode.FULL)
@each_deed()
def test_the_old_secret_still_works_at_once(probe: Probe, deed: TokenUse) -> None:
    """Instances that run with the old secret must not fail while the new one is deployed."""
    rotation = used_and_rotated(probe, deed)
    still_accepts(probe, rotation, deed.by(probe, rotation.old))


HELD = {"12h": (12, 0, (12, LATEST)), "24h-1s": (24, -1, (23, LATEST))}
"""When the old secret must still work, and between which hours an observer who can only wait may look."""


@covers("rotation.grace-holds", mode=Mode.FULL)
@each_deed()
@pytest.mark.parametrize(("hours", "seconds", "window"), HELD.values(), ids=HELD.keys())
def test_the_old_secret_works_for_a_day(
    probe: Probe, deed: TokenUse, hours: int, seconds: int, window: tuple[float, float]
) -> None:
    """The whole day is promised, to whatever the token may do."""
    start = probe.clock.now()
    rotation = used_and_rotated(probe, deed)
    request = deed.by(probe, rotation.old)
    probe.clock.move_to(rotation.before or start, hours=hours, seconds=seconds, window=window)
    still_accepts(probe, rotation, request)


@covers("rotation.grace-ends", mode=Mode.FULL)
@each_deed()
@pytest.mark.parametrize(("hours", "seconds"), [(24, 1), (48, 0)], ids=["24h+1s", "48h"])
def test_the_old_secret_ends_after_a_day(probe: Probe, deed: TokenUse, hours: int, seconds: int) -> None:
    """A leaked secret is harmless a day after the rotation, and its user is told why it fails."""
    start = probe.clock.now()
    rotation = used_and_rotated(probe, deed)
    probe.clock.move_to(rotation.after or start, hours=hours, seconds=seconds)
    blocked_unless_recognised(probe, rotation.new)
    control = deed.by(probe, rotation.new)
    probe.baseline(control).refuses(
        control.by(rotation.old),
        refusals.EXPIRED,
        change=f"the secret that was rotated out {hours} h {seconds} s ago, in place of the new one",
        hint="the old secret works for 24 hours after the rotation, and no longer",
    )


@covers("rotation.grace-ends")
def test_a_secret_rotated_out_long_ago_is_expired(probe: Probe) -> None:
    """Where time cannot be moved, a secret that is known to be past its grace shows how that is told."""
    control = probe.factory.request_for(LIST)
    probe.baseline(control).refuses(
        control.by(expired(probe)), refusals.EXPIRED, change="a secret that was rotated out more than 24 hours ago"
    )


@covers("rotation.secret-once", mode=Mode.FULL)
def test_reading_a_token_never_shows_its_secrets(probe: Probe) -> None:
    """A secret is shown once, so that whoever can read the token cannot become it."""
    rotation = used_and_rotated(probe, READS)
    views = views_of(probe, rotation)
    showing = [view for view in views if shows_secret(probe, rotation, view)]
    probe.expect(
        "no secret in a read of the token",
        holds=not showing,
        got="one, at least in part",
        exchange=(showing or views)[0],
        hint="the answer to the rotation is the only one that holds the secret",
    )


@covers("rotation.keeps-grants", mode=Mode.FULL)
@each_grant(KEPT)
def test_the_new_secret_may_what_the_old_could(probe: Probe, grant: GrantCheck) -> None:
    """A rotation that takes something away is an outage."""
    old = grant.token(probe)
    probe.require_accepted(grant.ask(probe).by(old))
    new = rotate(probe, old).new
    blocked_unless_recognised(probe, new)
    probe.accepts(
        grant.ask(probe).by(new), wanted="a 2xx, as for the old secret", hint=f"rotating keeps the {grant.what}"
    )


@covers("rotation.keeps-grants", mode=Mode.FULL)
@each_grant(WITHHELD)
def test_the_new_secret_may_not_what_the_old_could_not(probe: Probe, grant: GrantCheck) -> None:
    """A rotation that adds something is an escalation."""
    old = grant.token(probe)
    refusal = grant.refusal
    probe.require_refused(grant.ask(probe).by(old), refusal, see="the clauses on audience, scope and aal2")
    new = rotate(probe, old).new
    blocked_unless_recognised(probe, new)
    control = grant.ask(probe)
    probe.baseline(control).refuses(
        control.by(new),
        refusal,
        change=f"the new secret of a token {grant.name}",
        hint=f"rotating keeps the {grant.what}",
    )


@covers("rotation.needs-admin", mode=Mode.FULL)
@each_no_admin()
def test_nobody_but_an_admin_rotates(probe: Probe, who: str) -> None:
    """Who holds a leaked token must not get a fresh one by it."""
    refuses_no_admin(probe, who, rotation_request)


@covers("rotation.needs-admin", mode=Mode.FULL)
def test_a_refused_rotation_starts_no_grace(probe: Probe) -> None:
    """The refusal comes before the effect: the secret is not a day from its end."""
    start = probe.clock.now()
    target = disposable(probe, "target", at_least=True)
    probe.require_accepted(READS.by(probe, target))
    probe.send(rotation_request(probe, target).by(probe.tokens.service))
    probe.clock.move_to(start, hours=25)
    probe.accepts(
        READS.by(probe, target),
        wanted="a 2xx, since nobody but a service token has tried to rotate the token",
        hint="the refusal must come before the effect",
    )


@covers("rotation.unknown-id", mode=Mode.FULL)
def test_rotating_an_unknown_id_is_not_found(probe: Probe) -> None:
    """Who mistypes an id must not take it that the token is rotated."""
    token = disposable(probe, at_least=True)
    control = rotation_request(probe, token)
    probe.baseline(control).refuses(
        control.at(ROTATE.concrete(quote(absent_id(str(token.id)), safe=""))),
        refusals.NOT_FOUND,
        change="the id of no token",
    )


@covers("rotation.unknown-id", mode=Mode.FULL)
def test_another_tenants_id_is_not_found(probe: Probe) -> None:
    """What another tenant owns is not visible, and so does not exist: 404, and no secret of theirs."""
    control = rotation_request(probe, disposable(probe, at_least=True))
    theirs = rotation_request(probe, strangers_token(probe))
    probe.baseline(control).refuses(
        theirs,
        refusals.NOT_FOUND,
        change="the id of another tenant's token",
        hint="a token is looked for among those of the caller's tenant only",
    )


@covers("rotation.revoked-stays", mode=Mode.FULL)
def test_rotating_a_revoked_token_brings_nothing_back(probe: Probe) -> None:
    """Revoking is final, or a rotation script undoes it."""
    dead = revoked(probe)
    reading = probe.factory.request_for(LIST)
    probe.require_refused(reading.by(dead), refusals.INVALID, see="revocation.immediate")
    control = rotation_request(probe, disposable(probe, at_least=True))
    probe.baseline(control).refuses(rotation_request(probe, dead), refusals.ANY_REFUSAL, change="a revoked token's id")
    probe.baseline(reading).refuses(
        reading.by(dead),
        refusals.INVALID,
        change="a revoked token that was then to be rotated",
        hint="rotating revives nothing",
    )


@covers("rotation.again", mode=Mode.FULL)
def test_the_newest_secret_works_at_once(probe: Probe) -> None:
    """A second leak within the day must not have to wait for the first grace to end."""
    first = used_and_rotated(probe, READS)
    second = rotate(probe, first.new)
    probe.accepts(READS.by(probe, second.new), wanted="a 2xx for the secret of the second rotation")


def rotated_twice(probe: Probe) -> tuple[Rotation, Rotation]:
    """A token rotated, and rotated again 12 hours later; both older secrets had worked until then."""
    start = probe.clock.now()
    first = used_and_rotated(probe, READS)
    probe.clock.move_to(start, hours=12, window=(12, LATEST))
    probe.require_accepted(READS.by(probe, first.old), see="rotation.grace-holds")
    probe.require_accepted(READS.by(probe, first.new), see="rotation.new-works")
    return first, rotate(probe, first.new)


@covers("rotation.again", mode=Mode.FULL)
@pytest.mark.parametrize("which", [0, 1], ids=["oldest", "older"])
def test_each_older_secret_has_its_own_day(probe: Probe, which: int) -> None:
    """A second rotation takes nothing from the grace of a secret that was promised one."""
    start = probe.clock.now()
    rotation = rotated_twice(probe)[which]
    probe.clock.move_to(rotation.before or start, hours=23, window=(23, LATEST))
    probe.accepts(
        READS.by(probe, rotation.old),
        wanted="a 2xx 23 hours after the rotation that ended the secret",
        hint="each older secret works for 24 hours after the rotation that ended it",
    )


@covers("rotation.again", mode=Mode.FULL)
@pytest.mark.parametrize("which", [0, 1], ids=["oldest", "older"])
def test_each_older_secret_ends_after_its_own_day(probe: Probe, which: int) -> None:
    """A second rotation adds nothing to the grace of a leaked secret."""
    start = probe.clock.now()
    rotations = rotated_twice(probe)
    probe.clock.move_to(rotations[which].after or start, hours=25)
    control = READS.by(probe, rotations[1].new)
    probe.baseline(control).refuses(
        control.by(rotations[which].old),
        ENDED,
        change="an older secret, 25 hours after the rotation that ended it",
        hint="each older secret works for 24 hours after the rotation that ended it, and no longer",
    )


@covers("rotation.not-cacheable", each_operation=True)
@each_operation(lambda operation: operation.id in ISSUING)
def test_an_answer_with_a_secret_is_not_stored(probe: Probe, operation: Operation) -> None:
    """A cache on the way would keep the secret that is shown only once."""
    answer = issuing(probe, probe.factory.request_for(operation))
    directives = (answer.response.header("Cache-Control") or "").lower().replace(" ", "").split(",")
    probe.expect(
        "Cache-Control: no-store",
        holds=NO_STORE in directives,
        got=answer.response.header("Cache-Control") or "no Cache-Control",
        exchange=answer,
    )
