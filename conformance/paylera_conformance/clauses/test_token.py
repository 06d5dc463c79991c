"""Which tokens are good, and where (guide, Token format and Common 401s)."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from paylera_conformance.model.messages import Exchange, Request
from paylera_conformance.model.outcomes import Blocked, NotOffered
from paylera_conformance.model.tokens import Credential
from paylera_conformance.probe import refusals
from paylera_conformance.probe.answers import find_secrets, require_id, strings_in
from paylera_conformance.probe.marks import covers, each_operation
from paylera_conformance.probe.probe import Probe
from paylera_conformance.scenarios.aal2 import aal2_request
from paylera_conformance.scenarios.further_cases import draw_some, drop_where_blocked
from paylera_conformance.scenarios.other_environment import OtherEnvironment
from paylera_conformance.scenarios.rotation import narrow_admin_scopes
from paylera_conformance.scenarios.token_lifecycle import disposable_token, rotation_request, token_made_by
from paylera_conformance.target.provisioner import OTHER, Need
from paylera_conformance.target.settings import Mode
from paylera_fixtures.api.operations import BY_ID, Operation, Resource
from paylera_fixtures.redaction import Secret
from paylera_fixtures.tokens import TOKEN_FORM, environment_of
from paylera_fixtures.vocabulary import TOKEN_RANDOM_LENGTH, WILDCARD, Audience

LIST = BY_ID["list_customers"]
CREATE = BY_ID["create_customer"]
GET = BY_ID["get_customer"]
UPDATE = BY_ID["update_customer"]
CREATE_TOKEN = BY_ID["create_api_token"]


@covers("token.wrong-environment")
def test_a_token_of_here_is_refused_in_the_other_environment(probe: Probe) -> None:
    """The other way round, where the other environment's URL is given."""
    probe.require_other_url()
    need = Need("other environment", environment=probe.settings.environment.other)
    there = Request("GET", LIST.path, probe.provisioner.token(need), live=True)
    change = "a token of the target's own environment, sent to the other one's URL"
    probe.baseline(there).refuses(there.by(probe.tokens.service), refusals.WRONG_ENVIRONMENT, change=change)


ISSUERS: dict[str, Callable[[Probe], Request]] = {
    "rotate": lambda probe: rotation_request(probe, disposable_token(probe)),
    "create": lambda probe: probe.factory.request_for(CREATE_TOKEN),
}
"""What issues a secret; not every target offers the second."""

each_issuer = pytest.mark.parametrize("issue", ISSUERS.values(), ids=ISSUERS)


def expect_issued(probe: Probe, request: Request) -> tuple[Exchange, re.Match[str]]:
    """The answer to a request, and the one secret that it issues, by its parts. Raises `Violation`."""
    exchange = probe.accepts(request)
    secrets = [found for text in strings_in(exchange.response.json) if (found := TOKEN_FORM.fullmatch(text))]
    wanted = "one whole string of the form sk_<env>_<random> in the answer"
    probe.expect(exchange, wanted, holds=len(secrets) == 1, got=f"{len(secrets)} of them")
    return exchange, secrets[0]


@covers("token.format", mode=Mode.FULL, each_operation=True)
@each_issuer
def test_issued_secrets_have_the_documented_form(probe: Probe, issue: Callable[[Probe], Request]) -> None:
    """The prefix tells the environment, so that a secret scanner and a human can too; the rest tells nothing."""
    request = issue(probe)
    exchange, secret = expect_issued(probe, request)
    own, environment = probe.settings.environment, secret["environment"]
    got = f"sk_{environment}_<random>"
    probe.expect(exchange, f"sk_{own}_<random>", holds=environment == own, got=got)
    expect_random(probe, request, secret["random"])


def expect_random(probe: Probe, issuing: Request, first: str) -> None:
    """Secrets that a request issues again and again have little in common. Raises `Violation`.

    They may say to which token they belong, in up to half of their places. That three of ten random digits agree in
    more happens once in billions of runs, and that three of 32 characters do happens never.
    """
    secrets = [first]
    for _ in range(2):
        issued = find_secrets(probe.send(issuing))
        if len(issued) != 1:  # what the same request is answered another time is no matter of this clause
            return
        secrets.append(issued[0].split("_", 2)[-1])
    differing = sum(len(set(characters)) > 1 for characters in zip(*secrets, strict=False))
    probe.expect(
        probe.log[-1],
        "a random part that is another in every secret",
        # A longer one may be signed: what is the same in all of them then takes nothing from what is not.
        holds=2 * differing >= min(len(first), TOKEN_RANDOM_LENGTH),
        got=f"{differing} of {len(first)} characters that are not the same in three secrets",
        hint="draw every character of a secret, from the entropy of the system",
    )


