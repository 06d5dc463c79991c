"""What is written to a terminal has its width and colours; what is written elsewhere is plain, and 80 columns wide."""

from __future__ import annotations

import contextlib
import io
import subprocess
import sys

import click
import pytest
from click.testing import CliRunner

from paylera_mock.cli.main import main

STYLED = "\x1b["


class Terminal(io.StringIO):
    """A stdout that says it is a terminal."""

    def isatty(self) -> bool:
        """Whether somebody looks at it."""
        return True


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """That of a terminal of 60 columns."""
    for name, value in {"COLUMNS": "60", "TERM": "xterm-256color"}.items():
        monkeypatch.setenv(name, value)
    for name in ("NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)


def shown(command: str) -> str:
    """What a command writes to a terminal."""
    with contextlib.redirect_stdout(Terminal()) as terminal:
        main.main([command], standalone_mode=False)
    return terminal.getvalue()


@pytest.mark.parametrize("command", ["tokens", "mutants"])
def test_a_terminal_gives_the_width(command: str) -> None:
    """Lines are as long as it is wide, and no longer."""
    widths = [len(line.rstrip()) for line in click.unstyle(shown(command)).splitlines()]
    assert 50 < max(widths) <= 60


def test_a_terminal_gets_colours() -> None:
    """They are those of the pieces."""
    assert f"{STYLED}36msk_sandbox_serviceall" in shown("tokens")


def test_no_color_is_heeded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not even bold is left."""
    monkeypatch.setenv("NO_COLOR", "1")
    assert STYLED not in shown("tokens")


def test_a_terminal_shows_the_words_of_a_pipe() -> None:
    """Only where lines end, and how they look, is different."""
    assert click.unstyle(shown("mutants")).split() == CliRunner().invoke(main, ["mutants"]).stdout.split()


@pytest.mark.parametrize(
    ("command", "spared"), [("--help", ("msgspec", "rich", "ssl")), ("tokens", ("rich",)), ("mutants", ("rich",))]
)
def test_what_is_not_drawn_imports_nothing_for_it(command: str, spared: tuple[str, ...]) -> None:
    """Each of these takes a twentieth of a second or more."""
    program = f"""
import sys
from paylera_mock.cli.main import main
main.main([{command!r}], standalone_mode=False)
print(*[name for name in {spared!r} if name in sys.modules], file=sys.stderr)
"""
    ended = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert ended.stderr.strip() == ""
