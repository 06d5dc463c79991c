"""Defects of lists in pages, and of rate limits."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from paylera_mock.mutants.mechanism import Mutation

LISTS: Final[Mapping[str, Mutation]] = MappingProxyType({})
