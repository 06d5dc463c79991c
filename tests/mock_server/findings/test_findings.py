"""What is said of a finding, in which namespace, for how long, and how much of it is kept."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from werkzeug.test import Client

from helpers.client_under_test import ADA, CUSTOMERS, GRACE, ClientUnderTest
from helpers.fake import Fake
from paylera_fixtures.clauses import BY_ID
from paylera_fixtures.tokens import WELL_KNOWN
from paylera_mock.app import create_app
from paylera_mock.core.messages import READY_HEADER
from paylera_mock.core.policy import Policy
from paylera_mock.findings.catalog import KINDS, FindingKind
from paylera_mock.findings.table import FindingTable, Observation
from paylera_mock.http.access import Access


def test_a_finding_says_all_that_is_known(client: ClientUnderTest) -> None:
    """What, how bad, the fix, the clause, who, where, how often, in which exchanges, since when."""
    client.creates(None)
    client.creates(None, GRACE)
    (finding,) = client.findings
    finding |= {"message": "…", "fix": "…", "token": "…"}
    assert finding == {
        "id": "key-missing",
        "severity": "error",
        "message": "…",
        "fix": "…",
        "clause": "idempotency.required",
        "token": "…",
        "route": CUSTOMERS,
        "namespace": client.fake.base.removeprefix("/ns/"),
        "count": 2,
        "exchanges": [1, 2],
        "first_at": (client.fake.client.get(f"{client.fake.control_base}/clock").json or {})["now"],
    }


def test_a_token_is_named_without_its_secret(client: ClientUnderTest) -> None:
    """By its name or id, and a fingerprint."""
    client.creates(None)
    (finding,) = client.findings
    assert (client.token["id"] in finding["token"], client.secret in str(finding)) == (True, False)


def test_another_route_is_another_finding(client: ClientUnderTest) -> None:
    """Each is a place to mend."""
    client.creates(None)
    client.sends("POST", "/v1/wallets", json={"customer_id": "x", "currency": "USD"})
    assert [finding["route"] for finding in client.findings] == [CUSTOMERS, "/v1/wallets"]


def test_findings_are_counted_by_severity(client: ClientUnderTest) -> None:
    """So that a script need not."""
    client.creates(None, version=None)
    found = client.fake.client.get(f"{client.fake.control_base}/findings").json or {}
    assert (found["errors"], found["warnings"], found["hints"]) == (1, 0, 1)


def test_findings_are_cleared(client: ClientUnderTest) -> None:
    """What comes later is found again."""
    client.creates(None)
    client.fake.control("DELETE", "findings")
    client.creates(None)
    assert [finding["count"] for finding in client.findings] == [1]


def test_exchanges_of_a_cleared_journal_are_named_no_more(client: ClientUnderTest) -> None:
    """Their numbers are given to others."""
    client.creates(None)
    client.fake.client.delete(f"{client.fake.control_base}/journal")
    client.creates(None)
    assert [(finding["count"], finding["exchanges"]) for finding in client.findings] == [(2, [1])]


def test_a_namespace_knows_its_own(client: ClientUnderTest, namespace: Callable[[], Fake]) -> None:
    """Nobody else's."""
    client.creates(None)
    assert ClientUnderTest(namespace()).found == []


def of_all(default: Fake) -> list[tuple[str, str | None, str | None, int]]:
    """What was found anywhere: id, namespace, token, count."""
    found = default.client.get("/_mock/findings?scope=all").json or {}
    return [(each["id"], each["namespace"], each["token"], each["count"]) for each in found["data"]]


def within(default: Fake) -> ClientUnderTest:
    """A client of a new namespace of an application of the test's own."""
    made = default.control("POST", "namespaces").json or {}
    return ClientUnderTest(type(default)(default.client, f"/ns/{made['id']}"))


def test_all_includes_every_namespace(default: Fake) -> None:
    """And says which."""
    clients = [within(default), within(default)]
    clients[0].creates(None)
    clients[1].creates(None)
    namespaces = [client.fake.base.removeprefix("/ns/") for client in clients]
    assert [(name, where) for name, where, _, _ in of_all(default)] == [("key-missing", n) for n in namespaces]


def test_all_findings_are_walked_in_pages(default: Fake) -> None:
    """Of ten thousand namespaces one answer would take as long as all of them."""
    clients = [within(default) for _ in range(5)]
    for client in clients:
        client.creates(None)
    default.client.delete(f"/_mock/namespaces/{clients[0].fake.base.removeprefix('/ns/')}")
    found = [[finding["namespace"] for finding in page["data"]] for page in walk(default)]
    names = [client.fake.base.removeprefix("/ns/") for client in clients]
    assert found == [[names[4], names[3]], [names[2], names[1], names[0]]]


