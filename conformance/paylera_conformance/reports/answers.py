"""What a run was answered, in a form in which two runs can be compared: status, code and shape of each answer.

Values are by chance, their types are not. A member that is null and a list that is empty fit every type.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias
from urllib.parse import urlsplit

from paylera_conformance.model.case_results import CaseResult
from paylera_conformance.model.messages import AnswerRecord, ExchangeRecord, read_json
from paylera_fixtures.api.operations import find_operation

Shape: TypeAlias = "str | dict[str, Shape] | list[Shape]"
"""The name of a type; the members of an object by name; of a list what its entries have in common, if it has any."""

_API: Final = "/v1"
_NULL: Final = "null"
_BY_TIMING: Final = frozenset({"idempotency.concurrent"})
"""Clauses in which the same server may answer otherwise the next time."""

CHANCE: Final = re.compile(r"‹[^›]*›|[\w.~+%-]*\d[\w.~+%-]*")
"""What differs between two runs against one target: secrets' labels, ids, times, sizes; any word with a digit in it."""

_FINGERPRINT: Final = re.compile(r" #\w+(?=›)")


@dataclass(frozen=True)
class Sent:
    """A request as two runs have it in common: the case, the operation or the path, and the role of its token."""

    case: str
    request: str
    role: str

    def __str__(self) -> str:
        return f"{self.case}: {self.request} by {self.role or 'nobody'}"


@dataclass(frozen=True)
class Answered:
    """An answer as two runs have it in common."""

    status: int
    problem: str
    media_type: str
    shape: Shape

    def __str__(self) -> str:
        body = _shape_text(self.shape) if self.shape else self.media_type or "no body"
        return " ".join(filter(None, [str(self.status), self.problem, body]))

    def is_like(self, other: Answered) -> bool:
        """Whether one server could have given both."""
        mine, theirs = ((one.status, one.problem, one.media_type) for one in (self, other))
        return mine == theirs and _fit(self.shape, other.shape)


Answers: TypeAlias = Mapping[str, Mapping[Sent, Sequence[Answered]]]
"""By clause, what was sent and all that was answered to it."""


def answers_of(cases: Iterable[CaseResult]) -> Answers:
    """What the cases of a run were answered."""
    found: defaultdict[str, defaultdict[Sent, list[Answered]]] = defaultdict(lambda: defaultdict(list))
    for case in cases:
        for exchange in case.exchanges if case.clause not in _BY_TIMING else ():
            found[case.clause][_sent(case.case, exchange)].append(_answered(exchange.answer))
    return found


def different_answers(
    first: Mapping[Sent, Sequence[Answered]], second: Mapping[Sent, Sequence[Answered]]
) -> Iterator[tuple[Sent, str, str]]:
    """Each request to which two runs were answered otherwise, with what either was.

    A request that only one of them sent is none: it follows from another difference.
    """
    for sent in first.keys() & second.keys():
        mine, theirs = first[sent], second[sent]
        if not (_has_like(mine, theirs) and _has_like(theirs, mine)):
            yield sent, _list_answers(mine), _list_answers(theirs)


def _has_like(some: Sequence[Answered], others: Sequence[Answered]) -> bool:
    """Whether each of some answers has one like it among others."""
    return all(any(map(one.is_like, others)) for one in some)


def _list_answers(answers: Sequence[Answered]) -> str:
    return " or ".join(dict.fromkeys(map(str, answers)))


def _sent(case: str, exchange: ExchangeRecord) -> Sent:
    path = urlsplit(exchange.url).path
    below = path[path.find(_API) :] if _API in path else path
    operation = find_operation(exchange.method, below)
    request = str(operation or CHANCE.sub("…", f"{exchange.method} {below.replace(_API, 'v', 1)}"))
    return Sent(case, request, _FINGERPRINT.sub("", exchange.role or ""))


def _answered(answer: AnswerRecord) -> Answered:
    media_type = next((value for name, value in answer.headers if name.lower() == "content-type"), "")
    body = read_json(answer.body)  # `None` where it is none, no JSON, or too long to have been kept
    problem = body.get("problem") if isinstance(body, dict) else None
    return Answered(
        answer.status,
        problem if isinstance(problem, str) else "",
        media_type.partition(";")[0].strip().lower(),
        "" if body is None else _shape(body),
    )


def _shape(value: object) -> Shape:
    if isinstance(value, dict):
        return {name: _shape(member) for name, member in value.items()}
    if isinstance(value, list):
        shapes = [_shape(item) for item in value]
        return [_merge(shapes)] if shapes else []
    if value is None:
        return _NULL
    return {bool: "boolean", int: "number", float: "number"}.get(type(value), "string")


def _merge(shapes: Sequence[Shape]) -> Shape:
    """What entries of a list have in common: every member that any of them has."""
    known = [shape for shape in shapes if shape != _NULL]
    objects = [shape for shape in known if isinstance(shape, dict)]
    if not known or len(objects) < len(known):
        return known[0] if known else _NULL
    names = dict.fromkeys(name for shape in objects for name in shape)
    return {name: _merge([shape[name] for shape in objects if name in shape]) for name in names}


def _fit(one: Shape, other: Shape) -> bool:
    if _NULL in (one, other):
        return True
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_fit(one[name], other[name]) for name in one)
    if isinstance(one, list) and isinstance(other, list):
        return not one or not other or _fit(one[0], other[0])
    return one == other


def _shape_text(shape: Shape) -> str:
    if isinstance(shape, dict):
        return "{" + ", ".join(f"{name}: {_shape_text(member)}" for name, member in sorted(shape.items())) + "}"
    if isinstance(shape, list):
        return "[" + ", ".join(map(_shape_text, shape)) + "]"
    return shape
