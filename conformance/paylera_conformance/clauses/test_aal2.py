"""What needs a second factor, and who can have one (guide, Common 401s; Authentication page, AAL2)."""

from __future__ import annotations

from paylera_conformance.probe import refusals
from paylera_conformance.probe.marks import covers, each_operation
from paylera_conformance.probe.probe import Probe
from paylera_conformance.scenarios.aal2 import aal2_request, declared_request
from paylera_conformance.scenarios.changes import WITHOUT_AAL2, by_token
from paylera_conformance.scenarios.effects import expect_unchanged, read_state, require_visible_effect
from paylera_conformance.target.provisioner import Need
from paylera_conformance.target.settings import Mode
from paylera_fixtures.api.operations import Operation


def say_who_declares(probe: Probe) -> str:
    """That the configuration says so, where it does; empty elsewhere."""
    return ", as [operations] aal2 says: is it right?" if "aal2" in probe.settings.operations else ""


@covers("aal2.required", mode=Mode.SANDBOX)
def test_without_second_factor_the_operation_is_refused(probe: Probe) -> None:
    """The same operator, without the second factor asserted, is refused."""
    request = aal2_request(probe)
    WITHOUT_AAL2.expect_refused(probe, request, hint=f"{request} needs a second factor{say_who_declares(probe)}")


@covers("aal2.required", mode=Mode.SANDBOX)
def test_a_refusal_for_want_of_a_second_factor_changes_nothing(probe: Probe) -> None:
    """The refusal comes before the effect: what only an operator with AAL2 may do was not done."""
    request = aal2_request(probe)
    before = read_state(probe, request)
    probe.send(WITHOUT_AAL2.apply(probe, request))
    after = read_state(probe, request)
    hint = f"the refusal must come before the effect{say_who_declares(probe)}"
    expect_unchanged(probe, before, after, probe.log[-1], change=WITHOUT_AAL2.words, hint=hint)
    probe.require_accepted(request)
    require_visible_effect(probe, before, request)
    probe.proofs += 1


@covers("aal2.satisfied", mode=Mode.SANDBOX)
def test_with_second_factor_the_operation_is_accepted(probe: Probe) -> None:
    """The refusal is about the factor, so with it the operation goes through."""
    probe.accepts(aal2_request(probe), hint="is the operation's audience the reason? see [operations] aal2")


LOOK_AT_AUDIENCE = "look at the audience too, not at the claim alone"
SERVICE_WITH_AAL2 = by_token(
    "a service token that was issued with aal 2",
    "aal2.service-never",
    refusals.AAL2,
    lambda probe: probe.provisioner.token(Need("service with AAL2", aal=2, odd=True)),
)


@covers("aal2.service-never", mode=Mode.SANDBOX)
def test_a_service_token_never_has_a_second_factor(probe: Probe) -> None:
    """No person stands behind a service token, so that one issued with AAL2 must not count as having it."""
    SERVICE_WITH_AAL2.expect_refused(probe, aal2_request(probe), hint=LOOK_AT_AUDIENCE)


@covers("aal2.service-never", mode=Mode.SANDBOX, each_operation=True)
@each_operation(lambda operation: operation.aal2)
def test_a_service_token_never_has_one_on_any_operation(probe: Probe, operation: Operation) -> None:
    """Each operation that needs it is looked at, since each may look at the claim by itself."""
    SERVICE_WITH_AAL2.expect_refused(probe, declared_request(probe, operation), hint=LOOK_AT_AUDIENCE)
