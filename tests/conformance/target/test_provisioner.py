"""Where credentials and moved clocks come from: what the file lists, and what the control API makes."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import httpx
import pytest

from paylera_conformance.http.client import Client
from paylera_conformance.model.outcomes import Blocked
from paylera_conformance.model.tokens import Credential, TokenState
from paylera_conformance.target.control_api import ControlApi, ControlProvisioner, MintedToken, discover, read_answer
from paylera_conformance.target.provisioner import OTHER, Need, Provisioner, share_tokens
from paylera_conformance.target.settings import ConfigError, Settings
from paylera_fixtures.api.operations import Resource
from paylera_fixtures.redaction import Secret
from paylera_fixtures.vocabulary import Audience, Environment

ClientOf: TypeAlias = Callable[[Callable[[httpx.Request], httpx.Response]], Client]

URL = "http://target.test"
CONTROL = "http://control.test/_mock"
CAPABILITIES = ("namespaces", "tokens", "clock", "versions", "actors", "tenants", "customers", "objects", "rate-limits")


def listed(**members: Any) -> Credential:
    """A token of the file, its role what is special about it."""
    role = ",".join(f"{name}={value}" for name, value in members.items())
    return Credential(Secret(f"secret {role}", role), **members)


LISTED = (
    listed(),
    listed(scopes=("customers:read",)),
    listed(scopes=("customers:read", "customers:write")),
    listed(scopes=()),
    listed(audience=Audience.ADMIN),
    listed(audience=Audience.ADMIN, aal=2),
    listed(audience=Audience.CUSTOMER, customer_id="cus_1"),
    listed(environment=Environment.LIVE),
    listed(tenant_id="other"),
    listed(tenant_id="ten_main", scopes=("payments:read",)),
    listed(state=TokenState.REVOKED),
    listed(disposable=True),
    listed(disposable=True, id="tok_1"),
)

# A need, and which of the tokens above meets it.
NEEDS: dict[str, tuple[Need, int]] = {
    "everything": (Need(""), 0),
    "exact-scope": (Need("", scopes=("customers:read",)), 1),
    "scopes-in-any-order": (Need("", scopes=("customers:write", "customers:read")), 2),
    "no-scope": (Need("", scopes=()), 3),
    "at-least-one": (Need("", scopes=("customers:read",), at_least=True), 0),
    "admin": (Need("", audience=Audience.ADMIN), 4),
    "admin-with-second-factor": (Need("", audience=Audience.ADMIN, aal=2), 5),
    "customer": (Need("", audience=Audience.CUSTOMER), 6),
    "that-customer": (Need("", audience=Audience.CUSTOMER, customer_id="cus_1"), 6),
    "live": (Need("", environment=Environment.LIVE), 7),
    "other-tenant": (Need("", tenant=OTHER), 8),
    # A tenant that is not said to be the other one is the own.
    "own-tenant": (Need("", scopes=("payments:read",)), 9),
    "revoked": (Need("", state=TokenState.REVOKED), 10),
    # Without its id it could not be rotated.
    "disposable": (Need("", disposable=True), 12),
}


@pytest.fixture
def static() -> Provisioner:
    """What hands out these tokens."""
    return Provisioner(Settings(url=URL, tokens=LISTED))


@pytest.mark.parametrize(("need", "index"), NEEDS.values(), ids=NEEDS)
def test_token_is_found_by_what_it_is(static: Provisioner, need: Need, index: int) -> None:
    """Its name in the file says nothing; the first that is what is needed is given."""
    assert static.token(need) is LISTED[index]


# A need that none of them meets, and what its message must name.
UNMET: dict[str, tuple[Need, str]] = {
    "odd-scopes": (Need("", scopes=(" ", "", "c")), 'a service token with scopes " " "" c'),
    "scope": (Need("", scopes=("payments:refund",)), "a service token with scopes payments:refund"),
    "less-than-asked": (Need("", scopes=("customers:read", "x:y")), "scopes customers:read x:y"),
    "aal": (Need("", aal=2), "aal 2"),
    "other-customer": (Need("", audience=Audience.CUSTOMER, customer_id="cus_2"), "bound to customer cus_2"),
    "expired": (Need("", state=TokenState.EXPIRED), 'state = "expired"'),
    "grace": (Need("", state=TokenState.GRACE), 'state = "grace"'),
    "live-admin": (Need("", audience=Audience.ADMIN, environment=Environment.LIVE), "an admin token.*of live"),
    "other-tenants-admin": (Need("", audience=Audience.ADMIN, tenant=OTHER), 'tenant = "other"'),
    "disposable-admin": (Need("", audience=Audience.ADMIN, disposable=True), "disposable = true, with its id"),
}


@pytest.mark.parametrize(("need", "says"), UNMET.values(), ids=UNMET)
def test_token_that_is_not_listed_blocks(static: Provisioner, need: Need, says: str) -> None:
    """The message is the order for whoever mints tokens."""
    with pytest.raises(Blocked, match=f"no token listed is .*{says}.*list it under"):
        static.token(need)


def test_disposable_token_is_given_once(static: Provisioner) -> None:
    """After that it is rotated or revoked, and not what it was."""
    static.token(Need("", disposable=True))
    with pytest.raises(Blocked):
        static.token(Need("", disposable=True))


def test_spent_token_serves_nothing_else() -> None:
    """Not even where any token would do."""
    static = Provisioner(Settings(url=URL, tokens=(listed(disposable=True, id="tok_1"),)))
    static.token(Need("", disposable=True))
    with pytest.raises(Blocked):
        static.token(Need(""))


def test_token_to_be_kept_is_not_taken_from_the_disposable() -> None:
    """Where another will do: what one test holds another may rotate meanwhile."""
    kept = listed()
    static = Provisioner(Settings(url=URL, tokens=(listed(disposable=True, id="tok_1"), kept)))
    assert static.token(Need("")) is kept


# What a file alone cannot give, and what the message must name.
OUT_OF_REACH: dict[str, tuple[Callable[[Provisioner], object], str]] = {
    "now": (lambda world: world.now(), "driver control"),
    "advance": (lambda world: world.advance(5), "control API with `clock`"),
    "release": (lambda world: world.release("2027-01-01"), "control API with `versions`"),
    "known-actor": (lambda world: world.known_actor(), r"set \[actors\] known"),
    "foreign-actor": (lambda world: world.foreign_actor(), r"set \[actors\] foreign"),
}


@pytest.mark.parametrize(("ask", "says"), OUT_OF_REACH.values(), ids=OUT_OF_REACH)
def test_what_a_file_cannot_give_blocks(static: Provisioner, ask: Callable[[Provisioner], object], says: str) -> None:
    """With the remedy."""
    with pytest.raises(Blocked, match=says):
        ask(static)


class Deployment:
    """A control API that offers some capabilities; `calls` is what it was asked."""

    def __init__(self, capabilities: Sequence[str]) -> None:
        self.capabilities = capabilities
        self.calls: list[str] = []
        self.answers: dict[str, dict[str, Any]] = {
            "GET /_mock": {"protocol": 1, "capabilities": list(capabilities), "url": URL, "live_url": f"{URL}/live"},
            "POST /_mock/namespaces": {
                "id": "n1",
                "url": f"{URL}/ns/n1",
                "control_url": "http://control.test/ns/n1/_mock",
            },
            "POST /_mock/tenants": {"id": "ten_2"},
            "POST /_mock/actors": {"id": "actor_1"},
            "POST /_mock/customers": {"id": "cus_1"},
            "POST /_mock/objects": {"id": "pay_1"},
            "GET /_mock/clock": {"now": "2026-11-24T00:00:00Z"},
            "POST /_mock/clock/advance": {"now": "2026-11-25T00:00:00Z"},
            "GET /_mock/versions": {"current": "2026-04-01", "supported": ["2026-04-01"]},
            "POST /_mock/versions": {"current": "2027-01-01", "supported": ["2026-04-01", "2027-01-01"]},
            "POST /_mock/rate-limits": {},
            "POST /_mock/reset": {},
            "DELETE /_mock/namespaces/n1": {},
        }

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """Answer one call."""
        call = f"{request.method} {request.url.path}"
        self.calls.append(call)
        if call.endswith("/tokens"):
            return httpx.Response(201, json=self.minted(json.loads(request.content)))
        found = self.answers.get(call)
        return (
            httpx.Response(404, json={"problem": "route.not_found"})
            if found is None
            else httpx.Response(200, json=found)
        )

    def minted(self, asked: dict[str, Any]) -> dict[str, Any]:
        """The token that was asked for."""
        return {"id": "tok_1", "secret": "s", "environment": "sandbox", "tenant_id": "ten_1", **asked}


@pytest.fixture
def world_of(client_of: ClientOf) -> Callable[..., ControlProvisioner]:
    """Makes the world of a deployment."""

    def make(deployment: Deployment, **settings: Any) -> ControlProvisioner:
        api = ControlApi(client_of(deployment), CONTROL)
        given = Settings(url=URL, driver="control", control_url=CONTROL, **settings)
        return ControlProvisioner(api, discover(api), given)

    return make


WorldOf: TypeAlias = Callable[..., ControlProvisioner]

# A capability, and what cannot be had without it.
LACKING: dict[str, tuple[str, Callable[[Provisioner], object]]] = {
    "clock-read": ("clock", lambda world: world.now()),
    "clock-moved": ("clock", lambda world: world.advance(1)),
    "versions": ("versions", lambda world: world.release("2027-01-01")),
    "rate-limits": ("rate-limits", lambda world: world.enforce_rate_limits()),
    "tenants": ("tenants", lambda world: world.token(Need("", tenant=OTHER))),
}


@pytest.mark.parametrize(("capability", "ask"), LACKING.values(), ids=LACKING)
def test_missing_capability_blocks(world_of: WorldOf, capability: str, ask: Callable[[Provisioner], object]) -> None:
    """And is named, so that its implementer knows what to add."""
    deployment = Deployment([name for name in CAPABILITIES if name != capability])
    with pytest.raises(Blocked, match=f"lacks the capability `{capability}`"):
        ask(world_of(deployment))


# A capability, what is asked for, and what the file gives in its place.
FALLBACKS: dict[str, tuple[str, Callable[[Provisioner], object], object]] = {
    "tokens": ("tokens", lambda world: world.token(Need("")), LISTED[0]),
    "known-actor": ("actors", lambda world: world.known_actor(), "actor_listed"),
    "foreign-actor": ("actors", lambda world: world.foreign_actor(), "actor_foreign"),
    "foreign-actor-without-tenants": ("tenants", lambda world: world.foreign_actor(), "actor_foreign"),
    "customer": ("customers", lambda world: world.customer(), None),
    "object": ("objects", lambda world: world.object(Resource.PAYMENT, "succeeded"), None),
}


@pytest.mark.parametrize(("capability", "ask", "given"), FALLBACKS.values(), ids=FALLBACKS)
def test_file_stands_in_for_a_missing_capability(
    world_of: WorldOf, capability: str, ask: Callable[[Provisioner], object], given: object
) -> None:
    """What the control API does not make may be listed; `None` sends the test to the API itself."""
    deployment = Deployment([name for name in CAPABILITIES if name != capability])
    world = world_of(deployment, tokens=LISTED, known_actor="actor_listed", foreign_actor="actor_foreign")
    assert ask(world) == given


@pytest.mark.parametrize("state", [TokenState.REVOKED, TokenState.EXPIRED, TokenState.GRACE])
def test_past_of_a_token_is_not_minted(world_of: WorldOf, state: TokenState) -> None:
    """The control API makes tokens that work; others are listed or lived through."""
    with pytest.raises(Blocked, match=f'state = "{state}"'):
        world_of(Deployment(CAPABILITIES)).token(Need("", state=state))


# What a control API gives for a namespace, and whose URL leads elsewhere.
ELSEWHERE: dict[str, tuple[dict[str, str], str]] = {
    "url": ({"url": "http://other.test/ns/n1"}, "a namespace's url is at http://other.test"),
    "port": ({"url": f"{URL}:8080/ns/n1"}, "a namespace's url is at http://target.test:8080"),
    "scheme": ({"url": "https://target.test/ns/n1"}, "a namespace's url is at https://target.test"),
    # The control API is another server, and what is seen there is no evidence about the target.
    "where-the-control-api-is": ({"url": "http://control.test/ns/n1"}, "a namespace's url is at http://control.test"),
    "live-url": ({"live_url": "http://other.test"}, "live_url is at http://other.test"),
    "control-url": ({"control_url": "http://other.test/_mock"}, "a namespace's control_url is at http://other.test"),
    "no-url": ({"url": "file:///etc/passwd"}, "is no http or https URL"),
}


@pytest.mark.parametrize(("given", "says"), ELSEWHERE.values(), ids=ELSEWHERE)
def test_namespace_of_another_origin_is_refused(world_of: WorldOf, given: dict[str, str], says: str) -> None:
    """Another server would be judged, and get the credentials; the namespace is given back."""
    deployment = Deployment(CAPABILITIES)
    deployment.answers["POST /_mock/namespaces"] |= given
    world = world_of(deployment)
    with pytest.raises(ConfigError, match=says):
        world.isolate()
    assert deployment.calls[-1] == "DELETE /_mock/namespaces/n1"


def test_described_live_url_of_another_origin_is_refused(world_of: WorldOf) -> None:
    """It would get the tokens of the other environment."""
    deployment = Deployment(CAPABILITIES)
    deployment.answers["GET /_mock"]["live_url"] = "http://other.test"
    with pytest.raises(ConfigError, match=r'\[target\] also = \["http://other.test"\]'):
        world_of(deployment)


@pytest.mark.parametrize("url", ["http://other.test/ns/n1", f"{URL}./ns/n1", "HTTP://Target.Test:80/ns/n1"])
def test_namespace_of_a_listed_origin_is_taken(world_of: WorldOf, url: str) -> None:
    """However that is spelled."""
    deployment = Deployment(CAPABILITIES)
    deployment.answers["POST /_mock/namespaces"]["url"] = url
    assert world_of(deployment, also=("http://other.test",)).isolate().url == url


def test_minted_token_is_what_was_asked_for(world_of: WorldOf) -> None:
    """It may be used up and sent anywhere, since it was made for that."""
    token = world_of(Deployment(CAPABILITIES)).token(Need("mine", audience=Audience.ADMIN, scopes=("a:b",), aal=2))
    assert (token.audience, token.scopes, token.aal, token.id) == (Audience.ADMIN, ("a:b",), 2, "tok_1")
    assert (token.disposable, token.may_cross, str(token.secret.role)) == (True, True, "mine")


# What a control API answers, and what is said of it.
NOT_THE_PROTOCOL: dict[str, tuple[str, dict[str, Any], Callable[[Provisioner], object], str]] = {
    "no-id": ("POST /_mock/customers", {}, lambda world: world.customer(), "missing required field `id`"),
    "no-time": ("GET /_mock/clock", {"now": "noon"}, lambda world: world.now(), "Invalid RFC3339.*now"),
    "no-zone": ("GET /_mock/clock", {"now": "2026-11-24T00:00:00"}, lambda world: world.now(), "timezone.*now"),
    "no-list": ("GET /_mock/versions", {"supported": "2026-04-01"}, lambda world: world.versions(), "supported"),
    "no-url": ("POST /_mock/namespaces", {"id": "n1"}, lambda world: world.isolate(), "missing required field `url`"),
}


@pytest.mark.parametrize(("call", "answer", "ask", "says"), NOT_THE_PROTOCOL.values(), ids=NOT_THE_PROTOCOL)
def test_answer_that_is_not_the_protocols_blocks(
    world_of: WorldOf, call: str, answer: dict[str, Any], ask: Callable[[Provisioner], object], says: str
) -> None:
    """With the member that is missing or wrong: its implementer reads docs/reference/protocol.md again."""
    deployment = Deployment(CAPABILITIES)
    deployment.answers[call] = answer
    with pytest.raises(Blocked, match=rf"answer is not the \w+ of docs/reference/protocol\.md: .*{says}"):
        ask(world_of(deployment))


def test_minted_secret_is_not_shown() -> None:
    """Not even where the answer as a whole is."""
    answer = {"id": "t", "secret": "s3cret", "audience": "admin", "scopes": [], "aal": 1, "environment": "live"}
    assert "s3cret" not in repr(read_answer(answer, MintedToken))


class Stingy(Deployment):
    """One that grants no more than one scope, and no second factor."""

    def minted(self, asked: dict[str, Any]) -> dict[str, Any]:
        """Less than was asked for."""
        return {**super().minted(asked), "scopes": asked["scopes"][:1], "aal": 1}


@pytest.mark.parametrize("need", [Need("", scopes=("a:b", "c:d")), Need("", aal=2)], ids=["scopes", "aal"])
def test_token_of_less_than_asked_for_blocks(world_of: WorldOf, need: Need) -> None:
    """What it could then do would prove nothing."""
    with pytest.raises(Blocked, match="did not grant what was asked for"):
        world_of(Stingy(CAPABILITIES)).token(need)


def test_odd_token_of_less_will_do(world_of: WorldOf) -> None:
    """An issuer that refuses to make it has refused what the clause forbids."""
    assert world_of(Stingy(CAPABILITIES)).token(Need("", aal=2, odd=True)).aal == 1


def test_each_test_has_a_namespace_of_its_own(world_of: WorldOf) -> None:
    """Its requests go there, and its clock stands still."""
    world = world_of(Deployment(CAPABILITIES)).isolate()
    assert (world.url, world.stands_still) == (f"{URL}/ns/n1", True)


def test_namespace_is_given_back(world_of: WorldOf) -> None:
    """By the control URL that made it."""
    deployment = Deployment(CAPABILITIES)
    world_of(deployment).isolate().close()
    assert deployment.calls[-1] == "DELETE /_mock/namespaces/n1"


# What moves a whole deployment, so that it must be put back.
MOVES: dict[str, Callable[[Provisioner], object]] = {
    "clock": lambda world: world.advance(1),
    "versions": lambda world: world.release("2027-01-01"),
    "rate-limits": lambda world: world.enforce_rate_limits(),
}


@pytest.mark.parametrize("move", MOVES.values(), ids=MOVES)
def test_deployment_without_namespaces_is_reset(world_of: WorldOf, move: Callable[[Provisioner], object]) -> None:
    """After a test that moved what all tests share."""
    deployment = Deployment([name for name in CAPABILITIES if name != "namespaces"])
    world = world_of(deployment).isolate()
    move(world)
    world.close()
    assert deployment.calls[-1] == "POST /_mock/reset"


def test_deployment_that_was_left_alone_is_not_reset(world_of: WorldOf) -> None:
    """A reset would take away what other tests have made."""
    deployment = Deployment([name for name in CAPABILITIES if name != "namespaces"])
    world = world_of(deployment).isolate()
    world.token(Need(""))
    world.close()
    assert "POST /_mock/reset" not in deployment.calls


def test_closing_never_raises(world_of: WorldOf) -> None:
    """Clean-up trouble is no failure of the target."""
    deployment = Deployment(CAPABILITIES)
    world = world_of(deployment).isolate()
    del deployment.answers["DELETE /_mock/namespaces/n1"]
    world.close()
    assert deployment.calls[-1] == "DELETE /_mock/namespaces/n1"


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        ({"protocol": 2}, "does not speak protocol 1"),
        ({}, "does not speak protocol 1"),
        (None, "no control API answers"),
    ],
    ids=["newer", "something-else", "nobody"],
)
def test_control_url_that_is_none_is_a_mistake(client_of: ClientOf, answer: dict[str, Any] | None, says: str) -> None:
    """Of the configuration, told before anything is judged."""
    status = 404 if answer is None else 200
    api = ControlApi(client_of(lambda _: httpx.Response(status, json=answer or {})), CONTROL)
    with pytest.raises(ConfigError, match=f"{says}.*check control_url"):
        discover(api)


def test_refusal_of_the_control_api_blocks(world_of: WorldOf) -> None:
    """Set-up trouble is never a failure of the target."""
    deployment = Deployment(CAPABILITIES)
    del deployment.answers["POST /_mock/tenants"]
    with pytest.raises(Blocked, match=r"the control API answered 404 route\.not_found to POST /tenants"):
        world_of(deployment).foreign_actor()


def test_control_token_is_sent_to_namespaces_too(client_of: ClientOf) -> None:
    """They are guarded like the whole."""
    seen: list[str | None] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request.headers.get("Authorization"))
        return httpx.Response(200, json={})

    ControlApi(client_of(answer), CONTROL, Secret("guard", "control")).at("http://control.test/ns/1/_mock").post(
        "/reset"
    )
    assert seen == ["Bearer guard"]


def test_two_processes_use_up_no_token_both() -> None:
    """Each of a run's processes has some of a kind, and what is not used up have both."""
    spare = [listed(disposable=True, id=f"tok_{number}") for number in range(4)]
    shares = [share_tokens([LISTED[0], *spare], worker, 2) for worker in ("gw0", "gw1")]
    assert [[token.id for token in share] for share in shares] == [[None, "tok_0", "tok_2"], [None, "tok_1", "tok_3"]]
