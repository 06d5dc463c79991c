"""The journal: what a test can ask of the requests that were made."""

from __future__ import annotations

import base64
import threading
from typing import Any

import pytest

from helpers.fake import Fake, namespace_of
from helpers.waiting import PATIENCE_SECONDS
from paylera_mock.app import create_app
from paylera_mock.core.policy import Policy
from paylera_mock.journal.recorder import BODY_KEPT, Journal


def journal(fake: Fake, query: str = "") -> list[dict[str, Any]]:
    """What the journal lists."""
    answer = fake.client.get(f"{fake.control_base}/journal?{query}")
    assert answer.status_code == 200, answer.text
    return list((answer.json or {})["data"])


def test_an_exchange_is_told_whole(fake: Fake) -> None:
    """What was asked by whom, what decided, and what was answered."""
    secret = fake.secret("customers:write", name="writer")
    headers = {"Paylera-Version": "2025-10-01", "User-Agent": "sdk/1"}
    sent = fake.call("POST", "/v1/customers", secret, key="first", headers=headers, json={"email": "a@b.example"})
    entry = journal(fake)[0]
    assert (entry["method"], entry["path"], entry["route"]) == ("POST", "/v1/customers", "/v1/customers")
    assert (entry["token"]["name"], entry["token"]["scopes"]) == ("writer", ["customers:write"])
    assert entry["headers"] == {
        "Paylera-Version": "2025-10-01",
        "Idempotency-Key": "first",
        "Content-Type": "application/json",
        "User-Agent": "sdk/1",
        "Authorization": f"Bearer {entry['token']['label']}",
        "Content-Length": "24",
        "Host": "localhost",
    }
    assert entry["body"] == '{"email": "a@b.example"}'
    assert entry["verdict"] == {"check": "effect", "clause": "credential.accepted"}
    assert (entry["answer"]["status"], entry["answer"]["body"]) == (201, sent.text)


def test_every_header_is_kept(fake: Fake) -> None:
    """Whatever it is called; where a secret may stand is a name."""
    fake.call("GET", "/v1/customers", headers={"X-Trace": "7", "X-Api-Key": "abc", "Authorization": "Basic YTpi"})
    headers = journal(fake)[0]["headers"]
    assert (headers["X-Trace"], headers["X-Api-Key"][:12], headers["Authorization"]) == (
        "7",
        "‹x-api-key #",
        "(no Bearer token)",
    )


def test_of_many_long_headers_the_beginnings_are_kept(fake: Fake) -> None:
    """A client that sends megabytes of them does not fill the memory."""
    fake.call("GET", "/v1/customers", headers={f"X-{number}": "x" * 1000 for number in range(200)})
    headers = journal(fake)[0]["headers"]
    assert sum(map(len, headers.values())) <= 8 * 1024


@pytest.mark.parametrize(
    ("fault", "answer"),
    [
        ({"action": "drop"}, (None, None, None, "drop")),
        ({"action": "drop", "at": "after_auth"}, (None, None, None, "drop")),
        ({"action": "drop", "at": "after_commit"}, (200, None, True, "drop")),
        ({"action": "answer"}, (503, "service.unavailable", True, None)),
    ],
    ids=str,
)
def test_what_was_dropped_says_so(fake: Fake, fault: dict[str, str], answer: tuple[object, ...]) -> None:
    """Not with a status that nobody was ever sent."""
    fake.control("POST", "faults", **fault)
    fake.call("GET", "/v1/customers", fake.secret())
    found = journal(fake)[0]["answer"]
    assert (found["status"], found["problem"], found["body"] and True, found["lost"]) == answer


def test_what_was_dropped_is_no_server_error(fake: Fake) -> None:
    """To whoever looks for these."""
    fake.control("POST", "faults", action="drop")
    fake.call("GET", "/v1/customers", fake.secret())
    assert (journal(fake, "status=5xx"), len(journal(fake))) == ([], 1)


def test_an_answer_names_its_place(fake: Fake) -> None:
    """By which the whole story is found."""
    fake.call("GET", "/v1/customers")
    number = fake.call("GET", "/v1/customers").headers["Paylera-Mock-Journal"]
    found = fake.client.get(f"{fake.control_base}/journal/{number}").json or {}
    assert (found["number"], found["verdict"]["check"]) == (2, "credential-present")


def test_a_request_without_a_credential_has_its_route_too(fake: Fake) -> None:
    """The path tells it, however far the rules got."""
    fake.call("GET", "/v1/customers/cus_1")
    assert [entry["route"] for entry in journal(fake, "route=/v1/customers/{id}")] == ["/v1/customers/{id}"]


