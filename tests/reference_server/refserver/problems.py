"""Every refusal: its code, its status, and the document that tells of it (RFC 9457)."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Any, Final

from .messages import Answer

_REALM: Final = 'DPoP algs="ES256 EdDSA", Bearer realm="Paylera, the API"'


@dataclass(frozen=True)
class Problem:
    """A class of problem; `uri` is its `type` where a source gives one."""

    status: int
    code: str
    title: str
    uri: str = ""

    @property
    def type(self) -> str:
        """The absolute URI of the class (clause problem.type-uri)."""
        return self.uri or f"https://reference.paylera.test/problems?code={self.code}"

    def having(self, status: int) -> Problem:
        """The same under a reading that has another status for it."""
        return replace(self, status=status)


MISSING: Final = Problem(401, "auth.missing_token", "Send a bearer token")
INVALID: Final = Problem(401, "auth.invalid_token", "Nobody has this token")
EXPIRED: Final = Problem(401, "auth.expired_token", "This secret was replaced")
ENVIRONMENT: Final = Problem(401, "auth.wrong_environment", "Token and host do not belong together")
SCOPE: Final = Problem(401, "auth.scope_required", "A scope is missing")
AAL2: Final = Problem(401, "auth.aal2_required", "Step up first")
AUDIENCE: Final = Problem(401, "token.not_for_this_api", "The token was issued for something else")
NOT_YOURS: Final = Problem(403, "customer.not_yours", "This belongs to another customer")
KEY_REQUIRED: Final = Problem(
    400, "idempotency.required", "Idempotency-Key required", "https://errors.paylera.io/idempotency/required"
)
KEY_UNFIT: Final = Problem(422, "idempotency.key_unfit", "No key can look like this")
KEY_BUSY: Final = Problem(409, "idempotency.in_progress", "The first request with this key is still running")
KEY_REUSED: Final = Problem(422, "idempotency.body_mismatch", "The key was used for something else")
VERSION: Final = Problem(422, "api_version.unheard_of", "There is no such API version")
ACTOR: Final = Problem(400, "actor.not_registered", "No actor of this tenant")
UNREADABLE: Final = Problem(400, "body.unreadable", "The body is no JSON object")
UNFIT: Final = Problem(422, "validation.failed", "Some members will not do")
STATE: Final = Problem(409, "state.conflict", "Its state does not allow this")
TAKEN: Final = Problem(409, "code.taken", "Something has this code already")
FUNDS: Final = Problem(409, "wallet.insufficient_funds", "The wallet does not hold enough")
ABSENT: Final = Problem(404, "object.absent", "There is nothing by this name")
GONE: Final = Problem(410, "object.gone", "It was removed for good")
NO_ROUTE: Final = Problem(404, "path.unknown", "This leads nowhere")
NO_METHOD: Final = Problem(405, "method.unknown", "Not with this method")
TOO_LARGE: Final = Problem(413, "body.too_large", "The body is too large")
NO_LENGTH: Final = Problem(411, "body.length_required", "Say how long the body is")
RATE: Final = Problem(429, "rate_limit.exceeded", "Too many requests", "https://errors.paylera.io/rate-limit/exceeded")
HTTP: Final = Problem(400, "http.unreadable", "This is no request")


class RefusalError(Exception):
    """A request is refused; `members` stand in the document too, `headers` go along."""

    def __init__(self, problem: Problem, detail: str, *, headers: dict[str, str] | None = None, **members: Any) -> None:
        super().__init__(detail)
        self.problem = problem
        self.detail = detail
        self.headers = headers or {}
        self.members = members

    def answer(self, *, instance: str, trace_id: str) -> Answer:
        """The refusal as it goes over the wire."""
        problem = self.problem
        document = {
            "severity": "error",
            "trace_id": trace_id,
            "problem": problem.code,
            "instance": instance,
            "detail": self.detail,
            "status": problem.status,
            "title": problem.title,
            "type": problem.type,
            **self.members,
        }
        challenge = {"www-authenticate": self._challenge()} if problem.status == MISSING.status else {}
        headers = {"content-type": "application/problem+json; charset=utf-8", **challenge, **self.headers}
        return Answer(problem.status, json.dumps(document).encode(), headers)

    def _challenge(self) -> str:
        """The challenges of a 401 (RFC 9110, section 11.6.1); no `error` where nothing was sent (RFC 6750, 3.1)."""
        if self.problem.code == MISSING.code:
            return _REALM
        error = "insufficient_scope" if self.problem.code == SCOPE.code else "invalid_token"
        return f'{_REALM}, error="{error}"'
