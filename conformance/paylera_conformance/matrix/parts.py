"""The parts of the matrix, of which each process of a run looks at its own."""

from __future__ import annotations

import re
from typing import Final

from paylera_fixtures.api.operations import BY_ID, OPERATIONS, Operation

_CELL: Final = re.compile(r"test_it_is_so_on_every_operation\[.+-(\w+)\]")


def part_of(operation: Operation, parts: int) -> int:
    """The part, of so many, that the cells of an operation are in. All other cases are in the first."""
    return OPERATIONS.index(operation) % parts


def operation_of(case: str) -> Operation | None:
    """The operation of a case that is a cell of the matrix, by the name that pytest gives it; `None` for another."""
    found = _CELL.fullmatch(case)
    return BY_ID[found[1]] if found else None
