"""The mark by which a test names the clause that it is about."""

from __future__ import annotations

import pytest

from paylera_conformance.settings import Mode
from paylera_fixtures.clauses import BY_ID

MARKER = "paylera_clause"


def covers(clause_id: str, *, mode: Mode = Mode.OBSERVE, each_operation: bool = False) -> pytest.MarkDecorator:
    """Mark a test as being about one clause.

    - `mode`: the least mode in which it may run;
    - `each_operation`: its cases are operations of which a target may lack some; those drop out.

    Raises `KeyError` for a clause that does not exist.
    """
    return pytest.mark.paylera_clause(BY_ID[clause_id].id, mode=mode, each_operation=each_operation)
