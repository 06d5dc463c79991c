"""Runs the suite against two targets, and shows clause by clause where they differ."""

from __future__ import annotations

import json
import re
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from subprocess import CompletedProcess, run
from typing import Any, Final

import msgspec
from msgspec import Struct

from paylera_conformance.model.case_results import CaseResult
from paylera_conformance.model.outcomes import ExitCode
from paylera_conformance.reports.answers import CHANCE, Answers, answers_of, different_answers
from paylera_conformance.reports.raw import RAW_NAME, read_run
from paylera_conformance.reports.results import RESULTS_NAME
from paylera_conformance.target.settings import write_file
from paylera_fixtures.progress import Work, show_progress
from paylera_fixtures.terminal import Line, print_lines

DIFF_NAME: Final = "diff.json"
SCHEMA: Final = 1
_NO_RUN: Final = frozenset(
    {ExitCode.INTERRUPTED, ExitCode.INTERNAL, ExitCode.USAGE, ExitCode.NOTHING_RAN, ExitCode.UNREACHABLE}
)
"""Exit codes of a run that says nothing about its target, so that there is nothing to compare."""

_SHOWN: Final = 3
"""So many requests of a clause are shown; `diff.json` has them all."""

_STATUS: Final = re.compile(r"[1-5]\d\d")


class NoRunError(Exception):
    """One of the two runs came to nothing; `exit_code` is what it ended with."""

    def __init__(self, side: str, exit_code: int, said: str) -> None:
        super().__init__(f"the run against {side.upper()} ended with exit {exit_code}, and says nothing: {said}")
        self.exit_code = exit_code


@dataclass(frozen=True)
class Side:
    """One of the two targets, `a` or `b`, and how it is reached."""

    name: str
    url: str
    config: str | None = None
    control_url: str | None = None


class DifferentAnswers(Struct, frozen=True):
    """A request that both were sent, and what `a` and `b` answered."""

    request: str
    a: str
    b: str


class Difference(Struct, frozen=True):
    """A clause in which two targets differ; `outcomes` and `messages` have those of `a` and of `b`.

    - `answers`: what they answered otherwise, in status, code or shape.
    """

    id: str
    level: str
    outcomes: dict[str, str]
    messages: dict[str, str]
    answers: list[DifferentAnswers]


class Comparison(Struct, frozen=True, kw_only=True):
    """`diff.json`: what each of two runs came to, and every difference in the order of the contract."""

    schema: int = SCHEMA
    targets: dict[str, str]
    verdicts: dict[str, str]
    clauses: int
    differences: list[Difference]


def compare(first: Mapping[str, Any], second: Mapping[str, Any], answers: Sequence[Answers] = ({}, {})) -> Comparison:
    """Compare two `results.json` of one profile.

    - `answers`: what was answered in the first run and in the second.
    """
    runs = {"a": first, "b": second}
    others = {clause["id"]: clause for clause in second["clauses"]}
    pairs = [{"a": clause, "b": others[clause["id"]]} for clause in first["clauses"]]
    differing = {pair["a"]["id"]: _differing_answers(pair["a"]["id"], *answers) for pair in pairs}
    return Comparison(
        targets={side: run["target"] for side, run in runs.items()},
        verdicts={side: run["verdict"] for side, run in runs.items()},
        clauses=len(pairs),
        differences=[
            Difference(
                pair["a"]["id"],
                pair["a"]["level"],
                {side: clause["outcome"] for side, clause in pair.items()},
                {side: clause["message"] for side, clause in pair.items()},
                differing[pair["a"]["id"]],
            )
            for pair in pairs
            if differing[pair["a"]["id"]] or _without_chance(pair["a"], first) != _without_chance(pair["b"], second)
        ],
    )


def _differing_answers(clause: str, first: Answers, second: Answers) -> list[DifferentAnswers]:
    found = different_answers(first.get(clause, {}), second.get(clause, {}))
    return sorted((DifferentAnswers(str(sent), a, b) for sent, a, b in found), key=lambda row: row.request)


