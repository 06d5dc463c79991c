"""Peers' judges of an API and its document, which take long: Prism as a validating proxy, and the schemathesis CLI."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from helpers.generated_clients import GENERATORS, Clients, prepared_clients, validating_proxy
from helpers.nginx import free_port
from helpers.npm import SOURCES
from paylera_mock.cli.subprocess_server import running_fake

pytestmark = [pytest.mark.slow, pytest.mark.extended]

PRISM: Final = "@stoplight/prism-cli@5.16.0"


@pytest.fixture(scope="module")
def clients(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clients]:
    """A served fake, its document, and Prism."""
    with prepared_clients(tmp_path_factory.mktemp("clients")) as made:
        made.npm.add(PRISM)
        yield made


def test_prism_lets_every_flow_through(clients: Clients) -> None:
    """It would answer with an error where a request or an answer is not as the document has it."""
    flows = [generate(clients) for generate in GENERATORS.values()]
    with validating_proxy(clients, free_port()) as url:
        for flow in flows:
            clients.go_through(flow, url)


@pytest.mark.parametrize("profile", ["guide", "reference"])
def test_schemathesis_finds_nothing(tmp_path: Path, profile: str) -> None:
    """With all its checks, in all its phases. What it may draw and the fake refuses is told in `schemathesis.toml`."""
    with running_fake(["--profile", profile]) as ready:
        judged = subprocess.run(
            [
                *(sys.executable, "-m", "schemathesis.cli", "--config-file", str(SOURCES / "schemathesis.toml"), "run"),
                *(f"{ready.url}/openapi/v1.json", "--header", f"Authorization: Bearer {ready.tokens['adminaal2']}"),
                *("--checks", "all", "--max-examples", "30", "--seed", "1", "--continue-on-failure", "--no-color"),
            ],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
    assert judged.returncode == 0, judged.stdout[-20_000:] + judged.stderr
