"""`POST C/verify` tells whether something was called, and if not, what came closest."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from helpers.fake import Fake

CUSTOMERS = "/v1/customers"
ADA = {"email": "ada@example.com", "address": {"city": "London", "country": "GB"}}
GRACE = {"email": "grace@example.com"}


class Story:
    """What a client sent, and questions about it."""

    def __init__(self, fake: Fake) -> None:
        self.fake = fake
        self.token = fake.token("*", name="acme")

    def creates(self, key: str | None = "key", body: dict[str, Any] | None = None) -> None:
        """Create a customer."""
        self.fake.call("POST", CUSTOMERS, self.token["secret"], key=key, json=body or ADA)

    def reads(self, path: str = CUSTOMERS) -> None:
        """Read something."""
        self.fake.call("GET", path, self.token["secret"])

    def fails(self, **fault: Any) -> None:
        """Have what comes next fail."""
        assert self.fake.control("POST", "faults", **({"action": "answer"} | fault)).status_code == 201

    def verify(self, **question: Any) -> dict[str, Any]:
        """Ask."""
        answer = self.fake.control("POST", "verify", **question)
        assert answer.status_code == 200, answer.text
        return dict(answer.json or {})

    def holds(self, **question: Any) -> bool:
        """Ask for a yes or no."""
        return bool(self.verify(**question)["verified"])


SENT = {"X-Trace": "7", "User-Agent": "sdk/1"}


@pytest.fixture
def story(fake: Fake) -> Story:
    """The story of a client, empty as yet."""
    return Story(fake)


@pytest.mark.parametrize(
    "question",
    [
        {},
        {"method": "POST"},
        {"method": "post", "route": CUSTOMERS},
        {"token": "acme"},
        {"status": 201},
        {"key": "key"},
        {"key": True},
        {"body": {"email": "ada@example.com"}},
        {"body": {"address": {"city": "London"}}},
        {"times": 1},
        {"times": {"min": 1, "max": 2}},
        {"times": {"max": 1}},
        {"method": "DELETE", "times": 0},
    ],
    ids=str,
)
def test_what_was_called_is_verified(story: Story, question: dict[str, Any]) -> None:
    """By whatever is asked for, and by nothing else."""
    story.creates()
    assert story.holds(**question)


@pytest.mark.parametrize(
    ("question", "difference"),
    [
        ({"method": "PUT"}, {"field": "method", "wanted": "PUT", "got": "POST"}),
        ({"route": "/v1/plans"}, {"field": "route", "wanted": "/v1/plans", "got": CUSTOMERS}),
        ({"status": 200}, {"field": "status", "wanted": 200, "got": 201}),
        ({"key": "other"}, {"field": "key", "wanted": "other", "got": "key"}),
        ({"key": False}, {"field": "key", "wanted": False, "got": "key"}),
        ({"body": {"email": "x"}}, {"field": "body.email", "wanted": "x", "got": "ada@example.com"}),
        ({"body": {"address": {"city": "Rome"}}}, {"field": "body.address.city", "wanted": "Rome", "got": "London"}),
        ({"body": {"phone": "1"}}, {"field": "body.phone", "wanted": "1", "got": None}),
    ],
    ids=str,
)
def test_what_was_not_called_is_shown_with_what_differs(
    story: Story, question: dict[str, Any], difference: dict[str, Any]
) -> None:
    """The field, what was wanted, and what came."""
    story.creates()
    found = story.verify(**question)
    assert (found["verified"], found["closest"]) == (False, [{"exchange": 1, "differs": [difference]}])


@pytest.mark.parametrize(
    ("headers", "differs"),
    [
        ({"x-trace": "7", "USER-AGENT": "sdk/1"}, []),
        ({"X-Trace": True, "X-Other": False}, []),
        ({"X-Trace": "8"}, [{"field": "headers.X-Trace", "wanted": "8", "got": "7"}]),
        ({"X-Other": True}, [{"field": "headers.X-Other", "wanted": True, "got": None}]),
        ({"X-Trace": False}, [{"field": "headers.X-Trace", "wanted": False, "got": "7"}]),
    ],
    ids=str,
)
def test_headers_are_verified(story: Story, headers: dict[str, Any], differs: list[Any]) -> None:
    """By their names in any case, each by its value or by whether it is there."""
    story.fake.call("GET", CUSTOMERS, headers=SENT)
    found = story.verify(headers=headers)
    assert (found["verified"], [miss["differs"] for miss in found["closest"]]) == (
        not differs,
        [differs][: len(differs)],
    )


@pytest.mark.parametrize(
    ("headers", "said"),
    [({"X-Trace": "7"}, "with"), ({"X-Trace": True}, "with"), ({"X-Trace": False}, "without")],
    ids=str,
)
def test_the_answer_says_whether_a_header_was_to_be_there(story: Story, headers: dict[str, Any], said: str) -> None:
    """A request without the header is none with it."""
    assert f" {said} the header X-Trace: " in story.verify(headers=headers)["message"]


def test_an_authorization_is_verified_by_its_secret(story: Story) -> None:
    """Which no answer repeats."""
    story.reads()
    asked = [story.verify(headers={"Authorization": f"Bearer {each}"}) for each in (story.token["secret"], "sk_other")]
    assert ([found["verified"] for found in asked], story.token["secret"] in str(asked)) == ([True, False], False)


def test_a_request_that_was_dropped_has_no_status(story: Story) -> None:
    """None was sent, so that none is verified."""
    story.fails(action="drop")
    story.reads()
    assert [story.holds(status=503), story.holds(method="GET")] == [False, True]


def test_a_token_is_named_by_its_id_too(story: Story) -> None:
    """Where it was given no name."""
    story.creates()
    assert story.holds(token=story.token["id"])


def test_a_path_that_was_asked_for_can_be_verified(story: Story) -> None:
    """Also where the contract has not got it: so a client is seen to call something else."""
    story.reads("/v1/custmers")
    assert story.holds(route="/v1/custmers")


def test_a_route_is_the_contracts_or_a_concrete_one(story: Story) -> None:
    """Both name the call."""
    story.reads(f"{CUSTOMERS}/cus_ada")
    asked = [story.holds(route=f"{CUSTOMERS}/{{id}}"), story.holds(route=f"{CUSTOMERS}/cus_ada")]
    assert asked == [True, True]


def test_too_many_calls_are_no_verification(story: Story) -> None:
    """The sentence counts them."""
    story.creates("one")
    story.creates("two")
    found = story.verify(method="POST", route=CUSTOMERS, times=1)
    assert (found["verified"], found["matched"], found["message"]) == (
        False,
        [1, 2],
        "POST /v1/customers: 2 requests, and 1 wanted.",
    )


def test_the_closest_come_first(story: Story) -> None:
    """By how little differs, and of equals the latest; three at most."""
    story.reads()
    story.creates("a", GRACE)
    story.creates("b", ADA)
    story.creates("c", GRACE)
    found = story.verify(method="POST", key="d", body=ADA)
    assert [miss["exchange"] for miss in found["closest"]] == [3, 4, 2]


def test_a_long_body_is_said_to_be_too_long(story: Story) -> None:
    """The journal keeps the beginning only."""
    story.creates(body=ADA | {"name": "x" * 10_000})
    found = story.verify(body=GRACE)
    assert found["closest"][0]["differs"][0]["got"] == "too long to be remembered"


def test_an_order_holds_across_others(story: Story) -> None:
    """What came between does not matter."""
    story.creates()
    story.reads("/v1/plans")
    story.reads()
    found = story.verify(order=[{"method": "POST"}, {"route": CUSTOMERS}])
    assert (found["verified"], found["matched"]) == (True, [1, 3])


def test_a_wrong_order_names_the_step(story: Story) -> None:
    """The first that did not come, after the last that did."""
    story.reads()
    story.creates()
    found = story.verify(order=[{"method": "POST"}, {"method": "GET"}])
    assert (found["verified"], found["message"]) == (
        False,
        "Step 2 of 2 did not come after exchange 2: GET on any route.",
    )


def test_one_request_is_one_step(story: Story) -> None:
    """It does not stand for two."""
    story.reads()
    assert not story.holds(order=[{"method": "GET"}, {"method": "GET"}])


RIGHT = {"method": "POST", "same_key": True, "same_bytes": True, "after_retry_after": True, "attempts": 2}


def test_a_right_retry_is_verified(story: Story) -> None:
    """Its key, its bytes, and its time."""
    story.fails(status=429, retry_after=5)
    story.creates()
    story.fake.advance(5)
    story.creates()
    found = story.verify(retried=RIGHT)
    assert (found["verified"], found["matched"]) == (True, [1, 2])


def test_a_retry_under_a_new_key_is_told(story: Story) -> None:
    """With both keys."""
    story.fails(status=503)
    story.creates("one")
    story.creates("two")
    found = story.verify(retried={"same_key": True, "same_bytes": True})
    assert found["closest"] == [
        {"exchange": 2, "differs": [{"field": "same_key", "wanted": True, "got": ["one", "two"]}]}
    ]


def test_a_retry_with_other_bytes_is_told(story: Story) -> None:
    """One key for two bodies."""
    story.creates("key", ADA)
    story.creates("key", GRACE)
    assert not story.holds(retried={"same_bytes": True})


def test_a_retry_that_did_not_wait_is_told(story: Story) -> None:
    """With how long it waited."""
    story.fails(status=429, retry_after=5)
    story.creates()
    story.creates()
    (difference,) = story.verify(retried=RIGHT)["closest"][0]["differs"]
    assert (difference["field"], difference["got"][0].endswith(" of 5 seconds")) == ("after_retry_after", True)


@pytest.fixture(params=["UTC", "America/New_York"])
def zone(request: pytest.FixtureRequest) -> Iterator[None]:
    """The time zone of this process."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TZ", request.param)
        time.tzset()
        yield
    time.tzset()


