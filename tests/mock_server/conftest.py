"""The fake in this process, one namespace for each test, and as a program."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import Client

from helpers.fake import Fake, namespace_of
from helpers.mock_program import Answer, Programs, get, refuses_connections
from helpers.waiting import await_that
from helpers.webhooks import Hooks, Receiver
from paylera_mock.app import create_app


@pytest.fixture(scope="session")
def app() -> Flask:
    """One application for all tests that keep to a namespace of their own."""
    return create_app()


@pytest.fixture
def fake(app: Flask) -> Iterator[Fake]:
    """A namespace in the guide's profile."""
    made = namespace_of(app)
    yield made
    made.client.delete(f"/_mock/namespaces/{made.base.removeprefix('/ns/')}")


@pytest.fixture
def reference(app: Flask) -> Fake:
    """A namespace in the reference's profile."""
    return namespace_of(app, profile="reference")


@pytest.fixture
def default() -> Fake:
    """The default namespace of an application of the test's own: the well-known tokens, and a running clock."""
    return Fake(Client(create_app()))


@pytest.fixture
def namespace(app: Flask) -> Callable[[], Fake]:
    """Makes a namespace each time it is called."""
    return lambda: namespace_of(app)


@pytest.fixture(scope="module")
def served_by() -> type[Programs]:
    """`Programs`, for fixtures that outlast a test."""
    return Programs


@pytest.fixture
def programs(tmp_path: Path) -> Iterator[Programs]:
    """Starts programs for one test."""
    started = Programs(tmp_path)
    yield started
    started.end()


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """The ready line of a fake that the tests of a module share, and only read."""
    started = Programs(tmp_path_factory.mktemp("served"))
    yield started.serve().ready()
    started.end()


@pytest.fixture
def ask() -> Callable[..., Answer]:
    """`get`, for the tests."""
    return get


@pytest.fixture
def gone() -> Callable[[str], bool]:
    """Tells whether nobody listens at a URL any more, which may take a moment to become true."""
    return lambda url: await_that(lambda: refuses_connections(url))


@pytest.fixture
def eventually() -> Callable[[Callable[[], bool]], bool]:
    """`await_that`, for the tests."""
    return await_that


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A receiver of the test's own."""
    made = Receiver()
    yield made
    made.close()


@pytest.fixture
def other() -> Iterator[Receiver]:
    """Another one."""
    made = Receiver()
    yield made
    made.close()


@pytest.fixture
def hooks(fake: Fake) -> Hooks:
    """A namespace whose clock stands still."""
    return Hooks(fake)
