"""The rows of the matrix: each a refusal that the contract promises for every call, and the change that brings it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Final

from paylera_conformance.matrix.calls import Call
from paylera_conformance.matrix.features import Features, History
from paylera_conformance.matrix.population import FORGED, expired_kind
from paylera_conformance.model.messages import Exchange, Request
from paylera_conformance.model.outcomes import Blocked
from paylera_conformance.model.tokens import TokenState
from paylera_conformance.probe import refusals
from paylera_conformance.probe.probe import Probe
from paylera_conformance.probe.refusals import Refusal
from paylera_conformance.scenarios.idempotency import check_printed_body
from paylera_conformance.scenarios.malformed_input import MALFORMED_CREDENTIALS
from paylera_conformance.scenarios.versions import NEVER_RELEASED
from paylera_conformance.target.provisioner import OTHER, all_scopes_but
from paylera_conformance.target.settings import Mode
from paylera_fixtures.api.examples import EXAMPLES
from paylera_fixtures.api.operations import Operation
from paylera_fixtures.vocabulary import Audience, Header


@dataclass(frozen=True)
class Rule:
    """One refusal, and the one change to an accepted call that brings it about.

    - `words`: the change, as messages name it;
    - `on`: whether it says anything of an operation; `applies`: with some features, under the settings of the run;
    - `is_sampled`: it is looked at where the features happen to let, rather than on each operation;
    - `change`: gives the changed request. Raises `Blocked` where what it takes is not to be had;
    - `is_optional`: where it is blocked, the cell drops out: the clause does not hang on it;
    - `check`: looks at the refusal itself; raises `Violation`.
    """

    name: str
    clause: str
    words: str
    refusal: Refusal
    change: Callable[[Call], Request]
    on: Callable[[Operation], bool] = lambda _operation: True
    applies: Callable[[Probe, Operation, Features], bool] = lambda _probe, _operation, _features: True
    is_sampled: bool = False
    is_optional: bool = False
    check: Callable[[Exchange], None] = lambda _exchange: None

    def __str__(self) -> str:
        return self.name

    def judge(self, call: Call, exchange: Exchange) -> None:
        """Raise `Violation` where an answer is not this refusal, `Blocked` where it proves nothing."""
        refusal = self.refusal.under(call.probe.settings.readings)
        if call.features.head:  # it has no body that could name a reason
            refusal = replace(refusal, problems=(), needs_problem=False)
        request = exchange.request
        if request.token and request.token.secret.role == FORGED and refusals.INVALID.accepts(exchange.response):
            raise Blocked(
                "a forged token of the other environment was refused as unknown, which proves nothing: list a real one"
                " with may_cross = true",
                exchange=exchange,
            )
        if _is_unrecognised(call, exchange, refusal):
            raise Blocked("a secret of a rotated token is no credential (see rotation.new-works)", exchange=exchange)
        form = request.credential.replace("{}", "<token>")
        words = self.words if form == "Bearer <token>" else f"Authorization reads `{form}`"
        change = f"{words} (beside {call.company})" if call.company else words
        refusal.check(exchange, change=change, hint="it is asked for on every operation")
        if not call.features.head:
            self.check(exchange)


def _is_unrecognised(call: Call, exchange: Exchange, refusal: Refusal) -> bool:
    """Whether a live token of a rotation, which is not the call's own, was refused as one that nobody issued."""
    token, answer = exchange.request.token, exchange.response
    is_other = token is not None and token.issued and token != call.request.token and token.state is TokenState.ACTIVE
    # A HEAD is answered without the reason: by the status, where that is not the one that is wanted.
    has_its_status = call.features.head and answer.status in refusals.INVALID.statuses and not refusal.accepts(answer)
    is_unknown = refusals.INVALID.accepts(answer) or has_its_status
    return is_other and is_unknown and call.kind.history in {History.ROTATED, History.GRACE}


def _revoked(call: Call) -> Request:
    return call.by(state=TokenState.REVOKED)


def _expired(call: Call) -> Request:
    return call.request.by(call.population.get(expired_kind(call.kind)))


