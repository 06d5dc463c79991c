"""How a call is refused: one constructor for each problem, and its status is decided here and nowhere else.

Details name what to do. They never hold a secret, nor any text that the client sent, unless it is one of a known set.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from paylera_fixtures.vocabulary import Audience, Environment, Header, Problems, ProblemType
from paylera_mock.core.credential import Flaw
from paylera_mock.core.policy import Allowance, Policy


@dataclass(frozen=True, slots=True)
class FieldError:
    """One entry of `errors`: the member or header, a code to branch on, and a sentence."""

    field: str
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Problem:
    """A refusal before it is written down.

    - `challenge`: the parameters of the `WWW-Authenticate` of a 401 (RFC 6750, section 3);
    - `headers`: further headers that belong to it.
    """

    type: ProblemType
    status: int
    detail: str
    errors: tuple[FieldError, ...] = ()
    challenge: str = ""
    headers: tuple[tuple[str, str], ...] = ()

    def body(self, instance: str, trace_id: str) -> dict[str, Any]:
        """The problem document (RFC 9457; reference, Errors)."""
        body: dict[str, Any] = {
            "type": self.type.type_uri,
            "title": self.type.title,
            "status": int(self.status),
            "detail": self.detail,
            "instance": instance,
            "problem": self.type.code,
            "trace_id": trace_id,
        }
        if self.errors:
            body["errors"] = [{"field": e.field, "code": e.code, "message": e.message} for e in self.errors]
        return body


def _unauthenticated(type: ProblemType, detail: str, error: str = "invalid_token") -> Problem:
    return Problem(type, HTTPStatus.UNAUTHORIZED, detail, challenge=f'error="{error}"')


class RefusedError(Exception):
    """An operation refuses its request. It is raised where the reason is found, and answered with `problem`."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.detail)
        self.problem = problem


def missing_token() -> Problem:
    """There is no `Authorization` header. RFC 6750, section 3.1: then the challenge names no error."""
    detail = "Send the header `Authorization: Bearer <token>`. A token anywhere else in a request is not looked at."
    return Problem(Problems.MISSING_TOKEN, HTTPStatus.UNAUTHORIZED, detail)


def malformed_token(flaw: Flaw) -> Problem:
    """There is an `Authorization` header that is no `Bearer <token>`."""
    return _unauthenticated(Problems.INVALID_TOKEN, flaw.value, "invalid_request")


def unknown_token() -> Problem:
    """The token does not exist."""
    return _unauthenticated(Problems.INVALID_TOKEN, "This token does not exist. Use one that was minted here.")


def revoked_token() -> Problem:
    """The token was revoked."""
    return _unauthenticated(Problems.INVALID_TOKEN, "This token was revoked. Use another one.")


def expired_token() -> Problem:
    """The secret was rotated out and its grace is over."""
    detail = "This secret was rotated out and its grace is over. Use the secret that the rotation answered with."
    return _unauthenticated(Problems.EXPIRED_TOKEN, detail)


def wrong_environment(expected: Environment) -> Problem:
    """The token's prefix names the other environment."""
    detail = f"This is the {expected} environment and the token is one of {expected.other}: use a sk_{expected}_ token."
    return _unauthenticated(Problems.WRONG_ENVIRONMENT, detail)


def rate_limited(allowance: Allowance) -> Problem:
    """The tenant has sent more than its rate."""
    seconds = allowance.retry_after or 1
    unit = "second" if seconds == 1 else "seconds"
    return Problem(
        Problems.RATE_LIMITED,
        HTTPStatus.TOO_MANY_REQUESTS,
        f"You have exceeded the limit for {allowance.group} endpoints. Retry after {seconds} {unit}.",
        headers=((Header.RETRY_AFTER, str(seconds)),),
    )


def audience_required(policy: Policy, audiences: Iterable[Audience]) -> Problem:
    """The token's audience may not call this."""
    wanted = " or ".join(audiences)
    detail = f"This call takes a token of the audience {wanted}, whatever its scopes."
    return Problem(Problems.AUDIENCE_REQUIRED, policy.audience_refusal, detail)


