"""The same answers, written otherwise: bodies and headers of the dialects."""

from __future__ import annotations

import gzip
import json
import secrets
import time
from collections.abc import Callable
from dataclasses import replace
from http import HTTPStatus
from typing import Any, Final

from paylera_fixtures.vocabulary import Problems
from paylera_mock.core.messages import Answer, Decision, Reply, Request
from paylera_mock.core.problems import Problem
from paylera_mock.mutants.mechanism import Mutation, decision, several, step, writer
from paylera_mock.pipeline.context import Context, Headers
from paylera_mock.pipeline.responses import problem_body, reply_body

_LONGEST_JITTER: Final = 0.01
_SMALLEST_ZIPPED: Final = 64

Rewrite = Callable[[Any], Any]
Dump = Callable[[Any], str]


def compact(value: Any) -> str:
    """JSON without spaces, in UTF-8."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def indented(value: Any) -> str:
    """JSON for people."""
    return json.dumps(value, ensure_ascii=False, indent=2) + "\n"


def rewritten(change: Rewrite, dump: Dump = compact) -> Mutation:
    """Every body is written otherwise."""
    return several(problems_rewritten(change, dump), replies_rewritten(change, dump))


def problems_rewritten(change: Rewrite, dump: Dump = compact) -> Mutation:
    """Every problem document is written otherwise."""

    def write(context: Context, problem: Problem) -> bytes:
        return dump(change(json.loads(problem_body(context, problem)))).encode()

    return writer("problem", write)


def replies_rewritten(change: Rewrite, dump: Dump = compact) -> Mutation:
    """Every body of a success is written otherwise."""

    def write(context: Context, reply: Reply) -> bytes:
        body = reply_body(context, reply)
        return dump(change(json.loads(body))).encode() if body else b""

    return writer("reply", write)


# Members


def as_it_is(value: Any) -> Any:
    """Nothing but the bytes is to change."""
    return value


def _each_object(value: Any, change: Rewrite) -> Any:
    """Change every object within a value, the outer ones last."""
    if isinstance(value, list):
        return [_each_object(item, change) for item in value]
    if isinstance(value, dict):
        return change({name: _each_object(member, change) for name, member in value.items()})
    return value


def backwards(value: Any) -> Any:
    """Members in the opposite order."""
    return _each_object(value, lambda found: dict(reversed(found.items())))


def with_more(value: Any) -> Any:
    """Members that nobody has heard of."""
    return _each_object(value, lambda found: {"revision": 7, **found, "links": {"self": None}, "x-note": ["…"]})


def named_after_kind(value: Any) -> Any:
    """The id of an object under the name of its kind."""

    def rename(found: dict[str, Any]) -> dict[str, Any]:
        if "id" not in found or "object" not in found:
            return found
        return {f"{found['object']}_id": found["id"], **{name: found[name] for name in found if name != "id"}}

    return _each_object(value, rename)


def but_for_the_printed(change: Rewrite) -> Rewrite:
    """The problem that the guide prints keeps its members."""
    return lambda problem: problem if problem["problem"] == Problems.KEY_REQUIRED.code else change(problem)


def in_german(problem: Any) -> Any:
    """A detail in another language."""
    return problem | {"detail": "Das läßt sich so nicht ausführen. Nähere Auskünfte gibt die Dokumentation."}


def titled_in_german(problem: Any) -> Any:
    """A title in another language, still one for each code."""
    return problem | {"title": f"Zurückgewiesen: {problem['problem']}"}


def typed_elsewhere(problem: Any) -> Any:
    """A type under another host."""
    return problem | {"type": f"https://docs.paylera.example/problems#{problem['problem']}"}


# Headers


def media_type_with(change: Callable[[str], str]) -> Mutation:
    """The same media type, in another spelling."""
    return step(
        "media-type", lambda _context, _decided, headers: tuple((name, change(value)) for name, value in headers)
    )


def more_headers(context: Context, _decided: Decision, headers: Headers) -> Headers:
    """What servers and proxies add."""
    randomness = context.state.randomness
    return (
        *headers,
        ("X-Request-Id", f"{randomness.bits(64):016x}"),
        ("Strict-Transport-Security", "max-age=31536000"),
        ("Set-Cookie", f"lb={randomness.bits(32):08x}; Path=/; HttpOnly"),
        ("Server-Timing", "app;dur=1.2"),
        ("Via", "1.1 edge"),
        ("Vary", "Accept-Encoding"),
        ("Alt-Svc", 'h3=":443"'),
    )


def challenged(change: Callable[[Headers], Headers]) -> Mutation:
    """Other challenges, Bearer among them."""
    return step("challenge", lambda _context, _decided, headers: change(headers) if headers else headers)


def bare(headers: Headers) -> Headers:
    """Without any parameter."""
    return tuple((name, "Bearer") for name, _ in headers)


def in_one_header(headers: Headers) -> Headers:
    """Behind another scheme and its parameters."""
    return tuple((name, f'Basic realm="console, old", charset="UTF-8", {value}') for name, value in headers)


def in_several_headers(headers: Headers) -> Headers:
    """In a line of their own, after another."""
    return (*((name, 'Basic realm="console"') for name, _ in headers), *headers)


# On the way


def packed(pack: Callable[[Request, Answer], Answer]) -> Mutation:
    """Answers travel otherwise."""
    return decision("packed", pack)


def chunked(_facts: Request, answer: Answer) -> Answer:
    """In chunks."""
    return answer._replace(chunked=True)


def gzipped(request: Request, answer: Answer) -> Answer:
    """Compressed, where the client takes it and there is something to compress."""
    if "gzip" not in request.accept_encoding or len(answer.body) < _SMALLEST_ZIPPED:
        return answer
    headers = (*answer.headers, ("Content-Encoding", "gzip"), ("Vary", "Accept-Encoding"))
    return answer._replace(headers=headers, body=gzip.compress(answer.body, 1))


def delayed(_facts: Request, answer: Answer) -> Answer:
    """A little later, each time by another while."""
    time.sleep(_LONGEST_JITTER * secrets.randbelow(1000) / 1000)
    return answer


def as_status(status: HTTPStatus) -> Callable[[Problem], Problem]:
    """The same problem with another status."""
    return lambda problem: replace(problem, status=status)
