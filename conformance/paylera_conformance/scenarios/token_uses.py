"""What a token of some grants is sent to do: the deeds by which one sees that it works, or no longer does."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final

import pytest

from paylera_conformance.model.messages import Request
from paylera_conformance.model.outcomes import Blocked, NotOffered
from paylera_conformance.model.tokens import Credential
from paylera_conformance.probe import refusals
from paylera_conformance.probe.probe import Probe
from paylera_conformance.probe.refusals import describe
from paylera_conformance.scenarios.token_lifecycle import disposable, revocation_request
from paylera_conformance.target.provisioner import OTHER, Need
from paylera_fixtures.api.operations import BY_ID
from paylera_fixtures.vocabulary import WILDCARD, Audience

_LIST: Final = BY_ID["list_customers"]
_CREATE: Final = BY_ID["create_customer"]


@dataclass(frozen=True)
class TokenUse:
    """One thing to do.

    - `ask`: makes the request for it, by a token that may, each time on an object of its own;
    - `audience`, `scopes`: what a token needs to do it.
    """

    name: str
    ask: Callable[[Probe], Request]
    audience: Audience = Audience.SERVICE
    scopes: tuple[str, ...] = (WILDCARD,)

    def token(self, probe: Probe) -> Credential:
        """A token that may do it, and that may itself be rotated and revoked."""
        aal = probe.tokens.admin.aal if self.audience is Audience.ADMIN else 1
        grants = {"audience": self.audience, "scopes": self.scopes, "aal": aal, "at_least": True}
        return disposable(probe, f"that {self.name}", **grants)

    def by(self, probe: Probe, token: Credential) -> Request:
        """The request for it by a token."""
        return self.ask(probe).by(token)


def _spare_revoked(probe: Probe) -> Request:
    return revocation_request(probe, disposable(probe, "spare", scopes=(), at_least=True))


READS: Final = TokenUse("reads", lambda probe: probe.factory.request_for(_LIST), scopes=("customers:read",))
WRITES: Final = TokenUse("writes", lambda probe: probe.factory.request_for(_CREATE), scopes=("customers:write",))
ADMINISTERS: Final = TokenUse("administers", _spare_revoked, Audience.ADMIN)
# The guide names no operation of the Admin API but rotate and revoke, so that a spare token has to go.

DEEDS: Final = (READS, WRITES, ADMINISTERS)


def each_deed() -> pytest.MarkDecorator:
    """Make a case of every deed: the parameter `deed`."""
    return pytest.mark.parametrize("deed", DEEDS, ids=[deed.name for deed in DEEDS])


def _service(probe: Probe, _target: Credential) -> Credential:
    return probe.tokens.service


def _customer(probe: Probe, _target: Credential) -> Credential:
    return probe.provisioner.token(Need("customer", audience=Audience.CUSTOMER, scopes=(WILDCARD,), at_least=True))


def _itself(_probe: Probe, target: Credential) -> Credential:
    return target


NO_ADMINS: Final[Mapping[str, Callable[[Probe, Credential], Credential]]] = {
    "a service token": _service,
    "a customer token": _customer,
    "the token itself": _itself,
}
"""Who tries to rotate or revoke a service token without being an admin."""


def each_no_admin() -> pytest.MarkDecorator:
    """Make a case of everyone who is no admin: the parameter `who`."""
    return pytest.mark.parametrize("who", NO_ADMINS, ids=[who.replace(" ", "-") for who in NO_ADMINS])


def strangers_token(probe: Probe) -> Credential:
    """A token of another tenant, whose id a request will name. Raises `NotOffered` without one: the case drops out.

    A wrong server would rotate or revoke it, so it must be disposable.
    """
    try:
        return disposable(probe, "other tenant", tenant=OTHER, at_least=True)
    except Blocked as missing:
        raise NotOffered(missing.reason) from None


def refuses_no_admin(probe: Probe, who: str, ask: Callable[[Probe, Credential], Request]) -> None:
    """What `ask` does to a token is refused to someone who is no admin. Raises `Violation`, or `Blocked`."""
    target = disposable(probe, "target", at_least=True)
    token = NO_ADMINS[who](probe, target)
    # A dead token would be refused too, and with a status that a wrong audience may have.
    probe.require_accepted(READS.by(probe, token))
    control = ask(probe, target)
    probe.baseline(control).refuses(
        control.by(token),
        refusals.FORBIDDEN,
        change=f"{who} in place of an admin's",
        hint="only an admin token opens /v1/admin/*, whatever the scopes",
    )


def refuses_ended(probe: Probe, request: Request, *, as_: refusals.Refusal, change: str, hint: str) -> None:
    """The very next request by a token that has just been ended is refused.

    Nothing is sent before it, so that a server that learns of the end one request late is seen. Raises `Violation`.
    """
    living = replace(
        request, token=probe.tokens.admin if request.path.startswith("/v1/admin/") else probe.tokens.service
    )
    probe.baseline(replace(living, consumes=True)).refuses(request, as_, change=change, hint=hint)


def blocked_unless_accepted(probe: Probe, request: Request, *, see: str) -> None:
    """An acceptance that another clause is about, and that this one rests on."""
    exchange = probe.send(request)
    if not exchange.response.ok:
        raise Blocked(
            f"{request} by {request.token} was answered {describe(exchange.response)}, not accepted (see {see})",
            exchange=exchange,
        )


def blocked_unless_refused(probe: Probe, request: Request, *, as_: refusals.Refusal, see: str) -> None:
    """A refusal that another clause is about, and that this one rests on."""
    exchange = probe.send(request)
    if not as_.accepts(exchange.response):
        raise Blocked(
            f"{request} by {request.token} was answered {describe(exchange.response)}, not {as_} (see {see})",
            exchange=exchange,
        )
