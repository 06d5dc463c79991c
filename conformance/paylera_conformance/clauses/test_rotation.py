"""Rotating: a new secret at once, the old one for a day more, the same grants (guide, Rotating a token)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress

import pytest

from paylera_conformance.model.messages import Exchange
from paylera_conformance.model.outcomes import Blocked, Inapplicable
from paylera_conformance.model.tokens import Credential
from paylera_conformance.probe import refusals
from paylera_conformance.probe.answers import find_secrets
from paylera_conformance.probe.marks import covers, each_operation
from paylera_conformance.probe.probe import Probe
from paylera_conformance.scenarios import workers
from paylera_conformance.scenarios.aal2 import aal2_request
from paylera_conformance.scenarios.audit_log import read_grown_log, read_log_pages
from paylera_conformance.scenarios.changes import EXPIRED_TOKEN
from paylera_conformance.scenarios.further_cases import draw_some, drop_where_blocked
from paylera_conformance.scenarios.rotation import (
    KEPT,
    WITHHELD,
    GrantCheck,
    expect_grace_holds,
    expect_no_gain,
    narrow_admin_scopes,
    read_token,
    require_issued,
    require_recognised,
    rotate_itself,
    shows_secret,
    use_and_rotate,
    use_within_grace,
)
from paylera_conformance.scenarios.token_lifecycle import (
    Rotation,
    disposable_token,
    expect_granted_to_admin,
    revoked_token,
    rotate,
    rotate_repeatedly,
    rotation_request,
)
from paylera_conformance.scenarios.token_uses import (
    ADMINISTERS,
    NO_ADMINS,
    READS,
    TOKEN_USES,
    Attempt,
    TokenUse,
    expect_no_admin_may,
    expect_other_tenants_id_refused,
    expect_unknown_id_refused,
)
from paylera_conformance.scenarios.workers import (
    expect_accepted_everywhere,
    expect_refused_everywhere,
    require_known_everywhere,
)
from paylera_conformance.target.provisioner import Need
from paylera_conformance.target.settings import Mode
from paylera_fixtures.api.operations import BY_ID, Operation
from paylera_fixtures.tokens import environment_of
from paylera_fixtures.vocabulary import Audience

LATEST = 23.9
"""Hours after a rotation until which a secret in its grace is looked at, where time is only waited for."""

LIST = BY_ID["list_customers"]
ITSELF = "that a token rotates itself changes nothing of what a rotation does"

each_use = pytest.mark.parametrize("use", TOKEN_USES.values(), ids=TOKEN_USES)


@covers("rotation.new-secret", mode=Mode.FULL)
def test_rotating_gives_a_new_secret(probe: Probe) -> None:
    """What leaked is replaced, in the environment that it is for."""
    old = disposable_token(probe, at_least=True)
    exchange = expect_granted_to_admin(probe, rotation_request(probe, old), hint="the guide has an admin token rotate")
    new = find_secrets(exchange, other_than=old)
    wanted = "one new secret of the form sk_<env>_<random>, different from the old"
    probe.expect(exchange, wanted, holds=len(new) == 1, got=f"{len(new)} of them")
    environment = environment_of(new[0])
    same = environment is old.environment
    probe.expect(exchange, f"a secret of {old.environment}", holds=same, got=f"one of {environment}")


@covers("rotation.new-works", mode=Mode.FULL)
def test_the_new_secret_works_at_once(probe: Probe) -> None:
    """Who rotates deploys the new secret in the same minute."""
    new = use_and_rotate(probe, READS).new
    probe.accepts(READS.request_by(probe, new), wanted="a 2xx for the new secret")


@covers("rotation.new-works", mode=Mode.FULL)
def test_every_worker_knows_the_new_secret(probe: Probe) -> None:
    """Behind one address there may be many processes, and the one that is asked next knows it too."""
    token = READS.token(probe)
    require_known_everywhere(probe, READS.request_by(probe, token))
    new = rotate(probe, token).new
    expect_accepted_everywhere(
        probe,
        READS.request_by(probe, new),
        change="the secret was issued by the request before",
        hint="a process that keeps tokens must learn of a rotation before it is answered",
    )
    probe.count_acceptance(probe.send_without_token(READS.request_by(probe, new)))


@covers("rotation.grace-ends", mode=Mode.FULL, each_operation=True)
@pytest.mark.parametrize("use", workers.USES.values(), ids=workers.USES)
def test_every_worker_knows_that_the_grace_has_ended(probe: Probe, use: TokenUse) -> None:
    """Whoever keeps an old secret for later keeps its end as well."""
    start = probe.clock.now()
    token = use.token(probe)
    rotation = rotate(probe, token)
    request = use.request_by(probe, rotation.old)
    require_known_everywhere(probe, request)
    probe.clock.move_to(rotation.after or start, hours=24, seconds=1)
    expect_refused_everywhere(
        probe,
        request,
        refusals.EXPIRED,
        change="the secret was rotated out 24 h 1 s ago",
        hint="a process that keeps secrets must keep their end as well",
    )
    probe.require_accepted(request.by(rotation.new))
    probe.proofs += 1


@covers("rotation.new-works", mode=Mode.FULL)
def test_the_new_secret_outlives_the_grace(probe: Probe) -> None:
    """What ends after 24 hours is the old secret."""
    start = probe.clock.now()
    new = use_and_rotate(probe, READS).new
    probe.clock.move_to(start, hours=25)
    probe.accepts(READS.request_by(probe, new), wanted="a 2xx for the new secret, 25 hours after the rotation")


@covers("rotation.grace-holds", mode=Mode.FULL)
@each_use
def test_the_old_secret_still_works_at_once(probe: Probe, use: TokenUse) -> None:
    """Instances that run with the old secret must not fail while the new one is deployed."""
    rotation = use_and_rotate(probe, use)
    expect_grace_holds(probe, rotation, use.request_by(probe, rotation.old))


HELD = {"12h": (12, 0, (12, LATEST)), "24h-1s": (24, -1, (23, LATEST))}
"""When the old secret must still work, and between which hours an observer who can only wait may look."""


@covers("rotation.grace-holds", mode=Mode.FULL)
@each_use
@pytest.mark.parametrize(("hours", "seconds", "window"), HELD.values(), ids=HELD)
def test_the_old_secret_works_for_a_day(
    probe: Probe, use: TokenUse, hours: int, seconds: int, window: tuple[float, float]
) -> None:
    """The whole day is promised, to whatever the token may do."""
    start = probe.clock.now()
    rotation = use_and_rotate(probe, use)
    request = use.request_by(probe, rotation.old)
    probe.clock.move_to(rotation.before or start, hours=hours, seconds=seconds, window=window)
    expect_grace_holds(probe, rotation, request)


@covers("rotation.grace-ends", mode=Mode.FULL)
@each_use
@pytest.mark.parametrize(("hours", "seconds"), [(24, 1), (48, 0)], ids=["24h+1s", "48h"])
def test_the_old_secret_ends_after_a_day(probe: Probe, use: TokenUse, hours: int, seconds: int) -> None:
    """A leaked secret is harmless a day after the rotation, and its user is told why it fails."""
    start = probe.clock.now()
    rotation = use_and_rotate(probe, use)
    use_within_grace(probe, rotation)
    probe.clock.move_to(rotation.after or start, hours=hours, seconds=seconds)
    require_recognised(probe, rotation.new)
    request = use.request_by(probe, rotation.new)
    probe.baseline(request).refuses(
        request.by(rotation.old),
        refusals.EXPIRED,
        change=f"the secret that was rotated out {hours} h {seconds} s ago, in place of the new one",
        hint="the old secret works for 24 hours after the rotation, and no longer",
    )


@covers("rotation.grace-ends")
def test_a_secret_rotated_out_long_ago_is_expired(probe: Probe) -> None:
    """Where time cannot be moved, a secret that is known to be past its grace shows how that is told."""
    EXPIRED_TOKEN.expect_refused(probe, LIST)


@covers("rotation.secret-once", mode=Mode.FULL)
def test_reading_a_token_never_shows_its_secrets(probe: Probe) -> None:
    """A secret is shown once, so that whoever can read the token cannot become it."""
    log = read_log_pages(probe)
    made = make_token_if_offered(probe)
    rotation = use_and_rotate(probe, READS)
    expect_not_in_log(probe, rotation, read_grown_log(probe, log, records=1 + made))
    views = read_token(probe, rotation)
    showing = [view for view in views if shows_secret(probe, rotation, view)]
    probe.expect(
        (showing or views)[0],
        "no secret in a read of the token",
        holds=not showing,
        got="one, at least in part",
        hint="the answer to the rotation is the only one that holds the secret",
    )


def make_token_if_offered(probe: Probe) -> bool:
    """Make a token, where the target does: whether it did. Where its secret stands in another answer, that is seen."""
    with suppress(Blocked, Inapplicable):
        return probe.require_accepted(probe.factory.request_for(BY_ID["create_api_token"])).response.ok
    return False


def expect_not_in_log(probe: Probe, rotation: Rotation, log: Sequence[Exchange]) -> None:
    """The pages of the audit log, where one can be read, hold no secret of a rotated token. Raises `Violation`."""
    for page in log:
        probe.expect(
            page,
            "no secret in the audit log",
            holds=not shows_secret(probe, rotation, page),
            got="one, at least in part",
            hint="what is written down of a request must not hold the secret that its answer has issued",
        )


@covers("rotation.grace-holds", mode=Mode.FULL)
def test_the_old_secret_of_who_rotates_itself_still_works(probe: Probe) -> None:
    """An operator's token that rotates itself is in its grace like any other."""
    old, _ = rotate_itself(probe)
    probe.accepts(ADMINISTERS.request_by(probe, old), wanted="a 2xx for the old secret", hint=ITSELF)


