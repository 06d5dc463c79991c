"""Right servers whose answers have other shapes than the fake's, several at once, and wrong servers with those shapes.

What the Pagination page says of a list is a finding by the guide, and a failure by the reference, which that page is.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from helpers.suite import Run, run_suite
from paylera_mock.cli.subprocess_server import running_fake
from paylera_mock.mutants import all_mutants

ARRAYS = ("list-is-array", "object-under-kind", "rotation-answers-secret-alone", "refund-answers-payment")
HAL = ("list-in-hal", "object-under-data", "money-as-integers", "no-deletions", "revoked-tokens-not-found")
KIND = ("list-under-kind", "ids-named-after-kind", "admin-api-hidden", "extra-members")
COUNTED = ("ids-are-counted", "strings-escaped", "no-deletions")
NO_QUERY = ("query-refused", "admin-api-hidden", "no-deletions")
RIGHT = {
    "arrays": (ARRAYS, "reference"),
    "hal": (HAL, "guide"),
    "kind": (KIND, "reference"),
    "no-query": (NO_QUERY, "guide"),
    "counted": (COUNTED, "guide"),
}
"""Servers that are right, by what is other about each, and the profile; the selftest has each difference by itself."""

LEAKS = {
    "arrays": ("list-is-array", "object-under-kind"),
    "hal": ("list-in-hal", "object-under-data"),
    "kind": ("list-under-kind", "ids-named-after-kind"),
    "counted": ("ids-are-counted", "strings-escaped"),
}
"""The shapes in which a wrong server must be seen all the same."""

PAGES = {"pagination.envelope", "pagination.walk"}


def run_against(folder: Path, mutants: tuple[str, ...], *options: str, profile: str = "guide") -> Run:
    """A full run against a fake with several differences at once."""
    with running_fake([*(f"--mutant={name}" for name in mutants), f"--profile={profile}"]) as fake:
        control = ("--control-url", str(fake.control_url), "--profile", profile, "--report", "out")
        return run_suite(folder, "run", fake.url, *control, "-n", "2", *options)


@pytest.mark.slow
@pytest.mark.extended
@pytest.mark.parametrize(("mutants", "profile"), RIGHT.values(), ids=RIGHT)
def test_a_right_server_of_another_shape_fails_nothing_else(
    mutants: tuple[str, ...], profile: str, tmp_path: Path
) -> None:
    """It is certified, or told which page its lists depart from, and what it takes to prove the rest."""
    run = run_against(tmp_path, mutants, profile=profile)
    allowed = {clause for name in mutants for clause in all_mutants()[name].may_break}
    wrong = {clause: run.messages()[clause] for clause in run.having("fail", "warn", "error") - allowed}
    failed = run.having("fail", "error") - (PAGES if profile == "reference" else set())
    unproven = {run.messages()[clause].partition(" (see ")[2] for clause in run.having("blocked", "not-run")}
    assert (wrong, failed, unproven - {"pagination.envelope, which asks that limit is taken)"}) == ({}, set(), set())


@pytest.mark.slow
@pytest.mark.extended
@pytest.mark.parametrize("mutants", LEAKS.values(), ids=LEAKS)
def test_a_list_that_shows_what_others_have_is_seen_in_every_shape(mutants: tuple[str, ...], tmp_path: Path) -> None:
    """What cannot be found in an answer cannot be missed there either."""
    run = run_against(tmp_path, (*mutants, "customers-list-all"), "-k", "customer and listed")
    assert run.outcomes()["audience.customer-sees-only-own"] == "fail", run.output


# What a right server does in another way, and the clause that once took it for a violation.
TAKEN_FOR_WRONG = {
    "checks-in-other-order": "idempotency.replay-is-authorised",
    "ids-are-counted": "acting-as.absent",
    "strings-escaped": "audience.customer-reads-own",
}


@pytest.mark.slow
@pytest.mark.parametrize(("mutant", "clause"), TAKEN_FOR_WRONG.items())
def test_a_right_server_is_not_taken_for_a_wrong_one(mutant: str, clause: str, tmp_path: Path) -> None:
    """Its clause passes, whatever is drawn."""
    run = run_against(tmp_path, (mutant,), "--clause", clause)
    assert run.outcomes()[clause] == "pass", run.output


@pytest.mark.slow
def test_what_was_accepted_was_not_refused(tmp_path: Path) -> None:
    """An unknown token that may create something has it created: that is no effect of a refused request."""
    names = ("token.unknown", "credential.refusal-has-no-effect")
    run = run_against(
        tmp_path, ("hole:token-known:create_product",), *(f"--clause={name}" for name in names), "--seed", "1"
    )
    assert [run.outcomes()[name] == "fail" for name in names] == [True, False], run.output
