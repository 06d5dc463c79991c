"""What the tests of the suite share: targets to serve, the program to run, and a probe on a made-up target."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import httpx

from helpers.waiting import PATIENCE_SECONDS, RUN_SECONDS
from helpers.warm_program import can_be_warm, run_warm

if TYPE_CHECKING:  # the stubs of the type checker alone have it
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

Answer: TypeAlias = tuple[int, str, bytes]
"""Status, media type and body of a made-up answer."""

URL: Final = "http://target.test"
CANARY: Final = "sk_sandbox_" + "CanaryCanaryCanary".ljust(32, "7")

# The suite with clocks of its own, which stand still at the instant that is its first argument: nothing that is
# scheduled falls due because the machine is slow, and whatever the suite sends, it sends fast enough.
STOPPED: Final = """
import sys
from datetime import datetime
import paylera_conformance.probe.recording as recording
now = datetime.fromisoformat(sys.argv.pop(1))
recording.wall_clock = lambda: now
recording.stopwatch = lambda: 0.0
from paylera_conformance.cli import main
main(prog_name="paylera-conformance")
"""


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

    def clause(self, name: str) -> Mapping[str, Any]:
        """What the report says of a clause."""
        found: Mapping[str, Any] = next(clause for clause in self.report["clauses"] if clause["id"] == name)
        return found


def isolated_environment(env: Mapping[str, str]) -> dict[str, str]:
    """The environment without the settings of whoever runs the tests; the target has all the time that it needs."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("PAYLERA_", "PYTEST_"))}
    return {**inherited, "PAYLERA_CONFORMANCE_TIMEOUT": f"{PATIENCE_SECONDS:g}", **env}


def known_failure(clause: str, expires: str = "2099-12-31") -> str:
    """An entry of a list of known failures."""
    return f'[[known]]\nclause = "{clause}"\nreason = "r"\nissue = "ISSUE-7"\nexpires = {expires}\n'


def start_suite(
    folder: Path, *arguments: str, env: Mapping[str, str], now: datetime | None = None
) -> subprocess.Popen[str]:
    """Start the program in a folder. `now`: where its clocks stand still; without it, they go."""
    program = ["-m", "paylera_conformance"] if now is None else ["-c", STOPPED, now.isoformat()]
    return subprocess.Popen(
        [sys.executable, *program, *arguments],
        cwd=folder,
        env=isolated_environment(env),
        text=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )


def run_suite(
    folder: Path,
    *arguments: str,
    env: Mapping[str, str] | None = None,
    now: datetime | None = None,
    report: str = "out",
) -> Run:
    """Run the program to its end; `report` is the folder below that of the run where its `results.json` is."""
    if can_be_warm(env or {}):
        code, output = run_warm(folder, arguments, isolated_environment(env or {}), now)
        return _run_with(code, output, folder / report)
    with start_suite(folder, *arguments, env=env or {}, now=now) as process:
        return end_of_run(process, folder / report)


def end_of_run(process: subprocess.Popen[str], report: Path) -> Run:
    """Wait for the end of a run, and read what it left; one that hangs is killed."""
    try:
        output, _ = process.communicate(timeout=RUN_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        raise
    return _run_with(process.returncode, output, report)


def _run_with(code: int, output: str, report: Path) -> Run:
    results = report / "results.json"
    return Run(code, output, json.loads(results.read_text("utf-8")) if results.is_file() else {})


@dataclass
class Program:
    """`paylera-conformance run` in a folder of its own, which it leaves its report in. `now`: as for `start_suite`."""

    folder: Path
    now: datetime | None = None
    env: dict[str, str] = field(default_factory=dict)
    started: list[subprocess.Popen[str]] = field(default_factory=list)

    def configure(self, text: str) -> None:
        """Write the configuration file that the program finds."""
        (self.folder / "paylera-conformance.toml").write_text(text, "utf-8")

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start a run that writes its report."""
        process = start_suite(self.folder, "run", "--report", "out", *arguments, env=self.env, now=self.now)
        self.started.append(process)
        return process

    def command(self, *arguments: str) -> Run:
        """Run another command of the program to its end."""
        return run_suite(self.folder, *arguments, env=self.env)

    def kill(self) -> None:
        """Leave nothing behind, however a test ended."""
        for process in self.started:
            process.kill()
            process.communicate()

    def end(self, process: subprocess.Popen[str]) -> Run:
        """Wait for the end of a run, and read what it left."""
        return end_of_run(process, self.folder / "out")

    def run(self, *arguments: str) -> Run:
        """Run to the end."""
        return run_suite(self.folder, "run", "--report", "out", *arguments, env=self.env, now=self.now)


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
