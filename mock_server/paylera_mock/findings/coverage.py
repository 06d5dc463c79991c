"""Coverage: which clauses of the contract a client's own tests have met.

Only what a client can meet is here: a situation that it has to be written for. Each row says how to bring it about
with this fake.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from types import MappingProxyType
from typing import Any, Final, TypeAlias

from paylera_fixtures.vocabulary import Audience, Header
from paylera_mock.core.messages import Answer, Reply
from paylera_mock.core.problems import Problem
from paylera_mock.journal.recorder import JournalEntry
from paylera_mock.journal.retries import SentRequest
from paylera_mock.pipeline import rules
from paylera_mock.pipeline.context import Context, Rule

_SHAPES: Final = 1000
"""Different exchanges of which it is remembered what they show."""

_Shape: TypeAlias = tuple[object, ...]

Shows: TypeAlias = Callable[[JournalEntry, SentRequest | None], bool]
"""Whether an exchange shows a situation; given with it the try before, if it is a retry."""


@dataclass(frozen=True)
class Situation:
    """One clause, which exchanges show it, and how to bring it about.

    `rule`: only exchanges that this rule decided can show it; `None`: only those that were accepted.
    """

    clause: str
    rule: Rule | None
    how: str
    shows: Shows = lambda _exchange, _earlier: True


def _operation(name: str) -> Shows:
    return lambda exchange, _: exchange.context.operation is not None and exchange.context.operation.id == name


def _audience(audience: Audience, *, on_admin: bool) -> Shows:
    return lambda exchange, _: (
        exchange.context.caller.grant.audience is audience
        and exchange.request.path.startswith("/v1/admin/") is on_admin
    )


def _is_refused_with(exchange: JournalEntry, status: HTTPStatus) -> bool:
    return isinstance(exchange.decision, Problem) and exchange.decision.status == status


def _is_in_grace(exchange: JournalEntry, _earlier: SentRequest | None) -> bool:
    secret = exchange.context.secret
    return secret is not None and secret.expires_at is not None


def _is_new_secret(exchange: JournalEntry, _earlier: SentRequest | None) -> bool:
    context = exchange.context
    return context.secret is not None and context.secret.expires_at is None and len(context.caller.secrets) > 1


def _is_granted_by_name(exchange: JournalEntry, _earlier: SentRequest | None) -> bool:
    context = exchange.context
    return _scope(context) is not None and not context.caller.grants_all


def _is_granted_by_wildcard(exchange: JournalEntry, _earlier: SentRequest | None) -> bool:
    context = exchange.context
    return _scope(context) is not None and context.caller.grants_all


def _scope(context: Context) -> str | None:
    return context.called.scope_in(context.policy.profile)


def _is_old_version(exchange: JournalEntry, _earlier: SentRequest | None) -> bool:
    return any(name == Header.DEPRECATION for name, _ in exchange.answer.headers)


def _is_forgotten_key(exchange: JournalEntry, earlier: SentRequest | None) -> bool:
    request, now = exchange.request, exchange.context.now
    return (
        earlier is not None
        and request.idempotency_key is not None
        and request.idempotency_key == earlier.key
        and now - earlier.now >= exchange.context.policy.key_lifetime_seconds
    )


def _is_of_another_tenant(exchange: JournalEntry, _earlier: SentRequest | None) -> bool:
    context = exchange.context
    return _is_refused_with(exchange, HTTPStatus.NOT_FOUND) and context.tenant_id != context.state.main_tenant


def _is_of_another_customer(exchange: JournalEntry, _earlier: SentRequest | None) -> bool:
    return (
        _is_refused_with(exchange, HTTPStatus.NOT_FOUND) and exchange.context.caller.grant.audience is Audience.CUSTOMER
    )


def _is_list(exchange: JournalEntry, _earlier: SentRequest | None) -> bool:
    return exchange.context.called.is_list


SITUATIONS: Final[tuple[Situation, ...]] = (
    Situation("credential.accepted", None, "Send any request with the token in PAYLERA_KEY."),
    Situation("credential.missing", rules.CREDENTIAL_PRESENT, "Send a request without Authorization."),
    Situation(
        "credential.malformed", rules.CREDENTIAL_WELL_FORMED, "Send `Authorization: Token x`, or an empty token."
    ),
    Situation("token.unknown", rules.TOKEN_KNOWN, "Send a token of the right form that the fake never gave out."),
    Situation(
        "token.wrong-environment", rules.RIGHT_ENVIRONMENT, "Send a live token to the sandbox URL, or the reverse."
    ),
    Situation("token.revoked", rules.TOKEN_NOT_REVOKED, "Use the well-known token revoked."),
    Situation(
        "token.one-tenant", rules.EFFECT, "Read cus_ada with the well-known token othertenant.", _is_of_another_tenant
    ),
    Situation("audience.admin-api-needs-admin", rules.ADMIN_API_BY_ADMIN, "Call /v1/admin/api-tokens with serviceall."),
    Situation(
        "audience.admin-accepted",
        None,
        "Call /v1/admin/api-tokens with adminaal1 or adminaal2.",
        _audience(Audience.ADMIN, on_admin=True),
    ),
    Situation(
        "audience.admin-on-public-api",
        None,
        "List customers with adminaal1 or adminaal2.",
        _audience(Audience.ADMIN, on_admin=False),
    ),
    Situation(
        "audience.customer-reads-own",
        None,
        "List customers with customerada.",
        _audience(Audience.CUSTOMER, on_admin=False),
    ),
    Situation("audience.customer-cannot-write", rules.CUSTOMER_READS_ONLY, "Create a customer with customerada."),
    Situation(
        "audience.customer-sees-only-own",
        rules.EFFECT,
        "Read a customer other than cus_ada with customerada.",
        _is_of_another_customer,
    ),
    Situation(
        "scope.required", rules.SCOPE_GRANTED, "List customers with servicenoscope, or create one with serviceread."
    ),
    Situation("scope.granted", None, "List customers with serviceread.", _is_granted_by_name),
    Situation("scope.wildcard", None, "List customers with serviceall.", _is_granted_by_wildcard),
    Situation("aal2.required", rules.SECOND_FACTOR, "Cancel a payment with adminaal1: POST /v1/payments/{id}/cancel."),
    Situation(
        "aal2.satisfied",
        None,
        "Cancel a payment with adminaal2; POST /_mock/objects makes one that can be.",
        lambda exchange, _: exchange.context.called.aal2,
    ),
    Situation("idempotency.required", rules.KEY_PRESENT, "Create a customer without an Idempotency-Key."),
    Situation(
        "idempotency.replay",
        rules.REPLAYED,
        "Create a customer twice with one key and one body: arm POST /_mock/faults with after_commit and drop.",
        lambda exchange, _: exchange.answer.status < HTTPStatus.BAD_REQUEST,
    ),
    Situation(
        "idempotency.replay-error",
        rules.REPLAYED,
        "Send a request that is refused with 422 twice with one key.",
        lambda exchange, _: exchange.answer.status >= HTTPStatus.BAD_REQUEST,
    ),
    Situation("idempotency.body-mismatch", rules.KEY_WITH_SAME_BODY, "Send one key with two bodies."),
    Situation("idempotency.key-too-long", rules.KEY_BOUNDED, "Send an Idempotency-Key of 256 characters."),
    Situation(
        "idempotency.lifetime",
        rules.EFFECT,
        "Send a request again with its key a day later: POST /_mock/clock/advance by 86400 seconds.",
        _is_forgotten_key,
    ),
    Situation(
        "version.pinned",
        None,
        "Send Paylera-Version with a version that is served.",
        lambda exchange, _: exchange.request.version is not None,
    ),
    Situation(
        "version.default",
        None,
        "Send a request without Paylera-Version.",
        lambda exchange, _: exchange.request.version is None,
    ),
    Situation(
        "version.old-announced",
        None,
        "Pin an older version, or release a newer one with POST /_mock/versions.",
        _is_old_version,
    ),
    Situation("version.unknown", rules.VERSION_SUPPORTED, "Send Paylera-Version: 1999-01-01."),
    Situation(
        "version.new-token-current",
        None,
        "Make a token: POST /v1/admin/api-tokens with adminaal2.",
        _operation("create_api_token"),
    ),
    Situation(
        "rotation.new-secret",
        None,
        "Rotate a token: POST /v1/admin/api-tokens/{id}/rotate with adminaal2.",
        _operation("rotate_api_token"),
    ),
    Situation("rotation.new-works", None, "Use rotatednew, or the secret that a rotation gave.", _is_new_secret),
    Situation(
        "rotation.grace-holds", None, "Use rotatedold, or a secret rotated out less than a day ago.", _is_in_grace
    ),
    Situation("rotation.grace-ends", rules.SECRET_NOT_EXPIRED, "Use the well-known token expired."),
    Situation(
        "revocation.immediate",
        rules.TOKEN_NOT_REVOKED,
        "Revoke a token with DELETE /v1/admin/api-tokens/{id}, and use it.",
        lambda exchange, _: exchange.context.caller.id != "tok_revoked",
    ),
    Situation(
        "acting-as.known-actor",
        None,
        "Send X-Paylera-Acting-As: actor_ada.",
        lambda exchange, _: exchange.request.acting_as is not None,
    ),
    Situation("acting-as.unknown-actor", rules.ACTOR_KNOWN, "Send X-Paylera-Acting-As: actor_nobody."),
    Situation(
        "acting-as.audited",
        None,
        "Read the audit log: GET /v1/admin/audit-log with adminaal2.",
        _operation("list_audit_records"),
    ),
    Situation("problem.unknown-route", rules.ROUTE_EXISTS, "Ask for /v1/nothing."),
    Situation(
        "problem.members-everywhere",
        rules.EFFECT,
        "Read a customer that does not exist.",
        lambda exchange, _: isinstance(exchange.decision, Problem),
    ),
    Situation("pagination.envelope", None, "List customers.", _is_list),
    Situation(
        "pagination.walk",
        None,
        "List customers with limit=1, and follow next_cursor.",
        lambda exchange, _: exchange.context.called.is_list and "cursor=" in exchange.request.query,
    ),
    Situation(
        "rate-limit.refusal",
        rules.WITHIN_RATE,
        'Arm POST /_mock/faults {"action": "answer", "retry_after": 1}, or have limits: POST /_mock/rate-limits.',
    ),
    Situation(
        "rate-limit.refusal",
        rules.FAULT,
        "",
        lambda exchange, _: exchange.answer.status == HTTPStatus.TOO_MANY_REQUESTS,
    ),
)
"""One row a clause, in the contract's order; a clause that shows in two ways is explained in the first."""