@pytest.mark.usefixtures("zone")
@pytest.mark.parametrize("form", ["%a, %d %b %Y %H:%M:%S GMT", "%A, %d-%b-%y %H:%M:%S GMT", "%a %b %d %H:%M:%S %Y"])
def test_every_form_of_a_date_is_waited_for(story: Story, form: str) -> None:
    """It is in UTC, also where it does not say so, and wherever the fake runs (RFC 9110, section 5.6.7)."""
    now = datetime.fromisoformat(story.fake.control("GET", "clock").json["now"])  # type: ignore[index]
    story.fails(status=429, headers={"Retry-After": (now + timedelta(seconds=101)).strftime(form)})
    story.creates()
    story.creates()
    (difference,) = story.verify(retried=RIGHT)["closest"][0]["differs"]
    assert 100 <= float(difference["got"][0].split(" of ")[1].partition(" ")[0]) <= 101


def test_a_request_that_was_not_tried_again_is_told(story: Story) -> None:
    """With how often it was."""
    story.creates()
    (difference,) = story.verify(retried={"method": "POST"})["closest"][0]["differs"]
    assert difference == {"field": "attempts", "wanted": "at least 2", "got": 1}


def test_a_retry_is_meant_by_any_of_its_tries(story: Story) -> None:
    """As by the status of the one that failed."""
    story.fails(status=503)
    story.creates()
    story.creates()
    assert story.holds(retried={"status": 503, "attempts": 2})


