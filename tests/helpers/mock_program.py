"""Starts `paylera-mock` as a user does, and waits for what it does."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from helpers.waiting import PATIENCE_SECONDS


@dataclass(frozen=True)
class Answer:
    """What a request got back; the names of the headers are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def get(url: str, secret: str | None = None) -> Answer:
    """Send one GET on a connection of its own."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=PATIENCE_SECONDS)
    with contextlib.closing(connection):
        connection.request("GET", parts.path, headers={"Authorization": f"Bearer {secret}"} if secret else {})
        response = connection.getresponse()
        headers = {name.lower(): value for name, value in response.getheaders()}
        return Answer(response.status, headers, response.read())


def refuses_connections(url: str) -> bool:
    """Whether nobody listens there any more."""
    parts = urlsplit(url)
    with socket.socket() as probe:
        return probe.connect_ex((parts.hostname, parts.port)) != 0


@dataclass(frozen=True)
class Program:
    """A running `paylera-mock`, whose stderr goes to a file."""

    process: subprocess.Popen[str]
    errors: Path

    def ready(self) -> dict[str, Any]:
        """Wait for the ready line and read it."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, f"no ready line; stderr: {self.errors.read_text()}"
        members = json.loads(line)
        assert isinstance(members, dict)
        return members

    def rest_of_stdout(self) -> str:
        """What is on stdout beyond what was read; waits for the end."""
        assert self.process.stdout is not None
        return self.process.stdout.read()

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send a signal and give the exit status."""
        self.process.send_signal(number)
        return self.status()

    def status(self) -> int:
        """Wait for the end and give the exit status."""
        return self.process.wait(PATIENCE_SECONDS)


class Programs:
    """Starts programs, and ends those that a test left running."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._started: list[Program] = []

    def start(self, *arguments: str, prefix: tuple[str, ...] = (), **environment: str) -> Program:
        """Start `paylera-mock` with these arguments, below the command `prefix` where one is given."""
        errors = self._folder / f"stderr-{len(self._started)}"
        with errors.open("w") as stderr:
            process = subprocess.Popen(
                [*prefix, sys.executable, "-m", "paylera_mock", *arguments],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=stderr,
                text=True,
                env={**os.environ, **environment},
            )
        program = Program(process, errors)
        self._started.append(program)
        return program

    def serve(self, *arguments: str, **environment: str) -> Program:
        """Start `paylera-mock serve` on a free port, without a word, and with an end whatever happens."""
        return self.start("serve", "--port=0", "--quiet", "--max-seconds=600", *arguments, prefix=(), **environment)

    def end(self) -> None:
        """End every program that still runs."""
        for program in self._started:
            program.process.kill()
            program.process.wait()
            assert program.process.stdout is not None
            program.process.stdout.close()  # not read to its end: a child of the program's may hold the other one
