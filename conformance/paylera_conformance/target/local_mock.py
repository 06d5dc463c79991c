"""Starts the fake as a program and stops it again: the suite knows it by its ready line alone."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Final, TextIO

from paylera_conformance.target.settings import ConfigError

STOP_SECONDS: Final = 30.0


@dataclass(frozen=True)
class LocalMock:
    """Where the started fake listens."""

    url: str
    live_url: str
    control_url: str


@contextmanager
def embedded_mock(profile: str, readings: Mapping[str, str]) -> Iterator[LocalMock]:
    """The fake on a free port of the loopback interface, for as long as the block runs.

    Raises `ConfigError` where it does not come up, with what it said.
    """
    if find_spec("paylera_mock") is None:
        raise ConfigError("no URL was given and the fake is not installed: pip install paylera-testkit")
    command = [sys.executable, "-m", "paylera_mock", "serve", "--port", "0", "--no-banner", "--exit-with-parent"]
    command += ["--profile", profile]
    for name, value in readings.items():
        command += ["--reading", f"{name}={value}"]
    with tempfile.TemporaryFile("w+") as said:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=said, stdin=subprocess.DEVNULL, text=True)  # noqa: S603 - our own program
        try:
            yield _ready(process, said)
        finally:
            _stop(process)


def _ready(process: subprocess.Popen[str], said: TextIO) -> LocalMock:
    line = process.stdout.readline() if process.stdout else ""
    try:
        event = json.loads(line)
        return LocalMock(event["url"], event["live_url"], event["control_url"])
    except (ValueError, KeyError, TypeError):
        process.kill()
        process.wait()
        said.seek(0)
        raise ConfigError(f"the fake did not start: {said.read().strip() or 'it said nothing'}") from None


def _stop(process: subprocess.Popen[str]) -> None:
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdout:
        process.stdout.close()
