"""The npm package finds the Python program, runs it, and is to the outside as it is."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from helpers.launcher import Launcher
from helpers.mock_program import refuses_connections
from helpers.paths import ROOT
from helpers.waiting import PATIENCE_SECONDS, await_that
from paylera_mock.version import version

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(os.name != "posix", reason="the programs on the PATH are shell scripts"),
]

MODULE = f"{sys.executable} -m paylera_mock"
REQUIREMENT = f"paylera-testkit=={version()}"
OLD_PYTHON = "echo 3.9"


def test_the_program_that_is_named_is_run(launcher: Launcher) -> None:
    """With its arguments, whatever else is there."""
    launcher.add_program("paylera-mock", "echo another")
    ran = launcher.run("--version", PAYLERA_MOCK_COMMAND=MODULE)
    assert (ran.returncode, version() in ran.stdout) == (0, True), ran.stderr


def test_a_path_with_spaces_is_one_word(launcher: Launcher) -> None:
    """As it stands in a folder of Windows or macOS."""
    launcher.add_program("my mock", 'echo "named: $1"')
    ran = launcher.run("tokens", PAYLERA_MOCK_COMMAND=str(launcher.programs / "my mock"))
    assert ran.stdout == "named: tokens\n"


def test_the_program_on_the_path_is_run_and_not_the_launcher_itself(launcher: Launcher) -> None:
    """That has the same name, and npm puts it first."""
    shim = launcher.folder / "node_modules" / ".bin"
    shim.mkdir(parents=True)
    (shim / "paylera-mock").symlink_to(ROOT / "npm" / "bin" / "paylera-mock.js")
    installed_globally = launcher.folder / "global"
    installed_globally.mkdir()
    (installed_globally / "paylera-mock").symlink_to(ROOT / "npm" / "bin" / "paylera-mock.js")
    launcher.add_program("paylera-mock", 'echo "on the PATH: $1"')
    ran = launcher.run("tokens", PATH=f"{shim}:{installed_globally}:{launcher.programs}")
    assert ran.stdout == "on the PATH: tokens\n", ran.stderr


def test_a_program_in_the_home_of_a_user_called_node_is_run(launcher: Launcher) -> None:
    """As the images of Node have one."""
    home = launcher.folder / "home" / "node"
    home.mkdir(parents=True)
    launcher.add_program("paylera-mock", "# /home/node/.local/bin/python\necho it").rename(home / "paylera-mock")
    assert launcher.run(PATH=str(home)).stdout == "it\n"


def test_uvx_installs_the_same_version(launcher: Launcher) -> None:
    """And is asked for the Python that has it, which is run without uvx in between."""
    launcher.add_program("uvx", f'echo "$@" >> "{launcher.folder}/asked"; echo "{sys.executable}"')
    ran = launcher.run("--version")
    assert version() in ran.stdout, ran.stderr
    assert (launcher.folder / "asked").read_text().startswith(f"--from {REQUIREMENT} python -c ")


def test_pipx_installs_the_same_version_with_a_recent_python(launcher: Launcher) -> None:
    """Not with its own, which may be too old."""
    launcher.add_program("pipx", 'echo "$@"')
    launcher.add_program("python3", OLD_PYTHON)
    launcher.add_program("python3.12", "echo 3.12")
    ran = launcher.run("tokens")
    python = launcher.programs / "python3.12"
    assert ran.stdout == f"run --quiet --python {python} --spec {REQUIREMENT} paylera-mock tokens\n", ran.stderr


def test_what_is_to_be_installed_can_be_named(launcher: Launcher) -> None:
    """A wheel, or an address that an own index has."""
    launcher.add_program("pipx", 'echo "$@"')
    launcher.add_program("python3", "echo 3.13")
    ran = launcher.run("tokens", PAYLERA_MOCK_REQUIREMENT="./a.whl")
    assert "--spec ./a.whl " in ran.stdout, ran.stderr


MAKES_ENVIRONMENTS = """
case "$1 $2" in
  "-c "*) echo 3.12 ;;
  "-m venv")
    /bin/mkdir -p "$4/bin"
    echo '#!/bin/sh' > "$4/bin/python"
    echo "/bin/cp '{folder}/installed' '$4/bin/paylera-mock'" >> "$4/bin/python"
    /bin/chmod +x "$4/bin/python" ;;