def _without_chance(clause: Mapping[str, Any], run: Mapping[str, Any]) -> tuple[str, str]:
    """Outcome and message of a clause, without what is by chance or the target's own name; a status is neither."""
    message = str(clause["message"]).replace(run["target"], "URL").replace(run["run_id"], "RUN")
    return clause["outcome"], CHANCE.sub(lambda found: found[0] if _STATUS.fullmatch(found[0]) else "…", message)


def diff_targets(
    sides: Sequence[Side], options: Mapping[str, Any], *, directory: str | None, pytest_args: Sequence[str]
) -> int:
    """Run both, print the differences, and give the exit code: 0 where there is none, 1 where there are some.

    A run that says nothing about its target ends the comparison with its own exit code. Raises `ConfigError` where the
    report cannot be written.
    """
    try:
        (first, answers_a), (second, answers_b) = (_run(side, options, pytest_args) for side in sides)
    except NoRunError as error:
        print_lines([Line(f"NO COMPARISON  {error}", style="bold red")])
        return error.exit_code
    comparison = compare(first, second, (answers_a, answers_b))
    if directory:
        text = json.dumps(msgspec.to_builtins(comparison), indent=2, ensure_ascii=False) + "\n"
        write_file(Path(directory) / DIFF_NAME, text.encode("utf-8", "backslashreplace"))
    print_lines(_comparison_lines(comparison))
    return ExitCode.FAILED if comparison.differences else ExitCode.CONFORMANT


def _run(side: Side, options: Mapping[str, Any], pytest_args: Sequence[str]) -> tuple[dict[str, Any], Answers]:
    """The results of a run against one target, in a process of its own, and the answers. Raises `NoRunError`."""
    print_lines([Line(f"{side.name.upper()}  {side.url}")])
    given = {**options, "config": side.config, "control-url": side.control_url}
    words = [
        f"--{name}={value}"
        for name, values in given.items()
        for value in (values if isinstance(values, tuple) else [values])
        if value is not None
    ]
    with show_progress(Work(f"running the suite against {side.name.upper()}")):
        ended, results, cases = run_program(side.url, [*words, "--", *pytest_args])
    if ended.returncode in _NO_RUN or not results:
        lines = [line.strip() for line in (ended.stdout + ended.stderr).splitlines() if line.strip()]
        raise NoRunError(side.name, ended.returncode, " ".join(lines[-3:]) or "it said nothing")
    return results, answers_of(cases)


def run_program(
    url: str, arguments: Sequence[str], **more: Any
) -> tuple[CompletedProcess[str], dict[str, Any], tuple[CaseResult, ...]]:
    """Run the suite as a program of its own; gives how it ended, its results and its cases, empty where none.

    - `more`: for `subprocess.run`, whose exceptions are raised.
    """
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "paylera_conformance", "run", url, "-q", f"--report={folder}", *arguments]
        ended = run(command, check=False, capture_output=True, text=True, **more)  # noqa: S603 - our own program
        results, raw = (Path(folder) / name for name in (RESULTS_NAME, RAW_NAME))
        return (
            ended,
            json.loads(results.read_text("utf-8")) if results.is_file() else {},
            read_run(raw).cases if raw.is_file() else (),
        )


def _comparison_lines(comparison: Comparison) -> Iterator[Line]:
    yield Line()
    for row in comparison.differences:
        yield Line(f"≠ {row.id} ({row.level})", style="bold yellow")
        for side, outcome in row.outcomes.items():
            message = row.messages[side]
            yield Line(f"{outcome}: {message}" if message else outcome, first=f"  {side.upper()}  ")
        for answers in row.answers[:_SHOWN]:
            yield Line(answers.request, first="  →  ")
            yield Line(answers.a, first="     A  ")
            yield Line(answers.b, first="     B  ")
        if len(row.answers) > _SHOWN:
            yield Line(f"and {len(row.answers) - _SHOWN} more requests that were answered otherwise", first="  →  ")
    for side, verdict in comparison.verdicts.items():
        yield Line(f"{verdict}  {comparison.targets[side]}", first=f"{side.upper()}  ")
    count = len(comparison.differences)
    text = f"{f'{count} differ' if count else 'no difference'}, in {comparison.clauses} clauses"
    yield Line(text, style="bold yellow" if count else "bold green")
