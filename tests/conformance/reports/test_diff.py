"""`diff` shows where two targets differ, and nothing that two runs against one target do not share by chance."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import pytest

from helpers.suite import Run, run_suite
from paylera_conformance.reports.diff import compare
from paylera_mock.app import create_app

if TYPE_CHECKING:  # the stubs of the type checker alone have it
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

Serve: TypeAlias = Callable[["WSGIApplication"], str]

CLAUSE = "credential.scheme-case"
SELECTED = ("-k", "scheme_is_found")
NOBODY = "http://127.0.0.1:9"


def results(outcome: str, message: str, target: str = "http://a", run_id: str = "runa") -> dict[str, Any]:
    """The results of a run of one clause."""
    clause = {"id": "token.unknown", "level": "must", "outcome": outcome, "message": message}
    return {"target": target, "run_id": run_id, "verdict": "CONFORMANT", "clauses": [clause]}


def other(outcome: str, message: str) -> dict[str, Any]:
    """The results of the same against another target."""
    return results(outcome, message, target="http://b", run_id="runb")


GOT = "wanted 401 auth.invalid_token; got "
SAME = {
    "pass": (results("pass", ""), other("pass", "")),
    "target": (results("error", "http://a/v1 is down"), other("error", "http://b/v1 is down")),
    "run": (results("fail", "a runa-0f object"), other("fail", "a runb-17 object")),
    "secret": (results("fail", "‹odd #12ab› got in"), other("fail", "‹odd #98fe› got in")),
    "size": (results("fail", f"{GOT}200 (text/html, 17 bytes)"), other("fail", f"{GOT}200 (text/html, 2048 bytes)")),
    "id": (results("warn", "/v1/customers/cus_1x is there"), other("warn", "/v1/customers/cus_9z is there")),
}


@pytest.mark.parametrize(("first", "second"), SAME.values(), ids=SAME)
def test_what_is_by_chance_is_no_difference(first: dict[str, Any], second: dict[str, Any]) -> None:
    """Names, ids, sizes and secrets are others in each run."""
    assert compare(first, second).differences == []


DIFFERENT = {
    "outcome": (results("pass", ""), other("fail", "x")),
    "unproven": (results("pass", ""), other("blocked", "mint a token")),
    "status": (results("fail", f"{GOT}200"), other("fail", f"{GOT}500")),
    "problem": (results("fail", f"{GOT}401 auth.missing_token"), other("fail", f"{GOT}401 auth.expired_token")),
    "media-type": (results("warn", f"{GOT}200 (text/html, 1 bytes)"), other("warn", f"{GOT}200 (text/plain, 1 bytes)")),
}


@pytest.mark.parametrize(("first", "second"), DIFFERENT.values(), ids=DIFFERENT)
def test_difference_is_shown_with_both_sides(first: dict[str, Any], second: dict[str, Any]) -> None:
    """In outcome, or in what was answered."""
    row = compare(first, second).differences[0]
    assert row.outcomes == {"a": first["clauses"][0]["outcome"], "b": second["clauses"][0]["outcome"]}
    assert row.messages == {"a": first["clauses"][0]["message"], "b": second["clauses"][0]["message"]}


def diff(folder: Path, *arguments: str) -> Run:
    """Run the program to its end."""
    return run_suite(folder, "diff", *arguments, "--report", "out")


def particular(environ: WSGIEnvironment, start_response: StartResponse, *, app: WSGIApplication) -> Iterable[bytes]:
    """A server that knows one spelling of the scheme only."""
    if environ.get("HTTP_AUTHORIZATION", "").startswith(("bearer", "BEARER")):
        environ["HTTP_AUTHORIZATION"] = "Basic x"
    return app(environ, start_response)


@pytest.fixture(scope="module")
def fake(serve: Serve) -> str:
    """A fake which keeps the contract."""
    return serve(create_app())


@pytest.fixture(scope="module")
def strange(serve: Serve) -> str:
    """One that does not keep one clause."""
    app = create_app()
    return serve(lambda environ, start_response: particular(environ, start_response, app=app))


def controls(first: str, second: str) -> Sequence[str]:
    """Arguments by which both are reached through their control APIs."""
    return (first, second, "--control-url-a", f"{first}/_mock", "--control-url-b", f"{second}/_mock", *SELECTED)


@pytest.mark.slow
def test_same_target_has_no_difference(fake: str, tmp_path: Path) -> None:
    """Exit 0, and a report that says so."""
    ended = diff(tmp_path, *controls(fake, fake))
    assert (ended.code, "no difference" in ended.output) == (0, True)
    assert json.loads((tmp_path / "out" / "diff.json").read_text("utf-8"))["differences"] == []


@pytest.mark.slow
def test_different_targets_differ_in_one_clause(fake: str, strange: str, tmp_path: Path) -> None:
    """Exit 1, and the clause with both outcomes."""
    ended = diff(tmp_path, *controls(fake, strange))
    rows = json.loads((tmp_path / "out" / "diff.json").read_text("utf-8"))["differences"]
    assert (ended.code, [(row["id"], row["outcomes"]) for row in rows]) == (1, [(CLAUSE, {"a": "pass", "b": "warn"})])
    assert f"≠ {CLAUSE} (should)" in ended.output


def terse(environ: WSGIEnvironment, start_response: StartResponse, *, app: WSGIApplication) -> Iterable[bytes]:
    """A server that answers an accepted request with another status."""

    def start(status: str, headers: list[tuple[str, str]], *more: Any) -> Callable[[bytes], object]:
        return start_response("203 Other" if status.startswith("200") else status, headers, *more)

    return app(environ, start if "/v1/" in environ["PATH_INFO"] else start_response)


@pytest.mark.slow
def test_answers_that_differ_are_a_difference_where_no_outcome_does(serve: Serve, fake: str, tmp_path: Path) -> None:
    """203 is an acceptance like 200, and another status."""
    app = create_app()
    other = serve(lambda environ, start_response: terse(environ, start_response, app=app))
    ended = diff(tmp_path, *controls(fake, other))
    [row] = json.loads((tmp_path / "out" / "diff.json").read_text("utf-8"))["differences"]
    assert (ended.code, row["outcomes"]) == (1, {"a": "pass", "b": "pass"})
    assert [(each["a"][:3], each["b"][:3]) for each in row["answers"]] == [("200", "203")] * 3


@pytest.mark.slow
def test_target_that_nobody_reaches_is_no_comparison(fake: str, tmp_path: Path) -> None:
    """Exit 13, and which of the two it was."""
    ended = diff(tmp_path, fake, NOBODY, "--control-url-a", f"{fake}/_mock", *SELECTED)
    assert (ended.code, "the run against B ended with exit 13" in ended.output) == (13, True)


@pytest.mark.slow
def test_file_that_is_not_there_is_told(fake: str, tmp_path: Path) -> None:
    """Exit 4, as for a run."""
    ended = diff(tmp_path, fake, fake, "--config-a", "nowhere.toml")
    assert (ended.code, "no configuration file nowhere.toml" in ended.output) == (4, True)
