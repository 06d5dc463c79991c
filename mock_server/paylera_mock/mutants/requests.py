"""Defects of what is asked: idempotency, versions and acting for an operator."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from paylera_mock.mutants.mechanism import Mutation

REQUESTS: Final[Mapping[str, Mutation]] = MappingProxyType({})
