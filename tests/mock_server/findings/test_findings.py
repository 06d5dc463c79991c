"""What a client does wrong is found, and what a right one does is not."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from werkzeug.test import Client

from paylera_fixtures.clauses import BY_ID
from paylera_fixtures.tokens import WELL_KNOWN
from paylera_mock.app import create_app
from paylera_mock.core.messages import READY_AGENT
from paylera_mock.core.policy import Policy
from paylera_mock.findings.catalog import KINDS, FindingKind
from paylera_mock.findings.table import FindingTable, Observation

if TYPE_CHECKING:
    from helpers.fake import Fake

CUSTOMERS = "/v1/customers"
TOKENS = "/v1/admin/api-tokens"
ADA = {"email": "ada@example.com"}
GRACE = {"email": "grace@example.com"}
SECRETS = {token.name: token.secret for token in WELL_KNOWN if token.environment == "sandbox"}
LIVE = next(token.secret for token in WELL_KNOWN if token.environment == "live")
DAY = 86_400


class Person:
    """A client that sends exactly what it is told to, with a version and a name of its own."""

    def __init__(self, fake: Fake, agent: str = "acme/1") -> None:
        self.fake = fake
        self.token = fake.token("*")
        self.secret: str = self.token["secret"]
        self.agent = agent

    def sends(self, method: str, path: str = CUSTOMERS, *, version: str | None = "2026-04-01", **more: Any) -> Any:
        """Send one request."""
        headers = {"User-Agent": self.agent} | ({"Paylera-Version": version} if version else {})
        secret = more.pop("secret", self.secret)
        return self.fake.call(method, path, secret, headers=headers | more.pop("headers", {}), **more)

    def reads(self, **more: Any) -> None:
        """List customers."""
        self.sends("GET", **more)

    def creates(self, key: str | None, body: dict[str, str] | None = None, **more: Any) -> None:
        """Create a customer."""
        self.sends("POST", key=key, json=body or ADA, **more)

    def fails(self, **fault: Any) -> None:
        """Have what comes next fail."""
        assert self.fake.control("POST", "faults", **({"action": "answer"} | fault)).status_code == 201

    def rotates(self, token: dict[str, Any] | None = None) -> str:
        """Rotate a token as an admin who is the same program: the new secret."""
        path = f"{TOKENS}/{(token or self.token)['id']}/rotate"
        answer = self.sends("POST", path, secret=self.fake.admin())
        return str(answer.json["secret"])

    @property
    def findings(self) -> list[dict[str, Any]]:
        """What was found."""
        found = self.fake.client.get(f"{self.fake.control_base}/findings").json
        assert isinstance(found, dict)
        data: list[dict[str, Any]] = found["data"]
        return data

    @property
    def found(self) -> list[tuple[str, str]]:
        """What was found, by id and severity."""
        return [(finding["id"], finding["severity"]) for finding in self.findings]


@pytest.fixture
def client(fake: Fake) -> Person:
    """A client of a namespace of the test's own."""
    return Person(fake)


def puts_the_token_into_the_query(client: Person) -> None:
    """As other APIs have it."""
    client.reads(query_string={"api_key": client.secret})


def puts_the_token_into_the_body(client: Person) -> None:
    """As other APIs have it."""
    client.creates("key", ADA | {"name": client.secret})


def follows_with_its_token(client: Person) -> None:
    """To another origin."""
    client.fails(action="redirect")
    answer = client.sends("GET")
    client.fake.client.get(answer.headers["Location"], headers={"Authorization": f"Bearer {client.secret}"})


def forgets_the_key(client: Person) -> None:
    """Where one is needed."""
    client.creates(None)


def reuses_a_key(client: Person) -> None:
    """For something else."""
    client.creates("key", ADA)
    client.creates("key", GRACE)


def makes_a_new_key_after(**fault: Any) -> Callable[[Person], None]:
    """For the same request."""

    def scenario(client: Person) -> None:
        client.fails(**fault)
        client.creates("first")
        client.creates("second")

    return scenario


