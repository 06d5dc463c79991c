"""Starts the fake as a program and stops it again: its ready line says where it listens."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Final, TextIO

import msgspec

from paylera_conformance.target.settings import ConfigError

STOP_SECONDS: Final = 30.0


class LocalMock(msgspec.Struct, frozen=True):
    """Where the started fake listens."""

    url: str
    live_url: str
    control_url: str


@contextmanager
def embedded_mock(profile: str, readings: Mapping[str, str]) -> Iterator[LocalMock]:
    """The fake on a free loopback port while the block runs. Raises `ConfigError` with what it printed, if it fails."""
    if find_spec("paylera_mock") is None:
        raise ConfigError("no URL was given and the fake is not installed: pip install paylera-testkit")
    command = [sys.executable, "-m", "paylera_mock", "serve", "--port", "0", "--quiet", "--exit-with-parent"]
    command += ["--profile", profile]
    for name, value in readings.items():
        command += ["--reading", f"{name}={value}"]
    with (
        tempfile.TemporaryFile("w+") as errors,
        subprocess.Popen(  # noqa: S603 - our own program
            command, stdout=subprocess.PIPE, stderr=errors, stdin=subprocess.DEVNULL
        ) as process,
    ):
        try:
            yield _read_ready_line(process, errors)
        finally:
            process.terminate()
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()


def _read_ready_line(process: subprocess.Popen[bytes], errors: TextIO) -> LocalMock:
    try:
        return msgspec.json.decode(process.stdout.readline() if process.stdout else b"", type=LocalMock)
    except msgspec.DecodeError:
        process.kill()
        process.wait()
        errors.seek(0)
        raise ConfigError(f"the fake did not start: {errors.read().strip() or 'it printed nothing'}") from None
