"""What `init` writes for somebody who has no configuration file yet, and what it says."""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from pathlib import Path

import pytest

from helpers.suite import Run, run_suite
from paylera_conformance.rehearsal.token_counts import TOKEN_COUNTS
from paylera_conformance.target.settings import load
from paylera_fixtures.clauses import BY_ID
from paylera_fixtures.vocabulary import Profile

pytestmark = pytest.mark.slow

SECRET = "sk_sandbox_" + "Listed".ljust(32, "7")


def initialise(folder: Path, *arguments: str) -> tuple[Path, Run]:
    """A file that `init` wrote, and what it said."""
    return folder / "mine.toml", run_suite(folder, "init", "mine.toml", "--url", "http://127.0.0.1:9", *arguments)


@pytest.fixture(scope="module")
def written_in_full(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Run]:
    """For a run that may do all."""
    return initialise(tmp_path_factory.mktemp("init"), "--mode", "full")


@pytest.fixture(scope="module")
def written_as_usual(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Run]:
    """In mode `sandbox`."""
    return initialise(tmp_path_factory.mktemp("init"))


@pytest.fixture(params=["full", pytest.param("sandbox", marks=pytest.mark.extended)])
def written(request: pytest.FixtureRequest) -> tuple[Path, Run]:
    """In each mode in which something is made."""
    name = "written_in_full" if request.param == "full" else "written_as_usual"
    found: tuple[Path, Run] = request.getfixturevalue(name)
    return found


def test_init_says_what_it_wrote(written: tuple[Path, Run]) -> None:
    """And ends well."""
    path, ended = written
    assert (ended.code, f"Wrote {path.name}" in ended.output) == (0, True)


def test_file_is_one_that_run_reads(written: tuple[Path, Run]) -> None:
    """With nothing but its two variables set."""
    environ = {"PAYLERA_SERVICE": SECRET, "PAYLERA_ADMIN_AAL2": SECRET + "2"}
    settings = load({"config": str(written[0])}, environ=environ)
    assert (settings.url, settings.profile, len(settings.tokens)) == ("http://127.0.0.1:9", Profile.GUIDE, 2)


def test_file_is_valid_with_every_token_taken_in(written: tuple[Path, Run]) -> None:
    """The lines that are commented out are TOML too, and no name is there twice."""
    lines = written[0].read_text("utf-8").splitlines()
    taken = [line.removeprefix("# ") if re.match(r"# [\w-]+ = \{", line) else line for line in lines]
    assert len(tomllib.loads("\n".join(taken))["tokens"]) > 30


@pytest.mark.parametrize(
    ("token_says", "clause"),
    [
        ('a service token with scopes *, of another tenant (tenant = "other")', "token.one-tenant"),
        ("a customer token with scopes *", "audience.customer-reads-own"),
        ("a service token with every scope but catalog:read, and without *", "scope.required"),
    ],
)
def test_token_is_listed_with_what_it_unlocks(written: tuple[Path, Run], token_says: str, clause: str) -> None:
    """So that whoever mints knows what for."""
    _, _, after = written[1].output.partition(token_says)
    assert clause in after.split("\n\n")[0]


@pytest.mark.extended
def test_dead_token_is_listed_where_none_is_revoked(written_as_usual: tuple[Path, Run]) -> None:
    """In mode `full` the suite revokes one of its own."""
    _, _, after = written_as_usual[1].output.partition('a service token with scopes *, state = "revoked"')
    assert "token.revoked" in after.split("\n\n")[0]


def test_every_clause_named_exists(written: tuple[Path, Run]) -> None:
    """The list is read off the suite's own cases."""
    named = {
        word
        for line in written[1].output.splitlines()
        if line.startswith("    ")
        for word in line.split()
        if "." in word
    }
    assert (len(named) > 20, named - set(BY_ID)) == (True, set())


def test_file_that_is_there_is_kept(tmp_path: Path) -> None:
    """Hours of work may be in it."""
    (tmp_path / "paylera-conformance.toml").write_text("# mine", "utf-8")
    ended = run_suite(tmp_path, "init")
    assert (ended.code, "--force" in ended.output, (tmp_path / "paylera-conformance.toml").read_text("utf-8")) == (
        4,
        True,
        "# mine",
    )


def test_init_says_how_many(written_in_full: tuple[Path, Run]) -> None:
    """Of each kind that is used up, and of no other."""
    _, ended = written_in_full
    told = " ".join(ended.output.split())
    assert [kind for kind, count in TOKEN_COUNTS.items() if f"{kind.describe()}, {count}" not in told] == []
    assert told.count("disposable = true, with its id, ") == len(TOKEN_COUNTS)


def test_file_says_as_many(written_in_full: tuple[Path, Run]) -> None:
    """Beside the table of the kind."""
    said = Counter(str(count) for count in TOKEN_COUNTS.values())
    text = written_in_full[0].read_text("utf-8")
    assert Counter(line.rpartition("list ")[2] for line in text.splitlines() if "it is used up" in line) == said
