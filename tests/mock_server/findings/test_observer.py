"""What a client does wrong is found, and what a right one does is not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import pytest

from helpers.client_under_test import ADA, GRACE, ClientUnderTest
from helpers.fake import Fake
from paylera_fixtures.tokens import WELL_KNOWN
from paylera_mock.findings.catalog import KINDS
from paylera_mock.http.environ import UNDERSCORED

SECRETS = {token.name: token.secret for token in WELL_KNOWN if token.environment == "sandbox"}
LIVE = next(token.secret for token in WELL_KNOWN if token.environment == "live")
DAY = 86_400
Scenario: TypeAlias = Callable[[ClientUnderTest], None]


def puts_the_token_into_the_query(client: ClientUnderTest) -> None:
    """As other APIs have it."""
    client.reads(query_string={"api_key": client.secret})


def puts_the_token_into_the_body(client: ClientUnderTest) -> None:
    """As other APIs have it."""
    client.creates("key", ADA | {"name": client.secret})


def follows_with_its_token(client: ClientUnderTest) -> None:
    """To another origin."""
    client.fails(action="redirect")
    answer = client.sends("GET")
    client.fake.client.get(answer.headers["Location"], headers={"Authorization": f"Bearer {client.secret}"})


def forgets_the_key(client: ClientUnderTest) -> None:
    """Where one is needed."""
    client.creates(None)


def reuses_a_key(client: ClientUnderTest) -> None:
    """For something else."""
    client.creates("key", ADA)
    client.creates("key", GRACE)


def makes_a_new_key_after(**fault: Any) -> Scenario:
    """For the same request."""

    def scenario(client: ClientUnderTest) -> None:
        client.fails(**fault)
        client.creates("first")
        client.creates("second")

    return scenario


def repeats_after_401(client: ClientUnderTest) -> None:
    """With the token that was refused."""
    client.reads(secret="sk_sandbox_nobodyhasthis")  # noqa: S106 - nobody has
    client.reads(secret="sk_sandbox_nobodyhasthis")  # noqa: S106 - nobody has


def repeats_its_post_after_401(client: ClientUnderTest) -> None:
    """With a key that was made for it alone."""
    client.fails(status=401)
    client.creates("6d8c0c0e-7c1f-4ae0-9d5b-7a1f5f3c8b21")
    client.creates("6d8c0c0e-7c1f-4ae0-9d5b-7a1f5f3c8b21")


def counts_its_retry_after_401(client: ClientUnderTest) -> None:
    """As generated clients do."""
    client.reads(secret="sk_sandbox_nobodyhasthis", headers={"X-Retry-Count": "0"})  # noqa: S106 - nobody has
    client.reads(secret="sk_sandbox_nobodyhasthis", headers={"X-Retry-Count": "1"})  # noqa: S106 - nobody has


def sends_an_empty_key(client: ClientUnderTest) -> None:
    """As what arrives of one with an accent under some servers."""
    client.creates("")


def names_the_key_with_an_underscore(client: ClientUnderTest) -> None:
    """Which proxies and servers drop."""
    client.sends("POST", json=ADA, environ_overrides={UNDERSCORED: ("Idempotency_Key",)})


def reads_again_before_its_time(client: ClientUnderTest) -> None:
    """Or another test does."""
    client.fails(status=429, retry_after=30)
    client.reads()
    client.reads()


def goes_on_with_the_old_secret(client: ClientUnderTest) -> None:
    """Although it has the new one."""
    client.rotates()
    client.reads()


def goes_on_with_an_expired_secret(client: ClientUnderTest) -> None:
    """Although it has the new one, and was told."""
    client.rotates()
    client.fake.advance(DAY + 1)
    client.reads()
    client.creates("key")


def pins_no_version(client: ClientUnderTest) -> None:
    """Ever."""
    client.reads(version=None)
    client.reads(version=None)


def drops_the_version(client: ClientUnderTest) -> None:
    """Now and then."""
    client.reads()
    client.reads(version=None)


def does_not_wait(client: ClientUnderTest) -> None:
    """Although it was told for how long."""
    client.fails(status=429, retry_after=30)
    client.creates("key")
    client.creates("key")


def sends_live_over_http(client: ClientUnderTest) -> None:
    """Over the network."""
    client.reads(secret=LIVE, headers={"Host": "api.paylera.io"})


def sends_a_fakes_live_token_over_http(client: ClientUnderTest) -> None:
    """As between containers, where nobody can use it elsewhere."""
    secret = client.fake.secret(environment="live")
    client.reads(secret=secret, live=True, headers={"Host": "api.paylera.io"})


def misspells_a_member(client: ClientUnderTest) -> None:
    """Which is ignored, so that nothing tells."""
    client.creates("key", ADA | {"nmae": "Ada"})


def misspells_a_parameter(client: ClientUnderTest) -> None:
    """Likewise."""
    client.reads(query_string={"limt": 1})


UNREADABLE = ("broken-json", "html-200", "empty-200", "not-gzip", "html-502")
"""Presets of answers after which the work may be done all the same."""

WRONG: list[tuple[Scenario, str, str]] = [
    (puts_the_token_into_the_query, "token-in-query", "error"),
    (puts_the_token_into_the_body, "token-in-body", "error"),
    (follows_with_its_token, "authorization-to-another-origin", "error"),
    (forgets_the_key, "key-missing", "error"),
    (reuses_a_key, "key-reused", "error"),
    (makes_a_new_key_after(status=503), "new-key-on-retry", "error"),
    (makes_a_new_key_after(status=500, at="after_commit"), "new-key-on-retry", "error"),
    (makes_a_new_key_after(action="drop", at="after_commit"), "new-key-on-retry", "error"),
    *((makes_a_new_key_after(preset=preset), "new-key-on-retry", "error") for preset in UNREADABLE),
    (makes_a_new_key_after(preset="broken-json", at="after_commit"), "new-key-on-retry", "error"),
    (makes_a_new_key_after(status=429), "new-key-on-retry", "hint"),
    (repeats_after_401, "retry-on-401", "hint"),
    (repeats_its_post_after_401, "retry-on-401", "error"),
    (counts_its_retry_after_401, "retry-on-401", "error"),
    (sends_an_empty_key, "key-missing", "hint"),
    (names_the_key_with_an_underscore, "key-missing", "hint"),
    (reads_again_before_its_time, "retry-too-early", "hint"),
    (goes_on_with_the_old_secret, "old-secret", "hint"),
    (goes_on_with_an_expired_secret, "old-secret", "hint"),
    (pins_no_version, "no-version-pinned", "hint"),
    (drops_the_version, "version-dropped", "warning"),
    (does_not_wait, "retry-too-early", "warning"),
    (misspells_a_member, "unknown-member", "hint"),
    (misspells_a_parameter, "unknown-member", "hint"),
    (sends_live_over_http, "live-token-over-http", "error"),
    (sends_a_fakes_live_token_over_http, "live-token-over-http", "hint"),
]


@pytest.mark.parametrize(
    ("scenario", "id", "severity"), WRONG, ids=[f"{scenario.__name__}-{name}" for scenario, name, _ in WRONG]
)
def test_what_is_wrong_is_found(client: ClientUnderTest, scenario: Scenario, id: str, severity: str) -> None:
    """It, once, and nothing else."""
    scenario(client)
    assert client.found == [(id, severity)]


def test_every_finding_is_tried() -> None:
    """A kind that nothing brings about would be a promise."""
    assert {(name, severity) for _, name, severity in WRONG} == {(kind.id, kind.severity.value) for kind in KINDS}


def creates_twice(client: ClientUnderTest) -> None:
    """Two customers that look alike."""
    client.creates("first")
    client.creates("second")


def keeps_its_key(client: ClientUnderTest) -> None:
    """Through every failure."""
    client.fails(status=503, times=2)
    client.creates("key")
    client.creates("key")
    client.creates("key")


def gives_up_and_is_asked_again(client: ClientUnderTest) -> None:
    """A second wish for what had failed for good."""
    keeps_its_key(client)
    client.fake.control("DELETE", "faults")
    client.fails(status=503, times=2)
    client.creates("other")
    client.creates("other")
    client.creates("third")


def is_tested_in_two_tests(client: ClientUnderTest) -> None:
    """Each of which arms its own fault."""
    client.fails(status=503)
    client.creates("first")
    client.fails(status=503)
    client.creates("second")


def walks_pages(client: ClientUnderTest) -> None:
    """The first page twice."""
    client.reads(query_string={"limit": 1})
    client.reads(query_string={"limit": 1})


def is_refused_once_of_each(client: ClientUnderTest) -> None:
    """The tests of errors."""
    client.reads(secret=None)
    client.reads(secret="nonsense")  # noqa: S106 - nobody has it
    client.reads(secret="sk_sandbox_nobodyhasthis")  # noqa: S106 - nobody has it
    client.reads(secret=client.fake.secret("catalog:read"))


def is_refused_twice_in_two_tests(client: ClientUnderTest) -> None:
    """As where a test is run for two forms of a client: another refusal was left alone."""
    client.reads(secret="sk_sandbox_somebodyelse")  # noqa: S106 - nobody has it
    repeats_after_401(client)


def gets_another_token(client: ClientUnderTest) -> None:
    """After a 401, rather than try the same one."""
    client.fails(status=401)
    client.reads()
    client.reads(secret=client.fake.secret("*"))


def is_let_in_meanwhile(client: ClientUnderTest) -> None:
    """What a test changed may well be tried again."""
    client.fails(status=401)
    client.reads()
    client.fake.actor()
    client.reads()


def tests_the_end_of_a_grace(client: ClientUnderTest) -> None:
    """One refusal is what the test is about."""
    client.rotates()
    client.fake.advance(DAY + 1)
    client.reads()


def takes_the_new_secret(client: ClientUnderTest) -> None:
    """At once, and goes on with it."""
    client.secret = client.rotates()
    client.fake.advance(DAY + 1)
    client.reads()
    client.creates("key")


def does_not_know_of_the_rotation(client: ClientUnderTest) -> None:
    """Someone else rotated, and told nobody."""
    client.reads()
    ClientUnderTest(client.fake, "console/1").rotates(client.token)
    client.reads()


def waits_by_the_fakes_clock(client: ClientUnderTest) -> None:
    """As a test does that must not take half a minute."""
    client.fails(status=429, retry_after=30)
    client.creates("key")
    client.fake.advance(30)
    client.creates("key")


def drops_its_token_where_the_origin_changes(client: ClientUnderTest) -> None:
    """As libraries do."""
    client.fails(action="redirect")
    client.fake.client.get(client.sends("GET").headers["Location"])


def sends_live_to_this_machine(client: ClientUnderTest) -> None:
    """Loopback is no network."""
    client.reads(secret=LIVE, headers={"Host": "127.0.0.1:4242"})


def sends_live_to_what_ends_tls(client: ClientUnderTest) -> None:
    """And says that it came over TLS."""
    client.reads(secret=LIVE, headers={"Host": "api.paylera.io", "X-Forwarded-Proto": "https"})


def uses_another_version_than_the_default(client: ClientUnderTest) -> None:
    """It is pinned, whichever it is."""
    client.reads(version="2025-10-01")
    client.reads()


def writes_of_tokens(client: ClientUnderTest) -> None:
    """A mention of the prefix is no token."""
    client.creates("key", ADA | {"name": "sk_ and whsec_ are prefixes"})


RIGHT = [
    creates_twice,
    *(makes_a_new_key_after(preset=preset) for preset in ("unknown-enum", "unknown-member")),
    makes_a_new_key_after(status=201, body={"id": "cus_1"}),
    makes_a_new_key_after(status=204, at="after_commit"),
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
    sends_live_to_what_ends_tls,
    uses_another_version_than_the_default,
    writes_of_tokens,
]


@pytest.mark.parametrize("scenario", RIGHT, ids=[scenario.__name__ for scenario in RIGHT])
def test_what_is_right_is_no_finding(client: ClientUnderTest, scenario: Scenario) -> None:
    """Not even a hint: a finding that blames a right client teaches to ignore all of them."""
    scenario(client)
    assert client.found == []


@pytest.mark.parametrize("name", ["rotatedold", "rotatednew", "expired", "revoked", "servicenoscope", "adminaal1"])
def test_well_known_tokens_may_be_used_for_what_they_are_for(default: Fake, name: str) -> None:
    """Tests of refusals and of the grace."""
    client = ClientUnderTest(default)
    client.reads(secret=SECRETS[name])
    assert client.found == []


def test_two_clients_of_one_token_are_told_apart(client: ClientUnderTest) -> None:
    """Curl beside an SDK drops no version of the SDK's."""
    client.reads()
    client.agent = "curl/8"
    client.reads(version=None)
    assert client.found == [("no-version-pinned", "hint")]
