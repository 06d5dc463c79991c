"""How many tokens to mint is counted in a rehearsal, and `init`, `doctor` and a dry run say the same."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from helpers.suite import CANARY, run_suite
from helpers.watched_target import StartRun
from paylera_conformance.model.tokens import Credential, TokenState
from paylera_conformance.rehearsal.counting import count_held, count_tokens, rehearse_full_run
from paylera_conformance.rehearsal.recorder import RehearsedCase
from paylera_conformance.rehearsal.token_counts import (
    CLAUSES_OF,
    TOKEN_COUNTS,
    TokenCount,
    describe_counts,
    describe_kind,
    kind_of,
)
from paylera_conformance.target.provisioner import ACTED_ON, Need
from paylera_conformance.target.settings import Mode, Settings, VersionSettings
from paylera_fixtures.clauses import BY_ID
from paylera_fixtures.redaction import Secret
from paylera_fixtures.vocabulary import Audience, Profile

SEED = 5
"""Of the seeds from 1 to 6 the one that needs the most while waiting."""

SLACK = 4
"""So many fewer it needs than another one, or in the guide's profile."""

SPARE = Need("spare", disposable=True)
ADMIN = Need("spare", Audience.ADMIN, disposable=True)


def case(lent: int, *, returned: int = 0, rotated: int = 0, waits: bool = False) -> RehearsedCase:
    """A case that had so many tokens."""
    return RehearsedCase(lent=[SPARE] * lent, returned=[SPARE] * returned, rotated=[SPARE] * rotated, waits=waits)


# Cases, and how many tokens they need, in whichever order they come.
COUNTED: dict[str, tuple[list[RehearsedCase], bool, int]] = {
    "nothing": ([], False, 0),
    "one-after-the-other": ([case(1, returned=1), case(1, returned=1)], False, 1),
    "two-at-once": ([case(2, returned=2), case(1, returned=1)], False, 2),
    "used-up": ([case(1), case(1)], False, 2),
    # Whichever comes last, the others have used up theirs.
    "used-up-beside-two-at-once": ([case(1), case(2, returned=2), case(1)], False, 4),
    "used-up-in-part": ([case(3, returned=1), case(2, returned=2)], False, 4),
    "kept-by-who-waits": ([case(2, returned=2, rotated=2, waits=True), case(1, returned=1, rotated=1)], True, 3),
    "handed-out-again-once-rotated": ([case(1, returned=1), case(1, returned=1, rotated=1)], True, 2),
    "nobody-waits": ([case(2, returned=2, waits=True), case(1, returned=1)], False, 2),
}


@pytest.mark.parametrize(("cases", "waits", "number"), COUNTED.values(), ids=COUNTED)
def test_so_many_suffice_in_any_order(cases: list[RehearsedCase], waits: bool, number: int) -> None:  # noqa: FBT001 - a column of the table
    """What the others use up, and what one has at a time."""
    assert count_tokens(cases, waits=waits).total() == number


def test_kinds_are_counted_apart() -> None:
    """An admin's token is no service's."""
    cases = [RehearsedCase(lent=[SPARE, ADMIN, ADMIN])]
    assert count_tokens(cases, waits=False) == Counter({kind_of(SPARE): 1, kind_of(ADMIN): 2})


@pytest.mark.parametrize("need", [Need("", scopes=("a:b",), at_least=True), Need(ACTED_ON, scopes=("a:b",))])
def test_token_that_may_do_all_serves_whoever_takes_any(need: Need) -> None:
    """So that fewer kinds are to be minted."""
    assert kind_of(need) == Need("")


def test_most_that_a_case_has_will_do_where_none_is_used_up() -> None:
    """In mode sandbox tokens are acted on, and neither rotated nor revoked."""
    assert count_held([case(2), case(3), case(1)]) == {kind_of(SPARE): TokenCount(3, 3)}


