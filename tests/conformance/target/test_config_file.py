"""The JSON Schema of the configuration file says what the loader takes, so that an editor can say it first."""

from __future__ import annotations

import json
import re
import tomllib
from typing import Any

import jsonschema_rs
import pytest
from click.testing import CliRunner

from helpers.paths import ROOT
from paylera_conformance.cli import main
from paylera_conformance.run.options import OPTIONS
from paylera_conformance.target.config_file import ConfigFile, ProvisionTable, TargetTable, config_schema
from paylera_conformance.target.settings import Mode
from paylera_fixtures.vocabulary import READINGS

PAGES = ["README.md", "docs/how-to/suite.md", "docs/reference/protocol.md", "docs/how-to/certification.md"]
DOCUMENTED = [
    block for page in PAGES for block in re.findall(r"```toml\n(.*?)```", (ROOT / page).read_text("utf-8"), re.DOTALL)
]


def properties(table: str) -> dict[str, Any]:
    """What the schema says of a table's members."""
    schema = config_schema()
    whole = schema["$defs"]["ConfigFile"]["properties"][table]
    named: dict[str, Any] = schema["$defs"][whole["$ref"].rpartition("/")[2]] if "$ref" in whole else whole
    found: dict[str, Any] = named["properties"]
    return found


def test_program_prints_it() -> None:
    """For whoever has no Python at hand."""
    printed = CliRunner().invoke(main, ["schema", "--config"]).output
    assert json.loads(printed) == json.loads(json.dumps(config_schema()))


def test_it_is_a_schema() -> None:
    """Of the draft that editors read."""
    assert jsonschema_rs.meta.is_valid({"$schema": "https://json-schema.org/draft/2020-12/schema", **config_schema()})


@pytest.mark.parametrize("text", DOCUMENTED)
def test_documented_file_is_valid(text: str) -> None:
    """Every example of the pages."""
    jsonschema_rs.validate(config_schema(), tomllib.loads(text))


@pytest.mark.parametrize(
    "text",
    [
        "[targets]",
        "[target]\nurll = 1",
        "[target]\nmode = 'all'",
        "[target]\ntimeout = 0",
        "[readings]\nscope_refusal = 404",
        "[readings]\nscope_refusals = 401",
        "[tokens.mine]\naudience = 'service'",
        "[tokens.mine]\ntoken = 'sk_sandbox_1'",
        "[tokens.mine]\ntoken = '${A}'\nscopes = '*'",
        "[operations]\naal2 = 'cancel'",
        "[operations]\naal2 = []",
        "[operations]\naal2 = 'POST /v1/payments/{id/cancel'",
        "[operations]\nall2 = 'POST /v1/payments/{id}/cancel'",
        "[operations]\naal2 = ['cancel']",
    ],
)
def test_what_the_loader_refuses_is_invalid(text: str) -> None:
    """Unknown names, wrong types, values out of range, and a secret in the place of a reference."""
    assert not jsonschema_rs.is_valid(config_schema(), tomllib.loads(text))


def test_every_table_is_described() -> None:
    """With its members."""
    schema = config_schema()["$defs"]
    assert set(schema["ConfigFile"]["properties"]) == set(ConfigFile.__struct_fields__)
    assert [name for name, row in schema.items() if "properties" in row and not row.get("description")] == []


def test_modes_are_the_programs() -> None:
    """By their names, from the most careful on."""
    assert properties("target")["mode"]["enum"] == sorted(str(mode) for mode in Mode)


def test_readings_are_the_contracts() -> None:
    """Each with its question."""
    assert {name: row["description"] for name, row in properties("readings").items()} == {
        reading.name: reading.question for reading in READINGS.values()
    }


def test_members_that_options_overrule_are_options() -> None:
    """But for the secret, which is never typed."""
    members = {*TargetTable.__struct_fields__, *ProvisionTable.__struct_fields__} - {"control_token"}
    assert members - {name.replace("-", "_") for name, _ in OPTIONS} == set()


@pytest.mark.parametrize("name", ["timeout", "rps", "profile"])
def test_help_names_the_default(name: str) -> None:
    """The table's own."""
    default = getattr(TargetTable(), name)
    shown = f"{default:g}" if isinstance(default, float) else str(default)
    assert dict(OPTIONS)[name]["help"].endswith(f"  [default: {shown}]")
