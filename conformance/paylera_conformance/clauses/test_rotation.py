"""Rotating: a new secret at once, the old one for a day more, and the token otherwise as it was."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from paylera_conformance.probe import refusals
from paylera_conformance.probe.issued_secrets import issued_secrets
from paylera_conformance.probe.marks import covers, each
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
    blocked_unless_accepted,
    blocked_unless_refused,
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
def test_rotating_gives_a_new_secret(paylera_probe: Probe) -> None:
    """What leaked is replaced, in the environment that it is for."""
    old = disposable(paylera_probe, at_least=True)
    exchange = granted(paylera_probe, rotation_request(paylera_probe, old), hint="the guide has an admin token rotate")
    new = issued_secrets(exchange, other_than=old)
    paylera_probe.expect(
        "one new secret of the form sk_<env>_<random>, different from the old", holds=len(new) == 1,
        got=f"{len(new)} of them",
    )  # fmt: skip
    paylera_probe.expect(
        f"a secret of {old.environment}", holds=environment_of(new[0]) is old.environment,
        got=f"one of {environment_of(new[0])}",
    )  # fmt: skip


@covers("rotation.new-works", mode=Mode.FULL)
def test_the_new_secret_works_at_once(paylera_probe: Probe) -> None:
    """Who rotates deploys the new secret in the same minute."""
    new = used_and_rotated(paylera_probe, READS).new
    paylera_probe.accepts(READS.by(paylera_probe, new), wanted="a 2xx for the new secret")


@covers("rotation.new-works", mode=Mode.FULL)
def test_the_new_secret_outlives_the_grace(paylera_probe: Probe) -> None:
    """What ends after 24 hours is the old secret."""
    start = paylera_probe.clock.now()
    new = used_and_rotated(paylera_probe, READS).new
    paylera_probe.clock.to(start, hours=25)
    paylera_probe.accepts(READS.by(paylera_probe, new), wanted="a 2xx for the new secret, 25 hours after the rotation")


@covers("rotation.grace-holds", mode=Mode.FULL)
@each_deed()
def test_the_old_secret_still_works_at_once(paylera_probe: Probe, deed: TokenUse) -> None:
    """Instances that run with the old secret must not fail while the new one is deployed."""
    rotation = used_and_rotated(paylera_probe, deed)
    still_accepts(paylera_probe, rotation, deed.by(paylera_probe, rotation.old))


HELD = {"12h": (12, 0, (12, LATEST)), "24h-1s": (24, -1, (23, LATEST))}
"""When the old secret must still work, and between which hours an observer who can only wait may look."""


@covers("rotation.grace-holds", mode=Mode.FULL)
@each_deed()
@pytest.mark.parametrize(("hours", "seconds", "window"), HELD.values(), ids=HELD.keys())
def test_the_old_secret_works_for_a_day(
    paylera_probe: Probe, deed: TokenUse, hours: int, seconds: int, window: tuple[float, float]
) -> None:
    """The whole day is promised, to whatever the token may do."""
    start = paylera_probe.clock.now()
    rotation = used_and_rotated(paylera_probe, deed)
    request = deed.by(paylera_probe, rotation.old)
    paylera_probe.clock.to(rotation.before or start, hours=hours, seconds=seconds, window=window)
    still_accepts(paylera_probe, rotation, request)


@covers("rotation.grace-ends", mode=Mode.FULL)
@each_deed()
@pytest.mark.parametrize(("hours", "seconds"), [(24, 1), (48, 0)], ids=["24h+1s", "48h"])
def test_the_old_secret_ends_after_a_day(paylera_probe: Probe, deed: TokenUse, hours: int, seconds: int) -> None:
    """A leaked secret is harmless a day after the rotation, and its user is told why it fails."""
    start = paylera_probe.clock.now()
    rotation = used_and_rotated(paylera_probe, deed)
    paylera_probe.clock.to(rotation.after or start, hours=hours, seconds=seconds)
    blocked_unless_recognised(paylera_probe, rotation.new)
    control = deed.by(paylera_probe, rotation.new)
    paylera_probe.refuses(
        control.by(rotation.old), control=control, as_=refusals.EXPIRED,
        change=f"the secret that was rotated out {hours} h {seconds} s ago, in place of the new one",
        hint="the old secret works for 24 hours after the rotation, and no longer",
    )  # fmt: skip


@covers("rotation.grace-ends")
def test_a_secret_rotated_out_long_ago_is_expired(paylera_probe: Probe) -> None:
    """Where time cannot be moved, a secret that is known to be past its grace shows how that is told."""
    control = paylera_probe.shop.request_for(LIST)
    paylera_probe.refuses(
        control.by(expired(paylera_probe)), control=control, as_=refusals.EXPIRED,
        change="a secret that was rotated out more than 24 hours ago",
    )  # fmt: skip


@covers("rotation.secret-once", mode=Mode.FULL)
def test_reading_a_token_never_shows_its_secrets(paylera_probe: Probe) -> None:
    """A secret is shown once, so that whoever can read the token cannot become it."""
    rotation = used_and_rotated(paylera_probe, READS)
    views = views_of(paylera_probe, rotation)
    showing = [view for view in views if shows_secret(paylera_probe, rotation, view)]
    paylera_probe.expect(
        "no secret in a read of the token", holds=not showing, got="one, at least in part",
        exchange=(showing or views)[0], hint="the answer to the rotation is the only one that holds the secret",
    )  # fmt: skip


@covers("rotation.keeps-grants", mode=Mode.FULL)
@each_grant(KEPT)
def test_the_new_secret_may_what_the_old_could(paylera_probe: Probe, grant: GrantCheck) -> None:
    """A rotation that takes something away is an outage."""
    old = grant.token(paylera_probe)
    paylera_probe.control(grant.ask(paylera_probe).by(old))
    new = rotate(paylera_probe, old).new
    blocked_unless_recognised(paylera_probe, new)
    paylera_probe.accepts(
        grant.ask(paylera_probe).by(new), wanted="a 2xx, as for the old secret", hint=f"rotating keeps the {grant.what}"
    )


@covers("rotation.keeps-grants", mode=Mode.FULL)
@each_grant(WITHHELD)
def test_the_new_secret_may_not_what_the_old_could_not(paylera_probe: Probe, grant: GrantCheck) -> None:
    """A rotation that adds something is an escalation."""
    old = grant.token(paylera_probe)
    refusal = grant.refusal(paylera_probe)
    blocked_unless_refused(
        paylera_probe, grant.ask(paylera_probe).by(old), as_=refusal, see="the clauses on audience, scope and aal2"
    )
    new = rotate(paylera_probe, old).new
    blocked_unless_recognised(paylera_probe, new)
    control = grant.ask(paylera_probe)
    paylera_probe.refuses(
        control.by(new), control=control, as_=refusal, change=f"the new secret of a token {grant.name}",
        hint=f"rotating keeps the {grant.what}",
    )  # fmt: skip


@covers("rotation.needs-admin", mode=Mode.FULL)
@each_no_admin()
def test_nobody_but_an_admin_rotates(paylera_probe: Probe, who: str) -> None:
    """Who holds a leaked token must not get a fresh one by it."""
    refuses_no_admin(paylera_probe, who, rotation_request)


@covers("rotation.needs-admin", mode=Mode.FULL)
def test_a_refused_rotation_starts_no_grace(paylera_probe: Probe) -> None:
    """The refusal comes before the effect: the secret is not a day from its end."""
    start = paylera_probe.clock.now()
    target = disposable(paylera_probe, "target", at_least=True)
    paylera_probe.control(READS.by(paylera_probe, target))
    paylera_probe.send(rotation_request(paylera_probe, target).by(paylera_probe.shop.service))
    paylera_probe.clock.to(start, hours=25)
    paylera_probe.accepts(
        READS.by(paylera_probe, target),
        wanted="a 2xx, since nobody but a service token has tried to rotate the token",
        hint="the refusal must come before the effect",
    )


@covers("rotation.unknown-id", mode=Mode.FULL)
def test_rotating_an_unknown_id_is_not_found(paylera_probe: Probe) -> None:
    """Who mistypes an id must not take it that the token is rotated."""
    token = disposable(paylera_probe, at_least=True)
    control = rotation_request(paylera_probe, token)
    paylera_probe.refuses(
        control.at(ROTATE.concrete(quote(absent_id(str(token.id)), safe=""))), control=control,
        as_=refusals.NOT_FOUND, change="the id of no token",
    )  # fmt: skip


@covers("rotation.unknown-id", mode=Mode.FULL)
def test_another_tenants_id_is_not_found(paylera_probe: Probe) -> None:
    """What another tenant owns is not visible, and so does not exist: 404, and no secret of theirs."""
    control = rotation_request(paylera_probe, disposable(paylera_probe, at_least=True))
    theirs = rotation_request(paylera_probe, strangers_token(paylera_probe))
    paylera_probe.refuses(
        theirs, control=control, as_=refusals.NOT_FOUND, change="the id of another tenant's token",
        hint="a token is looked for among those of the caller's tenant only",
    )  # fmt: skip


@covers("rotation.revoked-stays", mode=Mode.FULL)
def test_rotating_a_revoked_token_brings_nothing_back(paylera_probe: Probe) -> None:
    """Revoking is final, or a rotation script undoes it."""
    dead = revoked(paylera_probe)
    reading = paylera_probe.shop.request_for(LIST)
    blocked_unless_refused(paylera_probe, reading.by(dead), as_=refusals.INVALID, see="revocation.immediate")
    control = rotation_request(paylera_probe, disposable(paylera_probe, at_least=True))
    paylera_probe.refuses(
        rotation_request(paylera_probe, dead), control=control, as_=refusals.ANY_REFUSAL, change="a revoked token's id"
    )
    paylera_probe.refuses(
        reading.by(dead), control=reading, as_=refusals.INVALID,
        change="a revoked token that was then to be rotated", hint="rotating revives nothing",
    )  # fmt: skip


@covers("rotation.again", mode=Mode.FULL)
def test_the_newest_secret_works_at_once(paylera_probe: Probe) -> None:
    """A second leak within the day must not have to wait for the first grace to end."""
    first = used_and_rotated(paylera_probe, READS)
    second = rotate(paylera_probe, first.new)
    paylera_probe.accepts(READS.by(paylera_probe, second.new), wanted="a 2xx for the secret of the second rotation")


def rotated_twice(probe: Probe) -> tuple[Rotation, Rotation]:
    """A token rotated, and rotated again 12 hours later; both older secrets had worked until then."""
    start = probe.clock.now()
    first = used_and_rotated(probe, READS)
    probe.clock.to(start, hours=12, window=(12, LATEST))
    blocked_unless_accepted(probe, READS.by(probe, first.old), see="rotation.grace-holds")
    blocked_unless_accepted(probe, READS.by(probe, first.new), see="rotation.new-works")
    return first, rotate(probe, first.new)


@covers("rotation.again", mode=Mode.FULL)
@pytest.mark.parametrize("which", [0, 1], ids=["oldest", "older"])
def test_each_older_secret_has_its_own_day(paylera_probe: Probe, which: int) -> None:
    """A second rotation takes nothing from the grace of a secret that was promised one."""
    start = paylera_probe.clock.now()
    rotation = rotated_twice(paylera_probe)[which]
    paylera_probe.clock.to(rotation.before or start, hours=23, window=(23, LATEST))
    paylera_probe.accepts(
        READS.by(paylera_probe, rotation.old), wanted="a 2xx 23 hours after the rotation that ended the secret",
        hint="each older secret works for 24 hours after the rotation that ended it",
    )  # fmt: skip


@covers("rotation.again", mode=Mode.FULL)
@pytest.mark.parametrize("which", [0, 1], ids=["oldest", "older"])
def test_each_older_secret_ends_after_its_own_day(paylera_probe: Probe, which: int) -> None:
    """A second rotation adds nothing to the grace of a leaked secret."""
    start = paylera_probe.clock.now()
    rotations = rotated_twice(paylera_probe)
    paylera_probe.clock.to(rotations[which].after or start, hours=25)
    control = READS.by(paylera_probe, rotations[1].new)
    paylera_probe.refuses(
        control.by(rotations[which].old), control=control, as_=ENDED,
        change="an older secret, 25 hours after the rotation that ended it",
        hint="each older secret works for 24 hours after the rotation that ended it, and no longer",
    )  # fmt: skip


@covers("rotation.not-cacheable", each_operation=True)
@each(lambda operation: operation.id in ISSUING)
def test_an_answer_with_a_secret_is_not_stored(paylera_probe: Probe, operation: Operation) -> None:
    """A cache on the way would keep the secret that is shown only once."""
    answer = issuing(paylera_probe, paylera_probe.shop.request_for(operation))
    directives = (answer.response.header("Cache-Control") or "").lower().replace(" ", "").split(",")
    paylera_probe.expect(
        "Cache-Control: no-store", holds=NO_STORE in directives,
        got=answer.response.header("Cache-Control") or "no Cache-Control", exchange=answer,
    )  # fmt: skip