@pytest.mark.slow
@pytest.mark.parametrize("profile", [Profile.GUIDE, pytest.param(Profile.REFERENCE, marks=pytest.mark.extended)])
@pytest.mark.parametrize("waits", [False, pytest.param(True, marks=pytest.mark.extended)], ids=["at-once", "waiting"])
def test_table_is_what_a_rehearsal_counts(waits: bool, profile: Profile) -> None:  # noqa: FBT001 - both ways to run
    """Where it is not, `TOKEN_COUNTS` is to be corrected; what is drawn makes a few more or fewer."""
    cases = rehearse_full_run(profile, waits=waits, seed=SEED)
    counted = count_tokens(cases, waits=waits)
    said = {kind: count.waiting if waits else count.at_once for kind, count in TOKEN_COUNTS.items()}
    assert counted.keys() == said.keys()
    wrong = {kind.describe(): counted[kind] for kind in said if not 0 <= said[kind] - counted[kind] <= SLACK}
    assert wrong == {}
    uses = {(kind_of(need), case.result.clause) for case in cases for need in case.rests_on if need.disposable}
    assert uses - {(kind, clause) for kind, clauses in CLAUSES_OF.items() for clause in clauses} == set()


def test_each_kind_is_said_to_be_taken_by_clauses() -> None:
    """By some that there are."""
    assert (CLAUSES_OF.keys(), set().union(*CLAUSES_OF.values()) - set(BY_ID)) == (TOKEN_COUNTS.keys(), set())


@pytest.mark.slow
def test_explain_says_as_many(tmp_path: Path) -> None:
    """Of each kind that the clause takes, and nothing where it takes none."""
    kept, read = (run_suite(tmp_path, "explain", clause) for clause in ("rotation.keeps-grants", "pagination.walk"))
    kinds = [kind for kind, clauses in CLAUSES_OF.items() if "rotation.keeps-grants" in clauses]
    told = " ".join(kept.output.split())
    wanted = [f"{kind.describe()}; a run of all clauses: {TOKEN_COUNTS[kind]}" for kind in kinds]
    assert [text for text in wanted if text not in told] == []
    assert (kept.output.count("uses up"), read.output.count("uses up")) == (len(kinds), 0)


@pytest.mark.slow
def test_dry_run_says_as_many(run_watched: StartRun) -> None:
    """Also where only some cases are rehearsed."""
    ended = run_watched("run", "--dry-run", "--mode", "full", "-k", "test_scope")
    told = " ".join(ended.output.split())
    few = "too few where the target makes none"
    wanted = [f"{count}, 0 listed, {few}: {kind.describe()}" for kind, count in TOKEN_COUNTS.items()]
    assert [text for text in wanted if text not in told] == []


def test_listed_tokens_are_counted_by_kind() -> None:
    """One without an id can be neither rotated nor revoked, and one that is kept, or over, does not count."""
    tokens = (
        Credential(Secret(CANARY, "a"), id="tok_1", disposable=True),
        Credential(Secret(f"{CANARY}2", "b"), disposable=True),
        Credential(Secret(f"{CANARY}3", "c"), id="tok_3"),
        Credential(Secret(f"{CANARY}4", "d"), id="tok_4", disposable=True, state=TokenState.REVOKED),
    )
    lines = list(describe_counts(Settings(url="http://target.test", mode=Mode.FULL, tokens=tokens)))
    assert [line for line in lines if " 0 listed" not in line] == [
        f"{TOKEN_COUNTS[kind_of(SPARE)]}, 1 listed, too few where the target makes none: {kind_of(SPARE).describe()}"
    ]


def test_as_many_as_are_needed_are_not_too_few() -> None:
    """Each number that is said can be reached."""
    count = TOKEN_COUNTS[kind_of(SPARE)].at_once
    tokens = tuple(Credential(Secret(f"{CANARY}{n}", "a"), id=f"tok_{n}", disposable=True) for n in range(count))
    (line,) = [line for line in describe_counts(Settings(url="http://target.test", tokens=tokens)) if " 0 " not in line]
    assert f"{count} listed: " in line


def test_older_token_is_older_than_the_target_s_own_version() -> None:
    """In a rehearsal a version is released that the target has never heard of."""
    settings = Settings(url="http://target.test", versions=VersionSettings(("2025-10-01", "2026-10-01"), "2026-10-01"))
    said = [describe_kind(replace(SPARE, older_than="2099-01-01"), settings), *describe_counts(settings)]
    assert [text for text in said if "made before" in text and "before version 2026-10-01 " not in text] == []
    assert "2026-10-01" in said[0]
