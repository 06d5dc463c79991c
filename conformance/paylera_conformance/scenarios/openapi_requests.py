"""Requests drawn from an OpenAPI document by schemathesis: valid ones, and ones that are wrong in some place.

schemathesis only draws; what it drew goes out through the suite's own client. It is imported where it is needed, since
that takes half a second. The same document and seed give the same requests.
"""

from __future__ import annotations

import json
import random
import re
import unittest
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, Any, Final, TypeAlias
from urllib.parse import quote, urlencode, urlsplit

from paylera_conformance.model.messages import FRESH_KEY, Request
from paylera_conformance.model.outcomes import Blocked
from paylera_conformance.model.tokens import Credential
from paylera_conformance.probe.probe import Probe
from paylera_conformance.scenarios.generated import draw_examples
from paylera_conformance.target.openapi import Document
from paylera_conformance.target.settings import Mode
from paylera_fixtures.vocabulary import Header

if TYPE_CHECKING:  # costs half a second: see the module's docstring
    from schemathesis import APIOperation, Case, GenerationMode

    Operation: TypeAlias = APIOperation[Any, Any, Any, Any]
    Drawn: TypeAlias = Case[Operation]

GROUP: Final = "document"
"""The group of the cases that use such requests: one process draws them, which takes it a second or more."""

_MOST_OPERATIONS: Final = 400
"""Operations of a document that are drawn from, at the most."""

_MOST_INVALID: Final = 8
"""Of them, how many get invalid requests too; drawing one takes up to 20 ms."""

_INVALID_EACH: Final = 3
"""Invalid requests for each of those; the first that is drawn is always the simplest."""

_API: Final = "/v1/"
_VISIBLE: Final = re.compile(r"[!-~]+( [!-~]+)*")
"""Header values that reach the application whatever stands before it."""

_NAME: Final = re.compile(
    # Headers that are the client's business, or the transport's, are not drawn.
    r"(?!(authorization|host|content-length|transfer-encoding|connection|expect|upgrade|te|trailer|content-type|"
    r"user-agent|cookie)$)[a-z0-9-]+",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class GeneratedRequest:
    """A drawn request, without a token; `operation` is method and path as the document has them.

    - `is_open`: the document says that nobody needs a token for it.
    """

    operation: str
    request: Request
    is_open: bool = False

    @property
    def is_admin(self) -> bool:
        """Whether it goes to the Admin API."""
        return self.request.path.startswith("/v1/admin/")

    @property
    def names_object(self) -> bool:
        """Whether its path names an object: one that does not exist."""
        return "{" in self.operation


def sendable_requests(probe: Probe, *, valid: bool) -> Iterator[GeneratedRequest]:
    """The drawn requests that the mode allows: reads, and where it is a test deployment all the others too.

    Elsewhere a write names an object, one that does not exist, or creates something outside the Admin API.
    """
    document, mode = probe.document(), probe.settings.mode
    prefix = server_path(document, probe.settings.url)
    for drawn in generate_requests(document, prefix, probe.settings.seed or 0, valid=valid):
        creates = drawn.request.method == "POST" and not drawn.is_admin
        may_write = probe.settings.driver == "control" or drawn.names_object or creates
        if drawn.request.method == "GET" or (may_write and mode is not Mode.OBSERVE):
            yield drawn


def token_for(probe: Probe, drawn: GeneratedRequest) -> Credential:
    """A token that may do what a drawn request asks for, if that can be done at all."""
    return probe.tokens.admin if drawn.is_admin else probe.tokens.service


@cache
def generate_requests(document: Document, prefix: str, seed: int, *, valid: bool) -> tuple[GeneratedRequest, ...]:
    """Requests to the operations of a document below `/v1`: a valid one to each, or invalid ones to some of them.

    - `prefix`: see `server_path`.

    Raises `Blocked` where the document cannot be used.
    """
    from schemathesis import GenerationMode  # noqa: PLC0415 - see the module's docstring

    operations = _operations(document)
    most = min(_MOST_OPERATIONS if valid else _MOST_INVALID, len(operations))
    chosen = random.Random(seed).sample(operations, most)  # noqa: S311 - what is wanted is the same again
    mode = GenerationMode.POSITIVE if valid else GenerationMode.NEGATIVE
    generated = [_to_request(case, prefix) for each in chosen for case in _draw_cases(each, mode, seed)]
    kept = tuple(
        replace(each, is_open=document.opens(*each.operation.split(" ", 1)))
        for each in generated
        if each.request.path.startswith(_API)
    )
    # Not every operation can be asked wrongly: one without parameters and body cannot.
    if valid and not kept:
        raise Blocked(f"the OpenAPI document has no operation below {_API} for which a request could be made up")
    return kept


@cache
def _operations(document: Document) -> tuple[Operation, ...]:
    """The operations that schemathesis can make sense of. Reading a document takes as long as many requests."""
    import schemathesis  # noqa: PLC0415
    from schemathesis.errors import LoaderError, SchemathesisError  # noqa: PLC0415

    if not _is_whole(document.content):
        raise Blocked("the OpenAPI document refers to others, which the suite does not fetch: publish it whole")
    try:
        # A configuration of its own, so that none is looked for in the working directory.
        schema = schemathesis.openapi.from_dict(dict(document.content), config=schemathesis.Config())
        results = [result.ok() for result in schema.get_all_operations() if hasattr(result, "ok")]
    except (LoaderError, SchemathesisError) as error:
        raise Blocked(f"the OpenAPI document cannot be read: {type(error).__name__}: {error}") from None
    return tuple(sorted(results, key=lambda operation: operation.label))


def _is_whole(value: object) -> bool:
    """Whether every reference stays within the document."""
    if isinstance(value, Mapping):
        reference = value.get("$ref")
        if isinstance(reference, str) and not reference.startswith("#"):
            return False
        return all(_is_whole(member) for member in value.values())
    return all(_is_whole(item) for item in value) if isinstance(value, list) else True


def server_path(document: Document, base_url: str) -> str:
    """What a document's server has in its path beyond the base URL: some have `/v1` there."""
    return urlsplit(document.server_url).path.rstrip("/").removeprefix(urlsplit(base_url).path)


def _draw_cases(operation: Operation, mode: GenerationMode, seed: int) -> list[Drawn]:
    """Cases of one operation; none where it cannot have such."""
    from schemathesis.errors import SchemathesisError  # noqa: PLC0415

    with suppress(SchemathesisError, unittest.SkipTest):
        count = 1 if mode.is_positive else _INVALID_EACH
        return draw_examples(operation.as_strategy(generation_mode=mode), count, seed)
    return []


def _to_request(case: Drawn, prefix: str) -> GeneratedRequest:
    method = case.method.upper()
    path = re.sub(r"\{([^}]*)\}", lambda found: _segment(case, found[1]), prefix + case.path)
    query = _query(case.query)
    body = _body(case)
    request = Request(
        method,
        f"{path}?{query}" if query else path,
        body=body,
        key=FRESH_KEY if method in {"POST", "PATCH"} else None,
        headers=tuple(_headers(case, body)),
    )
    return GeneratedRequest(f"{method} {prefix}{case.path}", request)


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