def _by_rule() -> Mapping[str | None, tuple[Situation, ...]]:
    by_rule: dict[str | None, tuple[Situation, ...]] = {}
    for situation in SITUATIONS:
        name = situation.rule.name if situation.rule else None
        by_rule[name] = (*by_rule.get(name, ()), situation)
    return MappingProxyType(by_rule)


_BY_RULE: Final = _by_rule()


class Coverage:
    """Counts the clauses that the exchanges of a namespace show. Bounded; not thread-safe by itself."""

    def __init__(self) -> None:
        self._met: Counter[str] = Counter()
        # Exchanges that are alike show the same, so that most need only be counted.
        self._shapes: Counter[_Shape] = Counter()
        self._shown: dict[_Shape, tuple[str, ...]] = {}

    def count(self, exchange: JournalEntry, earlier: SentRequest | None) -> None:
        """Count one exchange; `earlier`: the try before, if it is a retry."""
        shape = _shape(exchange)
        if earlier is not None:
            self._met.update(clauses_met(exchange, earlier))
        elif shape in self._shown:
            self._shapes[shape] += 1
        elif len(self._shown) < _SHAPES:
            self._shown[shape] = tuple(clauses_met(exchange, None))
            self._shapes[shape] = 1
        else:
            self._met.update(clauses_met(exchange, None))

    def met(self) -> Counter[str]:
        """How often each clause was met."""
        met = self._met.copy()
        for shape, clauses in self._shown.items():
            met.update(dict.fromkeys(clauses, self._shapes[shape]))
        return met