def repeats_after_401(client: Person) -> None:
    """With the token that was refused."""
    client.reads(secret="sk_sandbox_nobodyhasthis")  # noqa: S106 - nobody has
    client.reads(secret="sk_sandbox_nobodyhasthis")  # noqa: S106 - nobody has


def goes_on_with_the_old_secret(client: Person) -> None:
    """Although it has the new one."""
    client.rotates()
    client.reads()


def goes_on_with_an_expired_secret(client: Person) -> None:
    """Although it has the new one, and was told."""
    client.rotates()
    client.fake.advance(DAY + 1)
    client.reads()
    client.creates("key")


def pins_no_version(client: Person) -> None:
    """Ever."""
    client.reads(version=None)
    client.reads(version=None)


def drops_the_version(client: Person) -> None:
    """Now and then."""
    client.reads()
    client.reads(version=None)


def does_not_wait(client: Person) -> None:
    """Although it was told for how long."""
    client.fails(status=429, retry_after=30)
    client.creates("key")
    client.creates("key")


def sends_live_over_http(client: Person) -> None:
    """Over the network."""
    client.reads(secret=LIVE, headers={"Host": "paylera.example:4242"})


WRONG: list[tuple[Callable[[Person], None], str, str]] = [
    (puts_the_token_into_the_query, "token-in-query", "error"),
    (puts_the_token_into_the_body, "token-in-body", "error"),
    (follows_with_its_token, "authorization-to-another-origin", "error"),
    (forgets_the_key, "key-missing", "error"),
    (reuses_a_key, "key-reused", "error"),
    (makes_a_new_key_after(status=503), "new-key-on-retry", "error"),
    (makes_a_new_key_after(status=500, at="after_commit"), "new-key-on-retry", "error"),
    (makes_a_new_key_after(action="drop", at="after_commit"), "new-key-on-retry", "error"),
    (makes_a_new_key_after(status=429), "new-key-on-retry", "hint"),
    (repeats_after_401, "retry-on-401", "error"),
    (goes_on_with_the_old_secret, "old-secret", "hint"),
    (goes_on_with_an_expired_secret, "old-secret", "error"),
    (pins_no_version, "no-version-pinned", "hint"),
    (drops_the_version, "version-dropped", "warning"),
    (does_not_wait, "retry-too-early", "warning"),
    (sends_live_over_http, "live-token-over-http", "error"),
]


@pytest.mark.parametrize(
    ("scenario", "id", "severity"), WRONG, ids=[f"{scenario.__name__}-{name}" for scenario, name, _ in WRONG]
)
def test_what_is_wrong_is_found(client: Person, scenario: Callable[[Person], None], id: str, severity: str) -> None:
    """It, once, and nothing else."""
    scenario(client)
    assert client.found == [(id, severity)]


def test_every_finding_is_tried() -> None:
    """A kind that nothing brings about would be a promise."""
    assert {(name, severity) for _, name, severity in WRONG} == {(kind.id, kind.severity.value) for kind in KINDS}


def creates_twice(client: Person) -> None:
    """Two customers that look alike."""
    client.creates("first")
    client.creates("second")


def keeps_its_key(client: Person) -> None:
    """Through every failure."""
    client.fails(status=503, times=2)
    client.creates("key")
    client.creates("key")
    client.creates("key")


def gives_up_and_is_asked_again(client: Person) -> None:
    """A second wish for what had failed for good."""
    keeps_its_key(client)
    client.fake.control("DELETE", "faults")
    client.fails(status=503, times=2)
    client.creates("other")
    client.creates("other")
    client.creates("third")


def is_tested_in_two_tests(client: Person) -> None:
    """Each of which arms its own fault."""
    client.fails(status=503)
    client.creates("first")
    client.fails(status=503)
    client.creates("second")


def walks_pages(client: Person) -> None:
    """The first page twice."""
    client.reads(query_string={"limit": 1})
    client.reads(query_string={"limit": 1})


