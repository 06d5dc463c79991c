"""The command `selftest`: what to run, what to say meanwhile, what to write."""

from __future__ import annotations

import random
import secrets
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Event, Lock
from typing import Final

from paylera_conformance.model.outcomes import ExitCode
from paylera_conformance.run.processes import count_processors
from paylera_conformance.selftest.matrix import JSON_NAME, Matrix, write_matrix
from paylera_conformance.selftest.mutants import Mutant
from paylera_conformance.selftest.null_servers import BEHAVIOURS, NullResult, run_null_servers
from paylera_conformance.selftest.runner import run_mutants
from paylera_conformance.selftest.shards import Shard, merge_matrices
from paylera_conformance.selftest.verdicts import Breadth, MutantResult, choose_subtlest, judge_mutant
from paylera_fixtures.progress import Work, show_progress
from paylera_fixtures.terminal import Line, print_lines

_WIDTH: Final = 34
_HOLES_SAMPLED: Final = 15
"""Holes that a fast selftest looks at."""


def run_selftest(
    known: Mapping[str, Mutant],
    names: Sequence[str],
    *,
    fast: bool,
    whole: bool,
    shard: Shard,
    directory: str,
    workers: int | None = None,
) -> int:
    """Run the selftest and give its exit code: 0 where the suite did all that it should.

    - `known`: every mutant and dialect by its id;
    - `names`: those to run, all where there is none; null servers only then;
    - `shard`: the part of all this that runs;
    - `workers`: processes that run it; by default one more than there are processors, since each waits for its server.

    Raises `ConfigError` where it could not be run to its end.
    """
    started = time.monotonic()
    wanted = [known[name] for name in names] or (_sample(known.values()) if fast else known.values())
    mutants = shard.of(wanted)
    behaviours = [] if names or fast else shard.of(BEHAVIOURS)
    breadth = Breadth.SAMPLE if fast else Breadth.WHOLE if whole or names else Breadth.USUAL
    work = Work("", unit="servers")
    work.total = len(mutants) + len(behaviours)

    showing, stop = Lock(), Event()

    def show(lines: Iterable[Line]) -> None:
        with showing:
            work.done += 1
            print_lines(lines)

    with show_progress(work, prints=True), ThreadPoolExecutor(1) as beside:
        # Most of what these take is waiting for servers that do not answer.
        null_results = beside.submit(
            run_null_servers, behaviours, stop, lambda result: show(_null_result_lines(result))
        )
        results = run_mutants(
            mutants,
            workers=workers or count_processors() + 1,
            breadth=breadth,
            stop=stop,
            on_result=lambda result: show(_result_lines(known[result.id], result)),
        )
        nulls = null_results.result()
    seconds = time.monotonic() - started
    is_complete = not names and not fast and shard.count == 1
    return _conclude(Matrix(mutants, results, nulls, seconds, complete=is_complete, breadth=breadth), directory)


def merge_selftests(known: Mapping[str, Mutant], directories: Sequence[str], *, directory: str) -> int:
    """Write the matrix of several selftests, and give the exit code as if they had been one.

    Raises `ConfigError` where they cannot be one.
    """
    matrix = merge_matrices(directories, known)
    print_lines(line for mutant in matrix.rows() for line in _result_lines(mutant, matrix.results[mutant.id]))
    print_lines(line for null in matrix.nulls for line in _null_result_lines(null))
    return _conclude(matrix, directory)


def _conclude(matrix: Matrix, directory: str) -> int:
    page = write_matrix(matrix, directory)
    print_lines(_figure_lines(matrix))
    print_lines([Line(f"  {page} and {JSON_NAME} beside it, {matrix.seconds:.0f} s")])
    return ExitCode.CONFORMANT if matrix.is_good else ExitCode.FAILED


def _sample(known: Iterable[Mutant]) -> list[Mutant]:
    """The subtlest mutants, and a few holes, others each time."""
    known = list(known)
    seed = secrets.randbelow(2**32)
    print_lines([Line(f"{_HOLES_SAMPLED} holes are drawn by seed {seed}")])
    holes = [mutant for mutant in known if mutant.operation]
    return [*choose_subtlest(known), *random.Random(seed).sample(holes, min(_HOLES_SAMPLED, len(holes)))]  # noqa: S311


def _result_lines(mutant: Mutant, result: MutantResult) -> Iterator[Line]:
    """One line for each mutant; where something went wrong, what was violated and what should have been."""
    finding = judge_mutant(mutant, result)
    yield _row(finding, mutant.id, ", ".join(result.violated), is_good=finding.is_good)
    if finding.is_good:
        return
    missed, undeclared = sorted(set(mutant.breaks) - set(result.violated)), result.undeclared_clauses(mutant)
    for title, clauses in (("not violated", missed), ("not declared", undeclared), ("blocked", result.blocked)):
        if clauses:
            yield Line(", ".join(clauses), first=f"    {title}: ")
    for clause in undeclared:
        yield Line(result.messages.get(clause, "error"), first=f"      {clause}: ")


def _null_result_lines(result: NullResult) -> Iterator[Line]:
    word = "accepted" if result.is_wrongly_accepted else "rejected"
    says = f"{result.verdict}, exit {result.exit_code}"
    yield _row(word, result.name, says, is_good=not result.is_wrongly_accepted)
    if result.passed:
        yield Line(", ".join(result.passed), first="    passed: ")


def _row(finding: str, name: str, says: str, *, is_good: bool) -> Line:
    return Line(says, first=[(f"{finding:<15} ", "green" if is_good else "red"), (f"{name:<{_WIDTH}} ", "")])


def _figure_lines(matrix: Matrix) -> Iterator[Line]:
    yield Line()
    did = "did all that it should" if matrix.is_good else "did not do all that it should"
    yield Line(f"The suite {did}", style="bold")
    for part, whole, says in matrix.shares():
        yield Line(f"{part} of {whole} {says}", first="  ")
