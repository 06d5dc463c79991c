"""An exchange as JSON shows it."""

from __future__ import annotations

from typing import Any

from paylera_fixtures.redaction import redact
from paylera_fixtures.tokens import WELL_KNOWN, digest
from paylera_mock.core.clock import written
from paylera_mock.core.credential import Credential, Malformed
from paylera_mock.core.problems import Problem
from paylera_mock.faults.model import Fault
from paylera_mock.journal.recorder import JournalEntry
from paylera_mock.journal.retries import Attempt
from paylera_mock.pipeline.context import Context
from paylera_mock.state.token_names import ready_name

_UNKNOWN = "unknown token"


def shown(exchange: JournalEntry, attempt: Attempt) -> dict[str, Any]:
    """All that is remembered of an exchange, without a secret. `attempt`: its place in a chain of retries."""
    request, context = exchange.request, exchange.context
    return {
        "number": exchange.number,
        "at": written(context.now),
        "method": request.method,
        "path": request.path,
        "query": redact(request.query),
        "route": exchange.operation.path if exchange.operation else None,
        "environment": request.environment.value,
        "token": _token(exchange),
        "headers": _headers(exchange),
        "body": _text(request.body),
        "body_size": exchange.body_size,
        "verdict": {"check": exchange.rule.name, "clause": exchange.rule.clause},
        "answer": _answer(exchange),
        "hint": exchange.hint or None,
        "faults": [_fault(fault) for fault in exchange.faults],
        "attempt": attempt.attempt,
        "retry_of": attempt.retry_of,
    }


def token_names(exchange: JournalEntry) -> frozenset[str]:
    """Every name of the token that was found: its id, its own name, and that of its well-known secret."""
    token = exchange.context.token
    if token is None:
        return frozenset()
    return frozenset({token.id, token.grant.name or token.id, _well_known(exchange.context) or token.id})


def _well_known(context: Context) -> str | None:
    sent = context.secret.digest if context.secret else None
    known = (token for token in WELL_KNOWN if context.token and token.token_id == context.token.id)
    return next((ready_name(token) for token in known if digest(token.secret) == sent), None)


def label_of(exchange: JournalEntry) -> str | None:
    """What the credential is called: `‹serviceall #3f9c›`; `None` where none was sent, or it could not be read."""
    context = exchange.context
    credential = exchange.request.credential
    if not isinstance(credential, Credential):
        return None
    name = _UNKNOWN
    if context.token is not None:
        name = _well_known(context) or context.token.grant.name or context.token.id
    return f"‹{name} #{credential.digest[:4]}›"


def _token(exchange: JournalEntry) -> dict[str, Any] | None:
    """Who called. A secret is named and never shown, an unknown one too."""
    credential, token = exchange.request.credential, exchange.context.token
    if isinstance(credential, Malformed):
        return {"label": None, "flaw": credential.flaw.value}
    if token is None:
        label = label_of(exchange)
        return None if label is None else {"label": label, "id": None}
    grant = token.grant
    return {
        "label": label_of(exchange),
        "id": token.id,
        "name": grant.name,
        "audience": grant.audience.value,
        "scopes": list(grant.scopes),
        "aal": grant.aal,
        "tenant_id": grant.tenant_id,
    }


def _answer(exchange: JournalEntry) -> dict[str, Any]:
    answer, decision = exchange.answer, exchange.decision
    return {
        "status": answer.status,
        "problem": decision.type.code if isinstance(decision, Problem) else None,
        "headers": [list(header) for header in answer.headers],
        "body": _text(answer.body),
    }


def _headers(exchange: JournalEntry) -> dict[str, str]:
    request = exchange.request
    found = {
        "Paylera-Version": request.version,
        "Idempotency-Key": request.idempotency_key,
        "X-Paylera-Acting-As": request.acting_as,
        "Content-Type": request.content_type,
        "User-Agent": request.user_agent,
    }
    return {name: redact(value) for name, value in found.items() if value}


def _fault(fault: Fault) -> dict[str, str]:
    return {"id": fault.id, "at": fault.at.value, "action": fault.action.value}


def _text(body: bytes | None) -> str | None:
    return redact(body.decode("utf-8", "replace")) if body else None
