"""Coverage: which clauses of the contract a client's own tests have covered.

Only what a client can run into is here: a situation that it has to be written for. Each row says how to bring it about
with this fake.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final, TypeAlias

from msgspec import Struct

from paylera_fixtures.api.operations import ADMIN_PATH
from paylera_fixtures.vocabulary import KEY_LIFETIME_SECONDS, KEY_MAX_LENGTH, Audience, Header
from paylera_mock.core.messages import Answer, Reply
from paylera_mock.core.problems import Problem
from paylera_mock.journal.recorder import JournalEntry
from paylera_mock.journal.retries import SentRequest
from paylera_mock.pipeline import rules
from paylera_mock.pipeline.context import Rule

_KINDS_KEPT: Final = 1000
"""Kinds of exchange of which it is remembered what they show."""

_ExchangeKind: TypeAlias = tuple[object, ...]

Shows: TypeAlias = Callable[[JournalEntry, SentRequest | None], bool]
"""Whether an exchange shows a situation; given with it the attempt before, if it is a retry."""


@dataclass(frozen=True)
class Situation:
    """One clause, which exchanges show it, and how to bring it about.

    `rule`: only exchanges that this rule decided can show it; `None`: only those that were accepted.
    """

    clause: str
    rule: Rule | None
    how: str
    shows: Shows = lambda _entry, _earlier: True


def _calls(operation_id: str) -> Shows:
    return lambda entry, _: entry.context.called_operation.id == operation_id


def _audience_of(entry: JournalEntry) -> Audience | None:
    """Whom the token was issued for; `None` where a mutant has judged what none was found for."""
    token = entry.context.token
    return None if token is None else token.grant.audience


def _sent_by(audience: Audience, *, to_admin_api: bool) -> Shows:
    return lambda entry, _: (
        _audience_of(entry) is audience and entry.request.path.startswith(ADMIN_PATH) is to_admin_api
    )


def _uses_scope(*, by_wildcard: bool) -> Shows:
    return lambda entry, _: (
        entry.context.called_operation.scope_in(entry.context.policy.profile) is not None
        and entry.context.caller.grants_all is by_wildcard
    )


def _is_not_found(entry: JournalEntry) -> bool:
    return isinstance(entry.decision, Problem) and entry.decision.status == HTTPStatus.NOT_FOUND


def _is_in_grace(entry: JournalEntry, _earlier: SentRequest | None) -> bool:
    secret = entry.context.secret
    return secret is not None and secret.expires_at is not None


def _is_new_secret(entry: JournalEntry, _earlier: SentRequest | None) -> bool:
    secret = entry.context.secret
    return secret is not None and secret.expires_at is None and len(entry.context.caller.secrets) > 1


def _is_forgotten_key(entry: JournalEntry, earlier: SentRequest | None) -> bool:
    key, context = entry.request.idempotency_key, entry.context
    if earlier is None or key is None or key != earlier.key:
        return False
    return context.now - earlier.now >= context.policy.key_lifetime_seconds


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
        "token.one-tenant",
        rules.EFFECT,
        "Read cus_ada with the well-known token othertenant.",
        lambda entry, _: _is_not_found(entry) and entry.context.tenant_id != entry.context.state.main_tenant,
    ),
    Situation("audience.admin-api-needs-admin", rules.ADMIN_API_BY_ADMIN, "Call /v1/admin/api-tokens with serviceall."),
    Situation(
        "audience.admin-accepted",
        None,
        "Call /v1/admin/api-tokens with adminaal1 or adminaal2.",
        _sent_by(Audience.ADMIN, to_admin_api=True),
    ),
    Situation(
        "audience.admin-on-public-api",
        None,
        "List customers with adminaal1 or adminaal2.",
        _sent_by(Audience.ADMIN, to_admin_api=False),
    ),
    Situation(
        "audience.customer-reads-own",
        None,
        "List customers with customerada.",
        _sent_by(Audience.CUSTOMER, to_admin_api=False),
    ),
    Situation("audience.customer-cannot-write", rules.CUSTOMER_READS_ONLY, "Create a customer with customerada."),
    Situation(
        "audience.customer-sees-only-own",
        rules.EFFECT,
        "Read a customer other than cus_ada with customerada.",
        lambda entry, _: _is_not_found(entry) and _audience_of(entry) is Audience.CUSTOMER,
    ),
    Situation(
        "scope.required", rules.SCOPE_GRANTED, "List customers with servicenoscope, or create one with serviceread."
    ),
    Situation("scope.granted", None, "List customers with serviceread.", _uses_scope(by_wildcard=False)),
    Situation("scope.wildcard", None, "List customers with serviceall.", _uses_scope(by_wildcard=True)),
    Situation("aal2.required", rules.SECOND_FACTOR, "Cancel a payment with adminaal1: POST /v1/payments/{id}/cancel."),
    Situation(
        "aal2.satisfied",
        None,
        "Cancel a payment with adminaal2; POST /_mock/objects makes one that can be.",
        lambda entry, _: entry.context.called_operation.aal2,
    ),
    Situation("idempotency.required", rules.KEY_PRESENT, "Create a customer without an Idempotency-Key."),
    Situation(
        "idempotency.replay",
        rules.REPLAYED,
        "Create a customer twice with one key and one body: arm POST /_mock/faults with after_commit and drop.",
        lambda entry, _: entry.answer.status < HTTPStatus.BAD_REQUEST,
    ),
    Situation(
        "idempotency.replay-error",
        rules.REPLAYED,
        "Send a request that is refused with 422 twice with one key.",
        lambda entry, _: entry.answer.status >= HTTPStatus.BAD_REQUEST,
    ),
    Situation("idempotency.body-mismatch", rules.KEY_WITH_SAME_BODY, "Send one key with two bodies."),
    Situation(
        "idempotency.key-too-long", rules.KEY_BOUNDED, f"Send an Idempotency-Key of {KEY_MAX_LENGTH + 1} characters."
    ),
    Situation(
        "idempotency.lifetime",
        rules.EFFECT,
        f"Send a request again with its key a day later: POST /_mock/clock/advance by {KEY_LIFETIME_SECONDS} seconds.",
        _is_forgotten_key,
    ),
    Situation(
        "version.pinned",
        None,
        "Send Paylera-Version with a version that is served.",
        lambda entry, _: entry.request.version is not None,
    ),
    Situation(
        "version.default",
        None,
        "Send a request without Paylera-Version.",
        lambda entry, _: entry.request.version is None,
    ),
    Situation(
        "version.old-announced",
        None,
        "Pin an older version, or release a newer one with POST /_mock/versions.",
        lambda entry, _: any(name == Header.DEPRECATION for name, _ in entry.answer.headers),
    ),
    Situation("version.unknown", rules.VERSION_SUPPORTED, "Send Paylera-Version: 1999-01-01."),
    Situation(
        "version.new-token-current",
        None,
        "Make a token: POST /v1/admin/api-tokens with adminaal2.",
        _calls("create_api_token"),
    ),
    Situation(
        "rotation.new-secret",
        None,
        "Rotate a token: POST /v1/admin/api-tokens/{id}/rotate with adminaal2.",
        _calls("rotate_api_token"),
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
        lambda entry, _: entry.context.caller.id != "tok_revoked",
    ),
    Situation(
        "acting-as.known-actor",
        None,
        "Send X-Paylera-Acting-As: actor_ada.",
        lambda entry, _: entry.request.acting_as is not None,
    ),
    Situation("acting-as.unknown-actor", rules.ACTOR_KNOWN, "Send X-Paylera-Acting-As: actor_nobody."),
    Situation(
        "acting-as.audited",
        None,
        "Read the audit log: GET /v1/admin/audit-log with adminaal2.",
        _calls("list_audit_records"),
    ),
    Situation("problem.unknown-route", rules.ROUTE_EXISTS, "Ask for /v1/nothing."),
    Situation(
        "problem.members-everywhere",
        rules.EFFECT,
        "Read a customer that does not exist.",
        lambda entry, _: isinstance(entry.decision, Problem),
    ),
    Situation("pagination.envelope", None, "List customers.", lambda entry, _: entry.context.called_operation.is_list),
    Situation(
        "pagination.walk",
        None,
        "List customers with limit=1, and follow next_cursor.",
        lambda entry, _: entry.context.called_operation.is_list and "cursor=" in entry.request.query,
    ),
    Situation(
        "rate-limit.refusal",
        rules.WITHIN_RATE,
        'Arm POST /_mock/faults {"action": "answer", "retry_after": 1}, or have limits: POST /_mock/rate-limits.',
    ),
    Situation(
        "rate-limit.refusal", rules.FAULT, "", lambda entry, _: entry.answer.status == HTTPStatus.TOO_MANY_REQUESTS
    ),
)
"""One row a clause, in the contract's order; a clause that shows in two ways is explained in the first."""


