"""What is kept of a secret in order to know one that is almost it: digests of its parts, and of it without case.

A secret with one mistake in it has at least one of its ends right. Each digest is of a text that no token can be, so
that none of them opens anything.
"""

from __future__ import annotations

import re
from typing import Final

from paylera_fixtures.tokens import digest

END: Final = 12
"""Characters of each end. That many random ones are not to be guessed."""

_SHORTEST: Final = END + 4
_FEWEST_DISTINCT: Final = 6
"""An end of fewer different characters is padding, and says nothing about whose it is."""

_PREFIX: Final = re.compile(r"(?i:sk[_-](?:sandbox|live|test|prod)[_-])")


def random_part(text: str) -> str:
    """A secret without its prefix; the whole text where it has none."""
    found = _PREFIX.match(text)
    return text[found.end() :] if found else text


def stem(text: str) -> str:
    """What stands for the beginning of a secret's random part; empty where that says nothing."""
    return _of_end("stem", random_part(text)[:END], text)


def tail(text: str) -> str:
    """What stands for the end of a secret's random part; empty where that says nothing."""
    return _of_end("tail", random_part(text)[-END:], text)


def caseless_digest(text: str) -> str:
    """What stands for a secret's random part without regard to case."""
    return digest(f"folded:{random_part(text).lower()}")


def fingerprints(secret: str) -> tuple[str, ...]:
    """Everything by which a secret that is almost this one is known."""
    return tuple(filter(None, (stem(secret), tail(secret), caseless_digest(secret))))


def _of_end(kind: str, end: str, text: str) -> str:
    if len(random_part(text)) < _SHORTEST or len(set(end)) < _FEWEST_DISTINCT:
        return ""
    return digest(f"{kind}:{end}")
