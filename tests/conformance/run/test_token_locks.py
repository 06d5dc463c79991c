"""Two full runs at once: the second does not begin where it would use up tokens of the first."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import pytest

from helpers.suite import CANARY, URL, Program
from helpers.waiting import PATIENCE_SECONDS
from paylera_conformance.model.tokens import Credential
from paylera_conformance.run.token_locks import lock_tokens
from paylera_conformance.target.settings import ConfigError, Mode, Settings
from paylera_fixtures.redaction import Secret

if TYPE_CHECKING:  # the stubs of the type checker alone have it
    from _typeshed.wsgi import WSGIApplication

Serve: TypeAlias = Callable[["WSGIApplication"], str]

FILE = """
[target]
url = "{url}"
mode = "full"
[tokens.spare]
token = "${{SPARE}}"
id = "tok_{id}"
disposable = true
"""


def spare(identifier: str) -> Credential:
    """A token that may be used up."""
    return Credential(Secret(CANARY + identifier, f"spare-{identifier}"), id=identifier, disposable=True)


def full_run(*identifiers: str, url: str = URL, mode: Mode = Mode.FULL, driver: str = "static") -> Settings:
    """The settings of a run with such tokens."""
    return Settings(url=url, mode=mode, driver=driver, tokens=tuple(map(spare, identifiers)))


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A temporary folder that no other run has."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def test_token_of_another_run_is_named() -> None:
    """With what to do: whoever lists two sets in part alike would use up the other's all the same."""
    said = r"uses the disposable tokens ‹spare-b #\w+›: wait until it has ended, or list other tokens"
    with lock_tokens(full_run("a", "b")), pytest.raises(ConfigError, match=said):
        lock_tokens(full_run("b", "c"))


def test_refused_run_locks_nothing() -> None:
    """Of its tokens some were free, and are so again."""
    with lock_tokens(full_run("b")):
        with pytest.raises(ConfigError):
            lock_tokens(full_run("a", "b"))
        lock_tokens(full_run("a")).close()


def test_tokens_are_free_when_a_run_has_ended() -> None:
    """They are locked no longer than it lasts."""
    lock_tokens(full_run("a")).close()
    lock_tokens(full_run("a")).close()


@pytest.mark.parametrize("url", ["http://localhost:4242", "http://[::1]:4242", "http://LOCALHOST.:4242"])
def test_this_machine_is_one_target_whatever_it_is_called(url: str) -> None:
    """Two people who spell it otherwise use up each other's tokens all the same."""
    with lock_tokens(full_run("a", url="http://127.0.0.1:4242")):
        with pytest.raises(ConfigError):
            lock_tokens(full_run("a", url=url))
        lock_tokens(full_run("a", url="http://localhost:4243")).close()


# Runs that use up nothing of the run of token `a` at the usual URL.
APART: dict[str, Settings] = {
    "other-tokens": full_run("b"),
    "other-target": full_run("a", url="http://other.test"),
    "other-prefix": full_run("a", url=f"{URL}/sandbox"),
    "sandbox": full_run("a", mode=Mode.SANDBOX),
    "minted": full_run("a", driver="control"),
}


@pytest.mark.parametrize("other", APART.values(), ids=APART)
def test_run_that_uses_up_nothing_of_it_may_begin(other: Settings) -> None:
    """Two targets may have tokens of the same id."""
    with lock_tokens(full_run("a")):
        lock_tokens(other).close()


def test_lock_tells_no_secret(own_folder: Path) -> None:
    """Neither its name nor what is in it."""
    with lock_tokens(full_run("a")):
        files = [path for path in own_folder.rglob("*") if path.is_file()]
        assert (len(files), [path for path in files if CANARY in path.name + path.read_text("utf-8")]) == (1, [])


def test_folder_that_cannot_be_made_is_told(own_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It may be another user's, or full."""
    monkeypatch.setattr(tempfile, "tempdir", str(own_folder / "nowhere"))
    with pytest.raises(ConfigError, match="set TMPDIR to a folder of your own"):
        lock_tokens(full_run("a"))


class Patient:
    """A target that answers nothing before it is let."""

    def __init__(self) -> None:
        self.was_asked = threading.Event()
        self.may_answer = threading.Event()

    def __call__(self) -> None:
        """Wait; the first request shows that a run has begun."""
        self.was_asked.set()
        self.may_answer.wait(PATIENCE_SECONDS)


@pytest.fixture
def patient() -> Iterator[Patient]:
    """What the target waits for; in the end it does so no longer."""
    made = Patient()
    yield made
    made.may_answer.set()


@pytest.mark.slow
def test_second_run_ends_at_once(
    serve: Serve, answering: Callable[..., WSGIApplication], program: Program, patient: Patient
) -> None:
    """It sends nothing, and says what to do in one line; so does `resume`, which goes on with such tokens."""
    url = serve(answering("404 Not Found", "text/plain", b"", patient))
    program.env = {"SPARE": CANARY, "TMPDIR": str(program.folder)}
    program.configure(FILE.format(url=url, id="1"))
    program.start()
    assert patient.was_asked.wait(PATIENCE_SECONDS)
    second = program.command("run", "-k", "test_scope")
    told = [line for line in second.output.splitlines() if "another full run" in line]
    assert (second.code, len(told), "wait until it has ended, or list other tokens" in told[0]) == (4, 1, True)
