"""HTTP clients that nobody here wrote, each through every fault: what is found is true, and what is true is found.

Those of Python are installed with the extra `dev`; those of Node are fetched by npm into a folder of the test's own.
"""

from __future__ import annotations

import itertools
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

import httpx
import pytest

from helpers.http_client import http_client
from helpers.waiting import RUN_SECONDS
from paylera_mock.cli.subprocess_server import running_fake

CLIENTS = Path(__file__).with_name("real_clients")
PACKAGES = ("axios@1", "axios-retry@4", "got@14", "ky@1", "undici@7")
PYTHON, NODE = ("requests", "tenacity", "stamina", "aiohttp"), ("fetch", "axios", "got", "ky", "undici")

RENEW: Final = frozenset({*PYTHON, *NODE} - {"requests", "undici"})
"""The clients by which a new key for each attempt can be had; the retries of the others send the same headers again."""

FAULTS: Final[Mapping[str, dict[str, Any]]] = {
    "none": {},
    "503": {"action": "answer"},
    "500 after commit": {"action": "answer", "status": 500, "at": "after_commit"},
    "429": {"action": "answer", "retry_after": 1},
    "400": {"action": "answer", "status": 400},
    "401": {"action": "answer", "status": 401},
    "drop": {"action": "drop"},
    "drop after commit": {"action": "drop", "at": "after_commit"},
    "delay": {"action": "delay", "seconds": 20},
    "delay after commit": {"action": "delay", "seconds": 20, "at": "after_commit"},
    "short delay": {"action": "delay", "seconds": 0.05},
    "hang": {"action": "hang"},
    "hang after commit": {"action": "hang", "at": "after_commit"},
    "redirect": {"action": "redirect"},
    "truncate": {"action": "truncate", "size": 5},
    "reset": {"action": "reset"},
    "garbage": {"action": "garbage"},
}
NO_RETRY = frozenset({"none", "400", "401", "short delay", "redirect"})
"""After these no client tries again."""


GIVE_UP: Final = frozenset(
    {
        *itertools.product(("requests", "axios", "ky", "undici"), ("truncate",)),
        ("got", "garbage"),
    }
)
"""By which client what is not tried again, mostly since the head was whole."""

HURRIED: Final = frozenset({"tenacity", "stamina"})
"""The clients that do not wait as `Retry-After` says."""


class Case(NamedTuple):
    """A client, a fault, and whether the client makes a new key for each attempt."""

    client: str
    fault: str
    renews: bool


class Outcome(NamedTuple):
    """How many attempts came, and what was found of each severity."""

    attempts: int
    errors: list[str]
    warnings: list[str]
    hints: list[str]


def cases(clients: tuple[str, ...]) -> list[Case]:
    """All that can be tried with these clients."""
    every = itertools.product(clients, FAULTS, (False, True))
    return [Case(*each) for each in every if not each[2] or each[0] in RENEW]


def try_all(control_url: str, wanted: list[Case], command: list[str]) -> dict[Case, Outcome]:
    """Each case in a namespace of its own, all of them by one program."""
    with http_client() as client:
        scenes = [_set_up(client, control_url, case) for case in wanted]
        jobs = [
            {"client": case.client, "renews": case.renews, **job} for case, (job, _) in zip(wanted, scenes, strict=True)
        ]
        subprocess.run(command, input=json.dumps(jobs), text=True, check=True, timeout=RUN_SECONDS, capture_output=True)
        return {case: _tell(client, own) for case, (_, own) in zip(wanted, scenes, strict=True)}


def _set_up(client: httpx.Client, control_url: str, case: Case) -> tuple[dict[str, str], str]:
    made = client.post(f"{control_url}/namespaces", json={}).json()
    token = client.post(f"{made['control_url']}/tokens", json={"audience": "service", "scopes": ["*"]}).json()
    fault = FAULTS[case.fault]
    if case.fault == "429" and case.client in HURRIED:
        fault = {**fault, "retry_after": 3600}
    if fault:
        client.post(f"{made['control_url']}/faults", json=fault).raise_for_status()
    return {"url": f"{made['url']}/v1/customers", "secret": token["secret"]}, made["control_url"]


def _tell(client: httpx.Client, own: str) -> Outcome:
    found = client.get(f"{own}/findings").json()["data"]
    attempts = client.get(f"{own}/journal", params={"method": "POST", "route": "/v1/customers"}).json()["matched"]
    by_severity = ([each["id"] for each in found if each["severity"] == name] for name in ("error", "warning", "hint"))
    return Outcome(attempts, *by_severity)


@pytest.fixture(scope="module")
def fake() -> Iterator[str]:
    """The control URL of a fake."""
    with running_fake() as ready:
        assert ready.control_url is not None
        yield ready.control_url


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The command that runs the clients of Node."""
    if shutil.which("npm") is None:
        pytest.skip("npm is not on this machine")
    folder = tmp_path_factory.mktemp("node")
    installed = subprocess.run(
        ["npm", "install", "--no-audit", "--no-fund", *PACKAGES],  # noqa: S607 - whichever is on the PATH
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=RUN_SECONDS,
    )
    if installed.returncode:
        pytest.skip(f"npm cannot fetch the clients: {installed.stderr[-200:]}")
    return ["node", str(shutil.copy(CLIENTS / "clients.mjs", folder / "clients.mjs"))]


def expected(case: Case) -> Outcome:
    """What has to come of a case: a retry of all that may have failed, and a finding for each new key."""
    is_retried = case.fault not in NO_RETRY and (case.client, case.fault) not in GIVE_UP
    errors: list[str] = []
    warnings: list[str] = []
    hints: list[str] = []
    if is_retried and case.renews:
        (hints if case.fault == "429" else errors).append("new-key-on-retry")
    if case.fault == "429" and case.client in HURRIED:
        (hints if case.renews else warnings).append("retry-too-early")
    return Outcome(1 + is_retried, errors, warnings, hints)


def differing(outcomes: dict[Case, Outcome]) -> dict[Case, tuple[Outcome, Outcome]]:
    """The cases of which something else came than has to: what came, and what has to."""
    wanted = {case: expected(case) for case in outcomes}
    return {case: (got, wanted[case]) for case, got in outcomes.items() if got != wanted[case]}


@pytest.mark.extended
@pytest.mark.slow
def test_clients_of_python_are_judged_by_what_they_do(fake: str) -> None:
    """No false finding, and every true one."""
    pytest.importorskip("aiohttp")
    command = [sys.executable, str(CLIENTS / "clients.py")]
    assert differing(try_all(fake, cases(PYTHON), command)) == {}


@pytest.mark.extended
@pytest.mark.slow
def test_clients_of_node_are_judged_by_what_they_do(fake: str, node: list[str]) -> None:
    """Likewise."""
    assert differing(try_all(fake, cases(NODE), node)) == {}
