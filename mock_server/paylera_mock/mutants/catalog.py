"""Every mutant and every dialect in one table. The modules are named like the groups of clauses that they are about."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from paylera_mock.mutants import (
    aal2,
    acting_as,
    answer_shapes,
    audience,
    credential,
    cursors,
    dialects,
    headers,
    idempotency,
    idempotency_keys,
    pagination,
    problem,
    rate_limit,
    replays,
    response_variants,
    revocation,
    robustness,
    rotation,
    scope,
    token,
    version,
)
from paylera_mock.mutants.model import Mutant

TABLES: Final[tuple[Mapping[str, Mutant], ...]] = (
    credential.MUTANTS,
    token.MUTANTS,
    cursors.MUTANTS,
    audience.MUTANTS,
    scope.MUTANTS,
    aal2.MUTANTS,
    idempotency_keys.MUTANTS,
    idempotency.MUTANTS,
    replays.MUTANTS,
    version.MUTANTS,
    acting_as.MUTANTS,
    rotation.MUTANTS,
    revocation.MUTANTS,
    problem.MUTANTS,
    headers.MUTANTS,
    pagination.MUTANTS,
    rate_limit.MUTANTS,
    robustness.MUTANTS,
    response_variants.MUTANTS,
    answer_shapes.MUTANTS,
    dialects.MUTANTS,
)
"""In the order in which they are listed."""

MUTANTS: Final[Mapping[str, Mutant]] = {name: mutant for table in TABLES for name, mutant in table.items()}
