"""What may be meant by a word that is none of those that there are."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Final

_LONGEST: Final = 100
"""Characters of a word that are compared."""


def nearest(word: str, known: Iterable[str], *, cutoff: float = 0.6) -> str:
    """The word that is most like another; empty where none is near."""
    return next(iter(get_close_matches(word[:_LONGEST], list(known), n=1, cutoff=cutoff)), "")
