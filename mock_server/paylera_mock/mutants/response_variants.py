"""Dialects of how an answer is written: bodies, ids, headers, and the way that they travel."""

from __future__ import annotations

import gzip
import json
import re
import secrets
import string
import time
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, Final
from uuid import UUID
from weakref import WeakKeyDictionary

from paylera_fixtures.api.operations import ID_PREFIXES, Resource
from paylera_fixtures.tokens import ALPHABET
from paylera_fixtures.vocabulary import Problems
from paylera_mock.core.messages import Answer, Decision, Object, Request
from paylera_mock.core.randomness import Randomness
from paylera_mock.mutants.builders import (
    Mutation,
    change_decision,
    change_headers,
    change_writer,
    combine,
    may_block,
    replace_decision,
    set_policy,
)
from paylera_mock.mutants.model import Mutant
from paylera_mock.pipeline import decisions, responses
from paylera_mock.pipeline.context import Context, Headers

_LONGEST_JITTER: Final = 0.01
_SMALLEST_ZIPPED: Final = 64
_CAPITALS: Final = string.ascii_uppercase + string.digits


def _rewrite(change: Callable[[Any], Any], indent: int | None = None) -> Mutation:
    """Every body is written otherwise, in UTF-8."""

    def write(body: bytes, *_: object) -> bytes:
        return _dump(change(json.loads(body)), indent) if body else b""

    return combine(change_writer(responses.problem_body, write), change_writer(responses.reply_body, write))


def _dump(value: Any, indent: int | None = None) -> bytes:
    if indent is None:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    return json.dumps(value, ensure_ascii=False, indent=indent).encode() + b"\n"


def _escape(body: bytes, *_: object) -> bytes:
    return _escaped(json.loads(body)).encode() if body else b""


def _escaped(value: Any) -> str:
    """JSON in which every character of a string is escaped (RFC 8259, section 7)."""
    if isinstance(value, str):
        return '"' + re.sub("....", r"\\u\g<0>", value.encode("utf-16-be").hex()) + '"'
    if isinstance(value, list):
        return f"[{','.join(map(_escaped, value))}]"
    if isinstance(value, dict):
        return f"{{{','.join(f'{_escaped(name)}:{_escaped(member)}' for name, member in value.items())}}}"
    return json.dumps(value)


def _rewrite_problems(change: Callable[[Object], Object]) -> Mutation:
    return change_writer(responses.problem_body, lambda body, *_: _dump(json.loads(body) | change(json.loads(body))))


def _each_object(value: Any, change: Callable[[Object], Object]) -> Any:
    """Change every object within a value, the outer ones last."""
    if isinstance(value, list):
        return [_each_object(item, change) for item in value]
    if isinstance(value, dict):
        return change({name: _each_object(member, change) for name, member in value.items()})
    return value


def _named_after_kind(found: Object) -> Object:
    if "id" not in found or "object" not in found:
        return found
    return {f"{found['object']}_id": found["id"], **{name: found[name] for name in found if name != "id"}}


def _unless_printed(change: Callable[[Object], Object]) -> Callable[[Object], Object]:
    """The problem that the guide prints keeps its members."""
    return lambda problem: {} if problem["problem"] == Problems.KEY_REQUIRED.code else change(problem)


def _change_media_type(change: Callable[[str], str]) -> Mutation:
    return change_headers(
        responses.MEDIA_TYPE, lambda headers, *_: tuple((name, change(value)) for name, value in headers)
    )


def _add_headers(headers: Headers, context: Context, _decided: Decision) -> Headers:
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


def _change_challenge(change: Callable[[str, str], Headers]) -> Mutation:
    """Other challenges, Bearer among them: `change` gets name and value of the right one."""
    return change_headers(
        responses.CHALLENGE, lambda headers, *_: tuple(line for each in headers for line in change(*each))
    )


def _compress(answer: Answer, request: Request, _answer: Answer) -> Answer:
    if "gzip" not in request.accept_encoding or len(answer.body) < _SMALLEST_ZIPPED:
        return answer
    headers = (*answer.headers, ("Content-Encoding", "gzip"), ("Vary", "Accept-Encoding"))
    return answer._replace(headers=headers, body=gzip.compress(answer.body, 1))


def _delay(_request: Request, answer: Answer) -> Answer:
    time.sleep(_LONGEST_JITTER * secrets.randbelow(1000) / 1000)
    return answer


def _new_id_in_capitals(resource: Resource, randomness: Randomness) -> str:
    return f"{ID_PREFIXES[resource]}_{randomness.word(16 + randomness.below(16), _CAPITALS)}"


