"""Who may call what: the mock's own call."""

from __future__ import annotations

from http import HTTPStatus
from operator import attrgetter

from msgspec import UNSET, Struct, UnsetType

from paylera_fixtures.api.operations import BY_ID, OPERATIONS, Operation
from paylera_fixtures.vocabulary import Audience
from paylera_mock.control.request import ControlRequest, PageQuery
from paylera_mock.core.problems import Problem
from paylera_mock.core.typed_json import InvalidInputError
from paylera_mock.explain.permissions import Permission, judge_permissions
from paylera_mock.state.token_names import name_of


class PermissionQuery(PageQuery):
    """Which operation is meant, by its id, and which page of the tokens, the newest first."""

    operation: str | UnsetType = UNSET


class TokenLabel(Struct):
    """A token, and what it is called."""

    id: str
    label: str


class PermissionView(Struct):
    """What becomes of a token's request: `problem` is the code of a refusal, and `null` for an acceptance."""

    token: str
    status: int
    problem: str | None
    rule: str
    clause: str


class OperationPermissions(Struct):
    """What an operation requires, and what becomes of a flawless request by each token.

    `scope` is `null` where the audience alone decides.
    """

    id: str
    method: str
    path: str
    summary: str
    scope: str | None
    audiences: tuple[Audience, ...]
    aal2: bool
    permissions: list[PermissionView]


class PermissionTable(Struct):
    """Every operation and every token that is meant, and how many tokens there are."""

    tokens: list[TokenLabel]
    operations: list[OperationPermissions]
    count: int
    next_cursor: int | None


def read_permissions(call: ControlRequest, query: PermissionQuery) -> PermissionTable:
    """`GET C/permissions`: what each operation requires, and which tokens may call it; for one with `?operation=<id>`.

    Raises `InvalidInputError` where there is no such operation.
    """
    if query.operation is not UNSET and query.operation not in BY_ID:
        raise InvalidInputError("operation", "there is no such operation: its id is that of the OpenAPI document")
    operations = OPERATIONS if query.operation is UNSET else (BY_ID[query.operation],)
    page, next_cursor = query.take(call.state.tokens.before, attrgetter("sequence"))
    judged = judge_permissions(operations, page, call.namespace)
    return PermissionTable(
        [TokenLabel(token.id, name_of(token, token.secrets[0])) for token in page],
        [_view(call, operation, permissions) for operation, permissions in judged],
        call.state.tokens.count,
        next_cursor,
    )


def _view(call: ControlRequest, operation: Operation, permissions: list[Permission]) -> OperationPermissions:
    return OperationPermissions(
        operation.id,
        operation.method,
        operation.path,
        operation.summary,
        operation.scope_in(call.state.policy.profile),
        operation.audiences,
        operation.aal2,
        [_view_permission(permission) for permission in permissions],
    )


def _view_permission(permission: Permission) -> PermissionView:
    decision, rule = permission.decision, permission.rule
    problem = decision.type.code if isinstance(decision, Problem) else None
    return PermissionView(permission.token.id, HTTPStatus(decision.status), problem, rule.name, rule.clause)
