"""A fake in this process and one behind a socket, reached in the same way."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask

from helpers.clients import (
    Line,
    MakeLine,
    _by_socket,
    _in_process,
)
from paylera_mock.cli.subprocess_server import running_fake
from paylera_mock.server.ready import Ready


@pytest.fixture(scope="session")
def served() -> Iterator[Ready]:
    """A fake behind a real socket, of which every part is within reach."""
    with running_fake() as ready:
        yield ready


@pytest.fixture(scope="session")
def application(paylera_app: Flask) -> Flask:
    """The fake of this process."""
    return paylera_app


@pytest.fixture(params=[_in_process, _by_socket], ids=["in-process", "socket"])
def make_line(request: pytest.FixtureRequest) -> MakeLine:
    """Makes a namespace with these settings, and a line to it."""
    made: MakeLine = request.param(request)
    return made


@pytest.fixture
def line(make_line: MakeLine) -> Line:
    """A line to a namespace of the test's own."""
    return make_line()