def scope_required(policy: Policy, scope: str) -> Problem:
    """The token lacks the scope of the operation."""
    return Problem(
        Problems.SCOPE_REQUIRED,
        policy.scope_refusal,
        f"This call takes a token with the scope {scope}.",
        challenge=f'error="insufficient_scope", scope="{scope}"',
    )


def aal2_required(policy: Policy) -> Problem:
    """The token's principal has not asserted a second factor."""
    detail = "This call takes a token that was issued to an operator with a second factor (AAL2). A service has none."
    return Problem(
        Problems.AAL2_REQUIRED, policy.aal2_refusal, detail, challenge='error="insufficient_user_authentication"'
    )


def grant_exceeded(policy: Policy, detail: str) -> Problem:
    """A token was to be made with more than its maker has."""
    return Problem(Problems.GRANT_EXCEEDED, policy.grant_refusal, detail)


def unknown_actor(policy: Policy) -> Problem:
    """The acting actor is not in the tenant's registry."""
    message = "No such actor in this tenant's registry: create it with POST /v1/admin/actors, or leave the header out."
    error = FieldError(Header.ACTING_AS, "actor.unknown", message)
    return Problem(Problems.VALIDATION_FAILED, policy.unknown_actor_refusal, message, (error,))


def version_unsupported(policy: Policy, supported: Iterable[str]) -> Problem:
    """The version asked for is none that is served."""
    detail = f"Send one {Header.VERSION} header with one of {', '.join(supported)}, or none for the token's default."
    return Problem(Problems.VERSION_UNSUPPORTED, policy.unknown_version_refusal, detail)


def key_required(policy: Policy) -> Problem:
    """The operation needs an idempotency key (guide, Per-request idempotency)."""
    detail = f"Send an {Header.IDEMPOTENCY_KEY} header of your choice, the same one when you repeat this request."
    return Problem(Problems.KEY_REQUIRED, policy.key_required_refusal, detail)


def key_invalid(policy: Policy) -> Problem:
    """The idempotency key is too long."""
    detail = f"An {Header.IDEMPOTENCY_KEY} has at most {policy.key_max_length} characters."
    return Problem(Problems.KEY_INVALID, policy.key_invalid_refusal, detail)


def key_body_mismatch(policy: Policy) -> Problem:
    """The idempotency key was used before with another body."""
    detail = f"This {Header.IDEMPOTENCY_KEY} was sent here with another body. Use a new key for another request."
    return Problem(Problems.KEY_BODY_MISMATCH, policy.key_mismatch_refusal, detail)


def malformed(detail: str) -> Problem:
    """The request cannot be read."""
    return Problem(Problems.MALFORMED, HTTPStatus.BAD_REQUEST, detail)


def body_too_large(limit: int) -> Problem:
    """The body is beyond the limit, which is in bytes."""
    detail = f"A body may have at most {limit} bytes."
    # What is left of it is no request (RFC 9110, section 15.5.14).
    close = (("Connection", "close"),)
    return Problem(Problems.BODY_TOO_LARGE, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, detail, headers=close)


def body_too_slow() -> Problem:
    """The body did not come in time. RFC 9110, section 15.5.9: the connection ends with the answer."""
    detail = "The body that the request announces did not come in time."
    return Problem(Problems.MALFORMED, HTTPStatus.REQUEST_TIMEOUT, detail, headers=(("Connection", "close"),))


def unsupported_media_type() -> Problem:
    """The body is declared to be something else than JSON."""
    detail = "Send the body as JSON, with `Content-Type: application/json`."
    return Problem(Problems.UNSUPPORTED_MEDIA_TYPE, HTTPStatus.UNSUPPORTED_MEDIA_TYPE, detail)


def unsupported_content_encoding() -> Problem:
    """The body is compressed. RFC 9110, section 15.5.16: `Accept-Encoding` names what would be taken."""
    detail = "Send the body as it is: a `Content-Encoding`, as gzip is, is not read here."
    headers = (("Accept-Encoding", "identity"),)
    return Problem(Problems.UNSUPPORTED_MEDIA_TYPE, HTTPStatus.UNSUPPORTED_MEDIA_TYPE, detail, headers=headers)


