"""Requests drawn from an OpenAPI document by schemathesis: valid ones, and ones that are wrong in some place.

The same document and seed give the same requests. They are drawn in a process of its own (`openapi_drawing`).
"""

from __future__ import annotations

import atexit
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Final
from urllib.parse import urlsplit

import msgspec

from paylera_conformance.model.messages import FRESH_KEY, Request
from paylera_conformance.model.outcomes import Blocked
from paylera_conformance.model.tokens import Credential
from paylera_conformance.probe.probe import Probe
from paylera_conformance.scenarios import openapi_drawing
from paylera_conformance.scenarios.openapi_drawing import DrawnRequest, Step, Task
from paylera_conformance.target.openapi import Document
from paylera_conformance.target.settings import Mode

GROUP: Final = "document"
"""The group of the cases that use such requests: one process draws them, which takes it a second or more."""

_DRAWING_SECONDS: Final = 120.0
"""So long it may take: a document may have a pattern that no string is known to match or not to match for years."""

_API: Final = "/v1/"


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
def generate_requests(
    document: Document, prefix: str, seed: int, *, valid: bool, seconds: float = _DRAWING_SECONDS
) -> tuple[GeneratedRequest, ...]:
    """Requests to the operations of a document below `/v1`: a valid one to each, or invalid ones to some of them.

    - `prefix`: see `server_path`; `seconds`: how long it may take to draw them.

    Raises `Blocked` where the document cannot be used.
    """
    kept = tuple(
        _to_generated(drawn, prefix, document)
        for drawn in _draw(document, seed, seconds)
        if drawn.valid == valid and (prefix + drawn.path).startswith(_API)
    )
    # Not every operation can be asked wrongly: one without parameters and body cannot.
    if valid and not kept:
        raise Blocked(f"the OpenAPI document has no operation below {_API} for which a request could be made up")
    return kept


def _to_generated(drawn: DrawnRequest, prefix: str, document: Document) -> GeneratedRequest:
    key = FRESH_KEY if drawn.method in {"POST", "PATCH"} else None
    request = Request(drawn.method, prefix + drawn.path, body=drawn.body, key=key, headers=drawn.headers)
    template = prefix + drawn.template
    return GeneratedRequest(f"{drawn.method} {template}", request, is_open=document.opens(drawn.method, template))


def begin_drawing(document: Document, seed: int) -> None:
    """Have the requests drawn beside what goes on here, until they are asked for: it takes seconds."""
    _drawing(document, seed)


class _Drawing:
    """The program that draws, under way. It ends with this one at the latest."""

    def __init__(self, task: Task) -> None:
        # Files, since a program waits until somebody reads what is in a pipe.
        self._output = tempfile.TemporaryFile()  # noqa: SIM115 - it is read at the end
        with tempfile.TemporaryFile() as file:
            file.write(msgspec.json.encode(task))
            file.seek(0)
            self._process = subprocess.Popen(  # noqa: S603 - our own program
                [sys.executable, "-P", "-m", openapi_drawing.__name__],
                stdin=file,
                stdout=self._output,
                stderr=subprocess.DEVNULL,
                env={**os.environ, "HYPOTHESIS_NO_PLUGINS": "1"},  # those of other packages take their time
            )
        atexit.register(self._process.kill)

    def finish(self, seconds: float) -> tuple[bytes, bool]:
        """What it has written, once, and whether it came to its end within so many seconds; else it is ended."""
        try:
            self._process.wait(seconds)
            is_whole = True
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            is_whole = False
        with self._output as output:
            output.seek(0)
            return output.read(), is_whole


@cache
def _drawing(document: Document, seed: int) -> _Drawing:
    return _Drawing(Task(json.dumps(document.content), seed))


@cache
def _draw(document: Document, seed: int, seconds: float) -> tuple[DrawnRequest, ...]:
    """All that is drawn from a document. Raises `Blocked`."""
    output, is_whole = _drawing(document, seed).finish(seconds)
    steps = [msgspec.json.decode(line, type=Step) for line in output.splitlines(keepends=True) if line.endswith(b"\n")]
    last = steps[-1] if steps else Step(drawing="any operation")
    if last.trouble:
        raise Blocked(f"the OpenAPI document {last.trouble}")
    if last.drawing or not is_whole:
        late = "" if is_whole else f" within {seconds:g} s: has a schema a pattern that takes for ever?"
        raise Blocked(f"no request to {last.drawing or 'any operation'} could be drawn from the OpenAPI document{late}")
    return tuple(drawn for step in steps for drawn in step.requests)


def server_path(document: Document, base_url: str) -> str:
    """What a document's server has in its path beyond the base URL: some have `/v1` there."""
    try:
        path = urlsplit(document.server_url).path
    except ValueError:  # it is no URL
        path = ""
    return path.rstrip("/").removeprefix(urlsplit(base_url).path)
