"""The page on certifying, and the examples: what they name is there."""

from __future__ import annotations

import re

import pytest
import yaml

from helpers.paths import ROOT
from paylera_conformance.cli import main
from paylera_conformance.target.adapter import Adapter
from paylera_conformance.target.config_file import STATE_KEY

PAGE = (ROOT / "docs" / "how-to" / "certification.md").read_text("utf-8")
WORKFLOW = (ROOT / "examples" / "github" / "paylera-certification.yml").read_text("utf-8")
OPTIONS = {option for command in main.commands.values() for parameter in command.params for option in parameter.opts}


@pytest.mark.parametrize("text", [PAGE, WORKFLOW], ids=["page", "workflow"])
def test_every_option_is_one(text: str) -> None:
    """A page that names what is gone sends its reader in circles."""
    assert set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", text)) - OPTIONS == set()


@pytest.mark.parametrize("text", [PAGE, WORKFLOW], ids=["page", "workflow"])
def test_every_command_is_one(text: str) -> None:
    """As with options."""
    assert set(re.findall(r"paylera-conformance ([a-z]+)\b", text)) - set(main.commands) == set()


def test_every_method_of_an_adapter_is_one() -> None:
    """Who overrides a method that nobody calls waits for ever."""
    rows = [line for line in PAGE.splitlines() if re.match(r"\| `\w+\(", line)]
    named = {name for row in rows for name in re.findall(r"`(\w+)\(", row.split("|")[1])}
    assert (len(named), {name for name in named if not hasattr(Adapter, name)}) == (12, set())


def test_workflow_has_three_cron_lines() -> None:
    """One begins, two go on."""
    # YAML 1.1 takes the bare word `on` for true.
    assert len(yaml.safe_load(WORKFLOW)[True]["schedule"]) == 3


def test_workflow_begins_on_its_first_cron_line() -> None:
    """The steps are told apart by the line that fired."""
    document = yaml.safe_load(WORKFLOW)
    begin = document[True]["schedule"][0]["cron"]
    conditions = [step["if"] for step in document["jobs"]["certify"]["steps"] if "schedule" in step.get("if", "")]
    assert [f"'{begin}'" in condition for condition in conditions] == [True, True]


def test_workflow_gives_the_key_of_the_state() -> None:
    """Without it nothing could be sealed."""
    assert STATE_KEY in yaml.safe_load(WORKFLOW)["jobs"]["certify"]["env"]
