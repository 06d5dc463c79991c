"""What commands print: laid out and in colour on a terminal, plain text for whatever else reads it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Sequence

import pytest

from helpers.terminal import show_on_terminal, without_codes
from paylera_fixtures.clauses import CLAUSES

ESCAPE = "\x1b["
CLAUSE = max(CLAUSES, key=lambda clause: len(clause.says))


def program(*arguments: str) -> Sequence[str]:
    """The command line of the program."""
    return (sys.executable, "-m", "paylera_conformance", *arguments)


def shown_on_terminal(*arguments: str, **variables: str) -> str:
    """What the program shows on a terminal of 60 columns, and with some variables set."""
    return show_on_terminal(program(*arguments), variables=variables)


def piped(*arguments: str) -> str:
    """What the program prints where its output goes into a pipe."""
    env = {**os.environ, "FORCE_COLOR": "1"}
    return subprocess.run(program(*arguments), capture_output=True, text=True, check=True, env=env).stdout


def test_terminal_is_filled_to_its_width() -> None:
    """A long sentence is wrapped, and its further lines begin below the first."""
    plain = without_codes(shown_on_terminal("explain", CLAUSE.id))
    says = plain[plain.index("  says     ") : plain.index("\n  source")].split("\n")
    assert (len(says) > 1, max(map(len, says)) <= 60) == (True, True)
    assert {line[:11] for line in says[1:]} == {" " * 11}


def test_terminal_has_colour() -> None:
    """Where nobody asked for none."""
    assert f"{ESCAPE}31m" in shown_on_terminal("list")


def test_no_color_is_respected() -> None:
    """See no-color.org; bold is no colour."""
    assert re.findall(r"\x1b\[[0-9;]*3[0-7]m", shown_on_terminal("list", NO_COLOR="1")) == []


@pytest.mark.parametrize("arguments", [("list",), ("explain", CLAUSE.id)], ids=["list", "explain"])
def test_piped_output_is_plain(arguments: Sequence[str]) -> None:
    """No colour, even where others are told to use it, and no blanks at the ends."""
    output = piped(*arguments)
    assert (ESCAPE in output, [line for line in output.splitlines() if line != line.rstrip()]) == (False, [])


@pytest.mark.parametrize(
    ("command", "spared"),
    [("--help", ("importlib.metadata", "msgspec", "pytest", "rich", "ssl")), ("list", ("pytest", "rich"))],
)
def test_what_is_looked_up_imports_little(command: str, spared: tuple[str, ...]) -> None:
    """Each of these takes a twentieth of a second or more; completion by Tab waits for the first."""
    program = f"""
import sys
from paylera_conformance.cli import main
try:
    main({command.split()!r})
except SystemExit as ended:
    print(ended.code or 0, *[name for name in {spared!r} if name in sys.modules], file=sys.stderr)
"""
    ended = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert ended.stderr.strip() == "0"


def test_piped_sentence_is_one_line() -> None:
    """However long, so that `grep` finds it."""
    assert f"  says     {CLAUSE.says}\n" in piped("explain", CLAUSE.id)
