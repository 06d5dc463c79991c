"""The fake tells an SDK that others wrote what is wrong with it, and has nothing against it once it is repaired."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from helpers.http_client import http_client
from helpers.waiting import RUN_SECONDS
from paylera_mock.cli.subprocess_server import running_fake

SDK = Path(__file__).with_name("acme_paylera.py")

NAMED = {
    "no-key": "key-missing",
    "new-key-on-retry": "new-key-on-retry",
    "retries-401": "retry-on-401",
    "drops-version": "version-dropped",
    "keeps-old-secret": "old-secret",
    "follows-with-token": "authorization-to-another-origin",
}
"""Each bug, and the finding by which the fake names it."""

FATAL = ("follows-with-token", "new-key-on-retry", "no-key")
"""The bugs that are errors: the others cannot be told from what the tests of a right SDK do on purpose."""


@pytest.fixture(scope="module")
def control_url() -> Iterator[str]:
    """The control URL of a fake on a real socket."""
    with running_fake() as ready:
        assert ready.control_url is not None
        yield ready.control_url


@pytest.fixture(scope="module")
def sdk() -> ModuleType:
    """The SDK."""
    spec = importlib.util.spec_from_file_location("acme_paylera", SDK)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["acme_paylera"] = module
    spec.loader.exec_module(module)
    return module


def findings(sdk: ModuleType, control_url: str, *bugs: str) -> list[dict[str, Any]]:
    """What the fake finds in a day of the SDK."""
    own = sdk.day(control_url, frozenset(map(sdk.Bug, bugs)))
    with http_client() as client:
        return list(client.get(f"{own}/findings").json()["data"])


def test_a_repaired_sdk_gives_no_ground_for_complaint(sdk: ModuleType, control_url: str) -> None:
    """Not even for a hint."""
    assert findings(sdk, control_url) == []


@pytest.mark.parametrize("bug", NAMED)
def test_each_bug_is_named(sdk: ModuleType, control_url: str, bug: str) -> None:
    """And nothing else is held against the SDK that is as bad."""
    found = findings(sdk, control_url, bug)
    assert NAMED[bug] in {each["id"] for each in found}
    assert {each["id"] for each in found if each["severity"] == "error"} <= {NAMED[bug]}


def test_all_six_are_named_at_once(sdk: ModuleType, control_url: str) -> None:
    """One bug hides no other, but for the keys: what is not sent cannot be a new one."""
    found = {each["id"] for each in findings(sdk, control_url, *(set(NAMED) - {"no-key"}))}
    assert found >= {NAMED[bug] for bug in NAMED if bug != "no-key"}


def exec_(*bugs: str) -> subprocess.CompletedProcess[str]:
    """Go through the day by `paylera-mock exec --fail-on-findings`."""
    command = [
        sys.executable,
        "-m",
        "paylera_mock",
        "exec",
        "--fail-on-findings",
        "--",
        sys.executable,
        str(SDK),
        *bugs,
    ]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=RUN_SECONDS)


@pytest.mark.slow
@pytest.mark.parametrize("bug", FATAL)
def test_exec_fails_on_each_bug_that_is_an_error(bug: str) -> None:
    """With the finding by name, and its fix."""
    ended = exec_(bug)
    assert (ended.returncode, f"error {NAMED[bug]}" in ended.stderr, "Fix: " in ended.stderr) == (3, True, True)


@pytest.mark.slow
@pytest.mark.parametrize("bugs", [(), *((bug,) for bug in sorted(set(NAMED) - set(FATAL)))], ids=str)
def test_exec_lets_pass_what_is_no_error(bugs: tuple[str, ...]) -> None:
    """It says what it has to say all the same."""
    ended = exec_(*bugs)
    assert (ended.returncode, [bug for bug in bugs if NAMED[bug] not in ended.stderr]) == (0, [])
