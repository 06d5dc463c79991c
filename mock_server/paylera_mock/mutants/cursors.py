"""Mutants of what a cursor opens: a page is its token's, whoever was told of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final
from urllib.parse import parse_qs

from paylera_fixtures.api.operations import OPERATIONS
from paylera_mock.core.messages import Outcome, Reply
from paylera_mock.mutants.builders import combine, replace_effect
from paylera_mock.mutants.model import Mutant
from paylera_mock.operations.common import list_objects
from paylera_mock.pipeline.context import Context

_LISTS: Final = tuple(each.id for each in OPERATIONS if each.is_list and not each.is_admin)
_SEPARATOR: Final = "."


def _list_by_cursor(context: Context) -> Outcome:
    """The list of the tenant whose name is in the cursor."""
    token = context.token
    (cursor,) = parse_qs(context.request.query).get("cursor", [""])[:1]
    tenant, separator, rest = cursor.partition(_SEPARATOR)
    if separator and token:
        context.request = context.request._replace(query=context.request.query.replace(cursor, rest))
        context.token = replace(token, grant=replace(token.grant, tenant_id=tenant))
    outcome = list_objects(context)
    if isinstance(outcome, Reply) and outcome.body and outcome.body["next_cursor"]:
        named = f"{context.tenant_id}{_SEPARATOR}{outcome.body['next_cursor']}"
        outcome = replace(outcome, body={**outcome.body, "next_cursor": named})
    context.token = token
    return outcome


MUTANTS: Final[Mapping[str, Mutant]] = {
    "cursor-carries-tenant": Mutant(
        "A page is the tenant's whose list the cursor is of.",
        combine(*(replace_effect(name, _list_by_cursor) for name in _LISTS)),
        breaks=("token.one-tenant",),
        subtle=True,
    )
}
