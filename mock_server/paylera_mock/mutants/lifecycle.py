"""Defects of what becomes of a token: its rotation and its revocation."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from paylera_mock.mutants.mechanism import Mutation

LIFECYCLE: Final[Mapping[str, Mutation]] = MappingProxyType({})
