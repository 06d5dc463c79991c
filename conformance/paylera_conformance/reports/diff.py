"""Runs the suite against two targets, and shows clause by clause where they differ."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import click

from paylera_conformance.model.outcomes import ExitCode
from paylera_conformance.target.settings import ConfigError

DIFF_NAME: Final = "diff.json"
SCHEMA: Final = 1
_SIDES: Final = ("a", "b")
_NO_RUN: Final = frozenset(
    {ExitCode.INTERRUPTED, ExitCode.INTERNAL, ExitCode.USAGE, ExitCode.NOTHING_RAN, ExitCode.UNREACHABLE}
)
"""Exit codes of a run that says nothing about its target, so that there is nothing to compare."""

_CHANCE: Final = re.compile(r"‹[^›]*›|[\w.~+%-]*\d[\w.~+%-]*")
"""What differs between two runs against one target: secrets' labels, ids, times, sizes; any word with a digit in it."""

_STATUS: Final = re.compile(r"[1-5]\d\d")


class NoRunError(Exception):
    """One of the two runs came to nothing; `exit_code` is what it ended with."""

    def __init__(self, side: str, exit_code: int, said: str) -> None:
        super().__init__(f"the run against {side.upper()} ended with exit {exit_code}, and says nothing: {said}")
        self.exit_code = exit_code


@dataclass(frozen=True)
class Side:
    """One of the two targets, and how it is reached."""

    name: str
    url: str
    config: str | None = None
    control_url: str | None = None


@dataclass(frozen=True)
class Difference:
    """A clause in which two targets differ: `outcome` and `message` of each."""

    clause: str
    level: str
    outcomes: tuple[str, str]
    messages: tuple[str, str]


@dataclass(frozen=True)
class Comparison:
    """Two runs compared: what each came to, and every difference in the order of the contract."""

    targets: tuple[str, str]
    verdicts: tuple[str, str]
    clauses: int
    differences: list[Difference] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """The comparison as JSON values."""
        return {
            "schema": SCHEMA,
            "targets": dict(zip(_SIDES, self.targets, strict=True)),
            "verdicts": dict(zip(_SIDES, self.verdicts, strict=True)),
            "clauses": self.clauses,
            "differences": [
                {
                    "id": row.clause,
                    "level": row.level,
                    "outcomes": dict(zip(_SIDES, row.outcomes, strict=True)),
                    "messages": dict(zip(_SIDES, row.messages, strict=True)),
                }
                for row in self.differences
            ],
        }


def compare(first: Mapping[str, Any], second: Mapping[str, Any]) -> Comparison:
    """Compare two `results.json` of one profile."""
    other = {clause["id"]: clause for clause in second["clauses"]}
    pairs = [(clause, other[clause["id"]]) for clause in first["clauses"]]
    return Comparison(
        (first["target"], second["target"]),
        (first["verdict"], second["verdict"]),
        len(pairs),
        [_difference(one, two) for one, two in pairs if _told(one, first) != _told(two, second)],
    )


def _difference(one: Mapping[str, Any], two: Mapping[str, Any]) -> Difference:
    outcomes, messages = (one["outcome"], two["outcome"]), (one["message"], two["message"])
    return Difference(one["id"], one["level"], outcomes, messages)


def _told(clause: Mapping[str, Any], run: Mapping[str, Any]) -> tuple[str, str]:
    """What came of a clause, without what is by chance or the target's own name; a status is neither."""
    message = str(clause["message"]).replace(run["target"], "URL").replace(run["run_id"], "RUN")
    return clause["outcome"], _CHANCE.sub(lambda found: found[0] if _STATUS.fullmatch(found[0]) else "…", message)


def diff_targets(
    sides: Sequence[Side], options: Mapping[str, str | None], *, directory: str | None, pytest_args: Sequence[str]
) -> int:
    """Run both, tell the differences, and give the exit code: 0 where there is none, 1 where there are some.

    A run that says nothing about its target ends the comparison with its own exit code. Raises `ConfigError` where the
    report cannot be written.
    """
    try:
        first, second = (_run(side, options, pytest_args) for side in sides)
    except NoRunError as trouble:
        click.secho(f"NO COMPARISON  {trouble}", fg="red", bold=True)
        return trouble.exit_code
    found = compare(first, second)
    if directory:
        _write(found, Path(directory))
    _tell(found)
    return ExitCode.FAILED if found.differences else ExitCode.CONFORMANT


def _run(side: Side, options: Mapping[str, str | None], pytest_args: Sequence[str]) -> dict[str, Any]:
    """The results of a run against one target, in a process of its own. Raises `NoRunError`."""
    click.echo(f"{side.name.upper()}  {side.url}")
    given = {**options, "config": side.config, "control-url": side.control_url}
    words = [f"--{name}={value}" for name, value in given.items() if value is not None]
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "paylera_conformance", "run", side.url, *words, f"--report={folder}"]
        ended = subprocess.run([*command, *pytest_args], check=False, capture_output=True, text=True)  # noqa: S603 - our own program
        results = Path(folder) / "results.json"
        if ended.returncode in _NO_RUN or not results.is_file():
            raise NoRunError(side.name, ended.returncode, _last_words(ended.stdout + ended.stderr))
        read: dict[str, Any] = json.loads(results.read_text("utf-8"))
        return read


def _last_words(output: str) -> str:
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    return " ".join(lines[-3:]) or "it said nothing"


def _write(found: Comparison, folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        text = json.dumps(found.to_json(), indent=2, ensure_ascii=False) + "\n"
        (folder / DIFF_NAME).write_text(text, "utf-8", errors="backslashreplace")
    except OSError as error:
        raise ConfigError(f"{folder} cannot be written: {error.strerror}") from None


def _tell(found: Comparison) -> None:
    click.echo()
    for row in found.differences:
        click.secho(f"≠ {row.clause} ({row.level})", fg="yellow", bold=True)
        for side, outcome, message in zip(_SIDES, row.outcomes, row.messages, strict=True):
            click.echo(f"  {side.upper()}  {outcome}{': ' if message else ''}{message}")
    for side, target, verdict in zip(_SIDES, found.targets, found.verdicts, strict=True):
        click.echo(f"{side.upper()}  {verdict}  {target}")
    same = not found.differences
    word = "no difference" if same else f"{len(found.differences)} differ"
    click.secho(f"{word}, in {found.clauses} clauses", fg="green" if same else "yellow", bold=True)