def is_refused_once_of_each(client: Person) -> None:
    """The tests of errors."""
    client.reads(secret=None)
    client.reads(secret="nonsense")  # noqa: S106 - nobody has it
    client.reads(secret="sk_sandbox_nobodyhasthis")  # noqa: S106 - nobody has it
    client.reads(secret=client.fake.secret("catalog:read"))


def is_refused_twice_in_two_tests(client: Person) -> None:
    """As where a test is run for two forms of a client: another refusal was left alone."""
    client.reads(secret="sk_sandbox_somebodyelse")  # noqa: S106 - nobody has it
    repeats_after_401(client)


def gets_another_token(client: Person) -> None:
    """After a 401, rather than try the same one."""
    client.fails(status=401)
    client.reads()
    client.reads(secret=client.fake.secret("*"))


def is_let_in_meanwhile(client: Person) -> None:
    """What a test changed may well be tried again."""
    client.fails(status=401)
    client.reads()
    client.fake.actor()
    client.reads()


def tests_the_end_of_a_grace(client: Person) -> None:
    """One refusal is what the test is about."""
    client.rotates()
    client.fake.advance(DAY + 1)
    client.reads()


def takes_the_new_secret(client: Person) -> None:
    """At once, and goes on with it."""
    client.secret = client.rotates()
    client.fake.advance(DAY + 1)
    client.reads()
    client.creates("key")


def does_not_know_of_the_rotation(client: Person) -> None:
    """Someone else rotated, and told nobody."""
    client.reads()
    Person(client.fake, "console/1").rotates(client.token)
    client.reads()


def waits_by_the_fakes_clock(client: Person) -> None:
    """As a test does that must not take half a minute."""
    client.fails(status=429, retry_after=30)
    client.creates("key")
    client.fake.advance(30)
    client.creates("key")


def drops_its_token_where_the_origin_changes(client: Person) -> None:
    """As libraries do."""
    client.fails(action="redirect")
    client.fake.client.get(client.sends("GET").headers["Location"])


def sends_live_to_this_machine(client: Person) -> None:
    """Loopback is no network."""
    client.reads(secret=LIVE, headers={"Host": "127.0.0.1:4242"})


def uses_another_version_than_the_default(client: Person) -> None:
    """It is pinned, whichever it is."""
    client.reads(version="2025-10-01")
    client.reads()


def writes_of_tokens(client: Person) -> None:
    """A mention of the prefix is no token."""
    client.creates("key", ADA | {"name": "sk_ and whsec_ are prefixes"})


RIGHT = [
    creates_twice,
    keeps_its_key,
    gives_up_and_is_asked_again,
    is_tested_in_two_tests,
    walks_pages,
    is_refused_once_of_each,
    is_refused_twice_in_two_tests,
    gets_another_token,
    is_let_in_meanwhile,
    tests_the_end_of_a_grace,
    takes_the_new_secret,
    does_not_know_of_the_rotation,
    waits_by_the_fakes_clock,
    drops_its_token_where_the_origin_changes,
    sends_live_to_this_machine,
    uses_another_version_than_the_default,
    writes_of_tokens,
]


@pytest.mark.parametrize("scenario", RIGHT, ids=[scenario.__name__ for scenario in RIGHT])
def test_what_is_right_is_no_finding(client: Person, scenario: Callable[[Person], None]) -> None:
    """Not even a hint: a finding that blames a right client teaches to ignore all of them."""
    scenario(client)
    assert client.found == []


@pytest.mark.parametrize("name", ["rotatedold", "rotatednew", "expired", "revoked", "servicenoscope", "adminaal1"])
def test_well_known_tokens_may_be_used_for_what_they_are_for(default: Fake, name: str) -> None:
    """Tests of refusals and of the grace."""
    client = Person(default)
    client.reads(secret=SECRETS[name])
    assert client.found == []


def test_two_clients_of_one_token_are_told_apart(client: Person) -> None:
    """Curl beside an SDK drops no version of the SDK's."""
    client.reads()
    client.agent = "curl/8"
    client.reads(version=None)
    assert client.found == [("no-version-pinned", "hint")]


