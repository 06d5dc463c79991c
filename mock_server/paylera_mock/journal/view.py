"""An exchange as JSON shows it."""

from __future__ import annotations

from msgspec import UNSET, Struct, UnsetType

from paylera_fixtures.redaction import redact
from paylera_fixtures.tokens import WELL_KNOWN, digest
from paylera_fixtures.vocabulary import Audience, Environment, Header
from paylera_mock.core.clock import format_time
from paylera_mock.core.credential import BearerCredential, Malformed
from paylera_mock.core.problems import Problem
from paylera_mock.faults.model import Action, FaultPoint
from paylera_mock.journal.recorder import JournalEntry
from paylera_mock.journal.retries import Attempt
from paylera_mock.pipeline.context import Context
from paylera_mock.state.token_names import ready_name


class TokenView(Struct):
    """Who called. A secret is named and never shown, an unknown one too.

    `flaw`: why no token could be read; `id` is `null`, and what follows it missing, where the rules found no token.
    """

    label: str | None
    flaw: str | UnsetType = UNSET
    id: str | UnsetType | None = UNSET
    name: str | UnsetType | None = UNSET
    audience: Audience | UnsetType = UNSET
    scopes: tuple[str, ...] | UnsetType = UNSET
    aal: int | UnsetType = UNSET
    tenant_id: str | UnsetType = UNSET


class VerdictView(Struct):
    """Which check decided, and the clause that it keeps."""

    check: str
    clause: str


class AnswerView(Struct):
    """What was sent, or was to be sent where a fault lost it."""

    status: int
    problem: str | None
    headers: tuple[tuple[str, str], ...]
    body: str | None


class AppliedFaultView(Struct):
    """A fault that happened to the exchange."""

    id: str
    at: FaultPoint
    action: Action


class EntryView(Struct, kw_only=True):
    """All that is remembered of an exchange, without a secret; `attempt`, `retry_of`: its place among retries."""

    number: int
    at: str
    method: str
    path: str
    query: str
    route: str | None
    environment: Environment
    token: TokenView | None
    headers: dict[str, str]
    body: str | None
    body_size: int
    verdict: VerdictView
    answer: AnswerView
    hint: str | None
    faults: list[AppliedFaultView]
    attempt: int
    retry_of: int | None


def view_entry(entry: JournalEntry, attempt: Attempt) -> EntryView:
    """An exchange with its place among the attempts at one thing."""
    request, answer, decision = entry.request, entry.answer, entry.decision
    headers = {
        Header.VERSION: request.version,
        Header.IDEMPOTENCY_KEY: request.idempotency_key,
        Header.ACTING_AS: request.acting_as,
        "Content-Type": request.content_type,
        "User-Agent": request.user_agent,
    }
    return EntryView(
        number=entry.number,
        at=format_time(entry.context.now),
        method=request.method,
        path=request.path,
        query=redact(request.query),
        route=request.route,
        environment=request.environment,
        token=_view_token(entry),
        headers={name: redact(value) for name, value in headers.items() if value},
        body=_read_text(request.body),
        body_size=entry.body_size,
        verdict=VerdictView(entry.rule.name, entry.rule.clause),
        answer=AnswerView(
            answer.status,
            decision.type.code if isinstance(decision, Problem) else None,
            answer.headers,
            _read_text(answer.body),
        ),
        hint=entry.hint or None,
        faults=[AppliedFaultView(fault.id, fault.at, fault.action) for fault in entry.faults],
        attempt=attempt.attempt,
        retry_of=attempt.retry_of,
    )


def _view_token(entry: JournalEntry) -> TokenView | None:
    credential, token = entry.request.credential, entry.context.token
    if isinstance(credential, Malformed):
        return TokenView(None, flaw=credential.flaw.value)
    label = credential_label(entry)
    if token is None:
        return None if label is None else TokenView(label, id=None)
    grant = token.grant
    return TokenView(
        label,
        id=token.id,
        name=grant.name,
        audience=grant.audience,
        scopes=grant.scopes,
        aal=grant.aal,
        tenant_id=grant.tenant_id,
    )


def _read_text(body: bytes | None) -> str | None:
    return redact(body.decode("utf-8", "replace")) if body else None


def token_names(entry: JournalEntry) -> frozenset[str]:
    """Every name of the token that was found: its id, its own name, and that of its well-known secret."""
    token = entry.context.token
    if token is None:
        return frozenset()
    return frozenset({token.id, token.grant.name or token.id, _well_known_name(entry.context) or token.id})


def credential_label(entry: JournalEntry) -> str | None:
    """What the credential is called: `‹serviceall #3f9c›`; `None` where none was sent, or it could not be read."""
    credential, token = entry.request.credential, entry.context.token
    if not isinstance(credential, BearerCredential):
        return None
    name = "unknown token"
    if token is not None:
        name = _well_known_name(entry.context) or token.grant.name or token.id
    return f"‹{name} #{credential.digest[:4]}›"


def _well_known_name(context: Context) -> str | None:
    sent = context.secret.digest if context.secret else None
    known = (token for token in WELL_KNOWN if context.token and token.token_id == context.token.id)
    return next((ready_name(token) for token in known if digest(token.secret) == sent), None)