def _by_rule() -> Mapping[str | None, tuple[Situation, ...]]:
    by_rule: dict[str | None, tuple[Situation, ...]] = {}
    for situation in SITUATIONS:
        name = situation.rule.name if situation.rule else None
        by_rule[name] = (*by_rule.get(name, ()), situation)
    return by_rule


_BY_RULE: Final = _by_rule()


class Coverage:
    """Counts the clauses that the exchanges of a namespace show. Bounded; not thread-safe by itself."""

    def __init__(self) -> None:
        self._covered: Counter[str] = Counter()
        # Exchanges of one kind show the same, so that most need only be counted.
        self._of_kind: Counter[_ExchangeKind] = Counter()
        self._clauses: dict[_ExchangeKind, tuple[str, ...]] = {}

    def count(self, entry: JournalEntry, earlier: SentRequest | None) -> None:
        """Count one exchange; `earlier`: the attempt before, if it is a retry."""
        kind = _kind_of(entry)
        if earlier is None and kind not in self._clauses and len(self._clauses) < _KINDS_KEPT:
            self._clauses[kind] = tuple(clauses_shown(entry, None))
        if earlier is None and kind in self._clauses:
            self._of_kind[kind] += 1
        else:
            self._covered.update(clauses_shown(entry, earlier))

    def clause_counts(self) -> Counter[str]:
        """How often each clause was covered."""
        counts = self._covered.copy()
        for kind, clauses in self._clauses.items():
            counts.update(dict.fromkeys(clauses, self._of_kind[kind]))
        return counts