@pytest.mark.parametrize("number", ["7", "0", "-1", "x", "\N{SUPERSCRIPT TWO}"])
def test_an_unknown_number_is_not_found(fake: Fake, number: str) -> None:
    """Whatever stands there."""
    assert fake.client.get(f"{fake.control_base}/journal/{number}").status_code == 404


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        ("", [1, 2, 3]),
        ("method=post", [2]),
        ("path=/v1/plans/x", [3]),
        ("route=/v1/plans/{code}", [3]),
        ("status=401", [1]),
        ("status=4xx", [1, 3]),
        ("rule=credential-present", [1]),
        ("clause=credential.accepted", [2, 3]),
        ("token=mine", [2, 3]),
        ("key=first", [2]),
        ("after=1&method=GET", [3]),
        ("limit=2", [2, 3]),
        ("limit=0", []),
    ],
)
def test_filters_choose(fake: Fake, query: str, numbers: list[int]) -> None:
    """All of them must fit."""
    secret = fake.secret("*", name="mine")
    fake.call("GET", "/v1/customers")
    fake.call("POST", "/v1/customers", secret, key="first", json={"email": "a@b.example"})
    fake.call("GET", "/v1/plans/x", secret)
    assert [entry["number"] for entry in journal(fake, query)] == numbers


@pytest.mark.parametrize("query", ["colour=red", "after=-1", "limit=x", "wait=31", "limit=1001"])
def test_an_odd_filter_is_refused_by_name(fake: Fake, query: str) -> None:
    """A misspelled filter would choose everything."""
    answer = fake.client.get(f"{fake.control_base}/journal?{query}")
    assert (answer.status_code, (answer.json or {})["errors"][0]["field"]) == (422, query.partition("=")[0])


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("method=GIT", "did you mean GET?"),
        ("method=head", "did you mean GET?"),
        ("route=/v1/custmers", "did you mean /v1/customers?"),
        ("token=mime", "did you mean mine?"),
        ("rule=credential-presant", "did you mean credential-present?"),
        ("rule=x", "there are credential-present"),
        ("clause=credential.mising", "did you mean credential.missing?"),
        ("status=777", "a status from 200 to 599"),
        ("status=4XX", "as in 4xx"),
    ],
)
@pytest.mark.parametrize("path", ["{own}/journal?", "/_mock/journal?scope=all&"])
def test_a_filter_for_what_is_not_there_is_refused(fake: Fake, query: str, said: str, path: str) -> None:
    """An empty list would look like an answer."""
    fake.secret(name="mine")
    answer = fake.client.get(path.format(own=fake.control_base) + query)
    error = (answer.json or {})["errors"][0]
    assert (answer.status_code, error["field"], said in error["message"]) == (422, query.partition("=")[0], True)


def test_a_filter_may_name_what_was_asked_for(fake: Fake) -> None:
    """A path that is none of the contract's, too, and a rule that a mutant has."""
    fake.control("POST", "mutants", ids=["duplicate-refused-400"])
    fake.call("GET", "/v1/nothing", fake.secret())
    found = [len(journal(fake, query)) for query in ("route=/v1/nothing", "rule=race-lost", "rule=fault")]
    assert found == [1, 0, 0]


@pytest.mark.parametrize("name", ["sk_sandbox_looks_like_one", "two\nlines", "acme"])
def test_a_token_is_called_the_same_in_the_journal_and_in_a_finding(fake: Fake, name: str) -> None:
    """Also where a rule refused before it had looked for the token; and a name that is none is nowhere shown."""
    token = fake.token(name=name)
    fake.call("GET", "/v1/customers", token["secret"])
    fake.call("GET", "/v1/customers", token["secret"], live=True)
    labels = {(entry["token"] or {})["label"] for entry in journal(fake)}
    found = {each["token"] for each in fake.control("GET", "findings").json["data"]}  # type: ignore[index]
    assert (labels, len(labels)) == (found, 1)
    assert {"acme": "‹acme #"}.get(name, f"‹{token['id']} #") in labels.pop()


def test_one_can_wait_for_a_request(fake: Fake) -> None:
    """Which is answered as soon as it came, and holds up nobody meanwhile."""
    found: list[dict[str, Any]] = []
    waiting = threading.Thread(target=lambda: found.extend(journal(fake, "path=/v1/plans&wait=30")))
    waiting.start()
    secret = fake.secret()
    fake.call("GET", "/v1/customers", secret)
    fake.call("GET", "/v1/plans", secret)
    waiting.join(PATIENCE_SECONDS)
    assert [entry["path"] for entry in found] == ["/v1/plans"]


def test_waiting_ends_without_a_request(fake: Fake) -> None:
    """With an empty list, and not with an error."""
    assert not fake.client.get(f"{fake.control_base}/journal?status=418&wait=0").json["data"]  # type: ignore[index]


def test_old_exchanges_make_room_and_are_counted() -> None:
    """The journal is bounded, and says what it no longer has."""
    fake = namespace_of(create_app(Policy.for_profile().but(journal_size=3)))
    for _ in range(5):
        fake.call("GET", "/v1/customers")
    answer = fake.control("GET", "journal").json or {}
    assert ([entry["number"] for entry in answer["data"]], answer["count"], answer["dropped"]) == ([3, 4, 5], 5, 2)


def test_a_long_body_is_kept_in_part(fake: Fake) -> None:
    """Its size is told."""
    fake.call("POST", "/v1/customers", fake.secret(), key="first", data=b" " * (2 * BODY_KEPT))
    entry = journal(fake)[0]
    assert (len(entry["body"]), entry["body_size"]) == (BODY_KEPT, 2 * BODY_KEPT)


