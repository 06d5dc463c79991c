"""Hints: what is wrong with a credential that is almost right."""

from __future__ import annotations

from paylera_mock.context import Verdict
from paylera_mock.namespace import Namespace


def hint_for(verdict: Verdict, authorization: str, namespace: Namespace) -> str:
    """What to change about a refused `Authorization` header, as one sentence of ASCII without a secret; often none."""
    del verdict, authorization, namespace
    return ""
