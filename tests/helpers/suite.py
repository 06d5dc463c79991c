"""What the tests of the suite share: targets to serve, the program to run, and a probe on a made-up target."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import httpx
import pytest
from werkzeug.serving import WSGIRequestHandler, make_server

from paylera_conformance.http.client import Client, ClientSettings
from paylera_conformance.model.messages import Exchange, Request, Response
from paylera_conformance.model.tokens import Credential
from paylera_conformance.probe.probe import Probe
from paylera_conformance.target.openapi import Document
from paylera_conformance.target.provisioner import Provisioner, StaticProvisioner
from paylera_conformance.target.settings import Settings
from paylera_fixtures.api.openapi import build
from paylera_fixtures.redaction import Secret
from paylera_fixtures.vocabulary import Environment, Profile

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

Answer: TypeAlias = tuple[int, str, bytes]
"""Status, media type and body of a made-up answer."""

RUN_SECONDS: Final = 120
URL: Final = "http://target.test"
CANARY: Final = "sk_sandbox_" + "CanaryCanaryCanary".ljust(32, "7")


@dataclass(frozen=True)
class Run:
    """One run of the program, ended: its exit code, what it printed, and its `results.json` (empty where none)."""

    code: int
    output: str
    report: Mapping[str, Any]

    def outcomes(self) -> dict[str, str]:
        """What came of each clause in the report."""
        return {clause["id"]: clause["outcome"] for clause in self.report.get("clauses", ())}

    def having(self, *outcomes: str) -> set[str]:
        """The clauses that came to one of these outcomes."""
        return {clause for clause, outcome in self.outcomes().items() if outcome in outcomes}

    def messages(self) -> dict[str, str]:
        """The message of each clause in the report."""
        return {clause["id"]: clause["message"] for clause in self.report.get("clauses", ())}


@dataclass
class Program:
    """`paylera-conformance run` in a folder of its own, cut off from the settings of whoever runs the tests."""

    folder: Path
    env: dict[str, str] = field(default_factory=dict)
    started: list[subprocess.Popen[str]] = field(default_factory=list)

    def configure(self, text: str) -> None:
        """Write the configuration file that the program finds."""
        (self.folder / "paylera-conformance.toml").write_text(text, "utf-8")

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start a run that writes its report."""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(("PAYLERA_", "PYTEST_"))}
        command = [sys.executable, "-m", "paylera_conformance", "run", *arguments, "--report", str(self.folder / "out")]
        process = subprocess.Popen(
            command, cwd=self.folder, env=inherited | self.env, text=True, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        self.started.append(process)
        return process

    def kill(self) -> None:
        """Leave nothing behind, however a test ended."""
        for process in self.started:
            process.kill()
            process.wait()

    def end(self, process: subprocess.Popen[str]) -> Run:
        """Wait for the end of a run, and read what it left."""
        output, _ = process.communicate(timeout=RUN_SECONDS)
        results = self.folder / "out" / "results.json"
        report = json.loads(results.read_text("utf-8")) if results.is_file() else {}
        return Run(process.returncode, output, report)

    def run(self, *arguments: str) -> Run:
        """Run to the end."""
        return self.end(self.start(*arguments))


class _Handler(WSGIRequestHandler):
    """Keeps connections alive, and logs nothing."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing."""


@contextmanager
def served(app: WSGIApplication) -> Iterator[str]:
    """Serve an application on a free port of this machine for as long as the block runs; gives its base URL."""
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=_Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def always(status: str, media_type: str, body: bytes, seen: Callable[[], None] = lambda: None) -> WSGIApplication:
    """An application that answers everything alike; `seen` is called for each request."""

    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        seen()
        start_response(status, [("Content-Type", media_type), ("Content-Length", str(len(body)))])
        return [body]

    return app


@pytest.fixture(scope="module")
def serve() -> Iterator[Callable[[WSGIApplication], str]]:
    """Serve applications until the module's tests are done."""
    with ExitStack() as stack:
        yield lambda app: stack.enter_context(served(app))


@pytest.fixture(scope="session")
def answering() -> Callable[..., WSGIApplication]:
    """Makes applications that answer everything alike."""
    return always


@pytest.fixture
def program(tmp_path: Path) -> Iterator[Program]:
    """The program in a folder of the test's own."""
    made = Program(tmp_path)
    yield made
    made.kill()


@pytest.fixture(scope="module")
def make_program(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Program]:
    """Makes programs, for runs that several tests look at."""
    return lambda: Program(tmp_path_factory.mktemp("run"))


@pytest.fixture(scope="session")
def canary() -> str:
    """A secret that must never be seen."""
    return CANARY


@pytest.fixture
def service() -> Credential:
    """A service token that may do everything, under the canary secret."""
    return Credential(Secret(CANARY, "everything"))


@pytest.fixture
def settings(service: Credential) -> Settings:
    """A made-up target, and one token for it."""
    return Settings(url=URL, tokens=(service,))


@pytest.fixture
def exchanged(service: Credential) -> Callable[..., Exchange]:
    """Makes exchanges: `status`, `answer` and `headers` of the answer; further arguments are the request's."""

    def make(status: int = 200, answer: bytes = b"{}", *headers: tuple[str, str], **request: Any) -> Exchange:
        sent = Request(**{"method": "GET", "path": "/v1/customers", "token": service, **request})
        lines = (("Authorization", sent.credential.replace("{}", CANARY)), ("User-Agent", "suite"), *sent.headers)
        return Exchange(sent, URL + sent.path, lines, Response(status, headers, answer))

    return make


@dataclass
class Target:
    """A made-up target: a table of answers, and what it was sent.

    - `answers`: for each of a request's credentials (`None`: without one) the status and `problem` it gets, in turn,
      the last for ever; other credentials get `unknown`.
    """

    answers: dict[str | None, list[tuple[int, str | None]]]
    unknown: tuple[int, str | None] = (401, "auth.invalid_token")
    requests: list[httpx.Request] = field(default_factory=list)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """Answer one request."""
        self.requests.append(request)
        credential = request.headers.get("Authorization", "").removeprefix("Bearer ") or None
        turns = self.answers.get(credential, [self.unknown])
        status, problem = turns[min(self.credentials.count(credential), len(turns)) - 1]
        return httpx.Response(status, json={} if problem is None else {"problem": problem, "status": status})

    @property
    def credentials(self) -> list[str | None]:
        """The credential of each request, in order."""
        return [request.headers.get("Authorization", "").removeprefix("Bearer ") or None for request in self.requests]


@pytest.fixture
def target() -> Target:
    """A target that accepts the canary token, and refuses whatever else as the guide has it."""
    return Target({CANARY: [(200, None)], None: [(401, "auth.missing_token")]})


@pytest.fixture
def client_of() -> Callable[[Callable[[httpx.Request], httpx.Response]], Client]:
    """Makes clients that talk to a function."""
    return lambda handler: Client(ClientSettings(run_id="run1"), transport=httpx.MockTransport(handler))


@pytest.fixture
def probe_on(
    settings: Settings, client_of: Callable[[Callable[[httpx.Request], httpx.Response]], Client]
) -> Callable[..., Probe]:
    """Makes probes of a made-up target, in a world where only the listed token is to be had."""

    def make(handler: Callable[[httpx.Request], httpx.Response], world: Provisioner | None = None) -> Probe:
        return Probe(
            client_of(handler), world or StaticProvisioner(settings), settings, run_id="run1",
            document=lambda: Document(build(Profile.GUIDE), published=False),
        )  # fmt: skip

    return make


@pytest.fixture
def stranger() -> Credential:
    """A token of the other environment that is not to be sent to this one."""
    secret = f"sk_{Environment.LIVE}_" + "Stranger".ljust(32, "7")
    return Credential(Secret(secret, "stranger"), environment=Environment.LIVE)