@covers("token.format", mode=Mode.FULL, each_operation=True)
def test_secrets_issued_in_the_other_environment_are_of_that(probe: Probe) -> None:
    """Or a token that was made for the sandbox moves money."""
    there = OtherEnvironment.of(probe)
    with drop_where_blocked():
        admin = there.token(Audience.ADMIN)
        probe.require_accepted(there.request(BY_ID["list_api_tokens"], admin))
    exchange, secret = expect_issued(probe, there.request(CREATE_TOKEN, admin))
    other, environment = probe.settings.environment.other, secret["environment"]
    got = f"sk_{environment}_<random>"
    probe.expect(exchange, f"sk_{other}_<random>", holds=environment == other, got=got)


@covers("token.format", mode=Mode.FULL, each_operation=True)
def test_no_body_asks_for_a_secret_of_the_other_environment(probe: Probe) -> None:
    """The URL tells the environment, whatever the body says: refused, or of the own one all the same."""
    creation = probe.factory.request_for(CREATE_TOKEN)
    probe.require_proven(creation)
    own, other = probe.settings.environment, probe.settings.environment.other
    answer = probe.send(creation.with_json(creation.json | {"environment": other}))
    probe.expect(
        answer,
        f"no secret that begins with sk_{other}_",
        holds=not any(environment_of(secret) is other for secret in find_secrets(answer)),
        got="one",
        change=f'"environment": "{other}" in the body, at the URL of {own}',
    )


@covers("token.length", mode=Mode.FULL, each_operation=True)
@each_issuer
def test_the_random_part_has_32_characters(probe: Probe, issue: Callable[[Probe], Request]) -> None:
    """The reference gives the length of the random part."""
    exchange, secret = expect_issued(probe, issue(probe))
    length = len(secret["random"])
    wanted = f"a random part of {TOKEN_RANDOM_LENGTH} characters"
    probe.expect(exchange, wanted, holds=length == TOKEN_RANDOM_LENGTH, got=f"one of {length}")


BEYOND = {
    "every scope": {"scopes": ["*"]},
    "another scope": {"scopes": ["customers:read", "webhooks:read"]},
    "no scope member": {},
}
"""What a maker that has customers:read, and not webhooks:read, asks for."""


@covers("token.no-escalation", mode=Mode.FULL)
@pytest.mark.parametrize("excess", BEYOND.values(), ids=BEYOND)
def test_a_token_never_makes_one_of_more_scopes(probe: Probe, excess: dict[str, list[str]]) -> None:
    """Whoever may make tokens must not thereby get what it was not given; judged by what the made token can do."""
    maker = probe.provisioner.token(Need("maker", audience=Audience.ADMIN, scopes=narrow_admin_scopes(probe)))
    out_of_reach = probe.factory.request_for(BY_ID["list_webhook_endpoints"])
    expect_no_escalation(probe, maker, out_of_reach, grants="customers:read", excess=excess)


FOR_OTHERS: dict[str, tuple[Audience, Operation, str]] = {
    "for-a-service": (Audience.SERVICE, BY_ID["list_products"], "catalog:read"),
    "for-an-end-user": (Audience.CUSTOMER, BY_ID["list_payments"], "payments:read"),
}
"""Whom an operator makes a token for, and what its maker may not read, with the scope for that."""


@covers("token.no-escalation", mode=Mode.FULL, each_operation=True)
@pytest.mark.parametrize(("audience", "operation", "scope"), FOR_OTHERS.values(), ids=FOR_OTHERS)
def test_a_token_never_makes_one_of_more_scopes_for_others(
    probe: Probe, audience: Audience, operation: Operation, scope: str
) -> None:
    """Whoever the token is for: the one who makes it has it."""
    maker = probe.provisioner.token(Need("maker", audience=Audience.ADMIN, scopes=narrow_admin_scopes(probe)))
    bound = {"customer_id": probe.factory.customer} if audience is Audience.CUSTOMER else {}
    body: dict[str, Any] = {"audience": audience.value, **bound}
    with drop_where_blocked():  # which tokens can be made, beside an operator's, is for the target to say
        out_of_reach = probe.require_accepted(Request("GET", operation.path, probe.tokens.service)).request
        modest = token_made_by(probe, maker, scopes=["customers:read"], **body)
        # What the audience alone opens is nothing that its scopes have added.
        probe.require_refused(out_of_reach.by(modest), see="scope.required")
    (scopes,) = draw_some(probe, (["*"], ["customers:read", scope]), 1, name=f"token.no-escalation {audience}")
    expect_no_escalation(probe, maker, out_of_reach, grants="customers:read", excess=body | {"scopes": scopes})


