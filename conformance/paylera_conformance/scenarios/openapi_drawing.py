"""Draws requests from an OpenAPI document by schemathesis: a program, since a document may have that take for ever.

`python -m` this module reads a `Task` from its standard input and writes a `Step` in each line of its output.
schemathesis only draws; what it drew goes out through the suite's own client.
"""

from __future__ import annotations

import json
import random
import re
import sys
import tempfile
import unittest
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias
from urllib.parse import quote, urlencode

import msgspec
from msgspec import Struct

from paylera_fixtures.vocabulary import Header

if TYPE_CHECKING:  # costs half a second, which whoever only starts the program does not pay
    from hypothesis.strategies import SearchStrategy
    from schemathesis import APIOperation, Case

    Operation: TypeAlias = APIOperation[Any, Any, Any, Any]
    Drawn: TypeAlias = Case[Operation]

_MOST_OPERATIONS: Final = 400
"""Operations of a document that are drawn from, at the most."""

_MOST_INVALID: Final = 8
"""Of them, how many get invalid requests too; drawing one takes up to 20 ms."""

_INVALID_EACH: Final = 3
"""Invalid requests for each of those; the first that is drawn is always the simplest."""

_VISIBLE: Final = re.compile(r"[!-~]+( [!-~]+)*")
"""Header values that reach the application whatever stands before it."""

_NAME: Final = re.compile(
    # Headers that are the client's business, or the transport's, are not drawn.
    r"(?!(authorization|host|content-length|transfer-encoding|connection|expect|upgrade|te|trailer|content-type|"
    r"user-agent|cookie)$)[a-z0-9-]+",
    re.IGNORECASE,
)


class Task(Struct, frozen=True):
    """What to draw from: the document as JSON, and the seed. The same of both give the same requests."""

    document: str
    seed: int


class DrawnRequest(Struct, frozen=True):
    """A drawn request. `template`: its path as the document has it; `path`: with ids and the query."""

    method: str
    template: str
    path: str
    headers: tuple[tuple[str, str], ...]
    body: bytes | None
    valid: bool


class Step(Struct, frozen=True):
    """How far the program is.

    - `drawing`: the operation that is drawn from next; `requests`: what was drawn from the last one;
    - `trouble`: why the document cannot be used.
    """

    drawing: str = ""
    requests: tuple[DrawnRequest, ...] = ()
    trouble: str = ""


def main() -> None:
    """Draw, step by step."""
    task = msgspec.json.decode(sys.stdin.buffer.read(), type=Task)
    for step in _steps(json.loads(task.document), task.seed):
        sys.stdout.buffer.write(msgspec.json.encode(step) + b"\n")
        sys.stdout.buffer.flush()


def _steps(document: Mapping[str, Any], seed: int) -> Iterator[Step]:
    if not _is_whole(document):
        yield Step(trouble="refers to others, which the suite does not fetch: publish it whole")
        return
    try:
        operations = _operations(document)
    except Exception as error:  # noqa: BLE001 - whatever stands in the document, it is no error of the suite's
        yield Step(trouble=f"cannot be read: {type(error).__name__}: {error}".encode(errors="replace").decode())
        return
    for valid, most in ((True, _MOST_OPERATIONS), (False, _MOST_INVALID)):
        chosen = random.Random(seed).sample(operations, min(most, len(operations)))  # noqa: S311 - the same again
        for operation in chosen:
            yield Step(drawing=operation.label.encode(errors="replace").decode())
            yield Step(requests=tuple(_requests(operation, seed, valid=valid)))


def _operations(document: Mapping[str, Any]) -> list[Operation]:
    """The operations that schemathesis can make sense of."""
    import schemathesis  # noqa: PLC0415 - see above

    # A configuration of its own, so that none is looked for in the working directory.
    schema = schemathesis.openapi.from_dict(dict(document), config=schemathesis.Config())
    results = [result.ok() for result in schema.get_all_operations() if hasattr(result, "ok")]
    return sorted(results, key=lambda operation: operation.label)


def _is_whole(value: object) -> bool:
    """Whether every reference stays within the document."""
    if isinstance(value, Mapping):
        reference = value.get("$ref")
        if isinstance(reference, str) and not reference.startswith("#"):
            return False
        return all(_is_whole(member) for member in value.values())
    return all(_is_whole(item) for item in value) if isinstance(value, list) else True


def _requests(operation: Operation, seed: int, *, valid: bool) -> Iterable[DrawnRequest]:
    """Requests to one operation; none where it cannot have such."""
    from schemathesis import GenerationMode  # noqa: PLC0415 - see above

    mode = GenerationMode.POSITIVE if valid else GenerationMode.NEGATIVE
    drawn: list[DrawnRequest] = []
    # An operation that cannot be drawn from is no reason to leave out the others.
    with suppress(Exception, unittest.SkipTest):
        cases = _draw(operation.as_strategy(generation_mode=mode), 1 if valid else _INVALID_EACH, seed)
        drawn += [_to_request(case, valid=valid) for case in cases]
    return drawn


def _draw(strategy: SearchStrategy[Drawn], count: int, seed: int) -> list[Drawn]:
    """Up to so many examples, the same again for the same seed; none where there is none."""
    import hypothesis  # noqa: PLC0415 - see above

    drawn: list[Drawn] = []

    def keep(example: Drawn) -> None:  # Hypothesis takes no built-in method
        drawn.append(example)

    # Hypothesis keeps tables of Unicode on disk: not in the working directory of whoever runs this.
    hypothesis.configuration.set_hypothesis_home_dir(Path(tempfile.gettempdir()) / "paylera-conformance-hypothesis")
    settings = hypothesis.settings(
        max_examples=count,
        database=None,
        deadline=None,
        phases=[hypothesis.Phase.generate],
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    with suppress(hypothesis.errors.HypothesisException):
        hypothesis.seed(seed)(settings(hypothesis.given(strategy)(keep)))()
    return drawn


def _to_request(case: Drawn, *, valid: bool) -> DrawnRequest:
    path = re.sub(r"\{([^}]*)\}", lambda found: _segment(case, found[1]), case.path)
    query = _query(case.query)
    body = _body(case)
    target = f"{path}?{query}" if query else path
    return DrawnRequest(case.method.upper(), case.path, target, tuple(_headers(case, body)), body, valid)


def _segment(case: Drawn, name: str) -> str:
    """The id that stands in the path: of nothing that exists, though the document may name what does as an example."""
    return f"absent{quote(str((case.path_parameters or {}).get(name, '')), safe='%')}"


def _query(drawn: Mapping[str, Any] | None) -> str:
    flat = {name: "true" if value is True else value for name, value in (drawn or {}).items()}
    return urlencode(flat, doseq=True, errors="replace")


def _body(case: Drawn) -> bytes | None:
    if type(case.body).__name__ == "NotSet":
        return None
    return case.body if isinstance(case.body, bytes) else json.dumps(case.body, default=str).encode()


def _headers(case: Drawn, body: bytes | None) -> Iterator[tuple[str, str]]:
    """The drawn headers. With a body, none of those that would be refused before the body is looked at."""
    if body is not None:
        yield "Content-Type", case.media_type or "application/json"
    skipped = {Header.IDEMPOTENCY_KEY.lower()}
    skipped |= {Header.ACTING_AS.lower(), Header.VERSION.lower()} if body is not None else set()
    for name, value in dict(case.headers or {}).items():
        text = str(value)
        if name.lower() not in skipped and _NAME.fullmatch(name) and _VISIBLE.fullmatch(text):
            yield name, text


if __name__ == "__main__":
    main()
