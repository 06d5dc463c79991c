"""`paylera-mock exec` runs a command against a fake of its own, and is to the outside as the command is."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner

from helpers.mock_program import Programs, get
from helpers.waiting import await_that
from paylera_fixtures.tokens import WELL_KNOWN
from paylera_mock.cli.main import main
from paylera_mock.cli.options import EXEC_FAILED_STATUS
from paylera_mock.cli.subprocess_server import CannotStartError, running_fake
from paylera_mock.server.ready import Ready

Gone = Callable[[str], bool]

SHOW_VARIABLES = (
    "import json, os; print(json.dumps({n: v for n, v in os.environ.items() if n.startswith('PAYLERA_')}), flush=True)"
)
SECRETS = {token.token_id: token.secret for token in WELL_KNOWN}
WAIT = "import os, signal; print(os.environ['PAYLERA_BASE_URL'], flush=True); signal.pause()"
WAIT_FOR_ORPHANHOOD = (
    "import os, time; parent = os.getppid(); print(os.environ['PAYLERA_BASE_URL'], flush=True)\n"
    "while os.getppid() == parent: time.sleep(0.01)"
)
WAIT_FOR_TERM = (
    "import os, signal, sys; signal.signal(signal.SIGTERM, lambda *_: sys.exit(7));"
    "print(os.environ['PAYLERA_BASE_URL'], flush=True); signal.pause()"
)


ASK = (
    "import os, urllib.request as u;"
    "r = u.Request(os.environ['PAYLERA_BASE_URL'] + '/v1/customers', headers={'Authorization': 'Bearer serviceall'});"
    "o = u.OpenerDirector(); o.add_handler(u.HTTPHandler()); o.open(r)"
)
START_ANOTHER = (
    "import subprocess, sys; child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)']);"
    "print(child.pid, flush=True); child.wait()"
)


def variables_under(programs: Programs, *options: str) -> dict[str, str]:
    """The variables that a command finds, and that were not there before."""
    program = programs.start("exec", *options, "--", sys.executable, "-c", SHOW_VARIABLES)
    variables = json.loads(program.rest_of_stdout())
    assert isinstance(variables, dict)
    return {name: value for name, value in variables.items() if name not in os.environ}


def first_line(output: Iterator[str] | None) -> str:
    """What a program says first."""
    assert output is not None
    return next(output).strip()


def test_the_command_finds_the_fake_by_its_variables(programs: Programs) -> None:
    """The URLs are those of one fake, and the keys are ready for use."""
    variables = variables_under(programs)
    url = variables["PAYLERA_BASE_URL"]
    assert variables == {
        "PAYLERA_BASE_URL": url,
        "PAYLERA_LIVE_BASE_URL": f"{url}/live",
        "PAYLERA_CONTROL_URL": f"{url}/_mock",
        "PAYLERA_KEY": SECRETS["tok_serviceall"],
        "PAYLERA_ADMIN_KEY": SECRETS["tok_adminaal2"],
    }


def test_the_command_asks_the_fake_through_no_proxy(programs: Programs, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever stands before other hosts, and beside what the environment exempts already."""
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "api.test")
    show = "import os; print(os.environ['NO_PROXY'], os.environ['no_proxy'], flush=True)"
    upper, lower = programs.start("exec", "--", sys.executable, "-c", show).rest_of_stdout().split()
    assert upper == lower == "api.test,localhost,127.0.0.1,::1"


def test_where_every_host_is_exempt_from_proxies_all_are(programs: Programs, monkeypatch: pytest.MonkeyPatch) -> None:
    """A list with an asterisk in it exempts nobody, as urllib and requests read it."""
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "*")
    show = "import urllib.request as u; print(bool(u.proxy_bypass('api.test')), flush=True)"
    assert programs.start("exec", "--", sys.executable, "-c", show).rest_of_stdout().strip() == "True"


def test_without_control_api_there_is_no_url_of_it(programs: Programs) -> None:
    """A command can tell that it cannot steer the fake."""
    assert "PAYLERA_CONTROL_URL" not in variables_under(programs, "--no-control")


@pytest.mark.parametrize(("options", "status"), [((), 401), (("--profile=reference",), 403)])
def test_the_fake_behaves_as_asked(programs: Programs, options: tuple[str, ...], status: int) -> None:
    """The options of `serve` that say how the fake behaves are those of `exec` too."""
    ask = (
        "import os, sys, urllib.request as u; r = u.Request(os.environ['PAYLERA_BASE_URL'] + '/v1/customers',"
        f" headers={{'Authorization': 'Bearer {SECRETS['tok_servicenoscope']}'}});"
        "o = u.OpenerDirector(); o.add_handler(u.HTTPHandler()); print(o.open(r).status)"
    )
    program = programs.start("exec", *options, "--", sys.executable, "-c", ask)
    assert program.rest_of_stdout() == f"{status}\n"


