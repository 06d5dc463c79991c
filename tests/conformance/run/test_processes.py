"""In how many processes a run goes on: one where several would move each other's clock."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeAlias

import pytest

from helpers.other_servers import without_namespaces
from helpers.suite import Program, Run, isolated_environment
from helpers.waiting import RUN_SECONDS
from paylera_conformance.matrix.parts import operation_of, part_of
from paylera_conformance.run import launch
from paylera_conformance.run.plan import planned_cases
from paylera_conformance.run.processes import ONE_ONLY, must_be_alone
from paylera_conformance.target.adapter import Adapter
from paylera_conformance.target.local_mock import LocalMock
from paylera_conformance.target.provisioner import StaticProvisioner
from paylera_conformance.target.settings import Mode, Settings
from paylera_fixtures.api.operations import BY_ID, OPERATIONS
from paylera_mock.app import create_app

if TYPE_CHECKING:  # the stubs of the type checker alone have it
    from _typeshed.wsgi import WSGIApplication

Serve: TypeAlias = Callable[["WSGIApplication"], str]

SOME = "second_late or a-second-before or scheme_is_found"


class Mover(Adapter):
    """Moves the clock of all the target."""

    def advance(self, seconds: float) -> object:  # type: ignore[override]
        """What it gives is of no matter here."""
        return seconds


class Isolating(Mover):
    """Gives each case a part of the target."""

    def isolate(self) -> Isolating:
        """Its own."""
        return self


def test_who_moves_what_all_cases_share_needs_one_process(settings: Settings) -> None:
    """Listed tokens move nothing; an adapter may, and may keep its cases apart."""
    alone = {kind for kind in (StaticProvisioner, Adapter, Mover, Isolating) if must_be_alone(kind(settings))}
    assert alone == {Mover}


@pytest.mark.slow
def test_without_namespaces_one_process_runs_the_cases_and_says_so(program: Program, serve: Serve) -> None:
    """Several would see each other's moves of the clock as violations."""
    url = serve(without_namespaces(create_app().wsgi_app))
    run = program.run(url, "--control-url", f"{url}/_mock", "-n", "2", "-k", SOME)
    told = {finding["text"] for finding in run.report["findings"]}
    assert (told, run.having("fail", "error", "blocked")) == ({ONE_ONLY}, set()), run.output


@pytest.mark.slow
def test_with_namespaces_there_are_as_many_as_were_asked_for(program: Program, serve: Serve) -> None:
    """They keep the processes apart, and nothing is said of them."""
    url = serve(create_app().wsgi_app)
    run = program.run(url, "--control-url", f"{url}/_mock", "-n", "2", "-k", SOME)
    assert (run.report["findings"], run.having("fail", "error", "blocked")) == ([], set()), run.output
    assert [word for word in ("bringing up", "loadscope") if word in run.output] == []


FULL = {"mode": Mode.FULL}
USUAL: dict[str, tuple[dict[str, Any], tuple[str, ...], int, str]] = {
    "all": (FULL, (), 2, "2"),
    "one-processor": (FULL, (), 1, "1"),
    "a-clause": ({**FULL, "clauses": ("token.revoked",)}, (), 2, "1"),
    "a-selection": (FULL, ("-k", "x"), 2, "1"),
    "counted": ({**FULL, "max_requests": 300}, (), 2, "1"),
    "timed": ({**FULL, "max_seconds": 300}, (), 2, "1"),
    "observing": ({"mode": Mode.OBSERVE}, (), 2, "1"),
}


@pytest.mark.parametrize(("said", "arguments", "processors", "workers"), USUAL.values(), ids=USUAL)
def test_two_processes_are_for_the_whole_suite(
    monkeypatch: pytest.MonkeyPatch, said: dict[str, Any], arguments: tuple[str, ...], processors: int, workers: str
) -> None:
    """Wherever it is said what is less: on the command line, in a variable, in a file."""
    monkeypatch.setattr(launch, "count_processors", lambda: processors)
    settings = Settings(url="http://127.0.0.1", **said)
    assert launch.usual_workers(settings, arguments) == workers


