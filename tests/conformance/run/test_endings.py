"""How a run ends: the exit code of each ending, and a whole `results.json` whatever happened, in real processes."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, TypeAlias

import pytest

from helpers.suite import Program, Run
from helpers.waiting import PATIENCE_SECONDS
from paylera_fixtures.clauses import clauses_of
from paylera_fixtures.vocabulary import Profile
from paylera_mock.app import create_app

if TYPE_CHECKING:  # the stubs of the type checker alone have it
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

pytestmark = pytest.mark.slow

Serve: TypeAlias = Callable[["WSGIApplication"], str]

PROVEN_ALONE = "credential.scheme-case"
"""A clause whose test needs no more than one token, and so serves for runs that are about something else."""

NOBODY = "http://127.0.0.1:9"
"""The discard port, where nothing listens."""


@pytest.fixture(scope="module")
def fake(serve: Serve) -> Sequence[str]:
    """Arguments that certify a fake which keeps the contract."""
    url = serve(create_app())
    return (url, "--control-url", f"{url}/_mock")


@pytest.fixture(scope="module")
def selected(fake: Sequence[str], make_program: Callable[[], Program]) -> Run:
    """A run of one clause's cases, by `-k`."""
    return make_program().run(*fake, "-k", "scheme_is_found")


def test_selection_alone_is_judged(selected: Run) -> None:
    """What was not selected is not run, which is not green."""
    assert (selected.code, selected.report["verdict"]) == (10, "NOT FULLY VERIFIED")


def test_selected_clause_passes(selected: Run) -> None:
    """All of its cases were selected, so that it is proven."""
    assert selected.having("pass") == {PROVEN_ALONE}


def test_deselected_clause_is_named(selected: Run) -> None:
    """As not run."""
    assert len(selected.having("not-run")) == len(clauses_of(Profile.GUIDE)) - 1


def test_part_of_a_clauses_cases_is_not_the_clause(fake: Sequence[str], program: Program) -> None:
    """`-k` may pick one case of many, which proves nothing about the others."""
    run = program.run(*fake, "-k", "altered_token and doubled")
    assert run.messages()["credential.exact-match"] == "only 1 of its 109 cases ran"


def test_nothing_selected_is_no_verdict(fake: Sequence[str], program: Program) -> None:
    """Exit 5: nothing ran."""
    run = program.run(*fake, "-k", "nothing_like_this")
    assert (run.code, run.report["verdict"]) == (5, "NO VERDICT")


@pytest.fixture(scope="module", params=[(), ("-n", "2")], ids=["alone", "parallel"])
def unreachable(request: pytest.FixtureRequest, make_program: Callable[[], Program]) -> Run:
    """A run against nobody, in the reference profile."""
    return make_program().run(NOBODY, "--profile", "reference", *request.param)


def test_unreachable_target_is_told(unreachable: Run) -> None:
    """Exit 13, and the output gives the reason."""
    assert (unreachable.code, unreachable.report["verdict"]) == (13, "NO VERDICT")
    assert "cannot be reached" in unreachable.output


def test_url_may_stand_behind_an_option_of_pytest(program: Program) -> None:
    """It is the target all the same, and not the embedded fake."""
    run = program.run("-q", NOBODY, "--seed", "3")
    assert (run.code, run.report["target"]) == (13, NOBODY)


def test_unreachable_target_has_failed_nothing(unreachable: Run) -> None:
    """Every clause of the profile is listed in order, with its level there, as not run."""
    assert [(clause["id"], clause["level"], clause["outcome"]) for clause in unreachable.report["clauses"]] == [
        (clause.id, clause.level(Profile.REFERENCE), "not-run") for clause in clauses_of(Profile.REFERENCE)
    ]


def test_control_url_that_is_none_is_a_mistake(
    serve: Serve, answering: Callable[..., WSGIApplication], program: Program
) -> None:
    """Exit 4: the configuration is wrong, and no finding about the target."""
    url = serve(answering("404 Not Found", "text/plain", b"no"))
    run = program.run(url, "--control-url", f"{url}/_mock")
    assert (run.code, run.report["verdict"]) == (4, "NO VERDICT")
    assert "check control_url" in run.output
    run = program.run(url, "--control-url", url)
    assert f"to GET {url}; check control_url, which ends in /_mock where" in " ".join(run.output.split())