def _shape(exchange: JournalEntry) -> _Shape:
    """All of an exchange that `Shows` looks at where it is no retry: what is alike in this is alike to them."""
    context = exchange.context
    request, token, secret, operation = context.request, context.token, context.secret, context.operation
    return (
        exchange.rule.name,
        type(exchange.decision),
        exchange.answer.status,
        not exchange.faults,
        operation and operation.id,
        token and (token.id, len(token.secrets)),
        secret and secret.expires_at is None,
        request.version,
        context.state.versions.current,
        request.acting_as is None,
        "cursor=" in request.query,
    )


def clauses_met(exchange: JournalEntry, earlier: SentRequest | None) -> Iterator[str]:
    """The clauses that an exchange shows."""
    decision = exchange.decision
    is_accepted = isinstance(decision, Reply) or (
        isinstance(decision, Answer) and decision.status < HTTPStatus.BAD_REQUEST
    )
    situations = _BY_RULE.get(exchange.rule.name, ()) + (_BY_RULE[None] if is_accepted else ())
    return (situation.clause for situation in situations if situation.shows(exchange, earlier))


def report(met: Mapping[str, int]) -> dict[str, Any]:
    """Coverage as JSON shows it: how many clauses were met of how many, and each with how to meet it."""
    from paylera_fixtures.clauses import BY_ID  # noqa: PLC0415 - the whole contract, which only a report needs

    rows = {situation.clause: situation for situation in reversed(SITUATIONS)}
    clauses = [
        {
            "clause": clause,
            "met": met.get(clause, 0) > 0,
            "times": met.get(clause, 0),
            "says": BY_ID[clause].says,
            "how": rows[clause].how,
        }
        for clause in dict.fromkeys(situation.clause for situation in SITUATIONS)
    ]
    count = sum(met.get(clause, 0) > 0 for clause in rows)
    return {"met": count, "of": len(rows), "percent": round(100 * count / len(rows), 1), "clauses": clauses}
