"""Which tokens may call which operation: every pair is judged, without effect."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from paylera_fixtures.api.examples import EXAMPLES, example
from paylera_fixtures.api.operations import Operation
from paylera_mock.core.credential import BearerCredential
from paylera_mock.core.messages import BODILESS, Decision, Request
from paylera_mock.explain.dry_run import copy_behaviour
from paylera_mock.namespaces.namespace import Namespace
from paylera_mock.pipeline.context import Context, Rule
from paylera_mock.pipeline.engine import decide
from paylera_mock.state.token_names import newest_secret
from paylera_mock.state.tokens import StoredSecret, StoredToken

_SOME_ID: Final = "any"
"""Stands in a path for the object that it names: whether there is one is no question of permission."""


class Permission(NamedTuple):
    """What becomes of a token's request: which rule decides, and what."""

    token: StoredToken
    rule: Rule
    decision: Decision


def judge_permissions(
    operations: Iterable[Operation], tokens: Iterable[StoredToken], namespace: Namespace
) -> Iterator[tuple[Operation, list[Permission]]]:
    """Judge a flawless request to each operation by each token. The namespace's lock must be held.

    A token sends its newest secret that anybody has. Objects and rate limits are not looked at.
    """
    state, pipeline = copy_behaviour(namespace, reads=False)
    state.rates_enforced = False
    senders = [(token, newest_secret(token)) for token in tokens]
    for operation in operations:
        permissions = []
        for number, (token, secret) in enumerate(senders):
            request = _request(operation, token, secret, key=f"permission-{operation.id}-{number}")
            rule, decision = decide(Context.of(request, state, pipeline))
            permissions.append(Permission(token, rule, decision))
        yield operation, permissions


def _request(operation: Operation, token: StoredToken, secret: StoredSecret, *, key: str) -> Request:
    environment = token.grant.environment
    has_body = operation.id in EXAMPLES
    return Request(
        operation.method,
        operation.concrete(_SOME_ID),
        environment,
        credential=BearerCredential(secret.digest, environment),
        idempotency_key=None if operation.method in BODILESS else key,
        content_type="application/json" if has_body else None,
        body=json.dumps(example(operation.id)).encode() if has_body else b"",
        sent_method=operation.method,
    )
