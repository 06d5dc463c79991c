"""Mistakes of whoever calls the program: each has its exit code and a line that names the fix, and no traceback."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from paylera_conformance.cli import main
from paylera_conformance.target.settings import CONFIG_NAME
from paylera_fixtures.clauses import CLAUSES

NOBODY = "http://127.0.0.1:9"

MISTAKES: dict[tuple[str, ...], str] = {
    (): "Commands:",
    ("runn",): "there is no command 'runn': did you mean run",
    ("list", "--profile", "guid"): "'guid' is not one of 'guide', 'reference'",
    ("list", "--profil", "guide"): "Did you mean",
    ("list", "--clause", "tokn"): "did you mean token",
    ("init", "--profile", "strict"): "is not one of 'guide', 'reference'",
    ("init", "--mode", "ful"): "is not one of 'observe', 'sandbox', 'full'",
    ("init", "--url", "localhost"): "url 'localhost' is no http or https URL",
    ("init", "--url", ""): "url '' is no http or https URL",
    ("init", "--url", "https://api.paylera.io"): "give --mode observe",
    ("run", "--modee", "full"): "did you mean --mode",
    ("run", "--out", "x", NOBODY): "there is no option --out: did you mean --report?",
    ("run", "--output", "x", NOBODY): "did you mean --report?",
    ("run", "--maxfail=1"): "Options of pytest stand behind --",
    ("run", "--mode", "ful", NOBODY): "--mode must be one of observe, sandbox, full, not 'ful'",
    ("run", "--profile", "gide", NOBODY): "--profile must be one of guide, reference, not 'gide'",
    ("run", "--driver", "contrl", NOBODY): "--driver must be one of static, control, python, not 'contrl'",
    ("run", "--environment", "prod", NOBODY): "--environment must be one of sandbox, live, not 'prod'",
    ("run", "--reading", "scope_refusal", NOBODY): "write NAME=VALUE",
    ("run", "--reading", "scope_refusl=403", NOBODY): "scope_refusal",
    ("run", "--rps", "0", NOBODY): "--rps must be a number above zero, not '0'",
    ("run", "--timeout", "abc", NOBODY): "--timeout must be a number above zero, not 'abc'",
    ("run", "--max-requests", "0.5", NOBODY): "--max-requests must be a whole number above zero",
    ("run", "--seed", "abc", NOBODY): "'abc' is not a valid integer",
    ("run", "--clause", "token.revokd", NOBODY): "did you mean token.revoked",
    ("run", "-k", "token.revoked", NOBODY): "give --clause token.revoked",
    ("run", "-k", "not (a or scope.exact)", NOBODY): "give --clause scope.exact",
    ("run", "--config", "nowhere.toml"): "check the path given to --config",
    ("run", "--config", ""): "check the path given to --config",
    ("run", "--report", "/dev/null/out", NOBODY): "cannot be made",
    ("run", "--state", "waiting"): "the embedded fake needs no state file: give the URL of a target",
    ("run", "--known-failures", "nowhere.toml", NOBODY): "check the path given to --known-failures",
    ("run", "--live-url", NOBODY): "--live-url is of a target, and nothing names one",
    ("run", "--control-url", NOBODY): "--control-url is of a target, and nothing names one",
    ("run", "--adapter", "here:Mine"): "--adapter is of a target, and nothing names one",
    ("run", "--also", NOBODY): "--also is of a target, and nothing names one",
    ("run", "--driver", "python", NOBODY): "adapter",
    ("run", "--driver", "control", NOBODY): "give --control-url",
    ("run", "--ca-file", "nowhere.pem", NOBODY): "--ca-file nowhere.pem cannot be read: No such file",
    ("run", "--ca-file", "/dev/null", NOBODY): "--ca-file /dev/null holds no certificates",
    ("run", "--user-agent", "a\nb", NOBODY): "one line of printable ASCII",
    ("run", "--adapter", "here:Mine", NOBODY): "the adapter here:Mine cannot be imported",
    ("run", "--adapter", "Mine", NOBODY): "--adapter names no class",
    ("run", "--adapter", "here:Mine", "--driver", "static", NOBODY): "--driver is static: leave one of them out",
    ("run", "--adapter", "here:Mine", "--control-url", NOBODY, NOBODY): "or name the driver python",
    ("run", ""): "the URL is empty: give one",
    ("run", "ftp://127.0.0.1"): "is no http or https URL",
    ("run", "127.0.0.1:9"): "is no http or https URL",
    ("run", "http://"): "is no http or https URL",
    ("run", f"{NOBODY}?a=b"): "give the base URL alone",
    ("run", "http://me:secret@127.0.0.1:9"): "credentials go in [tokens]",
    ("run", NOBODY, NOBODY): "unexpected extra argument",
    ("run", "https://api.paylera.io"): "give --mode observe",
    (
        "run",
        NOBODY,
        "--",
        "--nosuch",
    ): "Error: pytest does not take what stands behind --: unrecognized arguments: --nosuch\n",
    ("run", NOBODY, "--", "--maxfail=x"): "behind --: argument --maxfail: invalid int value: 'x'\n",
    ("run", "-n", "abc", NOBODY): "-n must be a whole number of processes or auto, not 'abc'",
    ("run", "-n", "0.5", NOBODY): "not '0.5'",
    ("run", "-n", "-1", NOBODY): "not '-1'",
    ("resume", "nowhere"): "name the file that `run --state` wrote",
    ("doctor", "127.0.0.1:9"): "is no http or https URL",
    ("explain",): "Missing argument 'CLAUSE'",
    ("explain", "token.revokd"): "did you mean token.revoked",
    ("explain", "no-chalenge"): "did you mean no-challenge",
    ("explain", "auth.expired_tokn"): "did you mean auth.expired_token",
    ("explain", "idempotency.requird"): "did you mean idempotency.required?",
    ("explain", "GET", "/v1/customers"): "`paylera-mock explain [METHOD] PATH`",
    ("explain", "token.revoked", "scope.exact"): "there is no clause",
    ("explain", "internal"): "a code of the fake's own",
    ("resume", "sealed"): "$PAYLERA_CONFORMANCE_STATE_KEY",
    ("report", "nowhere"): "name the folder that `run --report` wrote",
    ("certify", "nowhere"): "name the folder that `run --report` wrote",
    ("certify", "."): "name the folder that `run --report` wrote",
    ("certify", "nowhere", "--level", "ful"): "is not one of 'core', 'full', 'strict'",
    ("certify", "nowhere", "--days", "0"): "1<=x<=366",
    ("verify", "nowhere"): "name the file that `certify` wrote",
    ("diff", NOBODY): "Missing argument 'URL_B'",
    ("selftest", "token-anywher"): "did you mean token-anywhere-in-header",
    ("selftest", "--shard", "3/2"): "give I/N",
    ("selftest", "--fast", "--shard", "1/2"): "--fast draws other servers each time",
    ("schema", "--confg"): "Did you mean",
}


@pytest.fixture
def call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    """Calls the program in an empty folder."""
    monkeypatch.chdir(tmp_path)
    return CliRunner()


def of(result: Result) -> tuple[int, str]:
    """Exit code and output."""
    return result.exit_code, result.output


@pytest.mark.parametrize(("arguments", "says"), MISTAKES.items(), ids=map(" ".join, MISTAKES))
def test_mistake_is_told(call: CliRunner, arguments: Sequence[str], says: str) -> None:
    """Exit 4, the line, and nothing that could be a secret."""
    head = {"format": "paylera-conformance state", "schema": 2, "salt": "c2FsdA=="}
    Path("sealed").write_text(json.dumps(head), "utf-8")
    code, output = of(call.invoke(main, arguments))
    assert (code, says in output, "Traceback" in output, "secret@" in output) == (4, True, False, False), output


@pytest.mark.parametrize("name", ["URL", "CONFIG"])
def test_empty_name_of_a_target_is_not_the_fake(call: CliRunner, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """As a secret of CI that is not set gives one: nobody asked for the embedded fake."""
    monkeypatch.setenv(f"PAYLERA_CONFORMANCE_{name}", "")
    assert call.invoke(main, ["run"]).exit_code == 4


def test_empty_url_beside_a_file_that_has_one(call: CliRunner, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not the file that has to be mended."""
    Path(CONFIG_NAME).write_text(f'[target]\nurl = "{NOBODY}"\n', "utf-8")
    monkeypatch.setenv("PAYLERA_CONFORMANCE_URL", "")
    code, output = of(call.invoke(main, ["run"]))
    says = "$PAYLERA_CONFORMANCE_URL is empty: unset it, or give a URL"
    assert (code, says in output) == (4, True), output


