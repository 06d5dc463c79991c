"""The four figures of the README are those of the last selftest, and of the tables as they are now."""

from __future__ import annotations

import json
import re

from helpers.paths import ROOT
from paylera_conformance.selftest.mutants import list_mutants
from paylera_conformance.selftest.null_servers import BEHAVIOURS
from paylera_conformance.version import VERSION
from paylera_fixtures.clauses import CONTRACT_VERSION

FIGURES = json.loads((ROOT / "docs" / "figures.json").read_text("utf-8"))
_README = (ROOT / "README.md").read_text("utf-8")
SHOWN = [(int(part), int(whole)) for part, whole in re.findall(r"(?m)^\| .* \| (\d+) of (\d+) \|$", _README)]
"""A part and a whole for each row of the README's table."""


def test_the_readme_shows_the_figures_of_the_last_selftest() -> None:
    """A figure that nobody can recompute is an advertisement."""
    figures = FIGURES["figures"]
    seen_through = figures["null_servers"] - figures["null_servers_fooling"]
    assert [
        (figures["mutants_caught"], figures["mutants"]),
        (figures["holes_caught"], figures["holes"]),
        (figures["dialects_tolerated"], figures["dialects"]),
        (seen_through, figures["null_servers"]),
    ] == SHOWN


def test_the_last_selftest_ran_all_there_is() -> None:
    """A mutant that is added without a run would make the figures say more than was seen.

    Otherwise: a complete `paylera-conformance selftest --report DIR`, and `python docs/tables.py DIR/kill-matrix.json`.
    """
    dialects = [mutant.is_dialect for mutant in list_mutants().values()]
    wholes = [whole for _, whole in SHOWN]
    holes = len(list_mutants(holes=True))
    assert wholes == [dialects.count(False), holes, dialects.count(True), len(BEHAVIOURS)]


def test_the_last_selftest_was_of_this_contract_and_suite() -> None:
    """Figures of another version are another version's."""
    assert (FIGURES["suite_version"], FIGURES["contract_version"]) == (VERSION, CONTRACT_VERSION)
