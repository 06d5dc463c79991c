"""One call of the control API: its body read member by member, and the world that it goes to."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from paylera_fixtures.vocabulary import Environment
from paylera_mock.core.messages import Object, Outcome
from paylera_mock.namespaces.namespace import Namespace, Namespaces
from paylera_mock.namespaces.object_factory import internal_context, make_customer
from paylera_mock.pipeline.context import Context
from paylera_mock.state.namespace_state import State


class BadMemberError(ValueError):
    """A member of a call's body that cannot be used: which one, and what it must be."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


@dataclass(frozen=True)
class ControlRequest:
    """One call: the namespace it goes to, the body, what the path and the query name, and the base URLs."""

    namespaces: Namespaces
    namespace: Namespace
    body: Object
    urls: Callable[[str | None], dict[str, str]]
    identifier: str = ""
    query: Mapping[str, str] = field(default_factory=dict)

    @property
    def state(self) -> State:
        """The world of the namespace, as it is now."""
        return self.namespace.state

    def text(self, field: str, default: str | None = None) -> str:
        """A string of the body. Raises `BadMemberError` where it is none, or missing without default."""
        value = self.body.get(field, default)
        if not isinstance(value, str):
            raise BadMemberError(field, "This must be a string.")
        return value

    def word(self, field: str, allowed: tuple[str, ...], default: str | None = None) -> str:
        """One of some words. Raises `BadMemberError` for another."""
        value = self.body.get(field, default)
        if value not in allowed:
            raise BadMemberError(field, f"This must be one of {', '.join(allowed)}.")
        return str(value)

    def number(self, field: str, default: float | None = None) -> float:
        """A finite number. Raises `BadMemberError` for anything else."""
        value = self.body.get(field, default)
        if isinstance(value, bool) or not isinstance(value, int | float) or not _is_finite(value):
            raise BadMemberError(field, "This must be a number.")
        return float(value)

    def strings(self, field: str) -> tuple[str, ...]:
        """A list of strings. Raises `BadMemberError` for anything else."""
        value = self.body.get(field)
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise BadMemberError(field, "This must be a list of strings.")
        return tuple(value)

    def tenant(self) -> str:
        """The tenant that is meant: the namespace's main one where none is named."""
        tenant_id = self.text("tenant_id", self.state.main_tenant)
        if tenant_id not in self.state.tenants:
            raise BadMemberError("tenant_id", "There is no such tenant in this namespace: make one with POST tenants.")
        return tenant_id

    def environment(self) -> Environment:
        """The environment that is meant: sandbox where none is named."""
        return Environment(self.word("environment", tuple(Environment), Environment.SANDBOX.value))

    def stage(self) -> Context:
        """A context in which objects of the tenant and environment are made."""
        return internal_context(self.state, self.tenant(), self.environment())

    def customer(self, stage: Context) -> str:
        """The customer that is meant: a new one where none is named."""
        return self.text("customer_id") if "customer_id" in self.body else str(make_customer(stage)["id"])


Handler: TypeAlias = Callable[[ControlRequest], Outcome]
"""What answers a call, with the namespace's lock held."""

Table: TypeAlias = Mapping[str, Mapping[str, Handler]]
"""Handlers by the path below the control URL, where `{id}` stands for any one segment, and by method."""


def _is_finite(value: float) -> bool:
    """Whether a number is one that a float can hold: an integer of JSON may be longer."""
    return abs(value) < 1e18 and math.isfinite(value)  # noqa: PLR2004 - beyond it no time and no count makes sense
