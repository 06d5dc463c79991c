"""Writing a decision as an answer: the body, and the headers in small steps, each of which a mutant can replace.

The headers of a step that is `kept` are replayed with the answer; the others are written anew for each request.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Final

from paylera_fixtures.redaction import mask_secrets
from paylera_fixtures.vocabulary import PROBLEM_MEDIA_TYPE, Header
from paylera_mock.core.ids import trace_id
from paylera_mock.core.json_text import encode_json
from paylera_mock.core.messages import Answer, Decision, Reply
from paylera_mock.core.problems import Problem
from paylera_mock.core.request_target import quote_path
from paylera_mock.pipeline.context import Context, Headers, ResponseStep
from paylera_mock.state.rate_limits import group_of

VERDICT_HEADER: Final = "Paylera-Mock-Verdict"
JOURNAL_HEADER: Final = "Paylera-Mock-Journal"
HINT_HEADER: Final = "Paylera-Mock-Hint"
FAULT_HEADER: Final = "Paylera-Mock-Fault"
REALM: Final = "paylera"


def problem_body(context: Context, problem: Problem) -> bytes:
    """The problem document; a secret in the path it names is hidden."""
    return write_problem(problem, context.request.instance, trace_id(context.state.randomness, context.now))


def write_problem(problem: Problem, instance: str, trace: str) -> bytes:
    """A problem document in bytes. `instance`: the path as WSGI has it; `trace`: the id of the request."""
    return mask_secrets(encode_json(problem.body(quote_path(instance), trace))).encode()


def reply_body(_context: Context, reply: Reply) -> bytes:
    """The body of a success; none where the operation has none (204)."""
    return b"" if reply.body is None else encode_json(reply.body).encode()


_JSON_HEADERS: Final[Headers] = (("Content-Type", "application/json"),)
_PROBLEM_HEADERS: Final[Headers] = (("Content-Type", PROBLEM_MEDIA_TYPE),)
_NO_STORE: Final[Headers] = (("Cache-Control", "no-store"),)


def media_type(_context: Context, decision: Decision) -> Headers:
    """What the body is."""
    if isinstance(decision, Problem):
        return _PROBLEM_HEADERS
    return _JSON_HEADERS if isinstance(decision, Reply) and decision.body is not None else ()


def version_echo(context: Context, _decision: Decision) -> Headers:
    """The version that the request was processed against, and that it is an old one (clause version.echo)."""
    return context.state.versions.headers(context.decisions.settle_version(context))


def challenge(_context: Context, decision: Decision) -> Headers:
    """The Bearer challenge of a 401 (RFC 6750, section 3; clause credential.challenge)."""
    if not isinstance(decision, Problem) or decision.status != HTTPStatus.UNAUTHORIZED:
        return ()
    return challenge_of(decision)


def challenge_of(problem: Problem) -> Headers:
    """The header with the Bearer challenge of a problem."""
    parameters = f'realm="{REALM}"' + (f", {problem.challenge}" if problem.challenge else "")
    return ((Header.CHALLENGE, f"Bearer {parameters}"),)


def problem_headers(_context: Context, decision: Decision) -> Headers:
    """The headers of a problem: `Retry-After`, `Allow`."""
    return decision.headers if isinstance(decision, Problem) else ()


def not_cacheable(_context: Context, decision: Decision) -> Headers:
    """An answer that holds a secret is stored nowhere (clause rotation.not-cacheable)."""
    return _NO_STORE if isinstance(decision, Reply) and decision.issues_secret else ()


def rate_headers(context: Context, _decision: Decision) -> Headers:
    """The tenant's limit, what is left of it, and when it is refilled (clause rate-limit.headers)."""
    request, allowance = context.request, context.allowance
    if allowance is None:
        group = group_of(request.method, request.path)
        allowance = context.state.limiter.full_allowance(request.environment, group, context.now)
    return (
        (Header.RATE_LIMIT, str(allowance.limit)),
        (Header.RATE_REMAINING, str(allowance.remaining)),
        (Header.RATE_RESET, str(allowance.reset)),
    )


MEDIA_TYPE: Final = ResponseStep("media-type", media_type)
VERSION_ECHO: Final = ResponseStep("version-echo", version_echo)
CHALLENGE: Final = ResponseStep("challenge", challenge)
PROBLEM_HEADERS: Final = ResponseStep("problem-headers", problem_headers)
NOT_CACHEABLE: Final = ResponseStep("not-cacheable", not_cacheable)
RATE_HEADERS: Final = ResponseStep("rate-headers", rate_headers, kept=False)

STEPS: Final[tuple[ResponseStep, ...]] = (
    MEDIA_TYPE,
    VERSION_ECHO,
    CHALLENGE,
    PROBLEM_HEADERS,
    NOT_CACHEABLE,
    RATE_HEADERS,
)
"""In the order in which the headers appear."""


def write(context: Context, decision: Reply | Problem) -> Answer:
    """The part of an answer that is remembered: status, body, and the headers that are kept."""
    writers = context.pipeline.writers
    if isinstance(decision, Problem):
        body = writers.problem_body(context, decision)
    else:
        body = writers.reply_body(context, decision)
    return Answer(int(decision.status), _gather(context, decision, kept=True), body)


def fresh_headers(context: Context, decision: Decision) -> Headers:
    """The headers that are written anew for each request, a replay included."""
    return _gather(context, decision, kept=False)


def _gather(context: Context, decision: Decision, *, kept: bool) -> Headers:
    headers: list[tuple[str, str]] = []
    for step in context.pipeline.steps:
        if step.kept is kept:
            headers += step.headers(context, decision)
    return tuple(headers)
