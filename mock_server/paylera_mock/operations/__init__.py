"""What each operation does: one function for each, named like the operation's id, in the module of its resource.

An operation that only reads needs no function: lists and single objects are answered alike for every resource.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from paylera_fixtures.api.operations import OPERATIONS, Operation
from paylera_mock.operations import admin, api_tokens, catalog, customers, invoices, payments, subscriptions, webhooks
from paylera_mock.operations.common import get_object, list_objects
from paylera_mock.pipeline.context import Effect

_MODULES: Final = (admin, api_tokens, catalog, customers, invoices, payments, subscriptions, webhooks)


def _effect_of(operation: Operation) -> Effect:
    own: Effect | None = next((vars(module)[operation.id] for module in _MODULES if operation.id in vars(module)), None)
    if own is None and not operation.is_read:
        raise LookupError(f"no module in operations/ has a function {operation.id}")
    return own or (get_object if operation.path.endswith("}") else list_objects)


EFFECTS: Final[Mapping[str, Effect]] = {each.id: _effect_of(each) for each in OPERATIONS}
"""The effect of each operation, by its id."""
