"""One refusal of each kind, each from a proven pair: what the clauses about "every error" look at.

They make their own traffic, so that no verdict rests on the traffic of other tests.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import pytest

from paylera_conformance.model.messages import FRESH_KEY, Exchange, Request
from paylera_conformance.model.outcomes import Blocked, Violation
from paylera_conformance.model.tokens import Credential, forged
from paylera_conformance.probe import refusals
from paylera_conformance.probe.baselines import NO_TOKEN
from paylera_conformance.probe.probe import Probe
from paylera_conformance.scenarios.token_lifecycle import expired, revoked
from paylera_conformance.target.provisioner import Need, all_scopes_but
from paylera_conformance.target.settings import Mode
from paylera_fixtures.api.operations import BY_ID, Operation
from paylera_fixtures.tokens import new_secret
from paylera_fixtures.vocabulary import WILDCARD, Audience, Problems

_LIST: Final = BY_ID["list_customers"]
_CREATE: Final = BY_ID["create_customer"]
NO_FACTOR: Final = "a token whose principal has not asserted AAL2"


@dataclass(frozen=True)
class ErrorCase:
    """A way to be refused.

    - `problem`: the code of it, `None` where no source gives one;
    - `in_guide`: whether the guide names the code;
    - `is_401`: whether every reading has it as a 401;
    - `provoke`: gets one such refusal. Raises as the probe's verbs do.
    """

    name: str
    provoke: Callable[[Probe], Exchange]
    problem: str | None = None
    in_guide: bool = False
    is_401: bool = False
    mode: Mode = Mode.OBSERVE


def _missing(probe: Probe) -> Exchange:
    control = probe.factory.request_for(_LIST)
    return probe.baseline(control).refuses(control.without_token(), refusals.MISSING, change=NO_TOKEN)


def _as(token: Callable[[Probe], Credential], refusal: refusals.Refusal, change: str) -> Callable[[Probe], Exchange]:
    def provoke(probe: Probe) -> Exchange:
        control = probe.factory.request_for(_LIST)
        return probe.baseline(control).refuses(control.by(token(probe)), refusal, change=change)

    return provoke


def _unknown(probe: Probe) -> Credential:
    return forged(new_secret(probe.settings.environment), "unknown")


def foreign_token(probe: Probe) -> Credential:
    """A token of the other environment: a real one where there is one, else a forged one."""
    other = probe.settings.environment.other
    try:
        token = probe.provisioner.token(Need("other environment", environment=other))
    except Blocked:
        return forged(new_secret(other), "forged, other environment")
    return token if token.may_cross else forged(new_secret(other), "forged, other environment")


def refuses_foreign(probe: Probe, control: Request) -> Exchange:
    """A token of the other environment is refused; a forged one that is merely unknown has proven nothing."""
    token = foreign_token(probe)
    if token.id is None and token.secret.role.startswith("forged"):
        exchange = probe.send(control.by(token))
        if refusals.INVALID.accepts(exchange.response):
            raise Blocked(
                "a forged token of the other environment was refused as unknown, which proves nothing: list a real one"
                " with may_cross = true",
                exchange=exchange,
            )
    return probe.baseline(control).refuses(
        control.by(token), refusals.WRONG_ENVIRONMENT, change="a token of the other environment"
    )


def _wrong_environment(probe: Probe) -> Exchange:
    return refuses_foreign(probe, probe.factory.request_for(_LIST))


def _scope(probe: Probe) -> Exchange:
    control = probe.factory.request_for(_LIST)
    lacking = probe.provisioner.token(
        Need("lacks customers:read", scopes=all_scopes_but("customers:read", probe.settings.profile))
    )
    return probe.baseline(control).refuses(control.by(lacking), refusals.SCOPE, change="a token without customers:read")


def aal2_operation(probe: Probe) -> Operation:
    """The operation on which AAL2 is probed.

    Raises `Blocked` where nobody has declared one: no source but the reference names any.
    """
    named = [BY_ID["cancel_payment"], BY_ID["void_invoice"]]
    # An invoice can be made through the API; a payment that can be cancelled must be staged, or be found.
    first = named if probe.settings.driver == "control" else named[::-1]
    for operation in (*first, *BY_ID.values()):
        if probe.tokens.needs_aal2(operation):
            return operation
    if "aal2" in probe.settings.operations:
        return BY_ID["cancel_payment"]
    raise Blocked('no operation is declared to need AAL2: name one, as in [operations] aal2 = "POST /v1/…"')


def aal2_request(probe: Probe) -> Request:
    """A request that needs AAL2, by a token whose principal has asserted it."""
    return probe.factory.named_request("aal2", aal2_operation(probe), probe.tokens.admin_aal2)


def weak_admin(probe: Probe) -> Credential:
    """An operator who has not asserted a second factor."""
    return probe.provisioner.token(Need("admin without AAL2", audience=Audience.ADMIN, scopes=(WILDCARD,), aal=1))


def refuses_weak(probe: Probe) -> Exchange:
    """An operation that needs AAL2 is refused to an operator who has not asserted it."""
    control = aal2_request(probe)
    return probe.baseline(control).refuses(control.by(weak_admin(probe)), refusals.AAL2, change=NO_FACTOR)


def _key_required(probe: Probe) -> Exchange:
    control = probe.factory.request_for(_CREATE)
    return probe.baseline(control).refuses(
        control.keyed(None), refusals.KEY_REQUIRED, change="no Idempotency-Key header"
    )


def _body_mismatch(probe: Probe) -> Exchange:
    first = probe.factory.request_for(_CREATE).keyed(probe.factory.unique_name())
    probe.accepts(first)
    other = first.with_json(probe.factory.body_for(_CREATE))
    return probe.baseline(other.keyed(FRESH_KEY)).refuses(
        other, refusals.BODY_MISMATCH, change="a key that was used for another body"
    )


def _audience(probe: Probe) -> Exchange:
    control = probe.factory.request_for(BY_ID["list_webhook_endpoints"])
    return probe.baseline(control).refuses(
        control.by(probe.tokens.service), refusals.AUDIENCE, change="a service token, not an admin's"
    )


def _not_found(probe: Probe) -> Exchange:
    operation = BY_ID["get_customer"]
    control = probe.factory.request_for(operation)
    absent = control.at(operation.concrete(f"cus_{probe.factory.unique_name()}"))
    return probe.baseline(control).refuses(absent, refusals.NOT_FOUND, change="the id of no object")


def _unknown_route(probe: Probe) -> Exchange:
    control = probe.factory.request_for(_LIST)
    return probe.baseline(control).refuses(
        control.at(f"/v1/{probe.factory.unique_name()}"), refusals.NOT_FOUND, change="a path that is no route"
    )


def _method(probe: Probe) -> Exchange:
    control = probe.factory.request_for(_LIST)
    put = Request("PUT", _LIST.path, control.token).with_json({})
    wanted = refusals.Refusal(frozenset({404, 405}))
    return probe.baseline(control).refuses(put, wanted, change="a method that the path does not have")


def _validation(probe: Probe) -> Exchange:
    control = probe.factory.request_for(_CREATE)
    body = {**control.json, "email": 4711}
    return probe.baseline(control).refuses(
        control.with_json(body), refusals.MALFORMED_INPUT, change="a number as e-mail address"
    )


KINDS: Final[tuple[ErrorCase, ...]] = (
    ErrorCase("missing-token", _missing, Problems.MISSING_TOKEN.code, in_guide=True, is_401=True),
    ErrorCase(
        "invalid-token",
        _as(_unknown, refusals.INVALID, "a token that nobody issued"),
        Problems.INVALID_TOKEN.code,
        in_guide=True,
        is_401=True,
    ),
    ErrorCase(
        "revoked-token",
        _as(revoked, refusals.INVALID, "a token that was revoked"),
        Problems.INVALID_TOKEN.code,
        in_guide=True,
        is_401=True,
    ),
    ErrorCase(
        "expired-token",
        _as(expired, refusals.EXPIRED, "a secret whose grace has ended"),
        Problems.EXPIRED_TOKEN.code,
        in_guide=True,
        is_401=True,
    ),
    ErrorCase("wrong-environment", _wrong_environment, Problems.WRONG_ENVIRONMENT.code, in_guide=True, is_401=True),
    ErrorCase("scope-required", _scope, Problems.SCOPE_REQUIRED.code, in_guide=True),
    ErrorCase("aal2-required", refuses_weak, Problems.AAL2_REQUIRED.code, in_guide=True, mode=Mode.SANDBOX),
    ErrorCase("key-required", _key_required, Problems.KEY_REQUIRED.code, in_guide=True, mode=Mode.SANDBOX),
    ErrorCase("body-mismatch", _body_mismatch, Problems.KEY_BODY_MISMATCH.code, mode=Mode.SANDBOX),
    ErrorCase("audience", _audience),
    ErrorCase("not-found", _not_found),
    ErrorCase("unknown-route", _unknown_route),
    ErrorCase("method-not-allowed", _method, mode=Mode.SANDBOX),
    ErrorCase("validation", _validation, mode=Mode.SANDBOX),
)


def provoked(probe: Probe, kind: ErrorCase) -> Exchange:
    """One refusal of a kind, for a clause that looks at how it is written and not at whether it comes.

    An error with another status or code than the kind's is still an error to look at. Raises `Blocked` where there is
    none: that is the business of the clause about the refusal itself.
    """
    try:
        return kind.provoke(probe)
    except Violation as violation:
        exchange = violation.exchange
        if exchange is None or not (exchange.response.refused or exchange.response.problem):
            raise Blocked(
                f"the target gave no error of the kind {kind.name}: {violation.reason}", exchange=exchange
            ) from None
        probe.proofs += 1
        return exchange


def each_kind(which: Callable[[ErrorCase], bool] = lambda _: True) -> pytest.MarkDecorator:
    """Make a case of every kind of which `which` is true: the parameter `kind`."""
    chosen = [kind for kind in KINDS if which(kind)]
    return pytest.mark.parametrize("kind", chosen, ids=[kind.name for kind in chosen])
