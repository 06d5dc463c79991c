"""A developer's test is red with a 401: however the fake is used, the cause is on the screen after one command."""

from __future__ import annotations

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
    "a variable that nobody filled in": Mistake("Bearer $PAYLERA_KEY", "auth.invalid_token", "variable"),
    "quotes": Mistake('Bearer "{secret}"', "auth.invalid_token", "quotes"),
    "another scheme": Mistake("Basic {secret}", "auth.invalid_token", "Bearer"),
    "the other environment": Mistake("Bearer {live}", "auth.wrong_environment", "live URL"),
    "a scope that is missing": Mistake("Bearer {unscoped}", "auth.scope_required", "customers:read"),
}

RED_OVER_HTTP = """
import os
import urllib.error
import urllib.request


def list_customers(url, header):
    request = urllib.request.Request(f"{url}/v1/customers", headers={"Authorization": header} if header else {})
    try:
        return urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request).status
    except urllib.error.HTTPError as error:
        return error.code


def test_customers_are_listed():
    assert list_customers(os.environ["PAYLERA_BASE_URL"], os.environ["AUTHORIZATION"]) == 200
"""

RED_IN_PROCESS = """
import os

import httpx


def list_customers(client, header):
    return client.get("/v1/customers", headers={"Authorization": header} if header else {}).status_code


def test_customers_are_listed(paylera, paylera_transport):
    with httpx.Client(transport=paylera_transport, base_url=paylera.url) as client:
        live, unscoped = paylera.token("*", environment="live").secret, paylera.token().secret
        header = os.environ["AUTHORIZATION"].format(secret=paylera.everything.secret, live=live, unscoped=unscoped)
        assert list_customers(client, header) == 200
"""

PYTEST = (sys.executable, "-m", "pytest", "-q", *LEAN, "test_red.py")
MOCK = (sys.executable, "-m", "paylera_mock")


def run_red(command: tuple[str, ...], folder: Path, source: str, **variables: str) -> str:
    """Run a command in a folder that has the red test: all that it shows."""
    (folder / "test_red.py").write_text(source, "utf-8")
    environment = {"PATH": "/usr/bin:/bin", "COLUMNS": "100", **variables}
    ended = subprocess.run(
        command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    assert ended.returncode == 1, ended.stdout
    return ended.stdout


def fill_in(header: str) -> str:
    """A header with well-known tokens."""
    names = {"secret": "serviceall", "live": "live_serviceall", "unscoped": "servicenoscope"}
    return header.format(**{name: SECRETS[token] for name, token in names.items()})


def by_serve(folder: Path, header: str) -> str:
    """What the window shows in which `serve` runs."""
    with (folder / "window").open("w") as window:
        command = [*MOCK, "serve", "--port=0", "--max-seconds=600"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=window, text=True) as fake:
            assert fake.stdout is not None
            url = Ready.from_line(fake.stdout.readline()).url
            run_red(PYTEST, folder, RED_OVER_HTTP, PAYLERA_BASE_URL=url, AUTHORIZATION=fill_in(header))
            fake.terminate()
    return (folder / "window").read_text("utf-8")


def by_exec(folder: Path, header: str) -> str:
    """What `exec` shows."""
    return run_red((*MOCK, "exec", "--", *PYTEST), folder, RED_OVER_HTTP, AUTHORIZATION=fill_in(header))


def by_plugin(folder: Path, header: str) -> str:
    """What pytest shows."""
    return run_red(PYTEST, folder, RED_IN_PROCESS, AUTHORIZATION=header)


WAYS: dict[str, Callable[[Path, str], str]] = {"serve": by_serve, "exec": by_exec, "plugin": by_plugin}


@pytest.mark.parametrize("mistake", MISTAKES.values(), ids=MISTAKES)
@pytest.mark.parametrize("show", WAYS.values(), ids=WAYS)
def test_the_cause_of_a_401_is_on_the_screen(
    tmp_path: Path, show: Callable[[Path, str], str], mistake: Mistake
) -> None:
    """The problem's code, and what is wrong with what was sent, without the secret."""
    screen = " ".join(show(tmp_path, mistake.header).split())
    assert mistake.code in screen
    assert mistake.cause in screen[screen.index(mistake.code) :]