def _count_ids() -> Mutation:
    """Ids as a database counts them, for each kind of object in each namespace; in answers they are integers."""
    counted: WeakKeyDictionary[Randomness, Counter[Resource]] = WeakKeyDictionary()

    def new_id(resource: Resource, randomness: Randomness) -> str:
        numbers = counted.setdefault(randomness, Counter())
        numbers[resource] += 1
        return str(numbers[resource])

    def as_integers(found: Object) -> Object:
        return {name: int(member) if _is_counted(name, member) else member for name, member in found.items()}

    return combine(set_policy(new_id=new_id), _rewrite(lambda value: _each_object(value, as_integers)))


def _is_counted(name: str, member: object) -> bool:
    return name.endswith("id") and isinstance(member, str) and member.isdecimal()


MUTANTS: Final[Mapping[str, Mutant]] = {
    "members-in-other-order": Mutant(
        "The members of every object come in the opposite order.",
        _rewrite(lambda value: _each_object(value, lambda found: dict(reversed(found.items())))),
    ),
    "extra-members": Mutant(
        "Every object, page and problem has members that no page names.",
        _rewrite(
            lambda value: _each_object(
                value, lambda found: {"revision": 7, **found, "links": {"self": None}, "x-note": ["…"]}
            )
        ),
    ),
    "detail-in-german": Mutant(
        "Every `detail` is in German, with umlauts in UTF-8.",
        _rewrite_problems(
            lambda _: {"detail": "Das läßt sich so nicht ausführen. Nähere Auskünfte gibt die Dokumentation."}
        ),
    ),
    "titles-in-german": Mutant(
        "Every `title` but the one that the guide prints is in German.",
        _rewrite_problems(_unless_printed(lambda problem: {"title": f"Zurückgewiesen: {problem['problem']}"})),
    ),
    "types-elsewhere": Mutant(
        "Every `type` but the one that the guide prints is a URI of another host.",
        _rewrite_problems(
            _unless_printed(lambda problem: {"type": f"https://docs.paylera.example/problems#{problem['problem']}"})
        ),
    ),
    "pretty-printed": Mutant(
        "Bodies are indented, with a line break at their end.", _rewrite(lambda value: value, indent=2)
    ),
    "charset-parameter": Mutant(
        "Media types have a parameter: charset=utf-8.", _change_media_type(lambda value: f"{value}; charset=utf-8")
    ),
    "media-types-in-capitals": Mutant("Media types are written in capitals.", _change_media_type(str.upper)),
    "chunked-bodies": Mutant(
        "Bodies are sent in chunks, without Content-Length.",
        change_decision(decisions.encode_answer, lambda answer, *_: answer._replace(chunked=True)),
    ),
    "gzipped-bodies": Mutant(
        "Bodies are compressed where the client takes that.", change_decision(decisions.encode_answer, _compress)
    ),
    "jitter": Mutant(
        "Each answer takes up to 10 ms longer.",
        combine(replace_decision(decisions.encode_answer, _delay), may_block),
    ),
    "ids-are-uuids": Mutant(
        "Ids are bare UUIDs.", set_policy(new_id=lambda _, randomness: str(UUID(int=randomness.bits(128), version=4)))
    ),
    "ids-in-capitals": Mutant(
        "Ids have capitals, digits and no fixed length behind their prefix.", set_policy(new_id=_new_id_in_capitals)
    ),
    "ids-are-counted": Mutant("Ids are integers: 1, 2, 3 for each kind of object.", _count_ids()),
    "strings-escaped": Mutant(
        "Every character of a string is written as \\uXXXX, as JSON lets it.",
        combine(change_writer(responses.problem_body, _escape), change_writer(responses.reply_body, _escape)),
    ),
    "secrets-with-punctuation": Mutant(
        "Secrets have every character that a bearer token may have.", set_policy(token_alphabet=ALPHABET + "-._~+/")
    ),
    "ids-named-after-kind": Mutant(
        "An object's id is `<kind>_id`, and there is no `id`.",
        _rewrite(lambda value: _each_object(value, _named_after_kind)),
    ),
    "extra-headers": Mutant(
        "Answers have headers that no page names, others each time.",
        change_headers(responses.RATE_HEADERS, _add_headers),
    ),
    "challenge-bare": Mutant(
        "The challenge is the scheme alone.", _change_challenge(lambda name, _: ((name, "Bearer"),))
    ),
    "challenges-in-one-header": Mutant(
        "Bearer is the second challenge of one header.",
        _change_challenge(lambda name, value: ((name, f'Basic realm="console, old", charset="UTF-8", {value}'),)),
    ),
    "challenges-in-several-headers": Mutant(
        "Bearer is the challenge of a second header.",
        _change_challenge(lambda name, value: ((name, 'Basic realm="console"'), (name, value))),
    ),
}
