"""The servers that are measured: the fake, bare views under the fake's own server, and WireMock."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from bare import STATUSES
from paylera_mock.cli.subprocess_server import running_fake
from paylera_mock.server.http_client import send_request
from paylera_mock.server.port import reserve
from paylera_mock.server.ready import READY_WITHIN_SECONDS, Ready, wait_for_status
from scenarios import SCENARIOS, Scenario
from wrk import Round, drive

WIREMOCK_VERSION: Final = "3.13.2"
WITHOUT_WIREMOCK: Final = "WireMock was left out: it needs java and npm on the PATH"
NPM_COULD_NOT: Final = "WireMock was left out: npm could not install it"
_WARM_UPS: Final = 20
_WARM: Final = 1.03
"""A server gets no warmer where a round brings less than this, beside the best so far."""


@dataclass(frozen=True)
class Server:
    """A server that runs. `pid`: of its first process; `reset`: brings it back to how it was at the start."""

    name: str
    url: str
    pid: int
    secret: str
    reset: Callable[[], object] = lambda: None

    def drive(self, scenario: Scenario, *, connections: int, seconds: int) -> Round:
        """One round, which begins as the server was at the start."""
        self.reset()
        return drive(self.url, self.pid, scenario, self.secret, connections=connections, seconds=seconds)


@contextmanager
def serving_fake() -> Iterator[Server]:
    """The fake as it is by default: with journal, findings and headers."""
    with running_fake() as ready:
        yield _server("fake", ready)


@contextmanager
def serving_other_fake(python: str) -> Iterator[Server]:
    """The fake of another environment, as of an earlier commit, by its interpreter."""
    with started([python, "-m", "paylera_mock", "serve", "--port=0", "--exit-with-parent", "--quiet"]) as (_, line):
        yield _server("other", Ready.from_line(line))


def _server(name: str, ready: Ready) -> Server:
    reset = f"{ready.control_url}/reset"
    return Server(name, ready.url, ready.pid, ready.tokens["serviceall"], lambda: send_request("POST", reset))


def answers_of(server: Server) -> Mapping[str, Any]:
    """What a server answers in each scenario, by method and path."""
    found = {}
    for scenario in SCENARIOS:
        headers, url = scenario.headers(server.secret, "recorded"), server.url + scenario.path
        _, body = send_request(scenario.method, url, headers=headers, body=scenario.body or None)
        found[f"{scenario.method} {scenario.path}"] = json.loads(body)
    return found


@contextmanager
def started(command: Sequence[str]) -> Iterator[tuple[int, str]]:
    """A program, which is stopped at the end: its pid, and the line by which it says that it is ready."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 - our own program
        try:
            line = process.stdout.readline().strip() if process.stdout else ""
            if not line:
                raise RuntimeError(f"it ended before it was ready: {' '.join(command)}")
            yield process.pid, line
        finally:
            process.terminate()


@contextmanager
def serving_bare(kind: str, answers: Mapping[str, Any], folder: Path) -> Iterator[Server]:
    """Bare views of Flask, or of WSGI alone."""
    file = folder / "answers.json"
    file.write_text(json.dumps(answers), encoding="utf-8")
    with started([sys.executable, str(Path(__file__).with_name("bare.py")), kind, str(file)]) as (pid, url):
        yield Server(kind, url, pid, "any")


@contextmanager
def serving_wiremock(answers: Mapping[str, Any], folder: Path, notes: list[str]) -> Iterator[Server | None]:
    """WireMock without its journal, warmed up; `None`, and a note, where it is not to be had."""
    jar = _install_wiremock(folder, notes)
    java = shutil.which("java")
    if jar is None or java is None:
        yield None
        return
    (folder / "mappings").mkdir()
    for number, (name, body) in enumerate(answers.items()):
        method, _, path = name.partition(" ")
        response = {"status": STATUSES[name], "headers": {"Content-Type": "application/json"}, "body": json.dumps(body)}
        stub = {"request": {"method": method, "urlPath": path}, "response": response}
        (folder / "mappings" / f"{number}.json").write_text(json.dumps(stub), encoding="utf-8")
    reservation = reserve("127.0.0.1", 0)
    reservation.close()
    command = [java, "-jar", str(jar), "--port", str(reservation.port), "--bind-address", reservation.host]
    command += ["--root-dir", str(folder), "--no-request-journal", "--disable-banner"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:  # noqa: S603 - as said
        try:
            url = reservation.url()
            wait_for_status({200}, f"{url}/v1/customers", None, deadline=time.monotonic() + READY_WITHIN_SECONDS)
            server = Server("wiremock", url, process.pid, "any")
            warm_up(server)
            yield server
        finally:
            process.terminate()


def warm_up(server: Server) -> None:
    """Drive every scenario until a round of all of them is no faster than the best so far, twice in a row."""
    best, in_vain = 0.0, 0
    for _ in range(_WARM_UPS):
        rate = sum(server.drive(scenario, connections=16, seconds=1).rate for scenario in SCENARIOS)
        in_vain = 0 if rate > best * _WARM else in_vain + 1
        best = max(best, rate)
        if in_vain > 1:
            return


def _install_wiremock(folder: Path, notes: list[str]) -> Path | None:
    npm = shutil.which("npm")
    if npm is None or shutil.which("java") is None:
        notes.append(WITHOUT_WIREMOCK)
        return None
    command = [npm, "install", "--prefix", str(folder), "--ignore-scripts", "--no-audit", "--no-fund"]
    with suppress(subprocess.CalledProcessError):
        subprocess.run([*command, f"wiremock@{WIREMOCK_VERSION}"], check=True, capture_output=True)  # noqa: S603
        return next((folder / "node_modules" / "wiremock").rglob("*.jar"))
    notes.append(NPM_COULD_NOT)
    return None
