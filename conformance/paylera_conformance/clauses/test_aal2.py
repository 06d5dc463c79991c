"""What needs a second factor, and who can have one."""

from __future__ import annotations

from paylera_conformance.probe import refusals
from paylera_conformance.probe.marks import covers
from paylera_conformance.probe.probe import Probe
from paylera_conformance.scenarios.error_cases import NO_FACTOR, aal2_request, refuses_weak, weak_admin
from paylera_conformance.scenarios.idempotency import must_show, state_of
from paylera_conformance.target.provisioner import Need
from paylera_conformance.target.settings import Mode

STRONG = 2


@covers("aal2.required", mode=Mode.SANDBOX)
def test_without_second_factor_the_operation_is_refused(probe: Probe) -> None:
    """The same operator, without the second factor asserted, is refused."""
    refuses_weak(probe)


@covers("aal2.required", mode=Mode.SANDBOX)
def test_a_refusal_for_want_of_a_second_factor_changes_nothing(probe: Probe) -> None:
    """The refusal comes before the effect: what only a strong operator may do was not done."""
    control = aal2_request(probe)
    before = state_of(probe, control)
    refused = probe.send(control.by(weak_admin(probe)))
    probe.expect(
        "the object as it was",
        holds=state_of(probe, control) == before,
        got="a change of it",
        exchange=refused,
        change=NO_FACTOR,
        hint="the refusal must come before the effect",
    )
    probe.require_accepted(control)
    must_show(probe, before, control)
    probe.proofs += 1


@covers("aal2.satisfied", mode=Mode.SANDBOX)
def test_with_second_factor_the_operation_is_accepted(probe: Probe) -> None:
    """The refusal is about the factor, so with it the operation goes through."""
    probe.accepts(aal2_request(probe), hint="is the operation's audience the reason? see [operations] aal2")


@covers("aal2.service-never", mode=Mode.SANDBOX)
def test_a_service_token_never_has_a_second_factor(probe: Probe) -> None:
    """No person stands behind a service token, so that one issued with AAL2 must not count as having it."""
    control = aal2_request(probe)
    service = probe.provisioner.token(Need("service with AAL2", aal=STRONG, odd=True))
    probe.baseline(control).refuses(
        control.by(service),
        refusals.AAL2,
        change="a service token that was issued with aal 2",
        hint="look at the audience too, not at the claim alone",
    )
