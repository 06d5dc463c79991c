"""What an `Authorization` header is taken for."""

from __future__ import annotations

from typing import Final

import pytest

from paylera_fixtures.tokens import digest, prefix
from paylera_fixtures.vocabulary import Environment
from paylera_mock.core.credential import Authorization, BearerCredential, Flaw, Malformed, Missing, parse_authorization

SECRET: Final = prefix(Environment.SANDBOX) + "a" * 32
GOOD: Final = BearerCredential(digest(SECRET), Environment.SANDBOX)
ODD: Final = "AZaz09-._~+/=="

CASES: Final[tuple[tuple[tuple[str, ...], Authorization], ...]] = (
    ((), Missing()),
    ((f"Bearer {SECRET}",), GOOD),
    ((f"bearer {SECRET}",), GOOD),
    ((f"BEARER {SECRET}",), GOOD),
    ((f"BeArEr {SECRET}",), GOOD),
    # RFC 6750, section 2.1: one space or more.
    ((f"Bearer   {SECRET}",), GOOD),
    # RFC 9110, section 5.5: what stands around a field's value is no part of it.
    ((f" Bearer {SECRET}\t",), GOOD),
    # The whole alphabet of a token68, and no prefix of ours.
    ((f"Bearer {ODD}",), BearerCredential(digest(ODD), None)),
    (("",), Malformed(Flaw.NOT_BEARER)),
    (("Bearer",), Malformed(Flaw.NO_TOKEN)),
    (("Bearer ",), Malformed(Flaw.NO_TOKEN)),
    ((SECRET,), Malformed(Flaw.NOT_BEARER)),
    ((f"Basic {SECRET}",), Malformed(Flaw.NOT_BEARER)),
    ((f"Token {SECRET}",), Malformed(Flaw.NOT_BEARER)),
    ((f"Bearer:{SECRET}",), Malformed(Flaw.NOT_BEARER)),
    ((f"Bearer={SECRET}",), Malformed(Flaw.NOT_BEARER)),
    ((f"Bearer\t{SECRET}",), Malformed(Flaw.NOT_BEARER)),
    ((f"Bearer\u00a0{SECRET}",), Malformed(Flaw.NOT_BEARER)),
    ((f"Bearer {SECRET} {SECRET}",), Malformed(Flaw.SEVERAL)),
    ((f"Bearer {SECRET},{SECRET}",), Malformed(Flaw.SEVERAL)),
    # What a WSGI server makes of two headers.
    ((f"Bearer {SECRET},Bearer {SECRET}",), Malformed(Flaw.SEVERAL)),
    ((f"Basic x, Bearer {SECRET}",), Malformed(Flaw.SEVERAL)),
    ((f"Bearer {SECRET}", f"Bearer {SECRET}"), Malformed(Flaw.SEVERAL)),
    ((f'Bearer "{SECRET}"',), Malformed(Flaw.BAD_CHARACTER)),
    ((f"Bearer '{SECRET}'",), Malformed(Flaw.BAD_CHARACTER)),
    ((f"Bearer {SECRET}\x00",), Malformed(Flaw.BAD_CHARACTER)),
    ((f"Bearer {SECRET}é",), Malformed(Flaw.BAD_CHARACTER)),
    ((f"Bearer %73{SECRET[1:]}",), Malformed(Flaw.BAD_CHARACTER)),
    # Padding stands at the end only.
    ((f"Bearer =={SECRET}",), Malformed(Flaw.BAD_CHARACTER)),
)


@pytest.mark.parametrize(("values", "expected"), CASES, ids=[repr(values) for values, _ in CASES])
def test_a_header_is_read_strictly(values: tuple[str, ...], expected: Authorization) -> None:
    """A header is a credential, malformed, or missing, and nothing between (clause credential.malformed)."""
    assert parse_authorization(values) == expected


def test_a_credential_does_not_hold_the_secret() -> None:
    """What is passed on of a token does not tell it."""
    assert SECRET not in repr(parse_authorization((f"Bearer {SECRET}",)))
