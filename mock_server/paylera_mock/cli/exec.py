"""Runs a command against a fake of its own: starts the fake, gives the command its address, ends as the command did."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import sysconfig
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import FrameType
from typing import Final

import click

from paylera_fixtures.hosts import LOOPBACK_NAMES
from paylera_fixtures.terminal import PIPED_COLUMNS, print_lines
from paylera_mock.cli.control_client import ControlClientError
from paylera_mock.cli.exec_summary import Demands, read_journal, summarise_run
from paylera_mock.cli.options import DEMANDS_FAILED_STATUS, EXEC_FAILED_STATUS
from paylera_mock.cli.process_tree import descendants, end, send_signal
from paylera_mock.cli.settings_json import encode_settings
from paylera_mock.cli.subprocess_server import running_fake
from paylera_mock.server.output_file import CannotWriteError, FileKind, OutputFile, open_output_file
from paylera_mock.server.ready import Ready
from paylera_mock.server.settings import FakeSettings
from paylera_mock.server.shutdown import SignalEvent

_SIGNALLED_STATUS: Final = 128
"""To which a shell, too, adds the number of the signal that killed a command."""

_FORWARDED: Final = ("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2")
_FROM_TERMINAL: Final = ("SIGINT", "SIGQUIT")
_END_ALL: Final = ("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT")
"""Those that are sent to all that the command has started, as a terminal sends them."""


class CannotRunError(click.ClickException):
    """The command cannot be run: what to do about it. It ends with the status that a shell gives."""

    exit_code = 126


class CommandNotFoundError(CannotRunError):
    """There is no such command, which has a status of its own."""

    exit_code = 127


def execute(
    command: Sequence[str],
    settings: FakeSettings,
    demands: Demands,
    *,
    journal_file: Path | None = None,
    stays: bool = False,
) -> int:
    """Run a command while a fake is served, and write on stderr what came of it: the exit status.

    - `journal_file`: where every exchange that the fake remembers is kept, one line of JSON for each;
    - `stays`: the fake and its dashboard are there after the command too, until Ctrl-C.

    Raises `CannotStartError` where the fake does not get ready, `CannotRunError` where the command cannot be run, and
    `UsageError`, before it is, where the file cannot be written.
    """
    with (
        _open_journal_file(journal_file) as journal,
        running_fake([f"--settings={encode_settings(settings)}"]) as ready,
    ):
        environment = {**os.environ, **without_proxy(os.environ), **command_variables(ready)}
        status = _run_command(command, environment | {"PATH": path_with_own_programs(os.environ)})
        summary_status = _write_summary(ready, settings.control_token, demands, has_failed=status != 0)
        if journal is not None:
            _write_journal(ready, settings.control_token, journal)
        if stays:
            _wait_for_interrupt(ready, status)
    return _SIGNALLED_STATUS - status if status < 0 else status or summary_status


def command_variables(ready: Ready) -> dict[str, str]:
    """The variables by which a command finds the fake; no control URL where there is no control API.

    With TLS, also those by which it trusts the fake. `SSL_CERT_FILE` is none of them: it would replace all that the
    command trusts otherwise, so that it could reach no other host.
    """
    variables = {
        "PAYLERA_BASE_URL": ready.url,
        "PAYLERA_LIVE_BASE_URL": ready.live_url,
        "PAYLERA_KEY": ready.tokens["serviceall"],
        "PAYLERA_ADMIN_KEY": ready.tokens["adminaal2"],
    }
    if ready.control_url is not None:
        variables["PAYLERA_CONTROL_URL"] = ready.control_url
    if ready.ca_file is not None:
        variables |= {"PAYLERA_CA_FILE": ready.ca_file, "NODE_EXTRA_CA_CERTS": ready.ca_file}
    return variables


def without_proxy(environment: Mapping[str, str]) -> dict[str, str]:
    """The variables by which no client asks this machine through a proxy, beside what the environment exempts.

    Some clients read the one, and some the other.
    """
    names = ("NO_PROXY", "no_proxy")
    before = [value for name in names if (value := environment.get(name))]
    # Every host: most clients know that sign by itself alone, and not in a list.
    is_all = any(value.strip() == "*" for value in before)
    exempt = "*" if is_all else ",".join(dict.fromkeys([*before, *LOOPBACK_NAMES]))
    return dict.fromkeys(names, exempt)


def path_with_own_programs(environment: Mapping[str, str]) -> str:
    """The PATH, with the programs that are installed beside the fake at its end: `pipx run` has them not on it."""
    return os.pathsep.join([environment.get("PATH", os.defpath), sysconfig.get_path("scripts")])


def _run_command(command: Sequence[str], environment: dict[str, str]) -> int:
    """Run a command to its end, and forward signals to it: its status, negative where a signal killed it."""
    child: subprocess.Popen[bytes] | None = None
    early: list[int] = []
    told: set[int] = set()

    def send(running: subprocess.Popen[bytes], number: int) -> None:
        below = descendants(running.pid) if signal.Signals(number).name in _END_ALL else []
        running.send_signal(number)
        send_signal(below, number)
        told.update(below)

    def forward(number: int, _frame: FrameType | None) -> None:
        # What is typed at a terminal reaches the command directly, and must not reach it twice.
        if signal.Signals(number).name in _FROM_TERMINAL and _in_foreground():
            return
        if child is None:
            early.append(number)
        else:
            send(child, number)

    # Before the command runs: it may make itself known to who sends a signal before `Popen` returns.
    numbers = [getattr(signal, name) for name in _FORWARDED if hasattr(signal, name)]
    handlers = {number: signal.signal(number, forward) for number in numbers}
    try:
        child = subprocess.Popen(list(command), env=environment)  # noqa: S603 - as asked
        for number in early:
            send(child, number)
        status = child.wait()
        end(told)
        return status  # noqa: TRY300 - what else is raised comes from starting it
    except FileNotFoundError as error:
        advice = "no such command; check its spelling, or give its path"
        raise CommandNotFoundError(f"{command[0]}: {advice}") from error
    except OSError as error:
        raise CannotRunError(f"{command[0]}: cannot be run: {error.strerror}") from error
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)


def _wait_for_interrupt(ready: Ready, status: int) -> None:
    """Say where the dashboard is, and wait until a signal ends it."""
    ended = f"signal {-status}" if status < 0 else f"status {status}"
    click.echo(f"The command has ended with {ended}. Look at what it did: {ready.dashboard_url}", err=True)
    click.echo("Stop the fake: Ctrl-C.", err=True)
    over = SignalEvent()
    over.set_by_stop_signals()
    over.wait()


def _in_foreground() -> bool:
    if sys.platform == "win32":
        return True
    try:
        with open("/dev/tty", "rb") as terminal:  # noqa: PTH123 - a device, not a file
            return os.tcgetpgrp(terminal.fileno()) == os.getpgrp()
    except OSError:
        return False


def _write_summary(ready: Ready, control_token: str | None, demands: Demands, *, has_failed: bool) -> int:
    """Write what came of a run: the status that it ends with where its command succeeded."""
    try:
        summary = summarise_run(ready, demands, control_token, has_failed=has_failed)
    except ControlClientError as error:
        click.echo(f"Error: what the client did cannot be told: {error}", err=True)
        return EXEC_FAILED_STATUS if demands.any else 0
    if summary is None:
        return 0
    print_lines(summary.lines(), width=PIPED_COLUMNS, err=True)
    return 0 if summary.is_met else DEMANDS_FAILED_STATUS


@contextlib.contextmanager
def _open_journal_file(path: Path | None) -> Iterator[OutputFile | None]:
    if path is None:
        yield None
        return
    with contextlib.ExitStack() as stack:
        try:
            file = stack.enter_context(open_output_file(path, _JOURNAL_FILE))
        except CannotWriteError as error:
            raise click.UsageError(str(error)) from error
        yield file


def _is_exchange(beginning: str) -> bool:
    """Whether the first line is an exchange of a journal."""
    try:
        first = json.loads(beginning.partition("\n")[0])
    except ValueError:
        return False
    return isinstance(first, dict) and {"number", "verdict", "answer", "attempt"} <= first.keys()


_JOURNAL_FILE: Final = FileKind("journal file", "--journal-file", _is_exchange)


def _write_journal(ready: Ready, control_token: str | None, file: OutputFile) -> None:
    """Write what the journals of all namespaces hold, without a secret; where that fails, say so and go on."""
    try:
        exchanges = read_journal(ready, control_token)
        file.write("".join(f"{json.dumps(exchange)}\n" for exchange in exchanges))
    except (ControlClientError, CannotWriteError) as error:
        click.echo(f"Error: the journal is not in {file.path}: {error}", err=True)
