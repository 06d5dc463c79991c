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
EXPLAIN = "explain -t revoked /v1/customers"


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
        main.main(command.split(), standalone_mode=False)
    return terminal.getvalue()


@pytest.mark.parametrize("command", ["tokens", "mutants", EXPLAIN])
def test_a_terminal_gives_the_width(command: str) -> None:
    """Lines are as long as it is wide, and no longer."""
    widths = [len(line.rstrip()) for line in click.unstyle(shown(command)).splitlines()]
    assert 50 < max(widths) <= 60


@pytest.mark.parametrize(
    ("command", "text"), [("tokens", "36msk_sandbox_serviceall"), (EXPLAIN, "1;31m  ✗ refused"), (EXPLAIN, "2m")]
)
def test_a_terminal_gets_colours(command: str, text: str) -> None:
    """They are those of the pieces."""
    assert f"{STYLED}{text}" in shown(command)


@pytest.mark.parametrize(("name", "value"), [("NO_COLOR", "1"), ("TERM", "dumb")])
@pytest.mark.parametrize("command", ["tokens", EXPLAIN])
def test_no_color_is_heeded(command: str, name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not even bold is left."""
    monkeypatch.setenv(name, value)
    assert STYLED not in shown(command)


@pytest.mark.parametrize("command", ["mutants", EXPLAIN])
def test_a_terminal_shows_the_words_of_a_pipe(command: str) -> None:
    """Only where lines end, and how they look, is different."""
    assert click.unstyle(shown(command)).split() == CliRunner().invoke(main, command.split()).stdout.split()


def test_narrow_terminal_has_what_was_seen_below_the_check(monkeypatch: pytest.MonkeyPatch) -> None:
    """In 40 columns there is no room beside it."""
    monkeypatch.setenv("COLUMNS", "40")
    lines = click.unstyle(shown(EXPLAIN)).splitlines()
    below = lines[lines.index("  ✓ passed   token-known") + 1]
    assert (below, max(map(len, lines)) <= 40) == ("    revoked (tok_revoked)", True)


@pytest.mark.parametrize(
    ("command", "spared"),
    [("--help", ("msgspec", "rich", "ssl")), ("tokens", ("rich",)), ("mutants", ("rich",)), (EXPLAIN, ("rich",))],
)
def test_what_is_not_drawn_imports_nothing_for_it(command: str, spared: tuple[str, ...]) -> None:
    """Each of these takes a twentieth of a second or more."""
    program = f"""
import sys
from paylera_mock.cli.main import main
main.main({command.split()!r}, standalone_mode=False)
print(*[name for name in {spared!r} if name in sys.modules], file=sys.stderr)
"""
    ended = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert ended.stderr.strip() == ""