MISTAKES = {
    "no-such-option": (NOBODY, "--no-such-option"),
    "no-such-profile": (NOBODY, "--profile", "strict"),
    "no-such-file": ("--config", "nowhere.toml"),
    "live": ("https://api.paylera.io",),
    "no-number": (NOBODY, "--seed", "x"),
}


@pytest.mark.parametrize("arguments", MISTAKES.values(), ids=MISTAKES)
def test_mistake_is_exit_4_and_no_traceback(program: Program, arguments: Sequence[str]) -> None:
    """What the user can mend is told shortly, before anything is sent."""
    run = program.run(*arguments)
    assert run.code == 4
    assert "Traceback" not in run.output


def test_mistake_in_the_file_is_told(program: Program) -> None:
    """The file of the working directory is read, and its flaw named."""
    program.configure("[targets]\n")
    run = program.run()
    assert (run.code, "did you mean target?" in run.output) == (4, True)


def test_first_argument_may_be_pytests(fake: Sequence[str], program: Program) -> None:
    """An option of pytest is not taken for a URL."""
    url, *rest = fake
    program.env["PAYLERA_CONFORMANCE_URL"] = url
    run = program.run("-x", *rest, "-k", "scheme_is_found")
    assert run.having("pass") == {PROVEN_ALONE}


@pytest.mark.parametrize("arguments", [("-x",), ("-n", "2", "--", "--maxfail=1")], ids=["alone", "parallel"])
def test_run_cut_short_reports_every_clause(
    serve: Serve, answering: Callable[..., WSGIApplication], program: Program, arguments: Sequence[str]
) -> None:
    """`-x` ends the run at the first failure; the rest is there, as not run."""
    url = serve(answering("200 OK", "application/json", b"{}"))
    program.configure('[tokens.everything]\ntoken = "${TOKEN}"\n')
    program.env["TOKEN"] = "sk_sandbox_" + "0" * 32
    run = program.run(url, *arguments)
    assert (run.code, set(run.outcomes())) == (1, {clause.id for clause in clauses_of(Profile.GUIDE)})
    assert run.having("fail")
    assert run.having("not-run")


def test_run_in_parallel_is_the_run(fake: Sequence[str], program: Program, selected: Run) -> None:
    """Two workers find what one does."""
    run = program.run(*fake, "-k", "scheme_is_found", "-n", "2")
    assert (run.code, run.outcomes()) == (selected.code, selected.outcomes())


