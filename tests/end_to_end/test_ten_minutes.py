"""A developer's tests are red with a 401: however the fake is used, the cause is on the screen after one command."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from helpers.lean_pytest import LEAN
from paylera_fixtures.tokens import WELL_KNOWN
from paylera_mock.server.ready import Ready
from paylera_mock.state.token_names import ready_name

pytestmark = pytest.mark.slow

SECRETS = {ready_name(token): token.secret for token in WELL_KNOWN}


class Mistake(NamedTuple):
    """What a client sends as `Authorization`, made of good tokens, and what must be said of it."""

    header: str
    code: str
    cause: str


MISTAKES = {
    "no token": Mistake("", "auth.missing_token", "Give the client a token"),
    "a token that was cut": Mistake("Bearer {secret:.40}", "auth.invalid_token", "3 characters are missing"),
    "a variable that nobody filled in": Mistake("Bearer $PAYLERA_KEY", "auth.invalid_token", "the variable's value"),
    "quotes": Mistake('Bearer "{secret}"', "auth.invalid_token", "quotes around it"),
    "another scheme": Mistake("Basic {secret}", "auth.invalid_token", "This is Basic authentication"),
    "the other environment": Mistake("Bearer {live}", "auth.wrong_environment", "live URL"),
    "a scope that is missing": Mistake("Bearer {unscoped}", "auth.scope_required", "customers:read"),
}

RED_OVER_HTTP = """
import json
import os
import urllib.error
import urllib.request

import pytest


def list_customers(url, header):
    request = urllib.request.Request(f"{url}/v1/customers", headers={"Authorization": header} if header else {})
    try:
        return urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request).status
    except urllib.error.HTTPError as error:
        return error.code


@pytest.mark.parametrize("header", json.loads(os.environ["HEADERS"]))
def test_customers_are_listed(header):
    assert list_customers(os.environ["PAYLERA_BASE_URL"], header) == 200
"""

RED_IN_PROCESS = """
import json
import os

import httpx
import pytest


def list_customers(client, header):
    return client.get("/v1/customers", headers={"Authorization": header} if header else {}).status_code


@pytest.mark.parametrize("header", json.loads(os.environ["HEADERS"]))
def test_customers_are_listed(header, paylera, paylera_transport):
    with httpx.Client(transport=paylera_transport, base_url=paylera.url) as client:
        live, unscoped = paylera.token("*", environment="live").secret, paylera.token().secret
        header = header.format(secret=paylera.everything.secret, live=live, unscoped=unscoped)
        assert list_customers(client, header) == 200
"""

PYTEST = (sys.executable, "-m", "pytest", "-q", *LEAN, "test_red.py")
MOCK = (sys.executable, "-m", "paylera_mock")


def run_red(command: tuple[str, ...], folder: Path, source: str, headers: list[str], **variables: str) -> str:
    """Run a command in a folder that has a red test for each header: all that it shows."""
    (folder / "test_red.py").write_text(source, "utf-8")
    environment = {"PATH": "/usr/bin:/bin", "COLUMNS": "100", "HEADERS": json.dumps(headers), **variables}
    ended = subprocess.run(
        command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    assert ended.returncode == 1, ended.stdout
    return ended.stdout


HEADERS = [mistake.header for mistake in MISTAKES.values()]


def filled_in() -> list[str]:
    """The headers with well-known tokens."""
    names = {"secret": "serviceall", "live": "live_serviceall", "unscoped": "servicenoscope"}
    return [header.format(**{name: SECRETS[token] for name, token in names.items()}) for header in HEADERS]


def by_serve(folder: Path) -> str:
    """What the window shows in which `serve` runs."""
    with (folder / "window").open("w") as window:
        command = [*MOCK, "serve", "--port=0", "--max-seconds=600"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=window, text=True) as fake:
            assert fake.stdout is not None
            url = Ready.from_line(fake.stdout.readline()).url
            run_red(PYTEST, folder, RED_OVER_HTTP, filled_in(), PAYLERA_BASE_URL=url)
            fake.terminate()
    return (folder / "window").read_text("utf-8")


def by_exec(folder: Path) -> str:
    """What `exec` shows."""
    return run_red((*MOCK, "exec", "--", *PYTEST), folder, RED_OVER_HTTP, filled_in())


def by_plugin(folder: Path) -> str:
    """What pytest shows."""
    return run_red(PYTEST, folder, RED_IN_PROCESS, HEADERS)


WAYS: dict[str, Callable[[Path], str]] = {"serve": by_serve, "exec": by_exec, "plugin": by_plugin}


@pytest.fixture(scope="module", params=WAYS)
def told(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """What the screen says of each refusal, from its code to the next one's, without line breaks."""
    screen = " ".join(WAYS[request.param](tmp_path_factory.mktemp("red")).split())
    return re.split(r"(?=\bauth\.[a-z_]+\b)", screen)


@pytest.mark.parametrize("mistake", MISTAKES.values(), ids=MISTAKES)
def test_the_cause_of_a_401_is_on_the_screen(told: list[str], mistake: Mistake) -> None:
    """Behind the problem's code: what is wrong with what was sent."""
    causes = [text for text in told if text.startswith(mistake.code) and mistake.cause in text]
    assert causes != [], told
