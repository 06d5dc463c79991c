"""Defects of how it is answered: problem bodies, pages of lists, rate limits, hostile input."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from paylera_mock.mutants.mechanism import Mutation, policy

ANSWERS: Final[Mapping[str, Mutation]] = MappingProxyType(
    {
        "page-of-two-hundred": policy(page_max=200),
    }
)
