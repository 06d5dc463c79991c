"""Reading the `Authorization` header: a pure function, strict where HTTP libraries are lenient.

RFC 6750, section 2.1: `"Bearer" 1*SP b64token`. RFC 9110, section 11.1: the scheme's case does not matter.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, TypeAlias

from paylera_fixtures.tokens import digest, prefix
from paylera_fixtures.vocabulary import Environment


class Flaw(StrEnum):
    """Why a header is no `Bearer <token>`; the text is the problem's detail."""

    NOT_BEARER = "The Authorization header must read `Bearer <token>`, with the scheme Bearer."
    NO_TOKEN = "The scheme Bearer must be followed by one space and a token."  # noqa: S105 - a sentence
    SEVERAL = "There must be exactly one Authorization header with exactly one token."
    BAD_CHARACTER = "A token consists of letters, digits and `-._~+/` only, and may end in `=`."


@dataclass(frozen=True, slots=True)
class Missing:
    """There is no `Authorization` header."""


@dataclass(frozen=True, slots=True)
class Malformed:
    """There is one, but it is no `Bearer <token>`."""

    flaw: Flaw


@dataclass(frozen=True, slots=True)
class BearerCredential:
    """A token as it was sent: the environment that its prefix names, and its digest. The secret itself is not kept."""

    digest: str
    environment: Environment | None


Authorization: TypeAlias = BearerCredential | Malformed | Missing

_MISSING: Final = Missing()
_BEARER: Final = re.compile(r"[Bb][Ee][Aa][Rr][Ee][Rr] +([A-Za-z0-9._~+/-]+=*)")
_PREFIXES: Final = tuple((prefix(environment), environment) for environment in Environment)
_OPTIONAL_SPACE: Final = " \t"  # RFC 9110, section 5.5: around a field's value it means nothing


def parse_authorization(values: Sequence[str]) -> Authorization:
    """Read every `Authorization` header of a request, in order.

    WSGI servers join repeated headers with commas; no token has one, so those are refused with the repeated ones.
    """
    if not values:
        return _MISSING
    if len(values) > 1:
        return Malformed(Flaw.SEVERAL)
    found = _BEARER.fullmatch(values[0].strip(_OPTIONAL_SPACE))
    if found is None:
        return Malformed(_flaw(values[0].strip(_OPTIONAL_SPACE)))
    return credential_of(found.group(1))


def credential_of(secret: str) -> BearerCredential:
    """The credential that a secret is."""
    environment = next((environment for start, environment in _PREFIXES if secret.startswith(start)), None)
    return BearerCredential(digest(secret), environment)


def _flaw(value: str) -> Flaw:
    scheme, _, rest = value.partition(" ")
    if scheme.lower() != "bearer":
        return Flaw.SEVERAL if "," in value and "bearer " in value.lower() else Flaw.NOT_BEARER
    if not rest.strip():
        return Flaw.NO_TOKEN
    return Flaw.SEVERAL if "," in rest or " " in rest.strip() else Flaw.BAD_CHARACTER
