"""The Faker provider: seeded, reproducible, and valid by the schemas."""

from __future__ import annotations

from collections.abc import Callable

import jsonschema_rs
import pytest
from faker import Faker

from paylera_fixtures.api.examples import EXAMPLES
from paylera_fixtures.api.operations import ID_PREFIXES, Resource
from paylera_fixtures.api.schemas import OBJECTS, REQUEST_BODIES
from paylera_fixtures.faker_provider import make_faker
from paylera_fixtures.tokens import WELL_KNOWN, TokenStatus, environment_of
from paylera_fixtures.vocabulary import TOKEN_RANDOM_LENGTH, Environment

SEEDS = range(5)

MAKES: dict[str, Callable[[Faker], object]] = {
    "token": lambda fake: fake.paylera_token(),
    "known-token": lambda fake: [fake.paylera_token(known=True) for _ in range(10)],
    "id": lambda fake: fake.paylera_id(Resource.CUSTOMER),
    "idempotency-key": lambda fake: fake.paylera_idempotency_key(),
    "amount": lambda fake: [fake.paylera_amount() for _ in range(5)],
    "customer": lambda fake: fake.paylera_body("create_customer"),
    "invoice": lambda fake: fake.paylera_body("create_invoice"),
}


@pytest.mark.parametrize("make", MAKES.values(), ids=MAKES)
def test_one_seed_gives_one_output(make: Callable[[Faker], object]) -> None:
    """A test that failed with a seed fails with it again."""
    assert make(make_faker(7)) == make(make_faker(7))


@pytest.mark.parametrize("make", MAKES.values(), ids=MAKES)
def test_another_seed_gives_another_output(make: Callable[[Faker], object]) -> None:
    """The seed is what the output depends on."""
    assert make(make_faker(7)) != make(make_faker(8))


def test_other_fakers_do_not_matter() -> None:
    """The seed is the instance's, so a neighbour's draws change nothing."""
    fake, neighbour = make_faker(7), make_faker(9)
    neighbour.paylera_token()
    assert fake.paylera_token() == make_faker(7).paylera_token()


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("operation_id", sorted(EXAMPLES))
def test_body_keeps_its_schema(operation_id: str, seed: int) -> None:
    """What the provider makes up is accepted."""
    assert jsonschema_rs.is_valid(REQUEST_BODIES[operation_id], make_faker(seed).paylera_body(operation_id))


def test_body_refers_to_the_objects_given() -> None:
    """References are the caller's to fill."""
    assert make_faker(7).paylera_body("create_invoice", customer_id="cus_7")["customer_id"] == "cus_7"


def test_codes_are_ones_own() -> None:
    """Two products of one Faker do not take each other's code."""
    fake = make_faker(7)
    assert fake.paylera_body("create_product")["code"] != fake.paylera_body("create_product")["code"]


@pytest.mark.parametrize("environment", Environment)
def test_token_has_the_form_of_its_environment(environment: Environment) -> None:
    """The prefix names the environment, 32 characters follow."""
    token = make_faker(7).paylera_token(environment)
    assert environment_of(token) is environment
    assert len(token.rpartition("_")[2]) == TOKEN_RANDOM_LENGTH


@pytest.mark.parametrize("environment", Environment)
def test_known_token_is_active_in_its_environment(environment: Environment) -> None:
    """What is called known is accepted by the fake."""
    good = {
        token.secret for token in WELL_KNOWN if token.environment is environment and token.state is TokenStatus.ACTIVE
    }
    assert make_faker(7).paylera_token(environment, known=True) in good


@pytest.mark.parametrize("resource", Resource)
def test_id_has_the_form_of_its_kind(resource: Resource) -> None:
    """Each kind has a prefix of its own."""
    made = make_faker(7).paylera_id(resource)
    assert made.startswith(ID_PREFIXES[resource] + "_")
    assert jsonschema_rs.is_valid(OBJECTS[resource]["properties"]["id"], made)


@pytest.mark.parametrize("locale", ["de_DE", "ja_JP", "ar_SA"])
def test_other_locales_keep_the_schema(locale: str) -> None:
    """Names and streets in other scripts are accepted too."""
    assert jsonschema_rs.is_valid(
        REQUEST_BODIES["create_customer"], make_faker(7, locale).paylera_body("create_customer")
    )