def test_what_was_forgotten_is_counted(story: Story) -> None:
    """Nothing can be said about it."""
    story.creates()
    assert story.verify()["dropped"] == 0


def test_a_wanted_secret_is_not_repeated(story: Story) -> None:
    """Nor one that was sent."""
    story.creates(body=ADA | {"name": story.token["secret"]})
    found = story.verify(body={"name": "sk_sandbox_another00000000000000000000"})
    assert "sk_" not in str(found)


@pytest.mark.parametrize(
    ("question", "field"),
    [
        ({"methd": "POST"}, "methd"),
        ({"method": 1}, "method"),
        ({"route": "customers"}, "route"),
        ({"route": "/v1/custmers", "times": 0}, "route"),
        ({"token": "nobody", "times": 0}, "token"),
        ({"method": "PSOT", "times": 0}, "method"),
        ({"order": [{}, {"route": "/v1/custmers"}]}, "order[1].route"),
        ({"retried": {"route": "/v1/custmers"}}, "retried.route"),
        ({"status": "201"}, "status"),
        ({"status": 777, "times": 0}, "status"),
        ({"status": 42, "times": 0}, "status"),
        ({"order": [{"status": 199}]}, "order[0].status"),
        ({"key": 1}, "key"),
        ({"body": []}, "body"),
        ({"headers": {"X-Trace": 7}}, "headers[...]"),
        ({"times": -1}, "times"),
        ({"times": {"least": 1}}, "times.least"),
        ({"times": {"min": 2, "max": 1}}, "times.max"),
        ({"order": []}, "order"),
        ({"order": [{}, {"times": 1}]}, "order[1].times"),
        ({"order": ["GET"]}, "order[0]"),
        ({"order": [{}], "method": "GET"}, "method"),
        ({"retried": 1}, "retried"),
        ({"retried": {"same_keys": True}}, "retried.same_keys"),
        ({"retried": {"same_key": 1}}, "retried.same_key"),
        ({"retried": {"attempts": {"max": "3"}}}, "retried.attempts.max"),
    ],
    ids=str,
)
def test_a_question_that_means_nothing_is_refused(story: Story, question: dict[str, Any], field: str) -> None:
    """With the member that is wrong: one misspelt must not verify anything."""
    answer = story.fake.control("POST", "verify", **question)
    assert (answer.status_code, (answer.json or {})["errors"][0]["field"]) == (422, field)