@covers("rotation.keeps-grants", mode=Mode.FULL)
def test_who_rotates_itself_keeps_its_assurance(probe: Probe) -> None:
    """The new secret may what the old one could, whoever asked for it."""
    old, new = rotate_itself(probe)
    with drop_where_blocked():
        one, other = (aal2_request(probe) for _ in range(2))
        probe.require_accepted(one.by(old), see="rotation.grace-holds")
        require_recognised(probe, new)
    probe.accepts(other.by(new), hint=ITSELF)


@covers("rotation.keeps-grants", mode=Mode.FULL)
@pytest.mark.parametrize("grant", KEPT.values(), ids=KEPT)
def test_the_new_secret_may_what_the_old_could(probe: Probe, grant: GrantCheck) -> None:
    """A rotation that takes something away breaks whoever uses the token."""
    old = grant.token(probe)
    probe.require_accepted(grant.request_by(probe, old))
    new = rotate(probe, old).new
    require_recognised(probe, new)
    hint = f"rotating keeps the {grant.what}"
    probe.accepts(grant.request_by(probe, new), wanted="a 2xx, as for the old secret", hint=hint)


@covers("rotation.keeps-grants", mode=Mode.FULL)
@pytest.mark.parametrize("grant", WITHHELD.values(), ids=WITHHELD)
def test_the_new_secret_may_not_what_the_old_could_not(probe: Probe, grant: GrantCheck) -> None:
    """A rotation that adds something is an escalation."""
    old = grant.token(probe)
    see = "the clauses on audience, scope and aal2"
    probe.require_refused(grant.request_by(probe, old), grant.refusal, see=see)
    new = rotate(probe, old).new
    require_recognised(probe, new)
    request = grant.make_request(probe)
    change, hint = f"the new secret of a token {grant.name}", f"rotating keeps the {grant.what}"
    probe.baseline(request).refuses(request.by(new), grant.refusal, change=change, hint=hint)


