"""`--load` begins with a file, and `paylera-mock snapshot` writes one."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from helpers.mock_program import Answer, Programs
from paylera_mock.cli.main import main
from paylera_mock.server.port import reserve

Ask = Callable[..., Answer]

TOKEN = {"name": "ci", "audience": "service", "scopes": ["*"]}
SEED = {"schema": 1, "kind": "seed", "tokens": [TOKEN]}
SECRET = "sk_sandbox_" + "ci".ljust(32, "0")
SHOW_STATUS = """
import os, sys, urllib.request
url = os.environ["PAYLERA_BASE_URL"] + "/v1/customers"
request = urllib.request.Request(url, headers={"Authorization": sys.argv[1]})
print(urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request).status)
"""


@pytest.fixture
def seed_file(tmp_path: Path) -> Path:
    """A file with one token."""
    file = tmp_path / "seed.json"
    file.write_text(json.dumps(SEED))
    return file


def test_a_fake_begins_with_a_seed_file(programs: Programs, ask: Ask, seed_file: Path) -> None:
    """Its tokens work from the first request on."""
    ready = programs.serve(f"--load={seed_file}").ready()
    assert ask(f"{ready['url']}/v1/customers", SECRET).status == 200


def test_a_command_finds_what_was_loaded(programs: Programs, seed_file: Path) -> None:
    """As for `serve`."""
    command = [sys.executable, "-c", SHOW_STATUS, f"Bearer {SECRET}"]
    program = programs.start("exec", f"--load={seed_file}", "--", *command)
    assert (program.rest_of_stdout(), program.status()) == ("200\n", 0)


def test_a_fake_begins_where_another_was_saved(programs: Programs, ask: Ask, seed_file: Path, tmp_path: Path) -> None:
    """By the file that `snapshot` writes."""
    first = programs.serve(f"--load={seed_file}").ready()
    saved = tmp_path / "saved.json"
    CliRunner().invoke(main, ["snapshot", "--control-url", first["control_url"], "--output", str(saved)])
    second = programs.serve(f"--load={saved}").ready()
    assert ask(f"{second['url']}/v1/customers", SECRET).status == 200


def test_a_fake_gets_ready_without_the_well_known_tokens(
    programs: Programs, ask: Ask, served: dict[str, Any], tmp_path: Path
) -> None:
    """A snapshot may have been taken of a namespace that has none of them."""
    snapshot = json.loads(ask(f"{served['control_url']}/snapshot").body)
    saved = tmp_path / "saved.json"
    saved.write_text(json.dumps(snapshot | {"tokens": []}))
    ready = programs.serve(f"--load={saved}").ready()
    assert ask(f"{ready['url']}/v1/customers", ready["tokens"]["serviceall"]).status == 401


def test_snapshot_writes_to_stdout_by_default(served: dict[str, Any]) -> None:
    """For a pipe."""
    result = CliRunner().invoke(main, ["snapshot", "--control-url", served["control_url"]])
    document = json.loads(result.stdout)
    assert (document["schema"], document["kind"]) == (1, "snapshot")


def test_snapshot_takes_the_place_of_no_other_file(served: dict[str, Any], tmp_path: Path) -> None:
    """As the seed file beside it; of an earlier snapshot it does."""
    saved = tmp_path / "saved.json"
    arguments = ["snapshot", "--control-url", served["control_url"], "--output", str(saved)]
    statuses = [CliRunner().invoke(main, arguments).exit_code for _ in range(2)]
    saved.write_text(json.dumps(SEED))
    result = CliRunner().invoke(main, arguments)
    assert (statuses, result.exit_code, "--output" in result.stderr, saved.read_text()) == (
        [0, 0],
        2,
        True,
        json.dumps(SEED),
    )


@pytest.mark.parametrize("command", ["serve", "exec"])
def test_a_flawed_file_is_wrong_usage(tmp_path: Path, command: str) -> None:
    """One line names the file, the place in it and the fix."""
    file = tmp_path / "seed.json"
    file.write_text(json.dumps(SEED | {"tokens": [TOKEN | {"scopes": ["all"]}]}))
    result = CliRunner().invoke(main, [command, f"--load={file}", *(["true"] if command == "exec" else [])])
    said = result.output.replace("\n", " ")
    assert (result.exit_code, f"{file}: tokens[0].scopes[0]: there is no such scope" in said) == (2, True)


def test_a_file_that_is_not_there_is_wrong_usage(tmp_path: Path) -> None:
    """Told before anything is served."""
    result = CliRunner().invoke(main, ["serve", f"--load={tmp_path / 'nothing.json'}"])
    assert (result.exit_code, "does not exist" in result.output) == (2, True)


def test_snapshot_of_nobody_says_what_to_start() -> None:
    """In one line."""
    reservation = reserve("127.0.0.1", 0)
    with reservation.socket:
        result = CliRunner().invoke(main, ["snapshot", "--control-url", f"{reservation.url()}/_mock"])
    assert (result.exit_code, "(`paylera-mock serve`)" in result.output) == (2, True)


@pytest.mark.parametrize(("path", "said"), [("/ns/none/_mock", "status 404"), ("/v1", "is no control API")])
def test_snapshot_of_what_has_none_tells_the_answer(served: dict[str, Any], path: str, said: str) -> None:
    """With the detail of the problem."""
    result = CliRunner().invoke(main, ["snapshot", "--control-url", f"{served['url']}{path}"])
    assert (result.exit_code, said in result.output) == (2, True)


def test_snapshot_takes_whole_urls() -> None:
    """Told in one line."""
    assert CliRunner().invoke(main, ["snapshot", "--control-url", "127.0.0.1:4242"]).exit_code == 2
