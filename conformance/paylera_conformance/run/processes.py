"""In how many processes a run goes on, and what each gets.

One where they would move each other's clock, however many were asked for.
"""

from __future__ import annotations

import os
from typing import Any, Final

import pytest

from paylera_conformance.matrix.parts import operation_of, part_of
from paylera_conformance.target.provisioner import Provisioner

ONE_ONLY: Final = (
    "one process runs the cases, whatever -n says: they share the clock, the versions and the limits of the target,"
    " which has no namespaces to keep them apart (capability `namespaces` of the control API, `isolate` of an adapter)"
)
"""Why a run is in one process."""


def count_processors() -> int:
    """How many processors this process may run on."""
    affinity = getattr(os, "sched_getaffinity", None)  # not everywhere
    return len(affinity(0)) if affinity else os.cpu_count() or 1


def count_workers(config: pytest.Config) -> int:
    """How many workers of xdist run the cases: 0 where this process does."""
    given: dict[str, Any] = getattr(config, "workerinput", {})
    return int(given.get("workercount", 0)) or len(getattr(config.option, "tx", None) or ())


def is_worker(config: pytest.Config) -> bool:
    """Whether this process is one of several."""
    return hasattr(config, "workerinput")


def start_no_workers(config: pytest.Config) -> None:
    """Have xdist, which has not begun yet, start no workers."""
    config.option.numprocesses, config.option.dist, config.option.tx = 0, "no", []


def must_be_alone(provisioner: Provisioner) -> bool:
    """Whether cases in several processes would move what others rest on."""
    return bool(getattr(provisioner, "has_one_world", False))  # an adapter may be any class


def count_parts(config: pytest.Config, provisioner: Provisioner) -> int:
    """In how many parts the operations are looked at: one for each process, where each has a namespace of its own."""
    return max(count_workers(config), 1) if getattr(provisioner, "isolates", False) else 1


def schedule(config: pytest.Config, log: object, parts: int) -> object:
    """A scheduler of xdist by which the cases of a file stay in one process, but for the parts of the operations.

    Since pytest 9.2 the groups of xdist 3.8 do nothing.
    """
    from xdist.scheduler import LoadScopeScheduling  # noqa: PLC0415 - where it was asked for alone

    class _ByPart(LoadScopeScheduling):  # type: ignore[misc] # xdist has no types
        def _split_scope(self, nodeid: str) -> str:
            file, _, case = nodeid.partition("::")
            operation = operation_of(case)
            part = part_of(operation, parts) if operation else 0
            return f"{file} {part}" if part else file

    return _ByPart(config, log)
