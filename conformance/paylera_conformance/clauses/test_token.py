"""Which tokens are good, and where."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from paylera_conformance.model.messages import Exchange, Request
from paylera_conformance.model.outcomes import Blocked
from paylera_conformance.model.tokens import Credential, forged
from paylera_conformance.probe import refusals
from paylera_conformance.probe.answers import find_secrets, require_id
from paylera_conformance.probe.marks import covers
from paylera_conformance.probe.probe import Probe
from paylera_conformance.scenarios.error_cases import aal2_request, refuses_foreign
from paylera_conformance.scenarios.token_lifecycle import disposable, revoked, rotation_request
from paylera_conformance.target.provisioner import OTHER, Need
from paylera_conformance.target.settings import Mode
from paylera_fixtures.api.operations import BY_ID, Operation, Resource
from paylera_fixtures.tokens import TOKEN_FORM, new_secret
from paylera_fixtures.vocabulary import TOKEN_RANDOM_LENGTH, Audience, scopes_of

LIST = BY_ID["list_customers"]
CREATE = BY_ID["create_customer"]
GET = BY_ID["get_customer"]
UPDATE = BY_ID["update_customer"]
CREATE_TOKEN = BY_ID["create_api_token"]


@covers("token.unknown")
@pytest.mark.parametrize("attempt", range(3))
def test_a_token_nobody_issued_is_refused(probe: Probe, attempt: int) -> None:
    """A random token of the right form and environment is not one of the server's."""
    control = probe.factory.request_for(LIST)
    stranger = forged(new_secret(probe.settings.environment), f"unknown {attempt}")
    probe.baseline(control).refuses(control.by(stranger), refusals.INVALID, change="a random token of the same form")


@covers("token.revoked")
def test_a_revoked_token_is_refused(probe: Probe) -> None:
    """A revoked token is as good as one that never was."""
    control = probe.factory.request_for(LIST)
    probe.baseline(control).refuses(control.by(revoked(probe)), refusals.INVALID, change="a token that was revoked")


@covers("token.wrong-environment")
def test_the_other_environments_token_is_refused_here(probe: Probe) -> None:
    """A token works in its own environment only."""
    refuses_foreign(probe, probe.factory.request_for(LIST))


@covers("token.wrong-environment")
def test_a_token_of_here_is_refused_in_the_other_environment(probe: Probe) -> None:
    """The other way round, where the other environment's URL is given."""
    probe.require_other_url()
    there = Request("GET", LIST.path + "?limit=1", probe.provisioner.token(abroad(probe)), live=True)
    probe.baseline(there).refuses(
        there.by(probe.tokens.service),
        refusals.WRONG_ENVIRONMENT,
        change="a token of the target's own environment, sent to the other one's URL",
    )


def abroad(probe: Probe) -> Need:
    """A token that is at home in the other environment."""
    return Need("other environment", environment=probe.settings.environment.other)


def rotated(probe: Probe) -> Exchange:
    """An answer to a rotation."""
    return probe.accepts(rotation_request(probe, disposable(probe)))


def created(probe: Probe) -> Exchange:
    """An answer to the creation of a token, where the target offers that."""
    return probe.accepts(probe.factory.request_for(CREATE_TOKEN))


def issued_secret(probe: Probe, exchange: Exchange) -> str:
    """The secret that an answer issues. Raises `Violation` where there is not exactly one."""
    issued = find_secrets(exchange)
    probe.expect(
        "one whole string of the form sk_<env>_<random> in the answer",
        holds=len(issued) == 1,
        got=f"{len(issued)} of them",
        exchange=exchange,
    )
    return issued[0]


ISSUERS = {"rotate": rotated, "create": created}


@covers("token.format", mode=Mode.FULL, each_operation=True)
@pytest.mark.parametrize("issue", ISSUERS.values(), ids=ISSUERS.keys())
def test_issued_secrets_have_the_documented_form(probe: Probe, issue: Callable[[Probe], Exchange]) -> None:
    """The prefix tells the environment, so that a secret scanner and a human can too."""
    exchange = issue(probe)
    found = TOKEN_FORM.fullmatch(issued_secret(probe, exchange))
    environment = found["environment"] if found else None
    probe.expect(
        f"sk_{probe.settings.environment}_<random>",
        holds=environment == probe.settings.environment,
        got=f"sk_{environment}_<random>",
        exchange=exchange,
    )


@covers("token.length", mode=Mode.FULL, each_operation=True)
@pytest.mark.parametrize("issue", ISSUERS.values(), ids=ISSUERS.keys())
def test_the_random_part_has_32_characters(probe: Probe, issue: Callable[[Probe], Exchange]) -> None:
    """The reference gives the length of the random part."""
    exchange = issue(probe)
    found = TOKEN_FORM.fullmatch(issued_secret(probe, exchange))
    length = len(found["random"]) if found else 0
    probe.expect(
        f"a random part of {TOKEN_RANDOM_LENGTH} characters",
        holds=length == TOKEN_RANDOM_LENGTH,
        got=f"one of {length}",
        exchange=exchange,
    )


