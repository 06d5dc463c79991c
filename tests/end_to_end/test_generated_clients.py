"""The OpenAPI document in the hands of others: linters find nothing, and generated clients go through a real flow."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import pytest

from helpers.generated_clients import DOCUMENT, GENERATORS, Clients, prepared_clients
from helpers.mock_program import get
from paylera_fixtures.api.openapi import build
from paylera_fixtures.vocabulary import Profile

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def clients(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clients]:
    """A served fake and its documents, and beside them the document of a target that publishes none."""
    with prepared_clients(tmp_path_factory.mktemp("clients")) as made:
        (made.npm.folder / "control.json").write_bytes(get(f"{made.ready.control_url}/openapi.json").body)
        (made.npm.folder / "built.json").write_text(json.dumps(build(Profile.GUIDE)), "utf-8")
        yield made


LINTERS = {
    "redocly": ("lint",),
    "spectral": ("lint", "--ruleset", "spectral.yaml", "--fail-severity", "warn"),
}


@pytest.mark.parametrize("name", LINTERS)
def test_a_linter_finds_nothing(clients: Clients, name: str) -> None:
    """Neither an error nor, by the rules that it recommends, a warning."""
    npm = clients.npm
    found = npm.run(npm.program(name), *LINTERS[name], DOCUMENT, "built.json", "control.json")
    assert (found.returncode, "warning" in found.stderr.partition("validating")[2]) == (0, False), (
        found.stdout + found.stderr
    )


@pytest.mark.parametrize("generate", GENERATORS.values(), ids=GENERATORS)
def test_a_generated_client_goes_through_a_flow(
    clients: Clients, generate: Callable[[Clients], tuple[str, ...]]
) -> None:
    """Customer, list, subscription, invoice, payment, refund, rotation and revocation, with types checked."""
    clients.go_through(generate(clients))
