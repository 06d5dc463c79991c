"""What needs a second factor, and who can have one."""

from __future__ import annotations

from paylera_conformance.covers import covers
from paylera_conformance.kinds import aal2_request, refuses_weak
from paylera_conformance.probe import Probe
from paylera_conformance.provision import Need
from paylera_conformance.settings import Mode

STRONG = 2


@covers("aal2.required", mode=Mode.SANDBOX)
def test_without_second_factor_the_operation_is_refused(paylera_probe: Probe) -> None:
    """The same operator, without the second factor asserted, is refused."""
    refuses_weak(paylera_probe)


@covers("aal2.satisfied", mode=Mode.SANDBOX)
def test_with_second_factor_the_operation_is_accepted(paylera_probe: Probe) -> None:
    """The refusal is about the factor, so with it the operation goes through."""
    paylera_probe.accepts(
        aal2_request(paylera_probe), hint="is the operation's audience the reason? see [operations] aal2"
    )


@covers("aal2.service-never", mode=Mode.SANDBOX)
def test_a_service_token_never_has_a_second_factor(paylera_probe: Probe) -> None:
    """No person stands behind a service token, so that one issued with AAL2 must not count as having it."""
    control = aal2_request(paylera_probe)
    service = paylera_probe.token(Need("service with AAL2", aal=STRONG, odd=True))
    paylera_probe.refuses(
        control.by(service), control=control, as_=paylera_probe.aal2_refusal,
        change="a service token that was issued with aal 2", hint="look at the audience too, not at the claim alone",
    )  # fmt: skip