@pytest.mark.parametrize("workers", ["1", "2"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_run_reports_every_clause(
    serve: Serve, answering: Callable[..., WSGIApplication], program: Program, number: signal.Signals, workers: str
) -> None:
    """Ctrl-C or `kill` in the midst of a run: exit 2, and what was found until then."""
    begun = threading.Semaphore(0)
    url = serve(answering("200 OK", "application/json", b"{}", begun.release))
    program.configure('[tokens.everything]\ntoken = "${TOKEN}"\n')
    program.env["TOKEN"] = "sk_sandbox_" + "0" * 32
    process = program.start(url, "-n", workers)
    for _ in range(30):
        assert begun.acquire(timeout=PATIENCE_SECONDS)
    process.send_signal(number)
    run = program.end(process)
    assert (run.code, set(run.outcomes())) == (2, {clause.id for clause in clauses_of(Profile.GUIDE)})
    assert run.having("not-run")


def observed(app: WSGIApplication, seen: Callable[[], None]) -> WSGIApplication:
    """The same, with `seen` called at each request to the API."""

    def changed(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        seen()
        return app(environ, start_response)

    return changed


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_run_that_is_interrupted_in_a_generated_case_reports(
    serve: Serve, program: Program, number: signal.Signals
) -> None:
    """Hypothesis catches much of what is raised in what it calls; the other cases do not run all the same."""
    begun = threading.Semaphore(0)
    url = serve(observed(create_app(), begun.release))
    process = program.start(url, "--control-url", f"{url}/_mock", "-k", "generated_alteration or challenge")
    for _ in range(12):
        assert begun.acquire(timeout=PATIENCE_SECONDS)
    process.send_signal(number)
    run = program.end(process)
    assert (run.code, set(run.outcomes())) == (2, {clause.id for clause in clauses_of(Profile.GUIDE)})


# By what cases can be left out.
NARROWINGS: dict[str, Sequence[str]] = {
    "option": ("--", "-o", "python_functions=test_the_scheme*"),
    "plugin": ("--", "-p", "narrowing"),
    "plugin-in-parallel": ("-n", "2", "--", "-p", "narrowing"),
}

NARROWING = """
import pytest

@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    items[:] = [item for item in items if "scheme_is_found" in item.name][:1]
"""


@pytest.mark.parametrize("arguments", NARROWINGS.values(), ids=NARROWINGS)
def test_narrowed_run_is_not_green(fake: Sequence[str], program: Program, arguments: Sequence[str]) -> None:
    """The suite knows how many cases it has: fewer are not run, whatever kept them away."""
    (program.folder / "narrowing.py").write_text(NARROWING, "utf-8")
    program.env["PYTHONPATH"] = str(program.folder)
    run = program.run(*fake, *arguments)
    assert (run.code, run.report["verdict"]) == (10, "NOT FULLY VERIFIED")


def test_case_that_a_plugin_left_out_is_not_run(fake: Sequence[str], program: Program) -> None:
    """Also where the others of its clause passed."""
    (program.folder / "narrowing.py").write_text(NARROWING, "utf-8")
    program.env["PYTHONPATH"] = str(program.folder)
    run = program.run(*fake, "--", "-p", "narrowing")
    assert run.messages()[PROVEN_ALONE] == "only 1 of its 3 cases ran"


OTHERS_SETTINGS = {
    "PYTEST_ADDOPTS": "-k nothing_like_this",
    "PYTEST_PLUGINS": "no_such_plugin",
}


@pytest.mark.parametrize("workers", ["1", "2"])
def test_settings_of_pytests_change_nothing(fake: Sequence[str], program: Program, workers: str) -> None:
    """Those of the environment and of the working directory are for the tests of whoever runs the suite."""
    program.env |= OTHERS_SETTINGS
    (program.folder / "pytest.ini").write_text("[pytest]\naddopts = -k nothing_like_this\n", "utf-8")
    (program.folder / "conftest.py").write_text("raise RuntimeError('not for the suite')\n", "utf-8")
    run = program.run(*fake, "-k", "scheme_is_found", "-n", workers)
    assert (run.code, run.having("pass")) == (10, {PROVEN_ALONE})


@pytest.mark.parametrize("argument", ["--collect-only", "--fixtures", "--markers", "--setup-plan"])
def test_run_without_verdict_is_not_green(fake: Sequence[str], program: Program, argument: str) -> None:
    """Some of pytest's options run nothing, and end with 0."""
    assert program.run(*fake, "-k", "scheme_is_found", "--", argument).code != 0


def test_optimized_python_is_refused(fake: Sequence[str], program: Program) -> None:
    """Exit 4: without assertions cases would pass that did not."""
    program.env["PYTHONOPTIMIZE"] = "1"
    run = program.run(*fake)
    assert (run.code, "unset PYTHONOPTIMIZE" in run.output, "Traceback" in run.output) == (4, True, False)


def test_fault_of_the_suite_is_exit_3(fake: Sequence[str], program: Program) -> None:
    """What nobody caught is no finding about a target, which exit 1 would be."""
    (program.folder / "sitecustomize.py").write_text(
        "import paylera_conformance.target.settings as settings\nsettings.load = None\n", "utf-8"
    )
    program.env["PYTHONPATH"] = str(program.folder)
    run = program.run(*fake)
    assert (run.code, "a fault of the suite itself" in run.output) == (3, True)


def test_folder_that_cannot_be_made_is_a_mistake(fake: Sequence[str], program: Program) -> None:
    """Exit 4 before anything is sent, rather than a run whose report is lost."""
    (program.folder / "out").write_text("a file", "utf-8")
    run = program.run(*fake)
    assert (run.code, "the folder out cannot be made" in run.output) == (4, True)


def test_case_that_failed_is_no_nothing(serve: Serve, program: Program) -> None:
    """`-k` picked one of a clause's cases, a should's, and it failed: something ran."""
    url = serve(create_app(mutants=["no-challenge"]))
    run = program.run(url, "--control-url", f"{url}/_mock", "-k", "carries_a_challenge and missing")
    assert (run.code, run.outcomes()["credential.challenge"]) == (10, "warn")
