"""The table of clauses, and the guide that it stands for."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from paylera_fixtures.clauses import BY_ID, CLAUSES, GROUPS, Clause, Level, clauses_of
from paylera_fixtures.guide import GUIDE_STATEMENTS, Statement
from paylera_fixtures.vocabulary import GUIDE_CODES, Problems, Profile, Source

COVERED = {id_ for statement in GUIDE_STATEMENTS for id_ in statement.clauses}
CODES = {value.code for name, value in vars(Problems).items() if name.isupper()}
GUIDE_CLAUSES = [clause for clause in CLAUSES if clause.source is Source.GUIDE]

LEVELS = (
    ("credential.missing", Profile.GUIDE, Level.MUST),
    ("credential.missing", Profile.REFERENCE, Level.MUST),
    ("idempotency.replay", Profile.GUIDE, Level.SHOULD),
    ("idempotency.replay", Profile.REFERENCE, Level.MUST),
    ("credential.challenge", Profile.GUIDE, Level.SHOULD),
    ("credential.challenge", Profile.REFERENCE, Level.SHOULD),
    ("version.unknown", Profile.REFERENCE, Level.SHOULD),
    # A reference clause that stays a should where the reference binds.
    ("problem.occurrence", Profile.REFERENCE, Level.SHOULD),
    ("rate-limit.refusal", Profile.REFERENCE, Level.SHOULD),
)


def test_ids_are_unique() -> None:
    """Two rows of one id would hide each other."""
    assert len(BY_ID) == len(CLAUSES)


def test_groups_are_those_of_the_clauses_in_order() -> None:
    """Reports walk the groups and expect each clause in one."""
    assert list(GROUPS) == list(dict.fromkeys(clause.group for clause in CLAUSES))


@pytest.mark.parametrize("clause", CLAUSES, ids=lambda clause: clause.id)
def test_id_is_group_and_name(clause: Clause) -> None:
    """Ids stand in markers, options and reports: small letters, digits, hyphens, one dot."""
    assert re.fullmatch(r"[a-z0-9-]+\.[a-z0-9-]+", clause.id)


@pytest.mark.parametrize("clause", CLAUSES, ids=lambda clause: clause.id)
def test_clause_says_a_sentence(clause: Clause) -> None:
    """A report prints it as it stands."""
    assert clause.says.endswith(".")


@pytest.mark.parametrize("clause", CLAUSES, ids=lambda clause: clause.id)
def test_section_fits_the_source(clause: Clause) -> None:
    """The citation names the guide, a page, an RFC, or the project and its reason."""
    begins = {
        Source.GUIDE: r"Authenticate guide, ",
        Source.REFERENCE: r"[A-Z][a-z ]+ page, ",
        Source.RFC: r"RFC \d+ section ",
        Source.CHOSEN: r"decided by this project: ",
    }
    assert re.match(begins[clause.source], clause.section)


@pytest.mark.parametrize("clause", CLAUSES, ids=lambda clause: clause.id)
def test_problem_codes_named_exist(clause: Clause) -> None:
    """A code in a sentence is one of the vocabulary."""
    named = set(re.findall(r"`((?:auth|idempotency|rate_limit)\.\w+)`", clause.says))
    assert named <= CODES


@pytest.mark.parametrize(("id_", "profile", "level"), LEVELS)
def test_level_follows_from_source_and_profile(id_: str, profile: Profile, level: Level) -> None:
    """Authority makes the level, but for the rows that are never a must."""
    assert BY_ID[id_].level(profile) is level


@pytest.mark.parametrize("profile", Profile)
def test_chosen_is_never_a_must(profile: Profile) -> None:
    """What this project chose cannot make a target non-conformant."""
    levels = {clause.level(profile) for clause in CLAUSES if clause.source in {Source.CHOSEN, Source.RFC}}
    assert levels == {Level.SHOULD}


@pytest.mark.parametrize("profile", Profile)
def test_each_profile_looks_at_every_clause(profile: Profile) -> None:
    """No clause is off today, so that both profiles report the same rows."""
    assert clauses_of(profile) == CLAUSES


@pytest.mark.parametrize("statement", GUIDE_STATEMENTS, ids=lambda statement: statement.says)
def test_statement_is_covered_or_says_why_not(statement: Statement) -> None:
    """One of the two, never both."""
    assert bool(statement.clauses) != bool(statement.not_testable)


def test_statements_name_clauses_that_exist() -> None:
    """A statement held by a clause that is not there would be held by nothing."""
    assert set(BY_ID) >= COVERED


@pytest.mark.parametrize("clause", GUIDE_CLAUSES, ids=lambda clause: clause.id)
def test_guide_clause_is_backed_by_a_statement(clause: Clause) -> None:
    """What is called the guide's must be found in the guide."""
    assert clause.id in COVERED


@pytest.mark.parametrize("clause", GUIDE_CLAUSES, ids=lambda clause: clause.id)
def test_guide_clause_cites_a_section_of_the_guide(clause: Clause) -> None:
    """The sections cited are those that the statements stand under."""
    cited = clause.section.removeprefix("Authenticate guide, ").split(" and ")
    assert set(cited) <= {statement.section for statement in GUIDE_STATEMENTS}


@pytest.mark.parametrize("code", [problem.code for problem in GUIDE_CODES])
def test_every_code_of_the_guide_is_in_a_clause(code: str) -> None:
    """Each refusal that the guide names is asked for by some clause."""
    assert any(f"`{code}`" in clause.says for clause in GUIDE_CLAUSES)


def test_statements_are_told_apart() -> None:
    """Each statement stands once."""
    assert max(Counter(statement.says for statement in GUIDE_STATEMENTS).values()) == 1
