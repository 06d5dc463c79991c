"""A mutant that violates more than it declares is told from its neighbours in the server where that is looked for."""

from __future__ import annotations

from threading import Event

import pytest
from msgspec.structs import replace

from paylera_conformance.selftest.mutants import list_mutants
from paylera_conformance.selftest.runner import run_mutants
from paylera_conformance.selftest.verdicts import Breadth, SelftestFinding, judge_mutant

HIDES = {
    "one that may violate the same": "page-begins-late",
    "one by which the case of it cannot be run": "no-token-needed",
}


@pytest.mark.slow
@pytest.mark.parametrize("neighbour", HIDES.values(), ids=HIDES)
def test_what_a_neighbour_may_do_is_no_excuse(neighbour: str) -> None:
    """The neighbour itself is caught."""
    known = list_mutants()
    overbroad = replace(known["never-more"], breaks=("pagination.envelope",))
    assert set(known["never-more"].breaks) > set(overbroad.breaks)
    wanted = [overbroad, known[neighbour]]
    results = run_mutants(wanted, workers=1, breadth=Breadth.USUAL, stop=Event(), on_result=lambda _: None)
    assert [judge_mutant(mutant, results[mutant.id]) for mutant in wanted] == [
        SelftestFinding.BLAMED_WRONGLY,
        SelftestFinding.CAUGHT,
    ]