def walk(default: Fake) -> Iterator[dict[str, Any]]:
    """The pages of all findings, each of two namespaces that have one."""
    query: dict[str, Any] = {"scope": "all", "limit": 2}
    while query:
        page = default.client.get("/_mock/findings", query_string=query).json or {}
        yield page
        query = {} if page["next_cursor"] is None else {**query, "cursor": page["next_cursor"]}


def test_what_a_deleted_namespace_found_is_kept(default: Fake) -> None:
    """A test's namespace is gone when the run is judged; what several found is told as one."""
    clients = [within(default), within(default)]
    clients[0].creates(None)
    clients[1].creates(None)
    default.client.delete(f"/_mock/namespaces/{clients[0].fake.base.removeprefix('/ns/')}")
    default.client.delete(f"/_mock/namespaces/{clients[1].fake.base.removeprefix('/ns/')}")
    assert of_all(default) == [("key-missing", None, None, 2)]


def test_what_was_found_before_a_reset_is_kept(default: Fake) -> None:
    """By the fake, not by the namespace."""
    client = ClientUnderTest(default)
    client.creates(None)
    default.control("POST", "reset")
    assert (client.found, [name for name, *_ in of_all(default)]) == ([], ["key-missing"])


def test_all_is_cleared(default: Fake) -> None:
    """What is bygone too."""
    ClientUnderTest(default).creates(None)
    default.control("POST", "reset")
    ClientUnderTest(default).creates(None)
    default.client.delete("/_mock/findings?scope=all")
    assert of_all(default) == []


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("scope=all", "scope"),
        ("scope=mine", "scope"),
        ("all=1", "all"),
        ("limit=5", "limit"),
        ("scope=all&limit=5", "scope"),
        ("scope=all&limit=5&cursor=1", "scope"),
        ("scope=all&limit=0", "limit"),
        ("scope=all&cursor=5", "limit"),
    ],
)
def test_a_query_that_means_nothing_here_is_refused(fake: Fake, query: str, field: str) -> None:
    """By name; a namespace of one test knows nothing of the others."""
    answer = fake.client.get(f"{fake.control_base}/findings?{query}")
    assert (answer.status_code, (answer.json or {})["errors"][0]["field"]) == (422, field)


def test_nothing_is_lost_when_the_journal_forgets() -> None:
    """Many requests between a mistake and the question."""
    app = create_app(Policy.for_profile().but(journal_size=10))
    client = Client(app)
    headers = {"Authorization": f"Bearer {WELL_KNOWN[0].secret}"}
    client.post(CUSTOMERS, json=ADA, headers=headers)
    for _ in range(30):
        client.get(CUSTOMERS, headers=headers)
    found = client.get("/_mock/findings").json or {}
    assert found["errors"] == 1


@pytest.mark.parametrize(("sent", "count"), [("its-own", 0), ("another", 1), ("\xff", 1)])
def test_the_readiness_probe_is_no_client(sent: str, count: int) -> None:
    """The fake asks itself before anybody asks it, by a secret that nobody else has."""
    fake = Fake(Client(create_app(access=Access(ready_secret="its-own"))))  # noqa: S106 - the test's own
    headers = {READY_HEADER: sent, "User-Agent": "paylera-mock-ready"}
    assert fake.call("GET", CUSTOMERS, WELL_KNOWN[0].secret, headers=headers).status_code == 200
    assert (fake.client.get("/_mock/journal").json or {})["count"] == count


@pytest.mark.parametrize("kind", KINDS, ids=[f"{kind.id}-{kind.severity}" for kind in KINDS])
def test_a_kind_names_a_clause_that_there_is(kind: FindingKind) -> None:
    """Where the contract has one."""
    assert kind.clause is None or kind.clause in BY_ID


def seen(token: str, number: int = 1) -> Observation:
    """An occasion by a token."""
    return Observation(KINDS[0], token, CUSTOMERS, number, 0.0)


def test_findings_are_bounded() -> None:
    """Beyond the bound tokens are told together, and none is named."""
    findings = FindingTable(most=2)
    for token in ("a", "b", "c", "d"):
        findings.add(seen(token))
    listed = findings.findings(lambda _habit: False)
    assert [(found.token, found.count) for found in listed] == [("a", 1), ("b", 1), (None, 2)]


def test_exchanges_are_bounded() -> None:
    """The first ones are named, all are counted."""
    findings = FindingTable()
    for number in range(1, 31):
        findings.add(seen("a", number))
    (found,) = findings.findings(lambda _habit: False)
    assert (found.count, found.exchanges) == (30, list(range(1, 11)))
