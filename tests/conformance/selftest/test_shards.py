"""A selftest in parts is the selftest: every server is in one part, and the parts make one matrix."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from paylera_conformance.cli import main
from paylera_conformance.selftest.matrix import Matrix, write_matrix
from paylera_conformance.selftest.mutants import Mutant
from paylera_conformance.selftest.null_servers import BEHAVIOURS, NullResult
from paylera_conformance.selftest.shards import Shard, merge_matrices, parse_shard
from paylera_conformance.selftest.verdicts import Breadth, MutantResult
from paylera_conformance.target.settings import ConfigError

KNOWN = {
    "m": Mutant("m", "Something is wrong.", breaks=("token.unknown",)),
    "d": Mutant("d", "Something is otherwise.", "dialect"),
    "h": Mutant("h", "A rule is dropped.", breaks=("token.unknown",), operation="GET /v1/customers"),
}


def write_part(folder: Path, *ids: str, nulls: tuple[str, ...] = (), breadth: Breadth = Breadth.USUAL) -> str:
    """The report of a selftest that ran these and caught everything."""
    results = {
        id_: MutantResult(
            id_,
            KNOWN[id_].breaks,
            errors=(),
            blocked=(),
            ran=1,
            requests=1,
            seconds=0.5,
            messages={"token.unknown": "on 1 of 45 operations (GET /v1/customers): wanted 401"},
        )
        for id_ in ids
    }
    rejected = [NullResult(name, 13, "NO VERDICT", (), "", 0.1) for name in nulls]
    mutants = [KNOWN[id_] for id_ in ids]
    write_matrix(Matrix(mutants, results, rejected, 2.0, complete=False, breadth=breadth), str(folder))
    return str(folder)


@pytest.mark.parametrize("count", [1, 2, 3, 7, 12])
def test_the_shards_are_the_whole(count: int) -> None:
    """Each item is in one of them, and none is larger than another by more than one."""
    items = list(range(10))
    shares = [Shard(number, count).of(items) for number in range(1, count + 1)]
    assert sorted(item for share in shares for item in share) == items
    assert max(map(len, shares)) - min(map(len, shares)) <= 1


@pytest.mark.parametrize("text", ["", "1", "0/2", "3/2", "1/0", "a/b", "1/2/3", "-1/2", "²/3"])
def test_what_is_no_shard_is_refused(text: str) -> None:
    """With the form that it has, as a mistake in the usage."""
    with pytest.raises(ValueError, match="give I/N"):
        parse_shard(text)
    ended = CliRunner().invoke(main, ["selftest", "--shard", text])
    assert (ended.exit_code, "give I/N" in ended.output) == (4, True)


def test_parts_are_merged_to_the_whole(tmp_path: Path) -> None:
    """Complete where nothing is missing; the later result of one server counts, and the seconds are added."""
    first = write_part(tmp_path / "1", "m", "h", nulls=tuple(BEHAVIOURS))
    second = write_part(tmp_path / "2", "d")
    assert not merge_matrices([first], KNOWN).complete
    merged = merge_matrices([first, second, second], KNOWN)
    assert (merged.complete, merged.is_good, merged.seconds) == (True, True, 6.0)
    assert [mutant.id for mutant in merged.mutants] == list(KNOWN)


def test_what_the_whole_suite_ran_against_counts_beside_the_rest(tmp_path: Path) -> None:
    """As where a few were run again by name."""
    usual = write_part(tmp_path / "1", "m", "h")
    merged = merge_matrices([usual, write_part(tmp_path / "2", "h", breadth=Breadth.WHOLE)], KNOWN)
    assert (merged.breadth, len(merged.mutants)) == (Breadth.USUAL, 2)


def spoil(folder: str, **members: Any) -> str:
    """The same report with other members."""
    path = Path(folder) / "kill-matrix.json"
    path.write_text(json.dumps({**json.loads(path.read_text("utf-8")), **members}), "utf-8")
    return folder


def test_parts_that_are_not_of_one_selftest_are_refused(tmp_path: Path) -> None:
    """With what to do about it."""
    good = write_part(tmp_path / "good", "m")
    other = write_part(tmp_path / "fast", "d", breadth=Breadth.SAMPLE)
    old = spoil(write_part(tmp_path / "old", "d"), suite_version="0.0.1")
    none = spoil(write_part(tmp_path / "none", "d"), variants="no")
    for folders, says in (
        ([good, other], "a fast one"),
        ([good, old], r"is of suite 0\.0\.1"),
        ([good, none], "is not the matrix of a selftest"),
        ([str(tmp_path / "missing")], "No such file"),
    ):
        with pytest.raises(ConfigError, match=says):
            merge_matrices(folders, KNOWN)
    with pytest.raises(ConfigError, match="no mutant of this fake"):
        merge_matrices([good], {"d": KNOWN["d"]})


@pytest.mark.parametrize("more", [["token-anywhere-in-header"], ["--fast"], ["--whole"], ["--shard", "1/2"]])
def test_merging_runs_nothing(tmp_path: Path, more: list[str]) -> None:
    """What is to be run beside it is a mistake."""
    ended = CliRunner().invoke(main, ["selftest", "--merge", str(tmp_path), *more])
    assert (ended.exit_code, "--merge runs nothing" in ended.output) == (4, True)
