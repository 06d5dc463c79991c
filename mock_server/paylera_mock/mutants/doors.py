"""Defects that hostile or odd requests bring out: side doors, other words than problems, server errors."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from paylera_mock.mutants.mechanism import Mutation

DOORS: Final[Mapping[str, Mutation]] = MappingProxyType({})