def _kind_of(entry: JournalEntry) -> _ExchangeKind:
    """All of an exchange that `Shows` looks at where it is no retry: two of one kind show the same situations."""
    context = entry.context
    request, token, secret, operation = context.request, context.token, context.secret, context.request.operation
    return (
        entry.rule.name,
        type(entry.decision),
        entry.answer.status,
        not entry.faults,
        operation and operation.id,
        token and (token.id, len(token.secrets)),
        secret and secret.expires_at is None,
        request.version,
        context.state.versions.current,
        request.acting_as is None,
        "cursor=" in request.query,
    )


def clauses_shown(entry: JournalEntry, earlier: SentRequest | None) -> Iterator[str]:
    """The clauses that an exchange shows."""
    decision = entry.decision
    # What a mutant accepts without a token shows nothing.
    is_accepted = entry.context.token is not None and (
        isinstance(decision, Reply) or (isinstance(decision, Answer) and decision.status < HTTPStatus.BAD_REQUEST)
    )
    situations = _BY_RULE.get(entry.rule.name, ()) + (_BY_RULE[None] if is_accepted else ())
    return (situation.clause for situation in situations if situation.shows(entry, earlier))


class ClauseCoverage(Struct):
    """Whether and how often a clause was covered, what it says, and how to cover it."""

    clause: str
    met: bool
    times: int
    says: str
    how: str


class CoverageReport(Struct):
    """How many clauses were covered of how many, and each of them."""

    met: int
    of: int
    percent: float
    clauses: list[ClauseCoverage]


def report_coverage(counts: Mapping[str, int]) -> CoverageReport:
    """Coverage as JSON shows it."""
    from paylera_fixtures.clauses import BY_ID  # noqa: PLC0415 - the whole contract, which only a report needs

    # Of two rows for one clause the first says how.
    how = {situation.clause: situation.how for situation in reversed(SITUATIONS)}
    clauses = [
        ClauseCoverage(clause, counts.get(clause, 0) > 0, counts.get(clause, 0), BY_ID[clause].says, how[clause])
        for clause in dict.fromkeys(situation.clause for situation in SITUATIONS)
    ]
    met = sum(clause.met for clause in clauses)
    return CoverageReport(met, len(clauses), round(100 * met / len(clauses), 1), clauses)
