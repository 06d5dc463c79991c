"""The dialects: that there are enough, that they are what they say, and that the suite is told of their readings."""

from __future__ import annotations

import gzip

import pytest

from helpers.defects import Lab
from paylera_conformance.selftest.loop import namespace_request
from paylera_conformance.selftest.mutants import Mutant
from paylera_fixtures.vocabulary import READINGS
from paylera_mock.app import create_app
from paylera_mock.mutants import all_mutants
from paylera_mock.mutants.model import MutantKind

CUSTOMERS = "/v1/customers"
DIALECTS = {name: mutant for name, mutant in all_mutants().items() if mutant.kind is MutantKind.DIALECT}
WITH_READINGS = {name: dialect for name, dialect in DIALECTS.items() if dialect.readings}
REFUSED_403 = Mutant("scope-refused-403", "A lacking scope is a 403.", "dialect", readings={"scope_refusal": "403"})
ENOUGH = 20


def test_there_are_enough_of_them() -> None:
    """A suite that is right about one server only is right about none."""
    assert len(DIALECTS) >= ENOUGH


def test_every_answer_to_every_reading_is_one() -> None:
    """Each is some real server's."""
    wanted = {(name, value) for name, reading in READINGS.items() for value in reading.values}
    assert {pair for dialect in WITH_READINGS.values() for pair in dialect.readings.items()} == wanted


@pytest.mark.parametrize("name", WITH_READINGS)
def test_no_reading_is_that_of_the_profile(name: str) -> None:
    """It would be no other dialect."""
    dialect = DIALECTS[name]
    own = {reading: READINGS[reading].default(dialect.profile) for reading in dialect.readings}
    assert set(own.items()).isdisjoint(dialect.readings.items())


def test_the_readings_of_a_dialect_go_to_its_namespace() -> None:
    """The suite goes by them, and so must what it is run against."""
    assert namespace_request((REFUSED_403,)) == {
        "mutants": ["scope-refused-403"],
        "profile": "guide",
        "readings": {"scope_refusal": "403"},
    }


def test_the_fake_of_a_reading_goes_by_it(lab: Lab) -> None:
    """By the guide this would be a 401."""
    base = lab.namespace(**namespace_request((REFUSED_403,)))
    secret = str((lab.control("tokens", base=base, audience="service", scopes=[]).json or {})["secret"])
    assert lab.ask(CUSTOMERS, secret, base=base).status_code == 403


def test_a_compressed_answer_is_the_same_one() -> None:
    """To whom takes it."""
    client = create_app(mutants=["gzipped-bodies"]).test_client()
    answer = client.get(CUSTOMERS, headers={"Accept-Encoding": "gzip"})
    assert b"auth.missing_token" in gzip.decompress(answer.data)


def test_who_takes_no_compression_gets_none() -> None:
    """A header that is not there allows nothing that must be understood."""
    answer = create_app(mutants=["gzipped-bodies"]).test_client().get(CUSTOMERS)
    assert (answer.headers.get("Content-Encoding"), b"auth.missing_token" in answer.data) == (None, True)


def test_a_chunked_answer_does_not_say_how_long_it_is() -> None:
    """The server then sends it in chunks."""
    answer = create_app(mutants=["chunked-bodies"]).test_client().get(CUSTOMERS)
    assert ("Content-Length" in answer.headers, b"auth.missing_token" in answer.data) == (False, True)


def test_a_member_more_is_in_every_object() -> None:
    """The outermost and those within."""
    body = create_app(mutants=["extra-members"]).test_client().get(CUSTOMERS).json or {}
    assert (body["revision"], body["problem"]) == (7, "auth.missing_token")
