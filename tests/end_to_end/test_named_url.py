"""The URL that is judged is the one that was named: a server that is open to everybody gets no certificate.

Not even where its control API hands out the namespaces of a right server, on another host or on its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, TypeAlias
from urllib.parse import urlsplit

import pytest

from helpers.suite import Program, Run, always
from paylera_mock.app import create_app

if TYPE_CHECKING:  # the stubs of the type checker alone have it
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

pytestmark = pytest.mark.slow

Serve: TypeAlias = Callable[["WSGIApplication"], str]

OPEN = always("200 OK", "application/json", b'{"data": [], "has_more": false, "next_cursor": null}')
AT_NAMED_URL = ("-k", "named_url or challenge")


@dataclass
class RightServer:
    """A server that keeps the contract; `credentials` are those that its API got."""

    app: WSGIApplication = field(default_factory=create_app)
    credentials: list[str] = field(default_factory=list)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        self.credentials += [environ["HTTP_AUTHORIZATION"]] if "HTTP_AUTHORIZATION" in environ else []
        return self.app(environ, start_response)

    def behind(self, host: str | None = None) -> WSGIApplication:
        """A server that is open to everybody, but for the control API of this one, which takes it for `host`."""

        def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
            is_control, is_namespace = (environ["PATH_INFO"].startswith(prefix) for prefix in ("/_mock", "/ns/"))
            own = self if is_control or (is_namespace and host is None) else OPEN
            return own({**environ, "HTTP_HOST": host or environ["HTTP_HOST"]}, start_response)

        return app


@pytest.fixture
def right() -> RightServer:
    """A server that keeps the contract."""
    return RightServer()


@pytest.fixture
def elsewhere(serve: Serve, right: RightServer) -> tuple[str, str]:
    """An open server whose control API hands out namespaces of another one; and that one's origin."""
    origin = serve(right)
    return serve(right.behind(urlsplit(origin).netloc)), origin


def test_namespaces_of_another_server_are_a_mistake(
    elsewhere: tuple[str, str], right: RightServer, program: Program
) -> None:
    """Exit 4 with a sentence, and no credential has gone there."""
    url, origin = elsewhere
    run = program.run(url, "--control-url", f"{url}/_mock")
    assert (run.code, run.report["verdict"], right.credentials) == (4, "NO VERDICT", [])
    assert f"is at {origin}, and the target that was named is {url}" in " ".join(run.output.split())


def lead_astray(app: WSGIApplication, host: str) -> WSGIApplication:
    """A right server whose control API hands out namespaces of a host from the third on."""
    asked = count(1)

    def changed(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        is_late = environ["PATH_INFO"] == "/_mock/namespaces" and next(asked) > 2
        return app({**environ, "HTTP_HOST": host} if is_late else environ, start_response)

    return changed


@pytest.mark.parametrize("workers", ["1", "2"])
def test_namespace_of_another_server_is_a_mistake_also_later(
    serve: Serve, right: RightServer, program: Program, workers: str
) -> None:
    """Exit 4, however far the run has come, in each process."""
    url = serve(lead_astray(right, "127.0.0.1:9"))
    run = program.run(url, "--control-url", f"{url}/_mock", "-k", "rotation", "-n", workers)
    assert (run.code, run.report["verdict"]) == (4, "NO VERDICT")
    assert "a namespace's url is at http://127.0.0.1:9, " in " ".join(run.output.split())


OPEN_CLAUSES = {"credential.missing", "credential.malformed", "token.unknown"}


def certify(program: Program) -> Run:
    """Ask for a certificate of the last run."""
    return program.command("certify", "out")


def test_listed_server_is_no_proof_of_the_named_one(elsewhere: tuple[str, str], program: Program) -> None:
    """What is right in the namespaces is not so at the URL that was named."""
    url, origin = elsewhere
    run = program.run(url, "--control-url", f"{url}/_mock", "--also", origin, *AT_NAMED_URL)
    assert (run.code, run.having("fail"), run.report["base_urls"]) == (1, OPEN_CLAUSES, sorted([url, origin]))
    issued = certify(program)
    assert (issued.code, "the verdict is NON-CONFORMANT" in issued.output) == (1, True)


def test_namespaces_below_the_named_url_are_no_proof_of_it(serve: Serve, right: RightServer, program: Program) -> None:
    """The origin is the same, and yet the URL that was named is open to everybody."""
    url = serve(right.behind())
    run = program.run(url, "--control-url", f"{url}/_mock", *AT_NAMED_URL)
    assert (run.code, run.having("fail")) == (1, OPEN_CLAUSES)
    assert "of 45 operations" in run.messages()["credential.missing"]


def test_what_the_doctor_finds_at_the_target_bars_a_conformant_verdict(
    serve: Serve, right: RightServer, program: Program
) -> None:
    """Exit 10 and no 0, though every case that was selected passes; the finding is named."""
    url = serve(right.behind())
    run = program.run(url, "--control-url", f"{url}/_mock", "-k", "challenge")
    assert (run.code, run.report["findings"][0]["label"]) == (10, "TARGET")
    assert "a TARGET finding before the run" in " ".join(run.output.split())