@covers("rotation.no-escalation", mode=Mode.FULL)
def test_a_rotation_never_gives_more_scopes(probe: Probe) -> None:
    """Whoever rotates a token gets its secret: what it could not be given at its own making it must not get so."""
    scopes, aal = narrow_admin_scopes(probe), probe.tokens.admin.aal
    rotator = probe.provisioner.token(Need("rotator", audience=Audience.ADMIN, scopes=scopes, aal=aal))
    probe.require_accepted(rotation_request(probe, disposable_token(probe, scopes=("customers:read",))).by(rotator))
    stronger = disposable_token(probe, "with every scope", at_least=True)
    expect_no_gain(probe, rotator, stronger, probe.factory.request_for(BY_ID["list_products"]))


@covers("rotation.no-escalation", mode=Mode.FULL)
def test_a_rotation_never_gives_more_assurance(probe: Probe) -> None:
    """A second factor is asserted by a person: an operator who has not done so must not get a secret that says so."""
    rotator = probe.provisioner.token(Need("rotator without AAL2", audience=Audience.ADMIN))
    # Where nobody rotates without a second factor, there is nothing to gain.
    with drop_where_blocked():
        probe.require_accepted(rotation_request(probe, disposable_token(probe, at_least=True)).by(rotator))
    stronger = disposable_token(probe, "with AAL2", audience=Audience.ADMIN, aal=2)
    expect_no_gain(probe, rotator, stronger, aal2_request(probe))