def test_a_finding_says_all_that_is_known(client: Person) -> None:
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


def test_a_token_is_named_without_its_secret(client: Person) -> None:
    """By its name or id, and a fingerprint."""
    client.creates(None)
    (finding,) = client.findings
    assert (client.token["id"] in finding["token"], client.secret in str(finding)) == (True, False)


def test_another_route_is_another_finding(client: Person) -> None:
    """Each is a place to mend."""
    client.creates(None)
    client.sends("POST", "/v1/wallets", json={"customer_id": "x", "currency": "USD"})
    assert [finding["route"] for finding in client.findings] == [CUSTOMERS, "/v1/wallets"]


def test_findings_are_counted_by_severity(client: Person) -> None:
    """So that a script need not."""
    client.creates(None, version=None)
    found = client.fake.client.get(f"{client.fake.control_base}/findings").json or {}
    assert (found["errors"], found["warnings"], found["hints"]) == (1, 0, 1)


def test_findings_are_cleared(client: Person) -> None:
    """What comes later is found again."""
    client.creates(None)
    client.fake.control("DELETE", "findings")
    client.creates(None)
    assert [finding["count"] for finding in client.findings] == [1]


def test_a_namespace_knows_its_own(client: Person, namespace: Callable[[], Fake]) -> None:
    """Nobody else's."""
    client.creates(None)
    assert Person(namespace()).found == []


def of_all(default: Fake) -> list[tuple[str, str | None, str | None, int]]:
    """What was found anywhere: id, namespace, token, count."""
    found = default.client.get("/_mock/findings?scope=all").json or {}
    return [(each["id"], each["namespace"], each["token"], each["count"]) for each in found["data"]]


def within(default: Fake) -> Person:
    """A client of a new namespace of an application of the test's own."""
    made = default.control("POST", "namespaces").json or {}
    return Person(type(default)(default.client, f"/ns/{made['id']}"))


def test_all_includes_every_namespace(default: Fake) -> None:
    """And says which."""
    clients = [within(default), within(default)]
    clients[0].creates(None)
    clients[1].creates(None)
    namespaces = [client.fake.base.removeprefix("/ns/") for client in clients]
    assert [(name, where) for name, where, _, _ in of_all(default)] == [("key-missing", n) for n in namespaces]


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
    client = Person(default)
    client.creates(None)
    default.control("POST", "reset")
    assert (client.found, [name for name, *_ in of_all(default)]) == ([], ["key-missing"])


def test_all_is_cleared(default: Fake) -> None:
    """What is bygone too."""
    Person(default).creates(None)
    default.control("POST", "reset")
    Person(default).creates(None)
    default.client.delete("/_mock/findings?scope=all")
    assert of_all(default) == []


@pytest.mark.parametrize(("query", "field"), [("scope=all", "scope"), ("scope=mine", "scope"), ("all=1", "all")])
def test_a_query_that_means_nothing_here_is_refused(fake: Fake, query: str, field: str) -> None:
    """By name; a namespace of one test knows nothing of the others."""
    answer = fake.client.get(f"{fake.control_base}/findings?{query}")
    assert (answer.status_code, (answer.json or {})["errors"][0]["field"]) == (422, field)


def test_nothing_is_lost_when_the_journal_forgets() -> None:
    """Many requests between a mistake and the question."""
    app = create_app(Policy.for_profile().but(journal_size=10))
    client = Client(app)
    headers = {"Authorization": f"Bearer {SECRETS['serviceall']}"}
    client.post(CUSTOMERS, json=ADA, headers=headers)
    for _ in range(30):
        client.get(CUSTOMERS, headers=headers)
    found = client.get("/_mock/findings").json or {}
    assert found["errors"] == 1


def test_the_readiness_probe_is_nobodys_conduct(default: Fake) -> None:
    """The fake asks itself before anybody asks it."""
    Person(default, READY_AGENT).reads(version=None)
    assert of_all(default) == []


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
