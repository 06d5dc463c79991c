"""What a token is called where it must not be shown."""

from __future__ import annotations

import re
from functools import cache
from typing import Final

from paylera_fixtures.tokens import WELL_KNOWN, WellKnownToken, digest
from paylera_fixtures.vocabulary import Environment
from paylera_mock.state.tokens import StoredSecret, StoredToken

# Whoever mints a token names it as they like: in a header and in a sentence stands only what is harmless there.
_HARMLESS: Final = re.compile(r"(?!sk_|whsec_)[A-Za-z0-9][A-Za-z0-9._-]{0,39}")


def name_of(token: StoredToken, secret: StoredSecret | None = None) -> str:
    """The name of a token, or its id: short, of ASCII, and never a secret.

    `secret`: which of its secrets is meant, where well-known ones have names of their own.
    """
    if known := well_known_name(secret):
        return known
    names = (token.grant.name or "", token.id)
    return next((name for name in names if _HARMLESS.fullmatch(name)), "without a name")


def names_of(token: StoredToken) -> frozenset[str]:
    """Every name by which a test may mean a token: its id, its own name, and those of its well-known secrets."""
    known = map(well_known_name, token.secrets)
    return frozenset({token.id, token.grant.name or token.id, *filter(None, known)})


def well_known_name(secret: StoredSecret | None) -> str | None:
    """What a secret is called that everybody knows; `None` for any other."""
    known = _well_known().get(secret.digest) if secret is not None else None
    return None if known is None else ready_name(known)


def well_known_digest(name: str) -> str | None:
    """The digest of the secret that everybody knows by a name; `None` for any other."""
    return next((digest for digest, known in _well_known().items() if ready_name(known) == name), None)


def is_had(token: StoredToken) -> bool:
    """Whether anybody has its current secret: of a well-known token that was rotated out nobody has."""
    well_known = _well_known()
    return token.secrets[0].digest in well_known or all(each.token_id != token.id for each in well_known.values())


def newest_secret(token: StoredToken) -> StoredSecret:
    """The newest of its secrets that anybody has."""
    return token.secrets[0] if is_had(token) or len(token.secrets) == 1 else token.secrets[1]


@cache
def _well_known() -> dict[str, WellKnownToken]:
    return {digest(each.secret): each for each in WELL_KNOWN}


def ready_name(token: WellKnownToken) -> str:
    """The name of a well-known token where both environments stand side by side."""
    return f"live_{token.name}" if token.environment is Environment.LIVE else token.name
