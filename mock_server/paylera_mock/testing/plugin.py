"""The pytest plugin: fixtures that give each test a fake Paylera of its own, in this process and without a socket.

pytest imports this in every run of every user who has the package, so it imports nothing but pytest; what a fixture
needs is imported by the first test that uses it.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any

import pytest

pytest.register_assert_rewrite("paylera_mock.testing.handles", "paylera_mock.testing.fake")

if TYPE_CHECKING:  # start-up time: every run of pytest loads the plugin
    from flask import Flask

    from paylera_mock.testing.fake import Paylera
    from paylera_mock.testing.httpx_transport import PayleraTransport
    from paylera_mock.testing.requests_adapter import PayleraAdapter
    from paylera_mock.testing.respx_router import PayleraRouter

_IN_USE = pytest.StashKey["Paylera"]()
_SECTION = "paylera: last requests"
_NEVER_STRUCK = "paylera: faults that never happened"


@pytest.fixture(scope="session")
def paylera_app() -> Flask:
    """The application in which the tests of this process have their namespaces."""
    from paylera_mock.testing.fake import application  # noqa: PLC0415 - see the module's docstring

    return application()


@pytest.fixture
def paylera_settings() -> Mapping[str, Any]:
    """The members of `POST C/namespaces` by which a test's namespace is made.

    These are `profile`, `readings`, `mutants` and `strict_bodies`. To be overridden by a module, a class or a conftest.
    """
    return {}


@pytest.fixture
def paylera(
    request: pytest.FixtureRequest, paylera_app: Flask, paylera_settings: Mapping[str, Any]
) -> Iterator[Paylera]:
    """A fake Paylera of the test's own, with a clock that stands still until it is advanced."""
    from paylera_mock.testing.fake import Paylera  # noqa: PLC0415 - see the module's docstring

    fake = Paylera(paylera_app, paylera_settings)
    request.node.stash[_IN_USE] = fake
    yield fake
    fake.close()


@pytest.fixture
def paylera_token(paylera: Paylera) -> str:
    """The plain secret of a service token that may do everything."""
    return paylera.everything.secret


@pytest.fixture
def paylera_transport(paylera: Paylera) -> PayleraTransport:
    """A transport that connects httpx clients, sync and async, with the test's fake."""
    _need("httpx", "paylera_transport")
    return paylera.transport


@pytest.fixture
def paylera_requests(paylera: Paylera) -> PayleraAdapter:
    """An adapter that connects a session of requests with the test's fake: `session.mount("https://", adapter)`."""
    _need("requests", "paylera_requests")
    return paylera.requests_adapter()


@pytest.fixture
def paylera_respx(paylera: Paylera) -> Iterator[PayleraRouter]:
    """A respx router by which both hosts of production lead to the test's fake, whatever client calls them."""
    _need("respx", "paylera_respx")
    from paylera_mock.testing.respx_router import PayleraRouter  # noqa: PLC0415 - see the module's docstring

    router = PayleraRouter(paylera.transport)
    with router:
        yield router


def _need(library: str, fixture: str) -> None:
    """Fail in one line where a library of an extra is missing."""
    try:
        import_module(library)
    except ImportError:
        pytest.fail(f"{fixture} needs {library}: pip install 'paylera-testkit[sdk]'", pytrace=False)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show the last requests of a failing test's client, with their answers."""
    report = yield
    fake = item.stash.get(_IN_USE, None)
    if fake is not None and report.failed:
        from paylera_mock.testing.reporting import last_requests  # noqa: PLC0415 - see the module's docstring

        report.sections.append((_SECTION, last_requests(fake.namespace.journal)))
    if fake is not None and report.when == "call":
        report.user_properties += [(_NEVER_STRUCK, armed.fault.label) for armed in fake.namespace.faults.never_struck()]
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Name the faults that happened to no request: a test that relies on one has shown nothing, though it passed."""
    lines = [
        f"{report.nodeid}: {label}"
        for reports in terminalreporter.stats.values()
        for report in reports
        if isinstance(report, pytest.TestReport)
        for name, label in report.user_properties
        if name == _NEVER_STRUCK
    ]
    if lines:
        terminalreporter.section(_NEVER_STRUCK, yellow=True)
        for line in lines:
            terminalreporter.line(line)
