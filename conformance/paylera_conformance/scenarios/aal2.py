"""The operation that needs AAL2, by someone who has asserted it."""

from __future__ import annotations

from paylera_conformance.model.messages import Request
from paylera_conformance.model.outcomes import Blocked, NotOffered
from paylera_conformance.probe.probe import Probe
from paylera_conformance.scenarios.further_cases import drop_where_blocked
from paylera_fixtures.api.operations import BY_ID, Operation


def aal2_request(probe: Probe) -> Request:
    """A request that needs AAL2, by a token whose principal has asserted it.

    Raises `Blocked` where nobody has declared such an operation: no source but the reference names any.
    """
    return probe.factory.named_request("aal2", _aal2_operation(probe), probe.tokens.admin_aal2)


def declared_request(probe: Probe, operation: Operation) -> Request:
    """A request for an operation that is declared to need AAL2. Drops the case where it is not, or is not to be had.

    Raises `NotOffered` there.
    """
    if not probe.tokens.needs_aal2(operation):
        raise NotOffered(f"nobody has declared that {operation} needs AAL2")
    with drop_where_blocked():
        return probe.factory.request_for(operation, probe.tokens.admin_aal2)


def _aal2_operation(probe: Probe) -> Operation:
    usual = [BY_ID["cancel_payment"], BY_ID["void_invoice"]]
    # An invoice can be made through the API; a payment that can be cancelled must be staged, or be found.
    first = usual if probe.settings.driver == "control" else usual[::-1]
    for operation in (*first, *BY_ID.values()):
        if probe.tokens.needs_aal2(operation):
            return operation
    if "aal2" in probe.settings.operations:
        return BY_ID["cancel_payment"]
    raise Blocked('no operation is declared to need AAL2: name one, as in [operations] aal2 = "POST /v1/…"')
