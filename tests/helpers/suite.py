"""What the tests of the suite share: targets to serve, the program to run, and a probe on a made-up target."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import httpx
from werkzeug.serving import WSGIRequestHandler, make_server

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
