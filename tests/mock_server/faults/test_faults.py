"""Faults: what goes wrong on purpose, where, for whom, and how often."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from werkzeug.test import Client, TestResponse

from helpers.fake import Fake
from helpers.waiting import await_that
from paylera_fixtures.tokens import WELL_KNOWN
from paylera_mock.app import create_app
from paylera_mock.contract import CONTRACT
from paylera_mock.core.credential import credential_of
from paylera_mock.core.messages import Decision, Request
from paylera_mock.core.policy import Policy
from paylera_mock.core.randomness import Randomness
from paylera_mock.faults.model import Action, Fault, FaultPoint
from paylera_mock.http.handler import ExchangeSteps, exchange
from paylera_mock.namespaces.namespace import Namespace, Namespaces
from paylera_mock.namespaces.well_known import seed_default
from paylera_mock.pipeline.context import Context, Rule
from paylera_mock.pipeline.rules import ACTOR_KNOWN, RULES
from paylera_mock.state.namespace_state import State

NEW_CUSTOMER = {"email": "ada@example.com"}
SERVICE_ALL = next(token.secret for token in WELL_KNOWN if token.name == "serviceall")


def armed(fake: Fake, **fault: Any) -> str:
    """Ask for a fault: its id."""
    answer = fake.control("POST", "faults", **fault)
    assert answer.status_code == 201, answer.text
    return str((answer.json or {})["id"])


def statuses(fake: Fake, count: int, method: str = "GET", path: str = "/v1/customers") -> list[int]:
    """What so many requests are answered, with a token that may do everything."""
    secret = fake.secret()
    return [fake.call(method, path, secret).status_code for _ in range(count)]


def create(fake: Fake, secret: str, key: str) -> TestResponse:
    """Create a customer."""
    return fake.call("POST", "/v1/customers", secret, key=key, json=NEW_CUSTOMER)


def customers(fake: Fake) -> int:
    """How many customers there are."""
    return len((fake.call("GET", "/v1/customers", fake.secret()).json or {})["data"])


def test_a_fault_happens_once(fake: Fake) -> None:
    """Where nothing else is said, so that a retry succeeds."""
    armed(fake, action="answer")
    assert statuses(fake, 3) == [503, 200, 200]


def test_a_fault_happens_as_often_as_asked(fake: Fake) -> None:
    """`times` in a row, from the `nth` request that matches."""
    armed(fake, action="answer", status=500, nth=2, times=2)
    assert statuses(fake, 5) == [200, 500, 500, 200, 200]


@pytest.mark.parametrize(
    ("filter", "expected"),
    [
        ({"method": "get"}, [503, 200]),
        ({"method": "POST"}, [200, 200]),
        ({"route": "/v1/customers/{id}"}, [200, 503]),
        ({"route": "/v1/customers"}, [503, 200]),
        ({"route": "/v1/plans"}, [200, 200]),
        ({"token": "mine"}, [503, 200]),
        ({"token": "another"}, [200, 200]),
    ],
    ids=str,
)
def test_a_fault_is_for_what_it_names(fake: Fake, filter: dict[str, str], expected: list[int]) -> None:
    """A method, a path of the contract or a concrete one, a token."""
    customer = fake.control("POST", "customers").json or {}
    secret = fake.secret("*", name="mine")
    fake.secret("*", name="another")
    armed(fake, action="answer", **filter)
    paths = ("/v1/customers", f"/v1/customers/{customer['id']}")
    assert [fake.call("GET", path, secret).status_code for path in paths] == expected


@pytest.mark.parametrize(
    ("filter", "part"),
    [
        ({"route": "/v1/custmers"}, "did you mean /v1/customers?"),
        ({"route": "/customers/cus_1"}, "did you mean /v1/customers/{id}?"),
        ({"route": "/nothing/like/it"}, "/openapi/v1.json lists"),
        ({"token": "mien"}, "did you mean mine?"),
        ({"token": "zzz"}, "in this namespace: there are mine."),
        ({"method": "PSOT"}, "did you mean POST?"),
        ({"method": "HEAD"}, "did you mean GET?"),
        ({"rout": "/v1/customers"}, "Did you mean route?"),
    ],
    ids=str,
)
def test_a_fault_for_what_does_not_exist_is_refused(fake: Fake, filter: dict[str, str], part: str) -> None:
    """It would never strike, and its test would pass for nothing."""
    fake.secret("*", name="mine")
    answer = fake.control("POST", "faults", action="answer", **filter)
    (error,) = (answer.json or {})["errors"]
    assert (answer.status_code, error["field"], part in error["message"]) == (422, next(iter(filter)), True), error


@pytest.mark.parametrize("name", ["rotatednew", "rotatedold", "tok_rotated"])
def test_a_fault_finds_a_token_by_each_of_its_names(default: Fake, name: str) -> None:
    """Those of its well-known secrets too."""
    armed(default, action="answer", token=name)
    secret = next(token.secret for token in WELL_KNOWN if token.name == "rotatednew")
    assert default.call("GET", "/v1/customers", secret).status_code == 503


def test_a_fault_of_a_route_is_for_each_method(fake: Fake) -> None:
    """Also for one that the path has not: it is a request of that route to `verify` too."""
    armed(fake, action="answer", route="/v1/customers/{id}")
    found = statuses(fake, 2, "PUT", "/v1/customers/cus_1")
    verified = fake.control("POST", "verify", method="PUT", route="/v1/customers/{id}", times=2)
    assert (found, (verified.json or {})["matched"]) == ([503, 405], [1, 2])


def test_a_faulted_answer_says_so(fake: Fake) -> None:
    """In a header, so that nobody looks for the mistake elsewhere."""
    fault = armed(fake, action="answer", at="after_auth")
    answer = fake.call("GET", "/v1/customers", fake.secret())
    assert answer.headers["Paylera-Mock-Fault"] == f"{fault}; at=after_auth; action=answer"


def test_a_429_has_its_retry_after(fake: Fake) -> None:
    """The status and the problem follow from `retry_after`."""
    armed(fake, action="answer", retry_after=7)
    answer = fake.call("GET", "/v1/customers", fake.secret())
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "7")
    assert (answer.json or {})["problem"] == "rate_limit.exceeded"


def test_an_answer_has_the_problem_asked_for(fake: Fake) -> None:
    """One that the contract has, or any other word."""
    armed(fake, action="answer", status=409, problem="payments.busy")
    answer = fake.call("GET", "/v1/customers", fake.secret())
    assert (answer.json or {})["type"] == "https://errors.paylera.io/payments/busy"


def counted_checks(calls: Counter[str], rule: Rule) -> Rule:
    """The rule, which counts how often it looks."""

    def check(context: Context) -> Decision | None:
        calls[rule.name] += 1
        return rule.check(context)

    return replace(rule, check=check)


@pytest.mark.parametrize(
    ("nth", "status", "looked"),
    [(2, 200, RULES), (1, 503, RULES[: RULES.index(ACTOR_KNOWN)])],
    ids=["another request is struck", "this request is struck"],
)
def test_each_rule_looks_once_with_a_fault_after_auth(nth: int, status: int, looked: Sequence[Rule]) -> None:
    """The chain of rules is walked once: up to the fault, and on from there."""
    calls: Counter[str] = Counter()
    pipeline = replace(CONTRACT, rules=tuple(counted_checks(calls, rule) for rule in RULES))
    client = Client(create_app(pipeline=pipeline))
    client.post("/_mock/faults", json={"action": "answer", "at": "after_auth", "nth": nth})
    answer = client.get("/v1/customers", headers={"Authorization": f"Bearer {SERVICE_ALL}"})
    assert (answer.status_code, calls) == (status, {rule.name: 1 for rule in looked})


def test_a_request_struck_after_auth_counts_against_the_rate(fake: Fake) -> None:
    """Once, like every request of a token that is known; the faulted answer says so."""
    armed(fake, action="answer", at="after_auth")
    secret = fake.secret()
    answers = [fake.call("GET", "/v1/customers", secret) for _ in range(2)]
    assert [answer.headers["X-RateLimit-Remaining"] for answer in answers] == ["99", "98"]


def test_the_trace_of_a_request_struck_after_auth_begins_with_what_passed(fake: Fake) -> None:
    """The fault stands where the rules stopped."""
    armed(fake, action="answer", at="after_auth")
    fake.call("GET", "/v1/customers", fake.secret())
    trace = (fake.control("GET", "journal/1").json or {})["ladder"]
    place = RULES.index(ACTOR_KNOWN)
    assert (trace[place - 1]["outcome"], trace[place]["check"]) == ("not-applicable", "fault")


@pytest.fixture
def delayed() -> tuple[Namespace, ExchangeSteps]:
    """A namespace, and a POST to it that a fault delays after authentication; it waits at the delay."""
    namespace = Namespaces(Policy(), seed_default, randomness=Randomness("1")).default
    namespace.faults.arm(Fault("flt_1", FaultPoint.AFTER_AUTH, Action.DELAY, seconds=1))
    request = Request(
        "POST",
        "/v1/customers",
        credential=credential_of(SERVICE_ALL),
        idempotency_key="first",
        body=json.dumps(NEW_CUSTOMER).encode(),
    )
    exchanging = exchange(request, namespace, explain=False)
    assert next(exchanging).seconds == 1
    return namespace, exchanging


def answer_after(exchanging: ExchangeSteps) -> dict[str, Any]:
    """What a delayed request is answered in the end."""
    with pytest.raises(StopIteration) as end:
        next(exchanging)
    found: dict[str, Any] = json.loads(end.value.value.answer.body)
    return found


def test_a_delayed_request_goes_on_at_the_time_after_its_delay(delayed: tuple[Namespace, ExchangeSteps]) -> None:
    """The work is done then, and not when the request came."""
    namespace, exchanging = delayed
    namespace.clock.advance(3600)
    assert answer_after(exchanging)["created_at"] == namespace.clock.text()


def test_what_was_checked_before_a_delay_is_not_checked_again(delayed: tuple[Namespace, ExchangeSteps]) -> None:
    """A token that is revoked while its request waits had been accepted."""
    namespace, exchanging = delayed
    for token in list(namespace.state.tokens):
        namespace.state.tokens.keep(replace(token, revoked=True))
    assert answer_after(exchanging)["object"] == "customer"


def test_a_delayed_request_is_judged_anew_after_a_reset(delayed: tuple[Namespace, ExchangeSteps]) -> None:
    """What it had passed was another state: here the token is gone."""
    namespace, exchanging = delayed
    namespace.begin_with(State.add_tenant)
    assert answer_after(exchanging)["problem"] == "auth.invalid_token"


@pytest.mark.parametrize(("at", "expected"), [("before_auth", 503), ("after_auth", 401), ("after_commit", 401)])
def test_only_a_fault_before_auth_meets_unknown_tokens(fake: Fake, at: str, expected: int) -> None:
    """A place that a refused request does not reach is not where its fault happens."""
    armed(fake, action="answer", at=at)
    assert fake.call("GET", "/v1/customers").status_code == expected


@pytest.mark.parametrize(("at", "effects"), [("before_auth", 0), ("after_auth", 0), ("after_commit", 1)])
def test_the_work_is_done_only_before_a_commit_fault(fake: Fake, at: str, effects: int) -> None:
    """`after_commit` loses the answer, and not the work."""
    armed(fake, action="answer", at=at)
    assert create(fake, fake.secret(), "first").status_code == 503
    assert customers(fake) == effects


def test_a_retry_with_the_same_key_gets_the_lost_answer(fake: Fake) -> None:
    """The test of a client's idempotency: the work is done once, and the answer is the first one's."""
    secret = fake.secret()
    armed(fake, action="drop", at="after_commit")
    create(fake, secret, "first")
    assert create(fake, secret, "first").status_code == 201
    assert customers(fake) == 1


def test_a_redirect_leads_to_another_origin(fake: Fake) -> None:
    """It keeps the method, and the fake notes whether the token came along."""
    fault = armed(fake, action="redirect")
    answer = fake.call("GET", "/v1/customers", fake.secret(), headers={"Host": "127.0.0.1:80"})
    assert answer.status_code == 307
    assert answer.headers["Location"] == f"http://localhost:80{fake.base}/_elsewhere/{fault}"


def test_a_request_that_followed_is_noted(fake: Fake) -> None:
    """With its credential by name, since it should have been left behind."""
    fake.call("GET", "/_elsewhere/flt_1", fake.secret("*", name="mine"))
    entry = ((fake.control("GET", "journal").json or {})["data"])[-1]
    assert (entry["verdict"]["check"], entry["token"]["name"]) == ("another-origin", "mine")


def test_chances_can_be_thrown_again(fake: Fake) -> None:
    """Nothing is random unless seeded and asked for; the seed settles which requests it meets."""
    runs = []
    for _ in range(2):
        armed(fake, action="answer", probability=0.5, seed=7, times=100)
        runs.append(statuses(fake, 12))
        fake.control("DELETE", "faults")
    assert runs[0] == runs[1]
    assert set(runs[0]) == {200, 503}


def test_faults_are_listed_with_how_often_they_happened(fake: Fake) -> None:
    """So that a test can tell that its fault was met."""
    armed(fake, action="answer", times=2)
    statuses(fake, 1)
    fault = (fake.control("GET", "faults").json or {})["data"][0]
    assert (fault["matched"], fault["happened"], fault["times"]) == (1, 1, 2)


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ({"preset": "html-502"}, {"preset": "html-502", "status": 502}),
        ({"preset": "unknown-enum"}, {"preset": "unknown-enum"}),
        ({"action": "answer", "merge": {}, "status": 201}, {"status": 201}),
        ({"action": "answer", "problem": "odd", "retry_after": 2}, {"status": 429, "problem": "odd", "retry_after": 2}),
        ({"action": "delay", "seconds": 1.5}, {"seconds": 1.5}),
        ({"action": "redirect", "probability": 0.5, "seed": 7}, {"status": 307, "probability": 0.5}),
    ],
)
def test_faults_are_listed_with_what_goes_wrong(fake: Fake, fault: dict[str, Any], said: dict[str, Any]) -> None:
    """What does not concern the fault is null."""
    armed(fake, **fault)
    [listed] = (fake.control("GET", "faults").json or {})["data"]
    names = ("preset", "status", "problem", "retry_after", "seconds", "probability")
    assert {name: listed[name] for name in names if listed[name] is not None} == said


def test_a_fault_taken_back_does_not_happen(fake: Fake) -> None:
    """By its id; another stays."""
    first, _second = armed(fake, action="answer", status=500), armed(fake, action="answer", status=502)
    assert fake.control("DELETE", f"faults/{first}").status_code == 204
    assert statuses(fake, 2) == [502, 200]
    assert fake.control("DELETE", f"faults/{first}").status_code == 404


def test_a_reset_takes_all_back(fake: Fake) -> None:
    """The namespace is as it was at the start."""
    armed(fake, action="answer")
    fake.control("POST", "reset")
    assert statuses(fake, 1) == [200]


def test_a_fault_of_one_namespace_meets_no_other(fake: Fake, reference: Fake) -> None:
    """Parallel tests do not spoil each other."""
    armed(fake, action="answer")
    assert statuses(reference, 1) == [200]


@pytest.mark.parametrize(
    ("fault", "field"),
    [
        ({}, "action"),
        ({"action": "explode"}, "action"),
        ({"action": "answer", "at": "midnight"}, "at"),
        ({"action": "answer", "at": "while_sending"}, "at"),
        ({"action": "answer", "status": 199}, "status"),
        ({"action": "redirect", "status": 304}, "status"),
        ({"action": "answer", "times": 0}, "times"),
        ({"action": "answer", "times": 1.5}, "times"),
        ({"action": "answer", "probability": 0.5}, "probability"),
        ({"action": "answer", "seed": 1}, "probability"),
        ({"action": "delay"}, "seconds"),
        ({"action": "delay", "seconds": 61}, "seconds"),
        ({"action": "hang", "seconds": 3}, "seconds"),
        ({"action": "answer", "seconds": 3}, "seconds"),
        ({"preset": "html-502", "seconds": 3}, "seconds"),
        ({"action": "delay", "seconds": 3, "status": 500}, "status"),
        ({"action": "drop", "retry_after": 3}, "retry_after"),
        ({"action": "redirect", "problem": "auth.invalid_token"}, "problem"),
        ({"action": "answer", "location": "/elsewhere"}, "location"),
        ({"action": "drop", "size": 0}, "size"),
        ({"action": "answer", "route": "v1/customers"}, "route"),
        ({"action": "answer", "statsu": 500}, "statsu"),
    ],
    ids=str,
)
def test_what_cannot_be_asked_for_is_refused_by_name(fake: Fake, fault: dict[str, Any], field: str) -> None:
    """The member that is wrong, and what it must be."""
    answer = fake.control("POST", "faults", **fault)
    assert (answer.status_code, (answer.json or {})["errors"][0]["field"]) == (422, field)


@pytest.mark.parametrize("action", ["truncate", "reset", "garbage"])
def test_what_needs_the_connection_is_refused_without_it(fake: Fake, action: str) -> None:
    """With the program that has it."""
    answer = fake.control("POST", "faults", action=action)
    assert answer.status_code == 409
    assert "start the fake with paylera-mock" in (answer.json or {})["detail"]


@pytest.fixture
def hanging(fake: Fake) -> threading.Thread:
    """A POST with the key `first` that hangs after its commit, in a thread of its own."""
    armed(fake, action="hang", at="after_commit", method="POST")
    thread = threading.Thread(target=create, args=(fake, fake.secret(), "first"), daemon=True)
    thread.start()
    # It is in the journal once its work is done.
    posts = f"{fake.control_base}/journal?method=POST&wait=30"
    assert await_that(lambda: (fake.client.get(posts).json or {})["matched"] == 1)
    return thread


def test_a_hanging_request_holds_up_no_other(fake: Fake, hanging: threading.Thread) -> None:
    """Neither a read nor a write."""
    assert create(fake, fake.secret(), "second").status_code == 201
    assert customers(fake) == 2
    assert hanging.is_alive()


def test_the_same_key_waits_for_the_commit_and_not_for_the_fault(fake: Fake, hanging: threading.Thread) -> None:
    """It is answered while the first one still hangs."""
    assert create(fake, fake.secret(), "first").status_code == 201
    assert customers(fake) == 1
    assert hanging.is_alive()


def test_a_fault_taken_back_lets_go_what_hangs(fake: Fake, hanging: threading.Thread) -> None:
    """So does a reset."""
    fake.control("DELETE", "faults")
    hanging.join(20)
    assert not hanging.is_alive()