def test_the_embedded_fake_is_certified_by_two_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    """As the help says: what it is asked for is known once the fake is there."""

    @contextmanager
    def embedded(*_: object) -> Iterator[LocalMock]:
        yield LocalMock("http://127.0.0.1:1", "http://127.0.0.1:2", "http://127.0.0.1:1/_mock")

    begun: list[list[str]] = []

    def begin(arguments: list[str], **_: object) -> int:
        begun.append(arguments)
        return 0

    monkeypatch.setattr(launch, "embedded_mock", embedded)
    monkeypatch.setattr(launch, "count_processors", lambda: 2)
    monkeypatch.setattr(pytest, "main", begin)
    for options in ({}, {"mode": "sandbox"}):
        launch.run_suite(None, options)
    assert [arguments[arguments.index("-n") + 1] if "-n" in arguments else "1" for arguments in begun] == ["2", "1"]


def runs_by_one_and_by_two(program: Program, serve: Serve, selection: str) -> list[Run]:
    """The same run in one process, and in two."""
    url = serve(create_app().wsgi_app)
    command = (url, "--control-url", f"{url}/_mock", "--seed", "7", "-k", selection)
    return [program.run(*command, "-n", number) for number in ("1", "2")]


@pytest.mark.slow
def test_what_cases_share_is_sent_once_however_many_processes_there_are(program: Program, serve: Serve) -> None:
    """Each that had some of the cells of an operation would prepare all that they rest on."""
    one, two = runs_by_one_and_by_two(program, serve, "on_every_operation and list_plans")
    assert one.report["requests"] == two.report["requests"]


@pytest.mark.slow
def test_processes_share_the_operations_out_and_see_the_same(program: Program, serve: Serve) -> None:
    """What was used by one of them and is dead is looked at again by the other."""
    assert {part_of(BY_ID[name], 2) for name in ("list_products", "get_product")} == {0, 1}
    selection = "(on_every_operation and (list_products or get_product)) or stays_dead"
    one, two = runs_by_one_and_by_two(program, serve, selection)
    assert outcomes_of_cases(one) == outcomes_of_cases(two)


def outcomes_of_cases(run: Run) -> dict[tuple[str, str], str]:
    """What came of each case, by its clause and its name."""
    clauses = run.report["clauses"]
    return {(each["id"], case["case"]): case["outcome"] for each in clauses for case in each["cases"]}


def test_every_cell_of_the_matrix_is_in_the_part_of_its_operation() -> None:
    """By the name of the case: the process that hands out the cases has nothing else of them."""
    names = {name for cases in planned_cases().values() for name in cases if "_is_so_on_every_operation" in name}
    operations = [operation_of(name) for name in names]
    assert {each for each in operations if each is not None} == {*OPERATIONS}
    assert None not in operations
    assert {part_of(operation, 2) for operation in OPERATIONS} == {0, 1}
    assert operation_of("test_it_is_so_at_the_named_url[unknown-list_customers]") is None


@pytest.mark.slow
def test_workers_that_were_started_all_the_same_refuse(program: Program, serve: Serve) -> None:
    """A controller of pytest's that finds its target in the environment learns of it with its workers."""
    url = serve(without_namespaces(create_app().wsgi_app))
    program.env |= {"PAYLERA_CONFORMANCE_URL": url, "PAYLERA_CONFORMANCE_CONTROL_URL": f"{url}/_mock"}
    plugins = ("-p", "paylera_conformance.plugin", "-p", "xdist.plugin", "-p", "no:cacheprovider")
    ended = subprocess.run(
        [sys.executable, "-m", "pytest", *plugins, "--pyargs", "paylera_conformance", "-n", "2", "-k", SOME],
        cwd=program.folder,
        env=isolated_environment({**program.env, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}),
        capture_output=True,
        text=True,
        timeout=RUN_SECONDS,
        check=False,
    )
    assert (ended.returncode, "leave -n out" in " ".join(ended.stdout.split())) == (4, True), ended.stdout