@covers("rotation.needs-admin", mode=Mode.FULL)
@pytest.mark.parametrize(("who", "prepare"), NO_ADMINS.values(), ids=NO_ADMINS)
def test_nobody_but_an_admin_rotates(probe: Probe, who: str, prepare: Callable[[Probe], Attempt]) -> None:
    """Who holds a leaked token must not get a fresh one by it."""
    expect_no_admin_may(probe, who, prepare, rotation_request)


@covers("rotation.needs-admin", mode=Mode.FULL)
def test_a_refused_rotation_starts_no_grace(probe: Probe) -> None:
    """The refusal comes before the effect: the secret is not a day from its end."""
    start = probe.clock.now()
    target = disposable_token(probe, "target", at_least=True)
    probe.require_accepted(READS.request_by(probe, target))
    probe.send(rotation_request(probe, target).by(probe.tokens.service))
    probe.clock.move_to(start, hours=25)
    probe.accepts(
        READS.request_by(probe, target),
        wanted="a 2xx, since nobody but a service token has tried to rotate the token",
        hint="the refusal must come before the effect",
    )


@covers("rotation.unknown-id", mode=Mode.FULL)
def test_rotating_an_unknown_id_is_not_found(probe: Probe) -> None:
    """Who mistypes an id must not take it that the token is rotated."""
    expect_unknown_id_refused(probe, rotation_request)


@covers("rotation.unknown-id", mode=Mode.FULL)
def test_another_tenants_id_is_not_found(probe: Probe) -> None:
    """What another tenant owns is not visible, and so does not exist: 404, and no secret of theirs."""
    expect_other_tenants_id_refused(probe, rotation_request)


@covers("rotation.revoked-stays", mode=Mode.FULL)
def test_rotating_a_revoked_token_brings_nothing_back(probe: Probe) -> None:
    """Revoking is final, or a rotation script undoes it."""
    revoked = revoked_token(probe)
    read = probe.factory.request_for(LIST)
    probe.require_refused(read.by(revoked), refusals.INVALID, see="revocation.immediate")
    rotation = probe.baseline(rotation_request(probe, disposable_token(probe, at_least=True)))
    rotation.refuses(rotation_request(probe, revoked), refusals.ANY_REFUSAL, change="a revoked token's id")
    change = "a revoked token that was then to be rotated"
    probe.baseline(read).refuses(read.by(revoked), refusals.INVALID, change=change, hint="rotating revives nothing")


OWN_DAY = "each older secret works for 24 hours after the rotation that ended it"