@pytest.mark.parametrize("name", ["CONTROL_URL", "LIVE_URL", "ADAPTER", "DRIVER", "CONTROL_TOKEN"])
def test_variable_of_a_target_that_nothing_names(call: CliRunner, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """The embedded fake would not heed it."""
    monkeypatch.setenv(f"PAYLERA_CONFORMANCE_{name}", "static")
    code, output = of(call.invoke(main, ["run"]))
    assert (code, f"$PAYLERA_CONFORMANCE_{name} is of a target" in output) == (4, True)


def test_clauses_are_listed_as_json(call: CliRunner) -> None:
    """All of them, or those that were asked for: by id, by group, by pattern."""
    every = json.loads(call.invoke(main, ["list", "--json"]).output)
    assert [row["id"] for row in every] == [clause.id for clause in CLAUSES]
    names = ("--clause", "aal2", "--clause", "*.immediate", "--clause", "scope.exact")
    some = json.loads(call.invoke(main, ["list", "--json", *names]).output)
    assert {row["group"] for row in some} == {"aal2", "revocation", "scope"}
    assert all(row["levels"].keys() == {"guide", "reference"} for row in some)


def test_problem_code_finds_its_clauses(call: CliRunner) -> None:
    """What an SDK developer has in hand is the code."""
    listed = json.loads(call.invoke(main, ["explain", "auth.expired_token", "--json"]).output)
    assert "rotation.grace-ends" in [clause["id"] for clause in listed["clauses"]]
    assert "rotation.grace-ends: " in call.invoke(main, ["explain", "auth.expired_token"]).output


def test_mutant_is_explained_by_the_clauses_that_it_breaks(call: CliRunner) -> None:
    """Whoever reads of one in the selftest's matrix has its id."""
    explained = json.loads(call.invoke(main, ["explain", "token-in-query", "--json"]).output)
    assert [clause["id"] for clause in explained["clauses"]] == ["credential.only-in-header"]
    assert "breaks credential.only-in-header: " in call.invoke(main, ["explain", "token-in-query"]).output


def test_dialect_is_explained_as_one(call: CliRunner) -> None:
    """It breaks nothing."""
    assert "no must fails" in call.invoke(main, ["explain", "detail-in-german"]).output


def test_clause_is_explained_as_json(call: CliRunner) -> None:
    """With what breaks it."""
    explained = json.loads(call.invoke(main, ["explain", "token.revoked", "--json"]).output)
    assert (explained["id"], explained["levels"]["guide"]) == ("token.revoked", "must")
    assert explained["broken_by"]