@pytest.mark.parametrize(
    ("command", "status"),
    [
        (("true",), 0),
        (("sh", "-c", "exit 7"), 7),
        (("sh", "-c", "kill -KILL $$"), 128 + signal.SIGKILL),
        (("no-such-command",), 127),
        (("/",), 126),
    ],
)
def test_exit_status_is_the_commands(programs: Programs, command: tuple[str, ...], status: int) -> None:
    """A build step that is wrapped fails and succeeds as it would alone."""
    assert programs.start("exec", "--", *command).status() == status


def test_a_program_beside_the_fake_is_found(programs: Programs, monkeypatch: pytest.MonkeyPatch) -> None:
    """`pipx run --spec 'paylera-testkit[sdk]' paylera-mock exec -- pytest`: its folder is not on the PATH."""
    monkeypatch.setenv("PATH", "/nowhere")
    assert programs.start("exec", "--", "paylera-mock", "--version").status() == 0


def test_a_missing_command_is_named(programs: Programs) -> None:
    """The message is one line and no traceback."""
    program = programs.start("exec", "no-such-command")
    program.status()
    assert (
        program.errors.read_text() == "Error: no-such-command: no such command; check its spelling, or give its path\n"
    )


def test_options_of_the_command_are_its_own(programs: Programs) -> None:
    """What stands behind the command is not for the fake, with or without the two dashes."""
    program = programs.start("exec", "echo", "--profile", "-n", "x")
    assert program.rest_of_stdout() == "--profile -n x\n"


def test_signals_go_to_the_command(programs: Programs) -> None:
    """A supervisor that stops the wrapper stops the command, which may end as it likes."""
    program = programs.start("exec", "--", sys.executable, "-c", WAIT_FOR_TERM)
    first_line(program.process.stdout)
    assert program.stop() == 7


def test_a_signal_is_forwarded_from_the_first_moment_on(programs: Programs) -> None:
    """Here the command itself has it sent, which may be before the wrapper knows the command's number."""
    command = "import os, signal; os.kill(os.getppid(), signal.SIGTERM); signal.pause()"
    program = programs.start("exec", "--", sys.executable, "-S", "-c", command)
    assert program.status() == 128 + signal.SIGTERM


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_all_that_the_command_started_ends_with_it(programs: Programs, number: signal.Signals) -> None:
    """A shell that starts the tests passes no signal on, and they would run for ever."""
    program = programs.start("exec", "--", sys.executable, "-c", START_ANOTHER)
    child = int(first_line(program.process.stdout))
    assert program.stop(number) == 128 + number
    assert await_that(lambda: not Path(f"/proc/{child}/stat").exists())


def test_what_was_refused_is_told_where_the_command_fails(programs: Programs) -> None:
    """With its hint, so that one command shows the cause."""
    program = programs.start("exec", "--", sys.executable, "-c", f"{ASK}; raise SystemExit(1)")
    program.status()
    said = program.errors.read_text()
    assert "1 call was refused" in said
    assert "401 auth.invalid_token GET /v1/customers, once" in said
    assert "name of the well-known token serviceall" in said


def test_what_was_refused_is_not_told_where_the_command_succeeds(programs: Programs) -> None:
    """Its tests expect it."""
    program = programs.start("exec", "--", sys.executable, "-c", ASK)
    assert (program.status(), "refused" in program.errors.read_text()) == (0, False)


@pytest.mark.parametrize(("options", "status"), [((), 0), (("--fail-on-findings",), 3)])
def test_a_command_that_asks_for_nothing_is_told(programs: Programs, options: tuple[str, ...], status: int) -> None:
    """Its client went elsewhere, or no test was run: that is no success."""
    program = programs.start("exec", *options, "--", "true")
    assert (program.status(), "no request reached the fake" in program.errors.read_text()) == (status, True)


def test_a_fault_that_never_happened_is_told(programs: Programs) -> None:
    """Whoever armed it relied on it."""
    arm = (
        "import os, urllib.request as u;"
        """u.urlopen(os.environ['PAYLERA_CONTROL_URL'] + '/faults', b'{"action": "drop", "method": "POST"}')"""
    )
    program = programs.start("exec", "--", sys.executable, "-c", f"{arm}; {ASK}")
    assert (program.status(), "drop at before_auth, POST" in program.errors.read_text()) == (0, True)


