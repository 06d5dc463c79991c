"""`paylera-mock serve` refuses what it cannot do in one line that names the fix, and never with a traceback."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import pytest
from click.testing import CliRunner

from helpers.mock_program import Programs
from paylera_mock.cli.main import main

CANNOT_SERVE = [
    (("--host=192.0.2.1", "--allow-remote", "--no-control"), "--host"),  # kept for documentation: nobody has it
    (("--port=0", "--ready-file=/nowhere/ready.json"), "/nowhere/ready.json"),
]


@pytest.fixture
def busy_port() -> Iterator[int]:
    """A port that another program listens on, willing to share it."""
    with closing(socket.socket()) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


@pytest.mark.parametrize(("options", "fix"), CANNOT_SERVE, ids=[" ".join(options) for options, _ in CANNOT_SERVE])
def test_what_cannot_be_served_is_named(options: tuple[str, ...], fix: str) -> None:
    """The message is one line, about the option that is to be changed."""
    result = CliRunner().invoke(main, ["serve", *options])
    assert (result.exit_code, fix in result.stderr, len(result.stderr.splitlines())) == (1, True, 1)


@pytest.mark.parametrize("content", [" ", "my notes", "[]", '{"event": "other"}', '{"event": "ready"}'])
def test_a_file_that_is_no_ready_file_is_left_alone(tmp_path: Path, content: str) -> None:
    """A path that was mistyped costs nobody a file."""
    path = tmp_path / "notes.txt"
    path.write_text(content)
    result = CliRunner().invoke(main, ["serve", "--port=0", f"--ready-file={path}"])
    assert (result.exit_code, "--ready-file" in result.stderr, path.read_text()) == (1, True, content)
    assert list(tmp_path.iterdir()) == [path]


class Writer(NamedTuple):
    """A command that writes a file, the option that names it, and the status where it cannot be written."""

    command: tuple[str, ...]
    option: str
    status: int


class NoFile(NamedTuple):
    """What may be at a path, what is said of it, and how it is made."""

    path: str
    flaw: str
    make: Callable[[Path], None]


WRITERS = [
    Writer(("serve", "--port=0", "--max-seconds=5"), "--ready-file", 1),
    Writer(("exec", "touch", "ran"), "--journal-file", 2),
]
NO_FILES = [
    NoFile("other", "a device or a pipe", os.mkfifo),
    NoFile("other", "a device or a pipe", lambda path: path.symlink_to("/dev/zero")),
    NoFile("other", "a symbolic link", lambda path: path.symlink_to("elsewhere")),
    NoFile("file/other", "Not a directory", lambda path: path.parent.touch()),
]


@pytest.mark.parametrize("writer", WRITERS, ids=[writer.option for writer in WRITERS])
@pytest.mark.parametrize("case", NO_FILES)
def test_what_is_no_file_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, writer: Writer, case: NoFile
) -> None:
    """Nor is it waited for, or read without end: one line says what it is, before the command has run."""
    monkeypatch.chdir(tmp_path)
    path = tmp_path / case.path
    case.make(path)
    before = sorted(tmp_path.iterdir())
    result = CliRunner().invoke(main, [writer.command[0], f"{writer.option}={path}", *writer.command[1:]])
    line = result.stderr.splitlines()[-1]
    assert (result.exit_code, case.flaw in line, writer.option in line) == (writer.status, True, True)
    assert sorted(tmp_path.iterdir()) == before


def test_a_given_secret_is_not_repeated() -> None:
    """A secret that was typed in the place of its reference does not get into a log too."""
    result = CliRunner().invoke(main, ["serve", "--control-token=open-sesame"])
    assert "open-sesame" not in result.output


def test_a_taken_port_is_not_shared(busy_port: int) -> None:
    """Shared in silence, each program would get some of the requests."""
    result = CliRunner().invoke(main, ["serve", f"--port={busy_port}"])
    assert (result.exit_code, result.stderr) == (
        1,
        f"Error: port {busy_port} on 127.0.0.1 is taken: choose another with --port, or --port 0 for a free one\n",
    )


def test_a_port_is_not_shared_with_another_fake(programs: Programs) -> None:
    """The second one on a port is told so."""
    port = urlsplit(programs.serve().ready()["url"]).port
    second = programs.start("serve", f"--port={port}")
    assert (second.status(), "--port 0" in second.errors.read_text()) == (1, True)