def test_a_journal_can_be_emptied(fake: Fake) -> None:
    """It numbers from 1 again, as after a reset."""
    fake.call("GET", "/v1/customers")
    assert fake.control("DELETE", "journal").status_code == 204
    assert fake.call("GET", "/v1/customers").headers["Paylera-Mock-Journal"] == "1"


def test_parallel_requests_have_a_number_each(fake: Fake) -> None:
    """None is lost."""
    threads = [threading.Thread(target=fake.call, args=("GET", "/v1/customers")) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [entry["number"] for entry in journal(fake)] == list(range(1, 17))


def test_an_empty_journal_has_dropped_nothing() -> None:
    """Nor one that was emptied."""
    journal = Journal(3)
    assert (journal.count, journal.dropped_count, journal.entries()) == (0, 0, [])


def everywhere(fake: Fake, secret: str) -> None:
    """Send a secret in every place of a request where a client may have put it."""
    encoded = base64.b64encode(f"user:{secret}".encode()).decode()
    for place in (f"/v1/customers?key={secret}", f"/v1/customers/{secret}", f"/{secret}"):
        fake.call("GET", place)
        fake.call("GET", place, secret)
    for headers in ({"Paylera-Version": secret}, {"X-Paylera-Acting-As": secret}, {"User-Agent": secret}):
        fake.call("GET", "/v1/customers", secret, headers=headers)
    for name in ("X-Api-Key", "Cookie", "Proxy-Authorization", "X-Anything"):
        fake.call("GET", "/v1/customers", secret, headers={name: f"a={secret}"})
    for value in (secret, f"Basic {encoded}", f"Bearer {secret}, Bearer {secret}", f"Bearer '{secret}'"):
        fake.call("GET", "/v1/customers", headers={"Authorization": value})
    for body in (secret, encoded, f'{{"email": "{secret}"}}', f"token={secret}"):
        fake.call("POST", "/v1/customers", secret, key=secret, data=body, headers={"Content-Type": secret})


@pytest.mark.parametrize("known", [True, False], ids=["known", "unknown"])
def test_no_secret_is_remembered(fake: Fake, known: bool) -> None:  # noqa: FBT001 - a case
    """Neither one that was minted nor another, wherever it stood, in whatever spelling."""
    secret = fake.secret() if known else "sk_sandbox_CanaryCanaryCanaryCanaryCanary12"
    everywhere(fake, secret)
    told = fake.client.get(f"{fake.control_base}/journal?limit=1000").text
    random_part = secret.removeprefix("sk_sandbox_")
    encoded = base64.b64encode(f"user:{secret}".encode()).decode().rstrip("=")
    assert [form for form in (random_part, random_part[:16], random_part[16:], encoded) if form in told] == []
    assert "unknown token #" in told


def test_a_new_secret_is_not_remembered(fake: Fake) -> None:
    """The answer that issues one is kept without it."""
    admin = fake.admin()
    body = {"audience": "service", "scopes": ["*"]}
    secret = (fake.call("POST", "/v1/admin/api-tokens", admin, key="first", json=body).json or {})["secret"]
    assert secret not in fake.control("GET", "journal").text


def test_one_exchange_has_the_trace_of_its_checks(fake: Fake) -> None:
    """Every check with what it wanted and saw, for an accepted request too."""
    fake.call("GET", "/v1/customers", fake.secret("customers:read"))
    trace = (fake.control("GET", "journal/1").json or {})["ladder"]
    checks = {check["check"]: check for check in trace}
    assert (checks["scope-granted"]["outcome"], checks["scope-granted"]["got"]) == ("passed", "customers:read")
    assert trace[-1]["outcome"] == "decided"


def test_a_retry_names_the_attempt_before(fake: Fake) -> None:
    """The same key again is one, and so is the same body after a failure."""
    secret = fake.secret()
    fake.control("POST", "faults", action="answer")
    for _ in range(2):
        fake.call("POST", "/v1/customers", secret, key="first", json={"email": "a@b.example"})
    fake.call("POST", "/v1/customers", secret, key="second", json={"email": "c@d.example"})
    assert [(entry["attempt"], entry["retry_of"]) for entry in journal(fake)] == [(1, None), (2, 1), (1, None)]


@pytest.mark.parametrize("path", ["/v1/customers", "/customers", "/v1/customers/"])
def test_a_refusal_is_answered_with_a_hint(fake: Fake, path: str) -> None:
    """A missing token, a path without its version, a slash too many."""
    secret = fake.secret()
    answers = [fake.call("GET", path), fake.call("GET", path, secret)]
    assert [answer.headers.get("Paylera-Mock-Hint") is None for answer in answers] == [
        False,
        answers[1].status_code < 400,
    ]


@pytest.mark.parametrize("number", ["9" * 5000, "-1", "1.0", "\u0661"])
def test_a_number_that_is_none_is_404(fake: Fake, number: str) -> None:
    """However many digits it has."""
    assert fake.client.get(f"{fake.control_base}/journal/{number}").status_code == 404
