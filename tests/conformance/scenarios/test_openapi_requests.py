"""Requests drawn from an OpenAPI document."""

from __future__ import annotations

import subprocess
from typing import IO, Any

import pytest

from paylera_conformance.model.outcomes import Blocked
from paylera_conformance.scenarios.openapi_requests import begin_drawing, generate_requests, server_path
from paylera_conformance.target.openapi import Document
from paylera_fixtures.api.examples import path_example
from paylera_fixtures.api.openapi import build
from paylera_fixtures.api.operations import OPERATIONS
from paylera_fixtures.vocabulary import Profile

DOCUMENT = Document(build(Profile.GUIDE), published=True)
EXAMPLES = {path_example(operation) for operation in OPERATIONS if operation.has_parameter}


@pytest.mark.parametrize("valid", [True, False])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_no_drawn_request_names_an_object_that_the_document_does(seed: int, valid: bool) -> None:  # noqa: FBT001
    """An example may be somebody's object, and a request that is wrong in one place may be let through."""
    drawn = generate_requests(DOCUMENT, "", seed, valid=valid)
    segments = {segment for each in drawn for segment in each.request.path.partition("?")[0].split("/")}
    assert segments & EXAMPLES == set()


HOSTILE = "\x1b]0;owned\x07\n::error::boom \ud800"


def describe(operation: dict[str, Any], **members: Any) -> dict[str, Any]:
    """A document of a list that anybody can ask for, and of one operation besides."""
    lists: dict[str, Any] = {"get": {"responses": {}}}
    return {"openapi": "3.1.0", "info": {}, "paths": {"/v1/a": lists, "/v1/b": {"post": operation}}, **members}


def takes(schema: Any) -> dict[str, Any]:
    """An operation with a body."""
    return {"responses": {}, "requestBody": {"content": {"application/json": {"schema": schema}}}}


def draw(document: Document) -> tuple[set[str], str]:
    """The operations to which there are requests, or why there are none."""
    try:
        return {
            each.operation for valid in (True, False) for each in generate_requests(document, "", 1, valid=valid)
        }, ""
    except Blocked as blocked:
        return set(), blocked.reason


# Documents, and whether the list in them can still be asked for.
WRONG: dict[str, tuple[dict[str, Any], bool]] = {
    "version-is-a-number": (describe({}) | {"openapi": 3}, False),
    "security-is-a-number": (describe({"security": 5, "responses": {}}), False),
    "reference-is-a-number": (describe(takes({"$ref": 5})), False),
    "scheme-is-a-number": (describe({"responses": {}}, components={"securitySchemes": {"a": 5}}), False),
    "half-a-character": (describe(takes({"enum": [HOSTILE]})), True),
    "name-of-a-parameter": (describe({"responses": {}, "parameters": [{"in": "query", "name": HOSTILE}]}), True),
    "pattern-that-is-none": (describe(takes({"type": "string", "pattern": "("})), True),
    "reference-to-itself": (describe(takes({"$ref": "#/paths/~1v1~1b/post"})), True),
}


@pytest.mark.slow
@pytest.mark.parametrize(("content", "is_usable"), WRONG.values(), ids=WRONG)
def test_document_that_is_wrong_is_no_error_of_the_suite(content: dict[str, Any], is_usable: bool) -> None:  # noqa: FBT001 - a column
    """Whatever breaks the library that reads it."""
    drawn, reason = draw(Document(content, published=True))
    assert ("GET /v1/a" in drawn, "the OpenAPI document cannot be read: " in reason) == (is_usable, not is_usable)


def test_server_that_is_no_url_has_no_path() -> None:
    """A bracket is enough."""
    document = Document(describe({}, servers=[{"url": "http://[::1/v1"}]), published=True)
    assert server_path(document, "http://target.test") == ""


def test_drawing_ends() -> None:
    """A pattern may take for ever, and cannot be interrupted where it is tried."""
    with pytest.raises(Blocked, match=r"no request to any operation could be drawn .* within 0\.001 s"):
        generate_requests(DOCUMENT, "", 4, valid=True, seconds=0.001)


def test_operation_that_is_not_drawn_in_time_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that its schema can be looked at."""

    class Hanging:
        """A program that does not end, and has written so much."""

        def __init__(self, _command: Any, *, stdout: IO[bytes], **_more: Any) -> None:
            stdout.write(b'{"drawing":"GET /v1/a"}\n{}\n{"drawing":"POST /v1/b"}\n{"req')

        def wait(self, seconds: float | None = None) -> None:
            if seconds is not None:
                raise subprocess.TimeoutExpired("draw", seconds)

        def kill(self) -> None:
            """It is not there."""

    monkeypatch.setattr(subprocess, "Popen", Hanging)
    with pytest.raises(Blocked, match="no request to POST /v1/b could be drawn"):
        generate_requests(DOCUMENT, "", 5, valid=True)


def test_drawing_goes_on_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    """One program draws, which is under way when its requests are asked for."""
    begin_drawing(DOCUMENT, 6)
    monkeypatch.setattr(subprocess, "Popen", None)
    assert generate_requests(DOCUMENT, "", 6, valid=True)
