"""Whether a secret stands in an answer, as the clause that none does looks for it."""

from __future__ import annotations

import pytest

from paylera_conformance.clauses.test_credential import shows, without_instance
from paylera_conformance.model.messages import Exchange, Request, Response

SECRET = "sk_sandbox_" + "0123456789abcdef" * 2
PLAIN = f'{{"detail": "{SECRET} was refused"}}'.encode()
ESCAPED = PLAIN.replace(b"_", rb"\u005f")


def answer(body: bytes, *headers: tuple[str, str]) -> Exchange:
    """An answer to a request for an object."""
    path = f"/v1/customers/{SECRET}"
    return Exchange(Request("GET", path), f"https://paylera.test{path}", (), Response(404, headers, body))


@pytest.mark.parametrize("body", [PLAIN, ESCAPED, SECRET.encode(), b"[" + ESCAPED + b"]"])
def test_a_secret_is_found_in_a_body(body: bytes) -> None:
    """Some servers write characters as escapes, and some write no JSON at all."""
    assert shows(answer(body), SECRET)


def test_a_secret_is_found_in_a_header() -> None:
    """Which need not be one of the contract's."""
    assert shows(answer(b"", ("X-Debug", f"by {SECRET}")), SECRET)


def test_another_text_is_no_secret() -> None:
    """An id is none."""
    assert not shows(answer(b'{"detail": "There is no cus_4711"}', ("Allow", "GET")), SECRET)


@pytest.mark.parametrize(("member", "is_shown"), [("instance", False), ("detail", True)])
def test_the_path_may_stand_in_instance(member: str, is_shown: bool) -> None:  # noqa: FBT001 - a case
    """Another clause asks for it there."""
    body = f'{{"{member}": "/v1/customers/{SECRET}", "status": 404}}'.encode()
    assert shows(without_instance(answer(body)), SECRET) is is_shown


def test_what_is_no_object_has_no_instance() -> None:
    """It is looked at as it is."""
    assert shows(without_instance(answer(SECRET.encode())), SECRET)