@covers("token.no-escalation", mode=Mode.FULL, each_operation=True)
def test_a_token_never_makes_one_of_the_other_environment(probe: Probe) -> None:
    """What is made where nothing costs money must not open what does."""
    probe.require_other_url()
    environment, maker = probe.settings.environment.other, probe.tokens.admin
    require_may_cross(maker)
    with drop_where_blocked():
        there = probe.provisioner.token(Need("other environment", environment=environment))
        out_of_reach = probe.require_accepted(Request("GET", LIST.path, there, live=True)).request
    excess = {"audience": "service", "scopes": ["customers:read"], "environment": environment.value}
    expect_no_escalation(probe, maker, out_of_reach, grants="customers:read", excess=excess)


def require_may_cross(maker: Credential) -> None:
    """Drop the case where a token, and so what it makes, is not to be sent to the other environment."""
    if not maker.may_cross:
        raise NotOffered(f"{maker} is not to be sent to the other environment, nor what it makes")


@covers("token.no-escalation", mode=Mode.FULL)
def test_a_token_never_makes_one_of_more_assurance(probe: Probe) -> None:
    """A second factor is asserted by a person, never written into a request."""
    maker = probe.provisioner.token(Need("maker without AAL2", audience=Audience.ADMIN))
    excess = {"scopes": ["*"], "aal": 2}
    expect_no_escalation(probe, maker, aal2_request(probe), grants="payments:write", excess=excess)


@covers("token.no-escalation", mode=Mode.FULL, each_operation=True)
def test_a_token_of_the_other_environment_never_makes_one_of_more_scopes(probe: Probe) -> None:
    """Where it matters most."""
    there = OtherEnvironment.of(probe)
    scopes = narrow_admin_scopes(probe)
    with drop_where_blocked():
        maker = there.token(Audience.ADMIN, scopes=scopes)
        out_of_reach = there.request(BY_ID["list_webhook_endpoints"], there.token(Audience.ADMIN))
        probe.require_accepted(out_of_reach)
    expect_no_escalation(probe, maker, out_of_reach, grants="customers:read", excess=BEYOND["every scope"])


def expect_no_escalation(
    probe: Probe, maker: Credential, out_of_reach: Request, *, grants: str, excess: dict[str, Any]
) -> None:
    """A maker that is refused a request makes tokens, and none for which it is accepted.

    - `grants`: the scope of a token that the maker may make;
    - `excess`: what takes the place of that scope in the body that asks for more.

    Raises `Violation`, or `Blocked` where the request is open to the maker itself.
    """
    body = {"audience": "admin", "name": probe.factory.unique_name()}
    is_live = maker.environment is not probe.settings.environment
    creation = replace(probe.factory.request_for(CREATE_TOKEN, maker), live=is_live)
    own = probe.send(replace(out_of_reach, token=maker))
    if own.response.ok:
        raise Blocked(f"{out_of_reach} is open to the maker itself, so that no escalation can be seen", exchange=own)
    probe.accepts(creation.with_json(body | {"scopes": [grants]}))
    answer = probe.send(creation.with_json(body | excess))
    made = [probe.register_secret(maker.with_secret(secret, "made")) for secret in find_secrets(answer)]
    opened = [token for token in made if probe.send(out_of_reach.by(token)).response.ok]
    if not opened:  # what was opened may be used up by that
        probe.require_accepted(out_of_reach)
    probe.expect(
        answer,
        f"no token by which {out_of_reach} is accepted, since its maker's is refused there",
        holds=not opened,
        got="one",
        change="the made token asks for more than its maker has",
    )


@covers("token.one-tenant", mode=Mode.SANDBOX)
@pytest.mark.parametrize("operation", [GET, UPDATE], ids=["read", "write"])
def test_another_tenants_object_does_not_exist(probe: Probe, operation: Operation) -> None:
    """An id of another tenant is nobody's: 404, so that not even its existence is told."""
    baseline = probe.baseline(operation)
    changed = baseline.request.by(probe.tokens.other_tenant)
    baseline.refuses(changed, refusals.NO_SUCH_OBJECT, change="a token of another tenant")


@covers("token.one-tenant", mode=Mode.SANDBOX)
def test_another_tenants_objects_are_not_listed(probe: Probe) -> None:
    """A list holds what belongs to the token's own tenant."""
    creation = probe.factory.request_for(CREATE)
    probe.accepts(creation)
    expect_not_listed_elsewhere(probe, LIST, creation.json["email"], probe.tokens.other_tenant)


NOT_LISTED_HERE = (Resource.CUSTOMER, Resource.AUDIT_RECORD)
"""The one has a test of its own, and the other is made by what is done."""


