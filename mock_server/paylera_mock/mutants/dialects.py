"""Dialects: a fake that keeps the contract in another way, of which nothing may be complained."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from paylera_mock.mutants.mechanism import Mutation

DIALECTS: Final[Mapping[str, Mutation]] = MappingProxyType({})
