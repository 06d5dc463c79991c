"""A shell completes the commands of both programs, their options, and what options take."""

from __future__ import annotations

import os
import re
import subprocess
import sysconfig
from itertools import product
from pathlib import Path
from typing import Final

import click
import pytest
from click.shell_completion import ShellComplete
from click.testing import CliRunner

from helpers.paths import DOCS
from paylera_conformance.cli import main as suite
from paylera_fixtures.clauses import CLAUSES
from paylera_fixtures.vocabulary import PROBLEM_TYPES
from paylera_mock.cli.main import main as mock
from paylera_mock.mutants import all_mutants

PROGRAMS: Final = {"paylera-mock": mock, "paylera-conformance": suite}
PAGE: Final = (DOCS / "how-to" / "shell-completion.md").read_text("utf-8")
SCRIPTS: Final = re.findall(r"(\w+)=(\w+)_source (paylera-[a-z]+)", PAGE)


def completed(line: str) -> list[str]:
    """What a shell offers in the place of the last word, which is begun."""
    program, *words = line.split(" ")
    variable = f"_{program.replace('-', '_').upper()}_COMPLETE"
    found = ShellComplete(PROGRAMS[program], {}, program, variable).get_completions(words[:-1], words[-1])
    return [item.value or item.type for item in found]


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        ("paylera-mock he", ["healthcheck"]),
        ("paylera-mock serve --prof", ["--profile"]),
        ("paylera-mock serve --profile ", ["guide", "reference"]),
        ("paylera-mock exec --allow-finding key-m", ["key-missing"]),
        ("paylera-mock explain -t live", ["live_serviceall"]),
        ("paylera-conformance sel", ["selftest"]),
        ("paylera-conformance run --control", ["--control-url"]),
        ("paylera-conformance run --mode ", ["observe", "sandbox", "full"]),
        ("paylera-conformance run --config ", ["file"]),
        ("paylera-conformance run --report ", ["dir"]),
        ("paylera-conformance init --profile r", ["reference"]),
        ("paylera-conformance explain token.revok", ["token.revoked"]),
        ("paylera-conformance explain auth.expired", ["auth.expired_token"]),
        ("paylera-mock serve --reading scope", ["scope_refusal=401", "scope_refusal=403"]),
        ("paylera-mock explain --reading aal2", ["aal2_refusal=401", "aal2_refusal=403"]),
        ("paylera-conformance run --reading scope", ["scope_refusal=401", "scope_refusal=403"]),
    ],
)
def test_word_is_completed(line: str, wanted: list[str]) -> None:
    """By what the tables have."""
    assert completed(line) == wanted


def test_ids_are_those_of_the_tables() -> None:
    """All of them, and the groups of the clauses; those that can be explained are clauses and problem codes."""
    assert completed("paylera-mock serve --mutant ") == list(all_mutants())
    groups, ids = {clause.group for clause in CLAUSES}, {clause.id for clause in CLAUSES}
    for line in ("run --clause ", "list --clause "):
        assert set(completed(f"paylera-conformance {line}")) == ids | groups
    codes = {problem.code for problem in PROBLEM_TYPES}
    assert set(completed("paylera-conformance explain ")) == ids | codes


@pytest.mark.parametrize(("variable", "shell", "program"), SCRIPTS)
def test_program_prints_its_script(variable: str, shell: str, program: str) -> None:
    """By the lines of the page."""
    script = Path(sysconfig.get_path("scripts")) / program
    env = {**os.environ, variable: f"{shell}_source"}
    ended = subprocess.run([script], capture_output=True, text=True, check=True, env=env)
    assert f"{variable}={shell}_complete" in ended.stdout
    assert program in ended.stdout


@pytest.mark.skipif(not Path("/bin/dash").exists(), reason="`sh` is dash on Debian and Ubuntu alone")
@pytest.mark.parametrize("program", PROGRAMS)
def test_script_of_bash_is_for_bash_alone(program: str) -> None:
    """The page has the words by which dash refuses it."""
    script = CliRunner().invoke(
        PROGRAMS[program],
        prog_name=program,
        env={f"_{program.replace('-', '_').upper()}_COMPLETE": "bash_source"},
    )
    said = subprocess.run(["/bin/dash", "-n"], input=script.output, capture_output=True, text=True, check=False).stderr
    assert said.rstrip().endswith("redirection unexpected")
    assert '"redirection unexpected"' in PAGE


def test_page_has_a_line_for_each() -> None:
    """Of either program, in three shells."""
    assert {(shell, program) for _, shell, program in SCRIPTS} == set(product(("bash", "zsh", "fish"), PROGRAMS))


@pytest.mark.parametrize("program", PROGRAMS.values(), ids=PROGRAMS)
def test_help_is_in_one_style(program: click.Group) -> None:
    """Each option says what it does in sentences, and ends with its default, if it has one to tell."""
    helps = {
        f"{name} {option.opts[0]}": option.help or ""
        for name, command in program.commands.items()
        for option in command.params
        if isinstance(option, click.Option) and not option.hidden
    }
    assert [name for name, text in helps.items() if not re.fullmatch(r"[A-Z].*\.(  \[default: .+\])?", text)] == []


@pytest.mark.parametrize("program", PROGRAMS.values(), ids=PROGRAMS)
def test_what_a_command_does_is_one_line(program: click.Group) -> None:
    """Of 80 columns: a list of commands cuts what is longer."""
    listed = CliRunner().invoke(program, ["--help"], terminal_width=80).output.partition("Commands:")[2]
    assert [line for line in listed.splitlines() if line and not line.endswith(".")] == []
    assert "..." not in listed
