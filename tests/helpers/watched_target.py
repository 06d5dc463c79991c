"""The fake as a target that remembers what it was sent, and the suite run on it with listed tokens."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import pytest

from helpers.suite import Run, run_suite
from helpers.wsgi_server import served
from paylera_mock.app import create_app

if TYPE_CHECKING:  # the stubs of the type checker alone have it
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

StartRun: TypeAlias = Callable[..., Run]

TOKENS = {
    "SERVICE": "sk_sandbox_" + "serviceall".ljust(32, "0"),
    "ADMIN": "sk_sandbox_" + "adminaal2".ljust(32, "0"),
    "READER": "sk_sandbox_" + "servicenoscope".ljust(32, "0"),
}
FILE = """
[target]
url = "{url}"
[tokens.everything]
token = "${{SERVICE}}"
[tokens.operator]
token = "${{ADMIN}}"
audience = "admin"
aal = 2
[tokens.nothing]
token = "${{READER}}"
scopes = []
"""


class Watched:
    """The fake, and everything that was sent to it below `/v1`."""

    def __init__(self) -> None:
        self.app = create_app()
        self.seen: list[tuple[str, str, str]] = []

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Note a request, and answer it."""
        self.seen.append((environ["REQUEST_METHOD"], environ["PATH_INFO"], environ.get("HTTP_USER_AGENT", "")))
        return self.app(environ, start_response)

    @property
    def methods(self) -> Counter[str]:
        """How often each method was sent."""
        return Counter(method for method, _, _ in self.seen)


@pytest.fixture
def watched() -> Watched:
    """A target that remembers."""
    return Watched()


@pytest.fixture
def watched_url(watched: WSGIApplication) -> Iterator[str]:
    """Where it listens."""
    with served(watched) as url:
        yield url


@pytest.fixture
def run_watched(tmp_path: Path, watched_url: str, tmp_path_factory: pytest.TempPathFactory) -> StartRun:
    """The program on that target, with three listed tokens."""
    config = tmp_path_factory.mktemp("config") / "paylera-conformance.toml"
    config.write_text(FILE.format(url=watched_url), "utf-8")

    def start(command: str, *arguments: str) -> Run:
        return run_suite(tmp_path, command, "--config", str(config), *arguments, env=TOKENS)

    return start
