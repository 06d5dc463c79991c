"""Which tokens are good, and where."""

from __future__ import annotations

from paylera_conformance import refusals
from paylera_conformance.covers import covers
from paylera_conformance.probe import Probe
from paylera_conformance.tokens import forged
from paylera_fixtures.operations import BY_ID
from paylera_fixtures.tokens import new_secret

LIST_CUSTOMERS = BY_ID["list_customers"]


@covers("token.unknown")
def test_a_token_nobody_issued_is_refused(paylera_probe: Probe) -> None:
    """A random token of the right form and environment is not one of the server's."""
    control = paylera_probe.shop.request_for(LIST_CUSTOMERS)
    stranger = forged(new_secret(paylera_probe.settings.environment), "unknown")
    paylera_probe.refuses(
        control.by(stranger), control=control, as_=refusals.INVALID, change="a random token of the same form"
    )
