"""Drives load by wrk, and measures what both sides of it cost the processor.

A client in Python costs more time than the server does, and so would measure itself. wrk is a package of Debian and of
Homebrew.
"""

from __future__ import annotations

import json
import resource
import shutil
import subprocess
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import psutil

from paylera_fixtures.hosts import is_loopback
from paylera_mock.server.http_client import send_request
from scenarios import Scenario

WRK: Final = shutil.which("wrk")
WITHOUT_WRK: Final = "there is no wrk on the PATH: install it, as by apt-get install wrk"
SCRIPT: Final = Path(__file__).with_name("wrk.lua")
PATIENCE: Final = "30s"
_ROUNDS: Final = count()


@dataclass(frozen=True)
class Round:
    """What came of one round.

    - `server_cpu`, `generator_cpu`: seconds of the processor that each side took;
    - `p50_ms`, `p99_ms`: of the times from a request to its answer, of which each connection waits for the last.
    """

    requests: int
    seconds: float
    p50_ms: float
    p99_ms: float
    server_cpu: float
    generator_cpu: float

    @property
    def rate(self) -> float:
        """Requests a second."""
        return self.requests / self.seconds

    @property
    def cpu_us(self) -> float:
        """Microseconds of the server's processor time for each request."""
        return self.server_cpu / self.requests * 1_000_000


def drive(url: str, pid: int, scenario: Scenario, secret: str, *, connections: int, seconds: int) -> Round:
    """One round of one thread against a server on this machine. `pid`: its process, whose children count too.

    Raises `RuntimeError` where a request was not answered as it should be.
    """
    if WRK is None or not is_loopback(urlsplit(url).hostname or ""):
        raise SystemExit(WITHOUT_WRK if WRK is None else "load is for this machine alone: give a loopback URL")
    prefix = f"benchmark-{next(_ROUNDS)}-"
    headers = scenario.headers(secret)
    # What is sent again was sent before.
    status, answer = send_request(
        scenario.method, url + scenario.path, headers=scenario.headers(secret, prefix), body=scenario.body or None
    )
    if status != scenario.status:
        raise RuntimeError(f"{scenario.name} should be answered {scenario.status}: {status} {answer[:200]!r}")
    command = [WRK, "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", PATIENCE, "-s", str(SCRIPT)]
    command += [word for name, value in headers.items() for word in ("-H", f"{name}: {value}")]
    command += [url + scenario.path, "--", scenario.method, scenario.key, prefix]
    command += [scenario.body] if scenario.body else []
    server_before, generator_before = cpu_seconds(pid), _children_cpu()
    ended = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603 - wrk, with our arguments
    server_cpu, generator_cpu = cpu_seconds(pid) - server_before, _children_cpu() - generator_before
    told = json.loads(ended.stdout.splitlines()[-1])
    refused, failed = told.pop("refused"), told.pop("failed")
    if failed or refused != (told["requests"] if scenario.is_refused else 0):
        raise RuntimeError(f"{scenario.name}: {failed} requests failed, {refused} were refused: {ended.stdout}")
    return Round(**told, server_cpu=server_cpu, generator_cpu=generator_cpu)


def cpu_seconds(pid: int) -> float:
    """What the processor has spent on a process and on those that it started."""
    process = psutil.Process(pid)
    times = [each.cpu_times() for each in (process, *process.children(recursive=True))]
    return sum(each.user + each.system for each in times)


def _children_cpu() -> float:
    """What the processor has spent on programs of this process that have ended."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime
