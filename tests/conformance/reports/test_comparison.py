"""Which accepted requests a changed one is compared with, and what is said to differ."""

from __future__ import annotations

from typing import Any

import pytest

from helpers.compared_cases import BODY, GET, mismatched_case, rotated_case, sent
from helpers.report_cases import case_of
from paylera_conformance.model.messages import ExchangeRecord
from paylera_conformance.model.outcomes import Outcome
from paylera_conformance.reports.comparison import Comparison, compare


def compare_in(clause: str, *exchanges: ExchangeRecord, outcome: Outcome = Outcome.FAIL) -> Comparison | None:
    """The comparison in a case of a clause."""
    return compare(case_of(clause, outcome, exchanges=exchanges))


def test_nearest_accepted_requests_stand_beside_the_changed_one() -> None:
    """One before and one after."""
    case = rotated_case()
    found = compare(case)
    assert found is not None
    assert (found.before, found.changed, found.after) == case.exchanges[1:]
    assert (found.differs, found.drawn) == (("header Authorization",), ())


def test_member_of_a_body_is_named() -> None:
    """By its place."""
    case = mismatched_case()
    found = compare(case)
    assert found is not None
    assert (found.differs, found.after) == (("body name",), None)


@pytest.mark.parametrize(
    ("clause", "changed", "differs"),
    [
        ("credential.missing", {"by": None}, ("header Authorization",)),
        ("credential.malformed", {"headers": {"Authorization": "Basic ‹good #1111›"}}, ("header Authorization",)),
        (
            "credential.malformed",
            {"by": None, "url": "http://target.test/v1/customers?access_token=‹good #1111›"},
            ("query", "header Authorization"),
        ),
        ("version.unknown", {"headers": {"Paylera-Version": "2031-01-01"}}, ("header Paylera-Version",)),
        ("robustness.no-side-door", {"method": "PATCH"}, ("method",)),
        ("robustness.no-side-door", {"url": "http://target.test/v1//customers"}, ("path",)),
        ("robustness.errors-are-problems", {"body": "{"}, ("body",)),
        ("robustness.errors-are-problems", {"body": None}, ("body",)),
        ("robustness.errors-are-problems", {"url": "http://target.test/v1/refunds", "body": "{}"}, None),
        ("robustness.errors-are-problems", {"body": BODY.replace('"7"', "null")}, ("body lines[0].quantity",)),
    ],
)
def test_part_that_differs_is_named(clause: str, changed: dict[str, Any], differs: tuple[str, ...] | None) -> None:
    """Whichever it is; a request that is another one altogether is compared with nothing."""
    found = compare_in(clause, sent(1), sent(2, 401, deciding=True, **changed), sent(3))
    assert (found and found.differs) == differs


def test_what_is_drawn_anew_is_no_difference() -> None:
    """A key, an id in the path and a name that nothing else has."""
    control = sent(
        url="http://target.test/v1/customers/cus_1a", body='{"name": "Ada-1f"}', headers={"Idempotency-Key": "one-1"}
    )
    changed = sent(
        1,
        url="http://target.test/v1/customers/cus_2b",
        by="other #2222",
        body='{"name": "Ada-2e"}',
        headers={"Idempotency-Key": "two-2"},
        deciding=True,
    )
    found = compare_in("scope.required", control, changed)
    assert found is not None
    assert found.differs == ("header Authorization",)
    assert set(found.drawn) == {"path", "header Idempotency-Key", "body name"}


def test_object_is_the_difference_where_nothing_else_is() -> None:
    """As where another tenant's is asked for."""
    own, foreign = (f"http://target.test/v1/customers/{name}" for name in ("cus_1a", "cus_2b"))
    found = compare_in(
        "audience.customer-sees-only-own", sent(url=own, **GET), sent(1, url=foreign, deciding=True, **GET)
    )
    assert (found and found.differs) == ("path",)


def test_another_client_is_no_difference() -> None:
    """Requests that a case does not compare are sent as by another client."""
    client = {"User-Agent": "curl/8.15.0", "Accept": "*/*"}
    found = compare_in("scope.required", sent(headers=client), sent(1, by="other #2222", deciding=True))
    assert found is not None
    assert (found.differs, set(found.drawn)) == (("header Authorization",), {"header User-Agent", "header Accept"})


def test_time_is_a_difference() -> None:
    """Where the same is sent again later, by the target's clock."""
    first, later = "2026-11-24T10:00:00+00:00", "2026-11-25T09:59:59+00:00"
    found = compare_in("idempotency.lifetime", sent(target_time=first), sent(1, target_time=later, deciding=True))
    assert (found and found.differs) == ("time",)


def test_same_credential_is_no_control_of_another() -> None:
    """What was as wrong as the changed request shows nothing, though something else differs."""
    wrong = sent(headers={"Paylera-Version": "2027-01-01"})
    assert compare_in("rotation.grace-ends", wrong, sent(1, deciding=True)) is None


def test_refused_request_is_no_control() -> None:
    """It has to have been accepted."""
    assert compare_in("scope.required", sent(status=404), sent(1, by="other #2222", deciding=True)) is None


def test_first_refusal_of_a_pass_is_compared() -> None:
    """Of what passed nothing says which request was the changed one."""
    found = compare_in("credential.missing", sent(), sent(1, 401, by=None), sent(2), outcome=Outcome.PASS)
    assert found is not None
    assert [found.before, found.after] == [sent(), sent(2)]


@pytest.mark.parametrize("outcome", [Outcome.BLOCKED, Outcome.PENDING, Outcome.ERROR])
def test_what_was_not_judged_is_compared_with_nothing(outcome: Outcome) -> None:
    """The request that decided is none that was changed."""
    assert compare_in("scope.required", sent(), sent(1, by="other #2222", deciding=True), outcome=outcome) is None
