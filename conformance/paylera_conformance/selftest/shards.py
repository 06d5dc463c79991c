"""A selftest in several parts, on as many machines or one after the other, and the matrix of all of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import msgspec

from paylera_conformance.selftest.matrix import JSON_NAME, SCHEMA, Matrix
from paylera_conformance.selftest.mutants import Mutant
from paylera_conformance.selftest.null_servers import BEHAVIOURS, NullResult
from paylera_conformance.selftest.verdicts import Breadth, MutantResult
from paylera_conformance.target.settings import ConfigError
from paylera_conformance.version import VERSION
from paylera_fixtures.clauses import CONTRACT_VERSION

_Item = TypeVar("_Item")


@dataclass(frozen=True)
class Shard:
    """One part of as many as there are: the `number`-th of `count`, from 1."""

    number: int = 1
    count: int = 1

    def of(self, items: Iterable[_Item]) -> list[_Item]:
        """Its share: what takes long stands together, and so is dealt out one by one."""
        return list(items)[self.number - 1 :: self.count]


def parse_shard(text: str) -> Shard:
    """Read `2/4`. Raises `ValueError` where it is none."""
    number, _, count = text.partition("/")
    if not (number.isdecimal() and count.isdecimal() and 1 <= int(number) <= int(count)):
        raise ValueError(f"{text!r} is no shard: give I/N, as in 1/4, the first of four")
    return Shard(int(number), int(count))


class _Written(msgspec.Struct, frozen=True):
    """What is read again of a `kill-matrix.json`."""

    schema: int
    suite_version: str
    contract_version: str
    breadth: Breadth
    seconds: float
    variants: Sequence[MutantResult]
    null_servers: Sequence[NullResult]


def merge_matrices(directories: Sequence[str], known: Mapping[str, Mutant]) -> Matrix:
    """The matrix of several selftests: complete where together they ran everything; their seconds are added.

    What two of them ran counts as the later of the two has it. Their breadth is the least of them, as where a few
    were run again by the whole suite.

    Raises `ConfigError` where one cannot be read, or is of another suite or contract, or a sample beside others.
    """
    parts = [_read_part(Path(directory) / JSON_NAME, known) for directory in directories]
    breadths = [breadth for breadth in Breadth if any(part.breadth is breadth for part in parts)]
    if Breadth.SAMPLE in breadths[:-1]:
        raise ConfigError("one of these selftests is a fast one, which shows less: merge it with its like")
    results = {result.id: result for part in parts for result in part.variants}
    nulls = {null.name: null for part in parts for null in part.null_servers}
    return Matrix(
        [mutant for mutant in known.values() if mutant.id in results],
        results,
        list(nulls.values()),
        seconds=sum(part.seconds for part in parts),
        complete=results.keys() == known.keys() and nulls.keys() == BEHAVIOURS.keys(),
        breadth=breadths[0],
    )


def _read_part(path: Path, known: Mapping[str, Mutant]) -> _Written:
    try:
        part = msgspec.json.decode(path.read_bytes(), type=_Written)
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}: name a directory that --report wrote") from None
    except msgspec.MsgspecError as error:
        raise ConfigError(f"{path} is not the matrix of a selftest: {error}") from None
    if (part.schema, part.suite_version, part.contract_version) != (SCHEMA, VERSION, CONTRACT_VERSION):
        raise ConfigError(f"{path} is of suite {part.suite_version}, not {VERSION}: run that part again")
    for result in part.variants:
        if result.id not in known:
            raise ConfigError(f"{path} has {result.id!r}, which is no mutant of this fake: run that part again")
    return part
