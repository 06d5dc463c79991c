"""The mark by which a test names the clause that it is about, and the operations that are its cases."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

import pytest

from paylera_conformance.marker import MARKER
from paylera_conformance.probe.probe import Probe
from paylera_conformance.target.settings import Mode
from paylera_fixtures.api.operations import OPERATIONS, Operation
from paylera_fixtures.clauses import BY_ID

SPENDING: Final = frozenset({"rotate_api_token", "revoke_api_token"})
"""Operations after which a credential is no longer what it was."""


def covers(
    clause_id: str,
    *,
    mode: Mode = Mode.OBSERVE,
    each_operation: bool = False,
    last: bool = False,
    hostile: bool = False,
) -> pytest.MarkDecorator:
    """Mark a test as being about one clause.

    - `mode`: the least mode in which it may run; a case with a parameter `operation` needs that operation's as well;
    - `each_operation`: its cases are operations of which a target may lack some; those drop out;
    - `last`: it runs when all else has run;
    - `hostile`: what it sends may break a careless target for good, so that it runs after those too.

    Raises `KeyError` for a clause that does not exist.
    """
    return pytest.mark.paylera_clause(
        BY_ID[clause_id].id, mode=mode, each_operation=each_operation, last=last, hostile=hostile
    )


def mode_of(operation: Operation) -> Mode:
    """The least mode in which an operation may be called."""
    if operation.is_read:
        return Mode.OBSERVE
    return Mode.FULL if operation.id in SPENDING else Mode.SANDBOX


def each_operation(which: Callable[[Operation], bool]) -> pytest.MarkDecorator:
    """Make a case of every operation of which `which` is true: the parameter `operation`."""
    chosen = [operation for operation in OPERATIONS if which(operation)]
    return pytest.mark.parametrize("operation", chosen, ids=[operation.id for operation in chosen])


PROBE: Final = pytest.StashKey[Probe]()
"""Where an item keeps the probe of its last run."""


def mark_of(item: pytest.Item) -> pytest.Mark:
    """The mark by which a case of the suite names its clause."""
    mark = item.get_closest_marker(MARKER)
    assert mark is not None  # noqa: S101 - only marked items get here
    return mark


def cell_of(item: pytest.Item) -> tuple[str, Operation | None]:
    """The rule and the operation of a case that is a cell of the matrix; no operation for another."""
    params = item.callspec.params if isinstance(item, pytest.Function) and hasattr(item, "callspec") else {}
    rule, operation = params.get("rule"), params.get("operation")
    return (rule, operation) if isinstance(rule, str) and isinstance(operation, Operation) else ("", None)


def values_of(items: Iterable[pytest.Item], parameter: str) -> set[str]:
    """The values that a parameter has in cases, such as the rows that they look at later."""
    functions = (item for item in items if isinstance(item, pytest.Function) and hasattr(item, "callspec"))
    return {str(each.callspec.params[parameter]) for each in functions if parameter in each.callspec.params}