def validation_failed(*errors: FieldError) -> Problem:
    """The request can be read, but not be accepted as it is."""
    detail = errors[0].message if len(errors) == 1 else f"{len(errors)} members are not acceptable: see `errors`."
    return Problem(Problems.VALIDATION_FAILED, HTTPStatus.UNPROCESSABLE_ENTITY, detail, errors)


def not_found(kind: str) -> Problem:
    """There is no such object, or it is another's."""
    detail = f"There is no such {kind.replace('_', ' ')} in this tenant and environment."
    return Problem(Problems.NOT_FOUND, HTTPStatus.NOT_FOUND, detail)


def route_not_found() -> Problem:
    """There is no such path."""
    detail = "There is no such path here. Paths are compared as they are: case, slashes and dots count."
    return Problem(Problems.ROUTE_NOT_FOUND, HTTPStatus.NOT_FOUND, detail)


def namespace_not_found() -> Problem:
    """There is no such namespace, or it was deleted."""
    detail = "There is no such namespace: it was deleted, or never made with POST /_mock/namespaces."
    return Problem(Problems.ROUTE_NOT_FOUND, HTTPStatus.NOT_FOUND, detail)


def method_not_allowed(allowed: Iterable[str]) -> Problem:
    """The path exists, with other methods. RFC 9110, section 15.5.6: `Allow` names them."""
    methods = ", ".join(sorted(allowed))
    detail = f"This path has the methods {methods}."
    return Problem(Problems.METHOD_NOT_ALLOWED, HTTPStatus.METHOD_NOT_ALLOWED, detail, headers=(("Allow", methods),))


def illegal_state(policy: Policy, verb: str, status: str, allowed: Iterable[str]) -> Problem:
    """The object's state does not let it."""
    detail = f"One can {verb} only what is {' or '.join(allowed)}; this is {status}."
    return Problem(Problems.ILLEGAL_STATE, policy.illegal_state_refusal, detail)


def refund_too_large(rest: str) -> Problem:
    """More was to be refunded than is left."""
    detail = f"Of this payment {rest} is left to be refunded."
    return Problem(Problems.REFUND_TOO_LARGE, HTTPStatus.UNPROCESSABLE_ENTITY, detail)


def wallet_insufficient() -> Problem:
    """The wallet does not hold what is due. No source gives the status."""
    detail = "The customer has no wallet in this currency that holds what is due: add to it, or pay otherwise."
    return Problem(Problems.WALLET_INSUFFICIENT, HTTPStatus.UNPROCESSABLE_ENTITY, detail)


def conflict(field: str) -> Problem:
    """A value that no two objects may share is another object's already."""
    return Problem(
        Problems.CONFLICT, HTTPStatus.CONFLICT, f"Another object has this `{field}` already: choose another."
    )


def misdirected() -> Problem:
    """The request is for another server (RFC 9110, section 15.5.20)."""
    detail = "The fake does not answer under the name in Host: call it as 127.0.0.1, or start it with --allow-host."
    return Problem(Problems.MALFORMED, HTTPStatus.MISDIRECTED_REQUEST, detail)


def forbidden_caller(detail: str) -> Problem:
    """This caller is not answered."""
    return Problem(Problems.MALFORMED, HTTPStatus.FORBIDDEN, detail)


def control_token_required() -> Problem:
    """The control API asks for its token."""
    detail = "Send the token given as --control-token: `Authorization: Bearer <control token>`."
    return _unauthenticated(Problems.INVALID_TOKEN, detail)


def http_error(status: int) -> Problem:
    """What the HTTP library refused by itself."""
    return Problem(Problems.MALFORMED, status, "HTTP itself refuses this.")


def internal() -> Problem:
    """The fake failed. What failed stands in its log, not in the answer."""
    detail = "The fake failed at this request. Its log says where: please report it."
    return Problem(Problems.INTERNAL, HTTPStatus.INTERNAL_SERVER_ERROR, detail)