def _of_other_environment(call: Call) -> Request:
    """By a real token where there is one that may be sent, whatever has become of it, else by a forged one."""
    live = not call.kind.live
    for history in (call.kind.history, History.FRESH):
        with suppress(Blocked):
            other = call.by(live=live, history=history)
            if other.token and other.token.may_cross:
                return other
    return call.request.by(call.population.forged(live=live))


def _with_header(request: Request, name: str, value: str) -> Request:
    """The request with one header, in place of the one of that name that it may have."""
    kept = tuple((other, text) for other, text in request.headers if other != name)
    return replace(request, headers=(*kept, (name, value)))


def _scope_of(probe: Probe, operation: Operation) -> str | None:
    return probe.document().scope_of(operation, probe.settings.profile)


def _needs_scope(probe: Probe, operation: Operation, features: Features) -> bool:
    # The guide does not say what a scope of an end-user's token is good for.
    return _scope_of(probe, operation) is not None and features.audience is not Audience.CUSTOMER


def _without_needed_scope(call: Call) -> Request:
    scope = str(_scope_of(call.probe, call.operation))
    return call.by(scopes=all_scopes_but(scope, call.probe.settings.profile))


def _needs_key(probe: Probe, operation: Operation, _features: Features) -> bool:
    return operation.key_when_creating or probe.settings.readings["key_required_on"] == "every-post"


def _is_write(operation: Operation) -> bool:
    return not operation.is_read


def _is_admin(operation: Operation) -> bool:
    return operation.is_admin


def _by_audience(audience: Audience) -> Callable[[Call], Request]:
    return lambda call: call.by(audience=audience, aal=1)


def _absent_actor(call: Call) -> Request:
    return _with_header(call.request, Header.ACTING_AS, call.population.absent_actor)


def _foreign_actor(call: Call) -> Request:
    return _with_header(call.request, Header.ACTING_AS, call.population.foreign_actor)


def _with_foreign_customer(call: Call) -> Request:
    return call.request.with_json({**call.request.json, "customer_id": call.population.foreign_customer})


def _by_service(probe: Probe, _operation: Operation, features: Features) -> bool:
    # What is found in a list, rather than made, may be the customer's own.
    is_made = probe.settings.driver == "control" and probe.settings.mode is not Mode.OBSERVE
    return is_made and features.audience is not Audience.CUSTOMER


def _in_other_tenant(_probe: Probe, _operation: Operation, features: Features) -> bool:
    # An actor of this tenant is none of the other's, and what is not a customer's own need not be told from nothing.
    return not features.actor and features.audience is not Audience.CUSTOMER


