"""An exchange as JSON shows it."""

from __future__ import annotations

from msgspec import UNSET, Struct, UnsetType

from paylera_fixtures.redaction import redact
from paylera_fixtures.vocabulary import Audience, Environment
from paylera_mock.core.clock import format_time
from paylera_mock.core.credential import BearerCredential, Malformed
from paylera_mock.core.problems import Problem
from paylera_mock.faults.model import Action, FaultPoint
from paylera_mock.journal.recorder import JournalEntry
from paylera_mock.journal.retries import Attempt
from paylera_mock.pipeline.context import Context
from paylera_mock.state.token_names import name_of, well_known_name


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
    """What was sent, or was to be sent where a fault lost it.

    `lost`: by which fault; where there was nothing to be sent yet, `status` is `null`, and all else empty.
    """

    status: int | None
    problem: str | None
    headers: tuple[tuple[str, str], ...]
    body: str | None
    lost: Action | None


class AppliedFaultView(Struct):
    """A fault that happened to the exchange."""

    id: str
    at: FaultPoint
    action: Action


class EntryView(Struct, kw_only=True):
    """All that is remembered of an exchange, without a secret.

    - `headers`: every one, by its usual spelling; where a secret stood is its name;
    - `attempt`, `retry_of`: its place among retries;
    - `namespace`: where those of several are listed.
    """

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
    namespace: str | UnsetType | None = UNSET


def view_entry(entry: JournalEntry, attempt: Attempt) -> EntryView:
    """An exchange with its place among the attempts at one thing."""
    request = entry.request
    return EntryView(
        number=entry.number,
        at=format_time(entry.context.now),
        method=request.method,
        path=request.path,
        query=redact(request.query),
        route=request.route,
        environment=request.environment,
        token=_view_token(entry),
        headers={name.title(): header_text(entry, name) or "" for name, _ in request.headers},
        body=_read_text(request.body),
        body_size=entry.body_size,
        verdict=VerdictView(entry.rule.name, entry.rule.clause),
        answer=_view_answer(entry),
        hint=entry.hint or None,
        faults=[AppliedFaultView(fault.id, fault.at, fault.action) for fault in entry.faults],
        attempt=attempt.attempt,
        retry_of=attempt.retry_of,
    )


def header_text(entry: JournalEntry, name: str) -> str | None:
    """A header without its secret, by its name in lower case; `None` where it is not there."""
    value = next((value for each, value in entry.request.headers if each == name), None)
    if value is None or name != "authorization":
        return value
    token = credential_label(entry.context)
    return "(no Bearer token)" if token is None else f"Bearer {token}"


def _view_answer(entry: JournalEntry) -> AnswerView:
    answer, decision = entry.answer, entry.decision
    if entry.status is None:
        return AnswerView(None, None, (), None, entry.lost_by)
    problem = decision.type.code if isinstance(decision, Problem) else None
    return AnswerView(entry.status, problem, answer.headers, _read_text(answer.body), entry.lost_by)


def _view_token(entry: JournalEntry) -> TokenView | None:
    credential, token = entry.request.credential, entry.context.token
    if isinstance(credential, Malformed):
        return TokenView(None, flaw=credential.flaw.value)
    label = credential_label(entry.context)
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
    return frozenset({token.id, token.grant.name or token.id, well_known_name(entry.context.secret) or token.id})


def credential_label(context: Context) -> str | None:
    """What the credential is called: `‹serviceall #3f9c›`; `None` where none was sent, or it could not be read.

    Its token is named also where no rule has looked for it, as when a fault answered before.
    """
    credential, token = context.request.credential, context.sent_token
    if not isinstance(credential, BearerCredential):
        return None
    if token is None:
        return f"‹unknown token #{credential.digest[:4]}›"
    secret = next((each for each in token.secrets if each.digest == credential.digest), context.secret)
    return f"‹{name_of(token, secret)} #{credential.digest[:4]}›"
