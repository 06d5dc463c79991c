"""The command `selftest`: what to run, what to say meanwhile, what to write."""

from __future__ import annotations

import random
import secrets
import time
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Final

import click

from paylera_conformance.model.outcomes import ExitCode
from paylera_conformance.selftest.matrix import JSON_NAME, Matrix, write_matrix
from paylera_conformance.selftest.mutants import Mutant
from paylera_conformance.selftest.null_servers import NullResult, run_null_servers
from paylera_conformance.selftest.runner import run_mutants
from paylera_conformance.selftest.verdicts import Breadth, MutantResult, choose_subtlest, judge_mutant

_WIDTH: Final = 34
_HOLES_SAMPLED: Final = 25
"""Holes that a fast selftest looks at."""


def run_selftest(
    known: Mapping[str, Mutant], names: Sequence[str], *, fast: bool, whole: bool, directory: str, workers: int
) -> int:
    """Run the selftest and give its exit code: 0 where the suite did all that it should.

    - `known`: every mutant and dialect by its id;
    - `names`: those to run, all where there is none; null servers only then.

    Raises `ConfigError` where it could not be run to its end.
    """
    started = time.monotonic()
    mutants = [known[name] for name in names] or (_sample(known.values()) if fast else list(known.values()))
    breadth = Breadth.SAMPLE if fast else Breadth.WHOLE if whole or names else Breadth.USUAL
    results = run_mutants(mutants, workers=workers, breadth=breadth, on_result=partial(_print_result, known))
    nulls = [] if names or fast else run_null_servers(_print_null_result)
    seconds = time.monotonic() - started
    matrix = Matrix(mutants, results, nulls, seconds=seconds, complete=not names and not fast, breadth=breadth)
    page = write_matrix(matrix, directory)
    _print_figures(matrix)
    click.echo(f"  {page} and {JSON_NAME} beside it, {matrix.seconds:.0f} s")
    return ExitCode.CONFORMANT if matrix.is_good else ExitCode.FAILED


def _sample(known: Iterable[Mutant]) -> list[Mutant]:
    """The subtlest mutants, and a few holes, others each time."""
    known = list(known)
    seed = secrets.randbelow(2**32)
    click.echo(f"{_HOLES_SAMPLED} holes are drawn by seed {seed}")
    holes = [mutant for mutant in known if mutant.operation]
    return [*choose_subtlest(known), *random.Random(seed).sample(holes, min(_HOLES_SAMPLED, len(holes)))]  # noqa: S311


def _print_result(known: Mapping[str, Mutant], result: MutantResult) -> None:
    """One line for each mutant; where something went wrong, what was violated and what should have been."""
    mutant = known[result.id]
    finding = judge_mutant(mutant, result)
    colour = "green" if finding.is_good else "red"
    click.echo(f"{click.style(f'{finding:<15}', fg=colour)} {mutant.id:<{_WIDTH}} {', '.join(result.violated)}")
    if finding.is_good:
        return
    missed, undeclared = sorted(set(mutant.breaks) - set(result.violated)), result.undeclared_clauses(mutant)
    for title, clauses in (("not violated", missed), ("not declared", undeclared), ("blocked", result.blocked)):
        if clauses:
            click.echo(f"    {title}: {', '.join(clauses)}")
    for clause in undeclared:
        click.echo(f"      {clause}: {result.messages.get(clause, 'error')}")


def _print_null_result(result: NullResult) -> None:
    word, colour = ("accepted", "red") if result.is_wrongly_accepted else ("rejected", "green")
    click.echo(
        f"{click.style(f'{word:<15}', fg=colour)} {result.name:<{_WIDTH}} {result.verdict}, exit {result.exit_code}"
    )
    if result.passed:
        click.echo(f"    passed: {', '.join(result.passed)}")


def _print_figures(matrix: Matrix) -> None:
    click.echo()
    click.secho(
        "The suite did all that it should" if matrix.is_good else "The suite did not do all that it should", bold=True
    )
    for part, whole, says in matrix.shares():
        click.echo(f"  {part} of {whole} {says}")