_ROWS: Final = (
    Rule(
        "no-token",
        "credential.missing",
        "no Authorization header",
        refusals.MISSING,
        lambda call: call.request.without_token(),
    ),
    Rule(
        "malformed",
        "credential.malformed",
        "a header that is not `Bearer <token>`",
        refusals.NO_CREDENTIAL,
        lambda call: call.request.with_credential(call.draw.choice(list(MALFORMED_CREDENTIALS.values()))),
    ),
    Rule(
        "unknown",
        "token.unknown",
        "a token that nobody issued",
        refusals.INVALID,
        lambda call: call.request.by(call.population.unknown(live=call.features.live)),
    ),
    Rule(
        "revoked",
        "token.revoked",
        "a token that was revoked",
        refusals.INVALID,
        _revoked,
        applies=lambda _probe, _operation, features: features.history is not History.GRACE,
    ),
    Rule(
        "revoked-in-grace",
        "revocation.covers-grace",
        "an old secret in its grace, of a token that was revoked",
        refusals.ANY_REFUSAL,
        _revoked,
        applies=lambda _probe, _operation, features: features.history is History.GRACE,
        is_sampled=True,
    ),
    Rule(
        "expired",
        "rotation.grace-ends",
        "a secret that was rotated out more than 24 hours ago",
        refusals.EXPIRED,
        _expired,
    ),
    Rule(
        "other-environment",
        "token.wrong-environment",
        "a token of the other environment",
        refusals.WRONG_ENVIRONMENT,
        _of_other_environment,
    ),
    Rule(
        "service-as-admin",
        "audience.admin-api-needs-admin",
        "a service token in place of an admin's",
        refusals.ADMIN_API,
        _by_audience(Audience.SERVICE),
        on=_is_admin,
    ),
    Rule(
        "customer-as-admin",
        "audience.admin-api-needs-admin",
        "a customer token in place of an admin's",
        refusals.ADMIN_API,
        _by_audience(Audience.CUSTOMER),
        on=_is_admin,
    ),
    Rule(
        "customer-writes",
        "audience.customer-cannot-write",
        "a customer token in place of one that may write",
        refusals.FORBIDDEN,
        _by_audience(Audience.CUSTOMER),
        on=lambda operation: not operation.is_read and not operation.is_admin,
    ),
    Rule(
        "other-customer",
        "audience.customer-sees-only-own",
        "a token of another customer than the object's",
        refusals.NOT_OWN,
        _by_audience(Audience.CUSTOMER),
        on=lambda operation: operation.customer_may and operation.has_parameter,
        applies=_by_service,
    ),
    Rule(
        "scope",
        "scope.required",
        "a token with every scope but the one that is needed",
        refusals.SCOPE,
        _without_needed_scope,
        applies=_needs_scope,
    ),
    Rule(
        "no-scope",
        "scope.required",
        "a token without any scope",
        refusals.SCOPE,
        lambda call: call.by(scopes=()),
        applies=_needs_scope,
        is_optional=True,
    ),
    Rule(
        "aal2",
        "aal2.required",
        "a token whose principal has not asserted AAL2",
        refusals.AAL2,
        lambda call: call.by(aal=1),
        applies=lambda probe, operation, _features: probe.tokens.needs_aal2(operation),
    ),
    Rule(
        "unknown-actor",
        "acting-as.unknown-actor",
        "X-Paylera-Acting-As: an actor that is not in the registry",
        refusals.ANY_PROBLEM,
        _absent_actor,
        on=_is_write,
    ),
    Rule(
        "foreign-actor",
        "acting-as.other-tenant",
        "X-Paylera-Acting-As: an actor of another tenant's registry",
        refusals.ANY_PROBLEM,
        _foreign_actor,
        on=_is_write,
    ),
    Rule(
        "unknown-version",
        "version.unknown",
        f"Paylera-Version: {NEVER_RELEASED}",
        refusals.MALFORMED_INPUT,
        lambda call: _with_header(call.request, Header.VERSION, NEVER_RELEASED),
    ),
    Rule(
        "no-key",
        "idempotency.required",
        "no Idempotency-Key header",
        refusals.KEY_REQUIRED,
        lambda call: call.request.with_key(None),
        on=lambda operation: operation.method == "POST",
        applies=_needs_key,
        check=check_printed_body,
    ),
    Rule(
        "other-tenant",
        "token.one-tenant",
        "a token of another tenant",
        refusals.NO_SUCH_OBJECT,
        lambda call: call.by(tenant=OTHER),
        on=lambda operation: operation.has_parameter,
        applies=_in_other_tenant,
    ),
    Rule(
        "other-tenant-in-body",
        "token.one-tenant",
        "a customer_id of another tenant's customer",
        refusals.ANY_PROBLEM,
        _with_foreign_customer,
        on=lambda operation: "customer_id" in EXAMPLES.get(operation.id, {}),
    ),
)

RULES: Final[Mapping[str, Rule]] = {rule.name: rule for rule in _ROWS}
"""By name. What is refused whatever else is asked for comes first."""

UNFIT: Final = frozenset(
    {
        "no-token",
        "malformed",
        "unknown",
        "revoked",
        "revoked-in-grace",
        "expired",
        "other-environment",
        "scope",
        "no-scope",
    }
)
"""The rules about who asks: what they refuse must have had no effect (credential.refusal-has-no-effect)."""
