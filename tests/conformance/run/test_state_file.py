"""The sealed file between two sessions: of no use to whoever finds it, and refused where it is not what it was."""

from __future__ import annotations

import stat
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import pytest

from helpers.suite import Run, run_suite
from paylera_conformance.run.state_file import PausedCase, RunState, read_state, write_state
from paylera_conformance.version import VERSION
from paylera_fixtures.vocabulary import Profile, readings_for

PASSPHRASE = "a passphrase of the tests"  # noqa: S105 - seals nothing but what the tests made up
TARGET = "http://127.0.0.1:9"
CANARY = "sk_sandbox_" + "StateCanary".ljust(32, "7")
Edit: TypeAlias = Callable[[bytes], bytes]
Resume: TypeAlias = Callable[..., "Run"]


def state(*, profile: str = "guide", suite: str = VERSION) -> RunState:
    """A run that waits, a secret in its recording."""
    entry = {"kind": "POST", "value": {"status": 200, "sent": [["Authorization", f"Bearer {CANARY}"]]}}
    waiting = PausedCase("test_rotation.py::test_new", "2026-11-25T00:00:00+00:00", [entry])
    return RunState(TARGET, profile, suite, "run1", waiting=[waiting], readings=readings_for(Profile.GUIDE))


@pytest.fixture
def sealed(tmp_path: Path) -> Path:
    """A state file."""
    path = tmp_path / "state.json"
    write_state(path, state(), PASSPHRASE)
    return path


def test_no_secret_is_in_it(sealed: Path) -> None:
    """CI keeps such files as artefacts that many can read."""
    assert CANARY.encode()[11:] not in sealed.read_bytes()


def test_only_its_owner_reads_it(sealed: Path) -> None:
    """Sealed is good, and out of reach is better."""
    assert stat.S_IMODE(sealed.stat().st_mode) == 0o600


def test_it_opens_with_its_key(sealed: Path) -> None:
    """What was sealed comes back."""
    assert read_state(sealed, PASSPHRASE) == state()


def test_two_seals_differ(sealed: Path, tmp_path: Path) -> None:
    """A salt of its own keeps what is learnt of one file from being of use for another."""
    other = tmp_path / "other.json"
    write_state(other, state(), PASSPHRASE)
    assert sealed.read_bytes() != other.read_bytes()


def test_nothing_else_is_left_in_the_folder(sealed: Path) -> None:
    """The draft is gone: the file is there whole or not at all."""
    assert list(sealed.parent.iterdir()) == [sealed]


# What becomes of the file, and what the program says to it.
ALTERED: dict[str, tuple[Edit, str]] = {
    "one-byte": (lambda old: old[:-5] + bytes([old[-5] ^ 1]) + old[-4:], "was altered, or sealed with another"),
    "cut": (lambda old: old[: len(old) // 2], "was altered, or sealed with another"),
    "salt": (lambda old: old.replace(b'"salt": "', b'"salt": "AAAA', 1), "was altered, or sealed with another"),
    "empty": (lambda _: b"", "is no state file of this suite"),
    "other-json": (lambda _: b'{"verdict": "CONFORMANT"}\n', "is no state file of this suite"),
    "other-schema": (lambda old: old.replace(b'"schema": 2', b'"schema": 99', 1), "another version of the suite"),
}


@pytest.fixture
def resume(tmp_path: Path, sealed: Path) -> Resume:
    """`resume` of the state file, as a program."""

    def start(*arguments: str, phrase: str = PASSPHRASE) -> Run:
        return run_suite(tmp_path, "resume", str(sealed), *arguments, env={"PAYLERA_CONFORMANCE_STATE_KEY": phrase})

    return start


@pytest.mark.slow
@pytest.mark.parametrize(("edit", "said"), ALTERED.values(), ids=ALTERED.keys())
def test_altered_file_is_refused(sealed: Path, resume: Resume, edit: Edit, said: str) -> None:
    """A run that goes on from something else than it left proves nothing."""
    sealed.write_bytes(edit(sealed.read_bytes()))
    ended = resume()
    assert (ended.code, said in ended.output) == (4, True)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("phrase", "said"),
    [("another passphrase of the tests", "sealed with another"), ("short", "16 characters"), ("", "16 characters")],
    ids=["wrong", "short", "none"],
)
def test_wrong_key_is_refused(resume: Resume, phrase: str, said: str) -> None:
    """And the message names the variable."""
    ended = resume(phrase=phrase)
    assert (ended.code, said in ended.output, "$PAYLERA_CONFORMANCE_STATE_KEY" in ended.output) == (4, True, True)


@pytest.mark.slow
def test_file_that_is_not_there_is_a_mistake(resume: Resume, sealed: Path) -> None:
    """In one line, not a traceback."""
    sealed.unlink()
    ended = resume()
    assert (ended.code, ended.output.count("\n")) == (4, 1)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("changes", "arguments"),
    [({}, ("--profile", "reference")), ({"suite": "0.0.1"}, ()), ({}, ("--reading", "scope_refusal=403"))],
    ids=["profile", "suite", "readings"],
)
def test_state_of_another_run_is_refused(
    sealed: Path, resume: Resume, changes: dict[str, str], arguments: tuple[str, ...]
) -> None:
    """Half of one run and half of another are no run."""
    write_state(sealed, state(**changes), PASSPHRASE)
    ended = resume(*arguments)
    assert (ended.code, "the state file is of another" in ended.output) == (4, True)


@pytest.mark.slow
def test_state_of_another_target_is_refused(sealed: Path, tmp_path: Path) -> None:
    """What one server was seen to do is no evidence for another."""
    ended = run_suite(
        tmp_path,
        "run",
        "http://127.0.0.1:10",
        "--state",
        str(sealed),
        "--",
        "--paylera-resume",
        env={"PAYLERA_CONFORMANCE_STATE_KEY": PASSPHRASE},
    )
    assert (ended.code, "the state file is of another target" in ended.output) == (4, True)


MISUSED = {"control": ("--control-url", "http://127.0.0.1:9/_mock"), "workers": ("-n", "2")}


@pytest.mark.slow
@pytest.mark.parametrize("arguments", MISUSED.values(), ids=MISUSED.keys())
def test_state_is_for_one_process_and_no_moved_clock(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    """What cannot be recorded is refused before anything is sent."""
    ended = run_suite(
        tmp_path,
        "run",
        TARGET,
        "--state",
        str(tmp_path / "new.json"),
        *arguments,
        env={"PAYLERA_CONFORMANCE_STATE_KEY": PASSPHRASE},
    )
    assert (ended.code, "state file" in ended.output) == (4, True)
