"""What a case has made of a token that it was lent is read off its exchanges."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

import pytest

from helpers.suite import CANARY, URL
from paylera_conformance.model.messages import Exchange, Request, Response
from paylera_conformance.model.outcomes import Blocked, Outcome
from paylera_conformance.model.tokens import Credential, TokenState
from paylera_conformance.probe.probe import Probe
from paylera_conformance.run.returned_tokens import find_newest, return_tokens
from paylera_conformance.target.provisioner import ACTED_ON, Need, StaticProvisioner
from paylera_conformance.target.settings import Settings
from paylera_fixtures.redaction import Secret

OPERATOR = Credential(Secret("operator", "operator"))
SPARE = Credential(Secret(CANARY, "spare"), id="tok_1", disposable=True)
TOKENS = "/v1/admin/api-tokens"
SECOND, THIRD = (f"sk_sandbox_{name}".ljust(43, "7") for name in ("Second", "Third"))


def exchange(request: Request, status: int, body: object = None) -> Exchange:
    """A request by an operator, answered."""
    return Exchange(request, URL + request.path, (), Response(status, (), json.dumps(body).encode()))


def rotation(*secrets: str, status: int = 200, key: str = "", path: str = f"{TOKENS}/tok_1/rotate") -> Exchange:
    """A rotation that answers these secrets. `key`: where it is not one of its own."""
    request = Request("POST", path, OPERATOR, key=key or f"key of {secrets}")
    return exchange(request, status, {"id": "tok_1", "secrets": secrets})


def revocation(status: int = 204, path: str = f"{TOKENS}/tok_1") -> Exchange:
    """A revocation."""
    return exchange(Request("DELETE", path, OPERATOR), status)


def use(secret: str, status: int = 200, code: str = "", *, written: str = "Bearer {}") -> Exchange:
    """A read by a secret."""
    request = Request("GET", "/v1/customers", SPARE.with_secret(secret, ""), credential=written)
    return exchange(request, status, {"problem": code})


# What was sent and answered, the secret that works then, and the state.
LEFT: dict[str, tuple[list[Exchange], str, TokenState]] = {
    "untouched": ([use(CANARY)], CANARY, TokenState.ACTIVE),
    "written-otherwise": ([use(CANARY, 401, "auth.invalid_token", written="Basic {}")], CANARY, TokenState.ACTIVE),
    "another-was-revoked": ([revocation(path=f"{TOKENS}/tok_2")], CANARY, TokenState.ACTIVE),
    "rotated": ([rotation(SECOND), use(SECOND), use(CANARY)], SECOND, TokenState.ACTIVE),
    "rotated-twice": ([rotation(SECOND), rotation(THIRD)], THIRD, TokenState.ACTIVE),
    "rotated-in-an-earlier-case": ([rotation(CANARY), use(CANARY)], CANARY, TokenState.ACTIVE),
    "old-secret-is-over": ([rotation(SECOND), use(CANARY, 401, "auth.expired_token")], SECOND, TokenState.ACTIVE),
    "replay": ([rotation(SECOND, key="k"), rotation(THIRD), rotation(SECOND, key="k")], THIRD, TokenState.ACTIVE),
    "replay-without-secret": ([rotation(SECOND, key="k"), rotation(key="k")], SECOND, TokenState.ACTIVE),
    "refused": ([rotation(status=403), revocation(401)], CANARY, TokenState.ACTIVE),
    "read": ([exchange(Request("GET", f"{TOKENS}/tok_1", OPERATOR), 200, {"id": "tok_1"})], CANARY, TokenState.ACTIVE),
    "revoked": ([revocation(), use(CANARY, 401, "auth.invalid_token")], CANARY, TokenState.REVOKED),
    "revoked-with-a-query": ([revocation(path=f"{TOKENS}/tok_1?locale=de")], CANARY, TokenState.REVOKED),
    "rotated-and-revoked": ([rotation(SECOND), revocation()], SECOND, TokenState.REVOKED),
    "revoked-twice": ([revocation(), revocation(404)], CANARY, TokenState.REVOKED),
}


@pytest.mark.parametrize(("exchanges", "secret", "state"), LEFT.values(), ids=LEFT)
def test_token_is_what_the_answers_say(exchanges: list[Exchange], secret: str, state: TokenState) -> None:
    """Its newest secret, and whether it was revoked."""
    newest = find_newest(SPARE, exchanges)
    assert newest == replace(SPARE, secret=Secret(secret), state=state)


# What leaves open what the token is now.
UNCLEAR: dict[str, list[Exchange]] = {
    "no-secret": [rotation()],
    "two-secrets": [rotation(SECOND, THIRD)],
    "rotation-broke": [rotation(status=500)],
    "revocation-broke": [revocation(503)],
    "revocation-redirected": [revocation(302)],
    "rotated-after-its-end": [revocation(), rotation(SECOND)],
    "something-else": [exchange(Request("POST", f"{TOKENS}/tok_1/freeze", OPERATOR), 200)],
    "patched": [exchange(Request("PATCH", f"{TOKENS}/tok_1", OPERATOR), 200)],
    "does-not-work": [use(CANARY, 401, "auth.invalid_token")],
    "new-secret-does-not-work": [rotation(SECOND), use(SECOND, 401, "auth.expired_token")],
}


@pytest.mark.parametrize("exchanges", UNCLEAR.values(), ids=UNCLEAR)
def test_token_of_which_nobody_knows_is_not_given_back(exchanges: list[Exchange]) -> None:
    """The next case would be blocked for the last one's sake."""
    assert find_newest(SPARE, exchanges) is None


@pytest.fixture
def lending(probe_on: Callable[..., Probe]) -> Probe:
    """The probe of a case that was lent a token to act on, and another."""
    tokens = (SPARE, replace(SPARE, secret=Secret(SECOND, "other"), id="tok_2"))
    provisioner = StaticProvisioner(Settings(url=URL, tokens=tokens))
    provisioner.token(Need(ACTED_ON, disposable=True))
    provisioner.token(Need("kept", disposable=True))
    probe: Probe = probe_on(lambda _: None, provisioner)
    return probe


@pytest.mark.parametrize("outcome", [Outcome.PASS, Outcome.WARN, Outcome.BLOCKED, Outcome.INAPPLICABLE])
def test_case_gives_back_what_it_was_lent(lending: Probe, outcome: Outcome) -> None:
    """However it ended, if its exchanges are all."""
    return_tokens(lending, outcome)
    assert lending.provisioner.token(Need("", disposable=True)) == SPARE


@pytest.mark.parametrize("outcome", [Outcome.FAIL, Outcome.ERROR, Outcome.PENDING])
def test_case_that_ended_half_way_gives_back_nothing(lending: Probe, outcome: Outcome) -> None:
    """What it was about to do may have been done, and a case that waits goes on with its tokens."""
    return_tokens(lending, outcome)
    with pytest.raises(Blocked):
        lending.provisioner.token(Need("", disposable=True))


def test_what_was_acted_on_is_given_back_alone(lending: Probe) -> None:
    """The other tokens of cases that go on together are in use."""
    return_tokens(lending, Outcome.PASS, acted_on=True)
    assert [need.role for _, need in lending.provisioner.lent] == ["kept"]
    assert lending.provisioner.token(Need("", disposable=True)) == SPARE
