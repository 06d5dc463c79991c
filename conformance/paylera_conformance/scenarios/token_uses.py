"""What a token is used for, to see that it works or no longer does, and who may not end another's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from paylera_conformance.model.messages import Request
from paylera_conformance.model.outcomes import Blocked, NotOffered
from paylera_conformance.model.tokens import Credential
from paylera_conformance.probe import refusals
from paylera_conformance.probe.probe import Probe
from paylera_conformance.probe.refusals import Refusal
from paylera_conformance.scenarios.further_cases import drop_where_blocked
from paylera_conformance.scenarios.token_lifecycle import disposable_token, make_absent_id, revocation_request, rotate
from paylera_conformance.target.provisioner import OTHER
from paylera_fixtures.api.operations import BY_ID
from paylera_fixtures.vocabulary import WILDCARD, Audience

ONLY_ADMINS: Final = "only an admin token opens /v1/admin/*, whatever the scopes"


@dataclass(frozen=True)
class TokenUse:
    """One thing that a token is used for.

    - `make_request`: makes a request for it, by a token that may, each time on an object of its own;
    - `audience`, `scopes`: what a token needs for it;
    - `is_optional`: it is looked at where a control API mints tokens, since those that are listed are too dear for it.
    """

    name: str
    make_request: Callable[[Probe], Request]
    audience: Audience = Audience.SERVICE
    scopes: tuple[str, ...] = (WILDCARD,)
    is_optional: bool = False

    def token(self, probe: Probe) -> Credential:
        """A token that may do it, and may itself be rotated and revoked. Raises `NotOffered` where none is made."""
        self.require_offered(probe)
        aal = probe.tokens.admin.aal if self.audience is Audience.ADMIN else 1
        return disposable_token(
            probe, f"that {self.name}", audience=self.audience, scopes=self.scopes, aal=aal, at_least=True
        )

    def require_offered(self, probe: Probe) -> None:
        """Raise `NotOffered` where it is optional, and tokens are dear."""
        if self.is_optional and probe.settings.driver != "control":
            raise NotOffered(f"a token for this ({self.name}) is looked at where a control API mints them")

    def request_by(self, probe: Probe, token: Credential) -> Request:
        """A request for it by a token."""
        return self.make_request(probe).by(token)


READS: Final = TokenUse(
    "reads", lambda probe: probe.factory.request_for(BY_ID["list_customers"]), scopes=("customers:read",)
)
WRITES: Final = TokenUse(
    "writes", lambda probe: probe.factory.request_for(BY_ID["create_customer"]), scopes=("customers:write",)
)
ADMINISTERS: Final = TokenUse(
    # The guide names no operation of the Admin API but rotate and revoke, so that a spare token has to go.
    "administers",
    lambda probe: revocation_request(probe, disposable_token(probe, "spare", scopes=(), at_least=True)),
    Audience.ADMIN,
)

READS_AS_CUSTOMER: Final = TokenUse("reads-as-an-end-user", READS.make_request, Audience.CUSTOMER, is_optional=True)

TOKEN_USES: Final = {use.name: use for use in (READS, WRITES, ADMINISTERS, READS_AS_CUSTOMER)}


@dataclass(frozen=True)
class Attempt:
    """Tokens that are no admin's, and the token that each of them tries to rotate or to revoke."""

    target: Credential
    tokens: tuple[Credential, ...]


def _target(probe: Probe) -> Credential:
    return disposable_token(probe, "target", at_least=True)


def _by_itself(probe: Probe) -> Attempt:
    """By its secret, and by the one before that, which is in its grace."""
    rotation = rotate(probe, _target(probe))
    return Attempt(rotation.new, (rotation.old, rotation.new))


def _by_itself_for_an_end_user(probe: Probe) -> Attempt:
    with drop_where_blocked():  # such a token is needed for nothing else
        target = disposable_token(probe, "target of an end-user", audience=Audience.CUSTOMER, at_least=True)
    return Attempt(target, (target,))


NO_ADMINS: Final[dict[str, tuple[str, Callable[[Probe], Attempt]]]] = {
    "a-service-token": ("a service token", lambda probe: Attempt(_target(probe), (probe.tokens.service,))),
    "a-customer-token": ("a customer token", lambda probe: Attempt(_target(probe), (probe.tokens.customer,))),
    "the-token-itself": ("the token itself", _by_itself),
    "an-end-users-token-itself": ("the end-user's token itself", _by_itself_for_an_end_user),
}
"""Who tries to rotate or revoke a token without being an admin, in words, and the attempt."""


def expect_no_admin_may(
    probe: Probe, who: str, prepare: Callable[[Probe], Attempt], make_request: Callable[[Probe, Credential], Request]
) -> None:
    """The clause is that only an admin may have a request's effect. Raises `Violation`, or `Blocked`."""
    attempt = prepare(probe)
    # A token that does not work would be refused too, and with a status that a wrong audience may have.
    for token in attempt.tokens:
        probe.require_accepted(READS.request_by(probe, token))
    request = make_request(probe, attempt.target)
    change = f"{who} in place of an admin's"
    *others, last = attempt.tokens
    for token in others:
        refusals.KEPT_OUT.check(probe.send(request.by(token)), change=f"{change}: {token}", hint=ONLY_ADMINS)
    probe.baseline(request).refuses(request.by(last), refusals.KEPT_OUT, change=change, hint=ONLY_ADMINS)


def expect_unknown_id_refused(probe: Probe, make_request: Callable[[Probe, Credential], Request]) -> None:
    """The clause is that what a request does to a token is answered 404 for an id that no token has."""
    token = disposable_token(probe, at_least=True)
    absent = replace(token, id=make_absent_id(probe, str(token.id)))
    baseline = probe.baseline(make_request(probe, token))
    baseline.refuses(make_request(probe, absent), refusals.NOT_FOUND, change="the id of no token")


def expect_other_tenants_id_refused(probe: Probe, make_request: Callable[[Probe, Credential], Request]) -> None:
    """The clause is that what a request does to a token is answered 404 for another tenant's token.

    Raises `NotOffered` where there is none: the case drops out. A wrong server would end it, so it must be disposable.
    """
    baseline = probe.baseline(make_request(probe, disposable_token(probe, at_least=True)))
    try:
        foreign = disposable_token(probe, "other tenant", tenant=OTHER, at_least=True)
    except Blocked as missing:
        raise NotOffered(missing.reason) from None
    baseline.refuses(
        make_request(probe, foreign),
        refusals.NOT_FOUND,
        change="the id of another tenant's token",
        hint="a token is looked for among those of the caller's tenant only",
    )


def expect_ended(probe: Probe, request: Request, as_: Refusal, *, change: str, hint: str) -> None:
    """The clause is that the very next request by a token that has just been ended is refused.

    Nothing is sent before it, so that a server that learns of the end one request late is seen. Raises `Violation`,
    or `Blocked`.
    """
    token = probe.tokens.admin if request.path.startswith("/v1/admin/") else probe.tokens.service
    probe.baseline(replace(request, token=token, consumes=True)).refuses(request, as_, change=change, hint=hint)