@covers("rotation.again", mode=Mode.FULL)
def test_the_newest_secret_works_at_once(probe: Probe) -> None:
    """A second leak within the day must not have to wait for the first grace to end."""
    first = use_and_rotate(probe, READS)
    probe.require_accepted(READS.request_by(probe, first.old), see="rotation.grace-holds")
    second = rotate(probe, first.new)
    probe.accepts(READS.request_by(probe, second.new), wanted="a 2xx for the secret of the second rotation")
    # A server that keeps so many old secrets and no more is not to know how many it takes here.
    (further,) = draw_some(probe, range(4, 8), 1, name="rotation.again")
    rotations = (first, second, *rotate_repeatedly(probe, second.new, further))
    newest = f"a 2xx for the secret of the last of {len(rotations)} rotations"
    probe.accepts(READS.request_by(probe, rotations[-1].new), wanted=newest)
    for number, rotation in enumerate(rotations, 1):
        wanted = f"a 2xx for the secret that the rotation {number} of {len(rotations)} ended, within its day"
        probe.accepts(READS.request_by(probe, rotation.old), wanted=wanted, hint=OWN_DAY)


@covers("rotation.again", mode=Mode.FULL)
def test_a_rotation_that_is_asked_for_again_ends_no_secret(probe: Probe) -> None:
    """A client that tries again, under the same key, may have had the first answer all the same."""
    rotation = rotate(probe, READS.token(probe))
    # A replay, a refusal, or a rotation of its own: what the first gave is the newest secret, or one within its day.
    again = probe.send(rotation.exchange.request)
    hint = "a replay does nothing, and a rotation ends no secret at once"
    probe.accepts(READS.request_by(probe, rotation.new), wanted="a 2xx for the secret that was given first", hint=hint)
    learn_newest_secret(probe, rotation.new, again)


def learn_newest_secret(probe: Probe, token: Credential, again: Exchange) -> None:
    """Rotate a token once more where another answer gave a secret of it, for whoever has the token next."""
    if find_secrets(again, other_than=token):
        rotate(probe, token)


def rotate_twice(probe: Probe) -> tuple[Rotation, Rotation]:
    """Rotate a token, and again 12 hours later; both older secrets had worked until then."""
    start = probe.clock.now()
    first = use_and_rotate(probe, READS)
    probe.clock.move_to(start, hours=12, window=(12, LATEST))
    probe.require_accepted(READS.request_by(probe, first.old), see="rotation.grace-holds")
    probe.require_accepted(READS.request_by(probe, first.new), see="rotation.new-works")
    return first, rotate(probe, first.new)


each_older_secret = pytest.mark.parametrize("which", [0, 1], ids=["oldest", "older"])


@covers("rotation.again", mode=Mode.FULL)
@each_older_secret
def test_each_older_secret_has_its_own_day(probe: Probe, which: int) -> None:
    """A second rotation takes nothing from the grace of a secret that was promised one."""
    start = probe.clock.now()
    rotation = rotate_twice(probe)[which]
    probe.clock.move_to(rotation.before or start, hours=23, window=(23, LATEST))
    wanted = "a 2xx 23 hours after the rotation that ended the secret"
    probe.accepts(READS.request_by(probe, rotation.old), wanted=wanted, hint=OWN_DAY)


@covers("rotation.again", mode=Mode.FULL)
@each_older_secret
def test_each_older_secret_ends_after_its_own_day(probe: Probe, which: int) -> None:
    """A second rotation adds nothing to the grace of a leaked secret."""
    start = probe.clock.now()
    rotations = rotate_twice(probe)
    probe.clock.move_to(rotations[which].after or start, hours=25)
    request = READS.request_by(probe, rotations[1].new)
    # How a secret whose grace is over is refused is what rotation.grace-ends says.
    probe.baseline(request).refuses(
        request.by(rotations[which].old),
        refusals.FORBIDDEN,
        change="an older secret, 25 hours after the rotation that ended it",
        hint=f"{OWN_DAY}, and no longer",
    )


@covers("rotation.not-cacheable", each_operation=True)
@each_operation(lambda operation: operation.id in {"rotate_api_token", "create_api_token"})
def test_an_answer_with_a_secret_is_not_stored(probe: Probe, operation: Operation) -> None:
    """A cache on the way would keep the secret that is shown only once."""
    answer = require_issued(probe, probe.factory.request_for(operation))
    header = answer.response.header("Cache-Control") or ""
    probe.expect(
        answer,
        "Cache-Control: no-store",
        holds="no-store" in header.lower().replace(" ", "").split(","),
        got=header or "no Cache-Control",
    )
