"""The processes of a selftest: what becomes of a mutant by which one ends."""

from __future__ import annotations

import sys
from threading import Event

import pytest

from paylera_conformance.selftest import runner
from paylera_conformance.selftest.mutants import Mutant
from paylera_conformance.selftest.runner import run_mutants
from paylera_conformance.selftest.verdicts import Breadth, MutantResult, SelftestFinding, judge_mutant
from paylera_conformance.target.settings import ConfigError

WORKER = """
import json, sys
for line in sys.stdin:
    for mutant in json.loads(line):
        if mutant["id"] == "ends":
            sys.exit(3)
        print("collected")
        print(json.dumps({**dict.fromkeys(("violated", "errors", "blocked"), []), "id": mutant["id"], "ran": 1,
            "requests": 1, "seconds": 1.0}), flush=True)
"""
"""Stands in for a worker, which ends when it is given one mutant."""


def run(monkeypatch: pytest.MonkeyPatch, *names: str) -> dict[str, MutantResult]:
    """The results of mutants of these names, by one process at a time."""
    monkeypatch.setattr(runner, "worker_command", lambda _: [sys.executable, "-c", WORKER])
    mutants = [Mutant(name, "", kind="dialect") for name in names]
    seen: list[MutantResult] = []
    results = run_mutants(mutants, workers=1, breadth=Breadth.USUAL, stop=Event(), on_result=seen.append)
    assert list(results.values()) == seen
    return results


def test_mutant_by_which_a_process_ends_never_ran_and_the_others_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """An hour of results is not lost by one server that hangs."""
    results = run(monkeypatch, "a", "ends", "b")
    findings = {name: judge_mutant(Mutant(name, "", kind="dialect"), result) for name, result in results.items()}
    assert findings == {
        "a": SelftestFinding.TOLERATED,
        "ends": SelftestFinding.NEVER_RAN,
        "b": SelftestFinding.TOLERATED,
    }


def test_process_that_runs_nothing_ends_the_selftest(monkeypatch: pytest.MonkeyPatch) -> None:
    """As where the suite is broken: none of the others would run either."""
    with pytest.raises(ConfigError, match=r"status 3 before it had run ends"):
        run(monkeypatch, "ends", "a")


def test_nothing_is_run_of_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """No process is started."""
    assert run(monkeypatch) == {}


def test_what_ends_it_is_told_to_whatever_else_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """As Ctrl-C is: nothing else is begun."""
    monkeypatch.setattr(runner, "worker_command", lambda _: [sys.executable, "-c", WORKER])
    stop, asked = Event(), []

    def end(result: MutantResult) -> None:
        asked.append(result)
        raise KeyboardInterrupt

    mutants = [Mutant(str(number), "", kind="dialect") for number in range(20)]
    with pytest.raises(KeyboardInterrupt):
        run_mutants(mutants, workers=1, breadth=Breadth.USUAL, stop=stop, on_result=end)
    assert (stop.is_set(), len(asked)) == (True, 1)