@covers("token.one-tenant", mode=Mode.SANDBOX, each_operation=True)
@each_operation(lambda operation: operation.is_list and operation.resource not in NOT_LISTED_HERE)
def test_no_other_list_shows_another_tenants_objects(probe: Probe, operation: Operation) -> None:
    """Nor does any other, where tokens of another tenant are minted."""
    token = other_tenants_token(probe, operation)
    value = probe.factory.object_id(operation.resource)
    probe.accepts(probe.factory.request_for(operation))
    expect_not_listed_elsewhere(probe, operation, value, token)


@covers("token.one-tenant", mode=Mode.SANDBOX, each_operation=True)
def test_no_list_of_the_other_environment_shows_another_tenants_objects(probe: Probe) -> None:
    """A tenant is one in both environments, and so is what is another's."""
    there = OtherEnvironment.of(probe)
    with drop_where_blocked():
        own, foreign = there.token(), there.token(tenant=OTHER)
        customer = there.create(Resource.CUSTOMER, foreign)
        for kind in (Resource.CUSTOMER, Resource.WALLET, Resource.INVOICE):
            identifier = there.create_for(customer, kind, foreign)
            there.expect_not_listed(identifier, kind, owner=foreign, stranger=own)
        probe.count_acceptance(probe.send_without_token(there.request(LIST, own)))


def expect_not_listed_elsewhere(probe: Probe, operation: Operation, value: str, token: Credential) -> None:
    """What a list shows to its own tenant it does not show to another's. Raises `Violation`."""
    probe.require_listed(operation, value)
    probe.expect_not_listed(
        operation,
        value,
        token=token,
        change="the list is read by a token of another tenant",
        hint="a list is filtered by the token's tenant",
    )


def other_tenants_token(probe: Probe, operation: Operation) -> Credential:
    """A token of another tenant that may call an operation. Raises `NotOffered` where none is minted."""
    if probe.settings.driver != "control":
        raise NotOffered(f"{operation} is looked at where a control API mints tokens of another tenant")
    if not operation.is_admin:
        return probe.tokens.other_tenant
    need = Need("other tenant's admin", audience=Audience.ADMIN, scopes=(WILDCARD,), aal=2, tenant=OTHER, at_least=True)
    return probe.provisioner.token(need)


@covers("token.one-tenant", mode=Mode.SANDBOX)
def test_another_tenants_object_cannot_be_referred_to(probe: Probe) -> None:
    """A reference in a body is looked up in the token's own tenant."""
    baseline = probe.baseline(BY_ID["create_wallet"])
    created = probe.require_accepted(probe.factory.request_for(CREATE, probe.tokens.other_tenant))
    foreign = {"customer_id": require_id(created, Resource.CUSTOMER)}
    changed = baseline.request.with_json(baseline.request.json | foreign)
    baseline.refuses(changed, refusals.ANY_PROBLEM, change="a customer_id of another tenant's customer")


ALSO_ELSEWHERE = ("create_product", "create_customer")
"""What is made under a name that is to be the only one of its kind: a code, and an address."""


@covers("token.one-tenant", mode=Mode.SANDBOX, each_operation=True)
@each_operation(lambda operation: operation.id in ALSO_ELSEWHERE)
def test_what_another_tenant_has_can_be_had_too(probe: Probe, operation: Operation) -> None:
    """A name that is taken elsewhere is free here, or a refusal tells who is whose customer."""
    creation = probe.factory.request_for(operation)
    probe.require_accepted(creation)
    with drop_where_blocked():
        elsewhere = probe.baseline(probe.factory.request_for(operation, probe.tokens.other_tenant))
        elsewhere.accepts(
            creation.by(probe.tokens.other_tenant),
            change="the body of what was made in another tenant just before",
            hint="what must be the only one of its kind is so within its tenant",
        )


@covers("token.one-tenant", mode=Mode.FULL)
def test_a_token_made_for_another_tenant_opens_nothing_there(probe: Probe) -> None:
    """Whose a new token is follows from who makes it, whatever the body says: refused, or the maker's own tenant's."""
    other = probe.tokens.other_tenant
    created = probe.require_accepted(probe.factory.request_for(CREATE, other))
    foreign = probe.factory.read_request(Resource.CUSTOMER, require_id(created, Resource.CUSTOMER), other)
    probe.require_accepted(foreign)
    creation = probe.factory.request_for(CREATE_TOKEN)
    probe.require_accepted(creation)
    answer = probe.send(creation.with_json(creation.json | {"tenant_id": other.tenant_id, "tenant": other.tenant_id}))
    made = [probe.register_secret(Credential(Secret(secret, "made"))) for secret in find_secrets(answer)]
    opened = [token for token in made if probe.send(foreign.by(token)).response.ok]
    probe.expect(
        answer,
        "no token that opens what another tenant owns",
        holds=not opened,
        got="one",
        change="the body of the creation names another tenant",
    )
    probe.proofs += 1
