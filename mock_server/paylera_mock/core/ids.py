"""Ids: of objects, and of the trace of a request."""

from __future__ import annotations

from typing import Final

from paylera_fixtures.api.operations import ID_PREFIXES, Resource
from paylera_mock.core.randomness import Randomness

_CROCKFORD: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_PAIRS: Final = tuple(first + second for first in _CROCKFORD for second in _CROCKFORD)
_ID_LENGTH: Final = 24
_ULID_RANDOM_BITS: Final = 80
_ULID_SHIFTS: Final = tuple(range(120, -1, -10))


def new_id(resource: Resource, randomness: Randomness) -> str:
    """An id that no other object has, e.g. `cus_…` for a customer."""
    return random_id(ID_PREFIXES[resource], randomness)


def random_id(prefix: str, randomness: Randomness) -> str:
    """An id that begins with a prefix and an underscore."""
    return f"{prefix}_{randomness.word(_ID_LENGTH)}"


def trace_id(randomness: Randomness, epoch: float) -> str:
    """A ULID: 48 bits of time in milliseconds, 80 of chance, in Crockford's alphabet."""
    number = (int(epoch * 1000) << _ULID_RANDOM_BITS) | randomness.bits(_ULID_RANDOM_BITS)
    return "".join([_PAIRS[(number >> shift) & 1023] for shift in _ULID_SHIFTS])