esac
"""


def test_an_environment_of_its_own_is_made_once(launcher: Launcher) -> None:
    """With Python alone, as it is on many a machine."""
    launcher.add_program("python3", MAKES_ENVIRONMENTS.format(folder=launcher.folder))
    launcher.add_program("made", 'echo "installed: $1"').rename(launcher.folder / "installed")
    first, second = launcher.run("tokens"), launcher.run("tokens")
    assert [first.stdout, second.stdout] == ["installed: tokens\n"] * 2, first.stderr
    assert ("this once" in first.stderr, second.stderr) == (True, "")


INSTALL = "Install uv (https://docs.astral.sh/uv/) or Python 3.11 or later, or"
CHECK = "Check PAYLERA_MOCK_REQUIREMENT, or the index, or"
NO_PIPX_NO_PYTHON = "there is no pipx; there is no Python 3.11 or later."
WITHOUT_NETWORK = """
case "$1 $2" in
  "-c "*) echo 3.12 ;;
  "-m venv") /bin/mkdir -p "$4/bin"; /bin/ln -s /bin/false "$4/bin/python" ;;
esac
"""
NOT_FOUND: dict[str, tuple[dict[str, str], str, str]] = {
    # what is there, what is said of it, and what to do
    "nothing": ({}, f"there is no uvx; {NO_PIPX_NO_PYTHON}", INSTALL),
    "an old Python": ({"python3": OLD_PYTHON}, "there is no Python 3.11 or later (python3 is 3.9).", INSTALL),
    "pipx and an old Python": (
        {"pipx": "echo wrong", "python3": OLD_PYTHON},
        "pipx needs Python 3.11 or later; there is no Python 3.11 or later (python3 is 3.9).",
        INSTALL,
    ),
    "uvx without network": ({"uvx": "exit 2"}, f"uvx could not install {REQUIREMENT}; {NO_PIPX_NO_PYTHON}", CHECK),
    "Python without venv": ({"python3": 'test "$1" = -c && echo 3.12'}, "python3 -m venv failed.", INSTALL),
    "pip without network": ({"python3": WITHOUT_NETWORK}, f"pip could not install {REQUIREMENT}.", CHECK),
}


@pytest.mark.parametrize(("there", "said", "advice"), NOT_FOUND.values(), ids=NOT_FOUND)
def test_where_it_cannot_be_run_the_message_says_what_to_do(
    launcher: Launcher, there: dict[str, str], said: str, advice: str
) -> None:
    """What was tried, and by which variable the program is named."""
    for name, text in there.items():
        launcher.add_program(name, text)
    ran = launcher.run("tokens")
    assert (ran.returncode, ran.stdout) == (127, "")
    assert f"{said} {advice} name the program: PAYLERA_MOCK_COMMAND=/path/to/paylera-mock\n" in ran.stderr


def test_a_command_that_is_not_there_is_told(launcher: Launcher) -> None:
    """Without a stack, and with the exit code of a shell."""
    ran = launcher.run("tokens", PAYLERA_MOCK_COMMAND="/absent/paylera-mock")
    assert ran.stderr == "paylera-mock: /absent/paylera-mock cannot be run (ENOENT): check PAYLERA_MOCK_COMMAND\n"
    assert ran.returncode == 127


def test_a_command_that_is_no_program_is_told(launcher: Launcher) -> None:
    """As a folder is none."""
    ran = launcher.run("tokens", PAYLERA_MOCK_COMMAND=str(launcher.folder))
    assert ran.stderr == f"paylera-mock: {launcher.folder} cannot be run (EACCES): check PAYLERA_MOCK_COMMAND\n"
    assert ran.returncode == 126


def test_a_program_on_the_path_that_cannot_start_is_told(launcher: Launcher) -> None:
    """As where the environment is gone that its first line names."""
    program = launcher.programs / "paylera-mock"
    program.write_text("#!/absent/python\n", "utf-8")
    program.chmod(0o755)
    ran = launcher.run("tokens")
    assert ran.stderr == f"paylera-mock: {program} cannot be run (ENOENT): name another by PAYLERA_MOCK_COMMAND\n"


def test_the_exit_code_is_passed_on(launcher: Launcher) -> None:
    """That of the command under `exec`."""
    ran = launcher.run("exec", "--", sys.executable, "-c", "raise SystemExit(7)", PAYLERA_MOCK_COMMAND=MODULE)
    assert ran.returncode == 7


WAIT_FOR_TERM = "trap 'exit 7' TERM; echo waiting; read -r _"


def test_a_signal_is_passed_on(launcher: Launcher) -> None:
    """The program ends as it likes, and the launcher after it."""
    launcher.add_program("paylera-mock", WAIT_FOR_TERM)
    with subprocess.Popen(
        launcher.command(), env=launcher.environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as running:
        assert running.stdout is not None
        assert running.stdout.readline() == "waiting\n"
        running.send_signal(signal.SIGTERM)
        assert running.wait(PATIENCE_SECONDS) == 7


def test_a_program_that_a_signal_ends_ends_the_launcher_by_it(launcher: Launcher) -> None:
    """As a shell would see it."""
    launcher.add_program("paylera-mock", "kill -KILL $$")
    assert launcher.run().returncode == -signal.SIGKILL


START = f"require({str(ROOT / 'npm')!r}).startFake().then((fake) => {{ console.log(fake.url); REST }})"


def start_in_node(launcher: Launcher, rest: str) -> subprocess.Popen[str]:
    """A Node that starts a fake, prints its URL, and goes on as told."""
    return subprocess.Popen(
        [launcher.command()[0], "-e", START.replace("REST", rest)],
        env={**launcher.environment, "PAYLERA_MOCK_COMMAND": MODULE},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
    )


ENDINGS = {
    "closed": ("fake.close()", 0),
    "forgotten": ("", 0),
    "after an error": ("throw new Error('of a test')", 1),
    "killed": ("process.kill(process.pid, 'SIGKILL')", -signal.SIGKILL),
}


@pytest.mark.parametrize(("rest", "status"), ENDINGS.values(), ids=ENDINGS)
def test_no_fake_is_left_running(launcher: Launcher, rest: str, status: int) -> None:
    """However the process ends that has started it; and none holds it up."""
    with start_in_node(launcher, rest) as running:
        assert running.stdout is not None
        url = running.stdout.readline().strip()
        assert running.wait(PATIENCE_SECONDS) == status
    assert url.startswith("http://")
    assert await_that(lambda: refuses_connections(url))


NOT_STARTED = {
    "an option that is none": (MODULE, ("it ended with status", "stderr has its reason", "--profile")),
    "a file that is not there": ("/absent", ("/absent cannot be run (ENOENT): check PAYLERA_MOCK_COMMAND",)),
}


@pytest.mark.parametrize(("command", "said"), NOT_STARTED.values(), ids=NOT_STARTED)
def test_a_fake_that_does_not_start_says_so(launcher: Launcher, command: str, said: tuple[str, ...]) -> None:
    """Why, or where its reason is: the words of the program are on stderr."""
    ran = launcher.run_script("startFake({args: ['--profile', 'none']})", PAYLERA_MOCK_COMMAND=command)
    assert (ran.returncode, "the fake did not start: " in ran.stderr) == (1, True)
    assert [words for words in said if words not in ran.stderr] == []


CALLS = {
    # what is called, and what its error says
    "a path that is not filled": (
        "startFake().then((fake) => fake.call('POST', '/tokens/{id}/rotate').finally(() => fake.close()))",
        "POST /tokens/{id}/rotate: path.id is missing",
    ),
    "a closed fake": (
        "startFake().then((fake) => fake.close().then(() => fake.call('GET', '/clock')))",
        "GET /clock: nothing answers at http",
    ),
    "a namespace of a closed fake": (
        "startFake().then((fake) => fake.close().then(() => fake.namespace()))",
        "/_mock: the fake was closed, or is not running",
    ),
}


@pytest.mark.parametrize(("script", "said"), CALLS.values(), ids=CALLS)
def test_a_call_that_cannot_be_made_says_why(launcher: Launcher, script: str, said: str) -> None:
    """And what was called."""
    ran = launcher.run_script(script, PAYLERA_MOCK_COMMAND=MODULE)
    assert (ran.returncode, said in ran.stderr) == (1, True), ran.stderr
