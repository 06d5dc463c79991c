"""Defects of who may: credentials, tokens, audiences, scopes and the second factor."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from paylera_mock.mutants.mechanism import Mutation, decision
from paylera_mock.tokens import Token


def has_scope_by_substring(token: Token, scope: str) -> bool:
    """The scope is looked for anywhere in the list as text."""
    return token.grants_all or scope in " ".join(token.grant.scopes)


ACCESS: Final[Mapping[str, Mutation]] = MappingProxyType(
    {
        "scope-by-substring": decision("has_scope", has_scope_by_substring),
    }
)