BEYOND = {
    "every scope": {"scopes": ["*"]},
    "another scope": {"scopes": ["customers:read", "webhooks:read"]},
    "no scope member": {},
}
"""What a maker that has customers:read, and not webhooks:read, asks for."""


@covers("token.no-escalation", mode=Mode.FULL)
@pytest.mark.parametrize("asked", BEYOND.values(), ids=BEYOND.keys())
def test_a_token_never_makes_one_of_more_scopes(probe: Probe, asked: dict[str, list[str]]) -> None:
    """Whoever may make tokens must not thereby get what it was not given; judged by what the made token can do."""
    # In the guide's profile the Admin API asks for no scope, and `admin:write` is none that could be granted.
    known = scopes_of(probe.settings.profile)
    scopes = tuple(scope for scope in ("customers:read", "admin:write") if scope in known)
    maker = probe.provisioner.token(Need("maker", audience=Audience.ADMIN, scopes=scopes))
    out_of_reach = probe.factory.request_for(BY_ID["list_webhook_endpoints"])
    creation = probe.factory.request_for(CREATE_TOKEN, maker)
    creation = creation.with_json(
        {"audience": "admin", "scopes": ["customers:read"], "name": probe.factory.unique_name()}
    )
    more = {name: value for name, value in creation.json.items() if name != "scopes"} | asked
    _makes_nothing_that_opens(probe, out_of_reach, creation, more=more)


@covers("token.no-escalation", mode=Mode.FULL)
def test_a_token_never_makes_one_of_more_assurance(probe: Probe) -> None:
    """A second factor is asserted by a person, never written into a request."""
    maker = probe.provisioner.token(Need("maker without AAL2", audience=Audience.ADMIN))
    creation = probe.factory.request_for(CREATE_TOKEN, maker)
    creation = creation.with_json(
        {"audience": "admin", "scopes": ["payments:write"], "name": probe.factory.unique_name()}
    )
    _makes_nothing_that_opens(probe, aal2_request(probe), creation, more={**creation.json, "scopes": ["*"], "aal": 2})


def _makes_nothing_that_opens(probe: Probe, out_of_reach: Request, creation: Request, *, more: dict[str, Any]) -> None:
    """A maker that cannot do something makes tokens, and none that can; `more` is the body that asks for it."""
    _blocked_if_open(probe, out_of_reach, creation)
    probe.accepts(creation)
    answer = probe.send(creation.with_json(more))
    maker = creation.token or probe.tokens.admin
    made = [probe.register_secret(maker.with_secret(secret, "made")) for secret in find_secrets(answer)]
    opened = [token for token in made if probe.send(out_of_reach.by(token)).response.ok]
    if not opened:  # what was opened may be used up by that
        probe.require_accepted(out_of_reach)
    probe.expect(
        f"no token by which {out_of_reach} is accepted, since its maker's is refused there",
        holds=not opened,
        got="one",
        change="the made token asks for more than its maker has",
        exchange=answer,
    )


def _blocked_if_open(probe: Probe, out_of_reach: Request, creation: Request) -> None:
    exchange = probe.send(replace(out_of_reach, token=creation.token))
    if exchange.response.ok:
        raise Blocked(
            f"{out_of_reach} is open to the maker itself, so that no escalation can be seen", exchange=exchange
        )


def stranger(probe: Probe) -> Credential:
    """A token of another tenant that may do everything there."""
    return probe.provisioner.token(Need("other tenant", tenant=OTHER, at_least=True))


@covers("token.one-tenant", mode=Mode.SANDBOX)
@pytest.mark.parametrize("operation", [GET, UPDATE], ids=["read", "write"])
def test_another_tenants_object_does_not_exist(probe: Probe, operation: Operation) -> None:
    """An id of another tenant is nobody's: 404, so that not even its existence is told."""
    control = probe.factory.request_for(operation)
    probe.baseline(control).refuses(
        control.by(stranger(probe)), refusals.NO_SUCH_OBJECT, change="a token of another tenant"
    )


@covers("token.one-tenant", mode=Mode.SANDBOX)
def test_another_tenants_objects_are_not_listed(probe: Probe) -> None:
    """A list holds what belongs to the token's own tenant."""
    made = probe.factory.request_for(CREATE)
    probe.accepts(made)
    probe.require_listed(LIST, made.json["email"])
    probe.expect_not_listed(
        LIST,
        made.json["email"],
        token=stranger(probe),
        change="the list is read by a token of another tenant",
        hint="a list is filtered by the token's tenant",
    )


@covers("token.one-tenant", mode=Mode.SANDBOX)
def test_another_tenants_object_cannot_be_referred_to(probe: Probe) -> None:
    """A reference in a body is looked up in the token's own tenant."""
    control = probe.factory.request_for(BY_ID["create_wallet"])
    foreign = require_id(probe.require_accepted(probe.factory.request_for(CREATE, stranger(probe))), Resource.CUSTOMER)
    probe.baseline(control).refuses(
        control.with_json({**control.json, "customer_id": foreign}),
        refusals.ANY_PROBLEM,
        change="a customer_id of another tenant's customer",
    )
