"""Ids: of objects, and of the trace of a request."""

from __future__ import annotations

import secrets
import string
import time
from typing import Final

from paylera_fixtures.operations import ID_PREFIXES, Resource

_CROCKFORD: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_LOWER: Final = string.ascii_lowercase + string.digits
_ID_LENGTH: Final = 24
_ULID_LENGTH: Final = 26
_ULID_RANDOM_BITS: Final = 80


def new_id(resource: Resource) -> str:
    """An id that no other object has, e.g. `cus_…` for a customer."""
    return f"{ID_PREFIXES[resource]}_{random_word(_ID_LENGTH)}"


def random_word(length: int) -> str:
    """Lower-case letters and digits from the system's entropy."""
    return "".join(secrets.choice(_LOWER) for _ in range(length))


def trace_id() -> str:
    """A ULID: 48 bits of time in milliseconds, 80 of chance, in Crockford's alphabet."""
    number = (int(time.time() * 1000) << _ULID_RANDOM_BITS) | secrets.randbits(_ULID_RANDOM_BITS)
    return "".join(_CROCKFORD[(number >> shift) & 31] for shift in range(5 * (_ULID_LENGTH - 1), -1, -5))