def test_the_journal_is_kept_in_a_file(programs: Programs, tmp_path: Path) -> None:
    """A line of JSON for each exchange, without a secret."""
    file = tmp_path / "journal.jsonl"
    programs.start("exec", f"--journal-file={file}", "--", sys.executable, "-c", f"{ASK}; {ASK}").status()
    exchanges = [json.loads(line) for line in file.read_text("utf-8").splitlines()]
    assert [(each["path"], each["answer"]["status"]) for each in exchanges] == [("/v1/customers", 401)] * 2


@pytest.mark.parametrize("content", ["my notes", '{"event": "ready"}', "[1]\n"])
def test_a_journal_takes_the_place_of_no_other_file(tmp_path: Path, content: str) -> None:
    """A path that was mistyped costs nobody a file, and is told before the command runs."""
    file = tmp_path / "notes.txt"
    file.write_text(content)
    result = CliRunner().invoke(main, ["exec", f"--journal-file={file}", "--", "touch", str(tmp_path / "ran")])
    assert (result.exit_code, "--journal-file" in result.stderr, file.read_text()) == (2, True, content)
    assert list(tmp_path.iterdir()) == [file]


def test_a_journal_takes_the_place_of_an_earlier_one(programs: Programs, tmp_path: Path) -> None:
    """As of each run of a script; nothing else is left beside it."""
    file = tmp_path / "journal.jsonl"
    for calls in (2, 1):
        programs.start("exec", f"--journal-file={file}", "--", sys.executable, "-c", "; ".join([ASK] * calls)).status()
    assert (len(file.read_text("utf-8").splitlines()), list(tmp_path.glob("journal*"))) == (1, [file])


def test_the_fake_is_stopped_after_the_command(programs: Programs, gone: Gone) -> None:
    """Nothing stays behind."""
    program = programs.start("exec", "--", sys.executable, "-c", WAIT)
    url = first_line(program.process.stdout)
    program.stop()
    assert gone(url)


def test_the_fake_ends_when_the_wrapper_is_killed(programs: Programs, gone: Gone) -> None:
    """Not even then does it stay behind."""
    program = programs.start("exec", "--", sys.executable, "-c", WAIT_FOR_ORPHANHOOD)
    url = first_line(program.process.stdout)
    program.stop(signal.SIGKILL)
    assert gone(url)


def test_a_fake_that_does_not_start_is_an_error() -> None:
    """Whoever launches it learns the status; why is on stderr already."""
    with pytest.raises(CannotStartError, match="status 2"), running_fake(["--no-such-option"]):
        pytest.fail("nothing runs without a fake")


def test_a_fake_that_does_not_start_has_a_status_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """It cannot be mistaken for a status of the command, which was not run."""

    @contextmanager
    def broken(_arguments: Sequence[str]) -> Iterator[Ready]:
        raise CannotStartError("the fake ended with status 1 before it was ready")
        yield

    monkeypatch.setattr("paylera_mock.cli.exec.running_fake", broken)
    result = CliRunner().invoke(main, ["exec", "--", "true"])
    assert (result.exit_code, result.stderr) == (
        EXEC_FAILED_STATUS,
        "Error: the fake ended with status 1 before it was ready\n",
    )


# The dashboard


def test_dashboard_stays_open_after_the_command(programs: Programs, gone: Gone) -> None:
    """With its journal, until a signal; the status is the command's."""
    ask = "import os, urllib.request as u; print(os.environ['PAYLERA_BASE_URL'], flush=True); raise SystemExit(5)"
    program = programs.start("exec", "--dashboard", "--", sys.executable, "-c", ask)
    url = first_line(program.process.stdout)
    assert await_that(lambda: f"{url}/_mock/ui" in program.errors.read_text())
    assert get(f"{url}/_mock/ui/tokens").status == 200
    assert program.stop(signal.SIGINT) == 5
    assert gone(url)


@pytest.mark.parametrize("option", ["--no-dashboard", "--no-control"])
def test_dashboard_that_is_left_out_cannot_stay_open(option: str) -> None:
    """Usage that contradicts itself."""
    result = CliRunner().invoke(main, ["exec", "--dashboard", option, "--", "true"])
    assert (result.exit_code, "--no-dashboard" in result.stderr) == (2, True)
