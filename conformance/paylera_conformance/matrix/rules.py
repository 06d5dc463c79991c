"""The rows of the matrix: each a refusal that the contract promises for every call, and the change that brings it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from paylera_conformance.matrix import changes
from paylera_conformance.matrix.calls import Call
from paylera_conformance.matrix.features import Features, History
from paylera_conformance.model.messages import Exchange, Request
from paylera_conformance.model.outcomes import Blocked, NotOffered
from paylera_conformance.model.tokens import TokenState
from paylera_conformance.probe import refusals
from paylera_conformance.probe.probe import Probe
from paylera_conformance.probe.refusals import Refusal
from paylera_conformance.scenarios.changes import FORGED
from paylera_conformance.scenarios.credential_forms import (
    ALTERED_ROLE,
)
from paylera_conformance.scenarios.idempotency import check_printed_body
from paylera_conformance.scenarios.versions import NEVER_RELEASED
from paylera_conformance.target.provisioner import OTHER
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
    - `check`: looks at the refusal itself; raises `Violation`;
    - `control`: for a change that adds what nobody need accept, a query or a header: the accepted call with the same
      added. What is refused for what is added says nothing where that is refused likewise.
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
    control: Callable[[Call], Request] | None = None

    def __str__(self) -> str:
        return self.name

    def refusal_of(self, call: Call) -> Refusal:
        """How the changed call is to be refused, under the readings of the run."""
        refusal = self.refusal.under(call.probe.settings.readings)
        # A HEAD has no body that could name a reason.
        return replace(refusal, problems=(), needs_problem=False) if call.features.head else refusal

    def find_control(self, call: Call, exchange: Exchange) -> Request | None:
        """What shows whether an answer is about what the change has added; `None` where it is not in doubt."""
        is_in_doubt = refusals.is_about_request(exchange.response) and not self.refusal_of(call).accepts(
            exchange.response
        )
        return self.control(call) if self.control and is_in_doubt else None

    def judge(self, call: Call, exchange: Exchange, control: Exchange | None = None) -> None:
        """Raise `Violation` where an answer is not this refusal, `Blocked` where it proves nothing.

        - `control`: the answer to what `find_control` gave; `NotOffered` is raised where that is refused likewise.
        """
        refusal = self.refusal_of(call)
        request = exchange.request
        if request.token and request.token.secret.role == FORGED and refusals.INVALID.accepts(exchange.response):
            raise Blocked(
                "a forged token of the other environment was refused as unknown, which proves nothing: list a real one"
                " with may_cross = true",
                exchange=exchange,
            )
        if _is_unrecognised(call, exchange, refusal):
            raise Blocked("a secret of a rotated token is no credential (see rotation.new-works)", exchange=exchange)
        if control is not None and refusals.refusal_like(exchange).accepts(control.response):
            raise NotOffered(f"the target refuses the form of {request}, by whomever", exchange=control)
        form = request.credential.replace("{}", "<token>")
        words = self.words if form == "Bearer <token>" else f"Authorization reads `{form}`"
        change = f"{words} (beside {call.company})" if call.company else words
        refusal.check(exchange, change=change, hint="it is asked for on every operation")
        if not call.features.head:
            self.check(exchange)


def _is_unrecognised(call: Call, exchange: Exchange, refusal: Refusal) -> bool:
    """Whether a live token of a rotation was refused as one that nobody issued."""
    token, answer = exchange.request.token, exchange.response
    is_real = token is not None and token.issued and token.secret.role != ALTERED_ROLE
    if not is_real or token is None or token.state is not TokenState.ACTIVE or call.kind.history is History.FRESH:
        return False
    is_wanted = refusal.accepts(answer)
    if token == call.request.token:  # it is accepted all the same: only the reason may tell that it was not known
        return refusals.INVALID.accepts(answer) and not is_wanted
    # A HEAD is answered without the reason: by the status, where that is not the one that is wanted.
    is_bare = call.features.head and answer.status in refusals.INVALID.statuses and not is_wanted
    return refusals.INVALID.accepts(answer) or is_bare


_ROWS: Final = (
    Rule(
        "no-token",
        "credential.missing",
        "no Authorization header",
        refusals.MISSING,
        changes.without_token,
    ),
    Rule(
        "malformed",
        "credential.malformed",
        "a header that is not `Bearer <token>`",
        refusals.NO_CREDENTIAL,
        changes.malformed,
    ),
    Rule(
        "in-query",
        "credential.only-in-header",
        "the token in a query",
        refusals.MISSING,
        changes.in_query,
        control=changes.beside_query,
    ),
    Rule(
        "in-header",
        "credential.only-in-header",
        "the token in other headers than Authorization",
        refusals.MISSING,
        changes.in_header,
        control=changes.beside_header,
    ),
    Rule(
        "altered",
        "credential.exact-match",
        "an altered token",
        refusals.UNRECOGNISED,
        changes.altered,
    ),
    Rule(
        "in-part",
        "credential.exact-match",
        "a part of a token, or its id",
        refusals.UNRECOGNISED,
        changes.in_part,
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
        changes.revoked,
        applies=lambda _probe, _operation, features: not features.history.is_old,
    ),
    Rule(
        "revoked-in-grace",
        "revocation.covers-grace",
        "an old secret in its grace, of a token that was revoked",
        refusals.ANY_REFUSAL,
        changes.revoked,
        applies=lambda _probe, _operation, features: features.history.is_old,
        is_sampled=True,
    ),
    Rule(
        "expired",
        "rotation.grace-ends",
        "a secret that was rotated out more than 24 hours ago",
        refusals.EXPIRED,
        changes.expired,
    ),
    Rule(
        "other-environment",
        "token.wrong-environment",
        "a token of the other environment",
        refusals.WRONG_ENVIRONMENT,
        changes.of_other_environment,
    ),
    Rule(
        "service-as-admin",
        "audience.admin-api-needs-admin",
        "a service token in place of an admin's",
        refusals.ADMIN_API,
        changes.by_audience(Audience.SERVICE),
        on=changes.is_admin,
    ),
    Rule(
        "customer-as-admin",
        "audience.admin-api-needs-admin",
        "a customer token in place of an admin's",
        refusals.ADMIN_API,
        changes.by_audience(Audience.CUSTOMER),
        on=changes.is_admin,
    ),
    Rule(
        "customer-writes",
        "audience.customer-cannot-write",
        "a customer token in place of one that may write",
        refusals.FORBIDDEN,
        changes.by_audience(Audience.CUSTOMER),
        on=lambda operation: not operation.is_read and not operation.is_admin,
    ),
    Rule(
        "other-customer",
        "audience.customer-sees-only-own",
        "a token of another customer than the object's",
        refusals.NOT_OWN,
        changes.by_audience(Audience.CUSTOMER),
        on=lambda operation: operation.customer_may and operation.has_parameter,
        applies=changes.by_service,
    ),
    Rule(
        "scope",
        "scope.required",
        "a token with every scope but the one that is needed",
        refusals.SCOPE,
        changes.without_needed_scope,
        applies=changes.needs_scope,
    ),
    Rule(
        "no-scope",
        "scope.required",
        "a token without any scope",
        refusals.SCOPE,
        lambda call: call.by(scopes=()),
        applies=changes.needs_scope,
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
        changes.absent_actor,
        on=changes.is_write,
    ),
    Rule(
        "foreign-actor",
        "acting-as.other-tenant",
        "X-Paylera-Acting-As: an actor of another tenant's registry",
        refusals.ANY_PROBLEM,
        changes.foreign_actor,
        on=changes.is_write,
    ),
    Rule(
        "unknown-version",
        "version.unknown",
        f"Paylera-Version: {NEVER_RELEASED}",
        refusals.MALFORMED_INPUT,
        lambda call: changes.replace_header(call.request, Header.VERSION, NEVER_RELEASED),
    ),
    Rule(
        "no-key",
        "idempotency.required",
        "no Idempotency-Key header",
        refusals.KEY_REQUIRED,
        changes.without_key,
        on=lambda operation: operation.method == "POST",
        applies=changes.needs_key,
        check=check_printed_body,
    ),
    Rule(
        "key-elsewhere",
        "idempotency.required",
        "a key in other headers than Idempotency-Key",
        refusals.KEY_REQUIRED,
        changes.key_elsewhere,
        control=changes.key_everywhere,
        on=lambda operation: operation.method == "POST",
        applies=changes.needs_key,
    ),
    Rule(
        "other-tenant",
        "token.one-tenant",
        "a token of another tenant",
        refusals.NO_SUCH_OBJECT,
        lambda call: call.by(tenant=OTHER),
        on=lambda operation: operation.has_parameter,
        applies=changes.in_other_tenant,
    ),
    Rule(
        "other-tenant-in-body",
        "token.one-tenant",
        "another tenant's customer, plan or product in the body",
        refusals.ANY_PROBLEM,
        changes.with_foreign_reference,
        on=changes.refers_to_others,
    ),
)

RULES: Final[Mapping[str, Rule]] = {rule.name: rule for rule in _ROWS}
"""By name. What is refused whatever else is asked for comes first."""

UNFIT: Final = frozenset(
    {
        "no-token",
        "malformed",
        "in-query",
        "in-header",
        "altered",
        "in-part",
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

OF_REPLAYS: Final = UNFIT | {"service-as-admin", "customer-as-admin", "customer-writes", "aal2"}
"""The rules that refuse a replay, too: its answer is nobody else's (idempotency.replay-is-authorised)."""
