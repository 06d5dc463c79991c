"""The control API: the test-support protocol, and beside it what only this fake has.

`CALLS` is the whole of it. Who may call is decided in `http.access`. Bodies and results are JSON; what cannot
be done is a problem document.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import replace
from functools import cache, partial
from http import HTTPStatus
from types import NoneType
from typing import Any, Final

import msgspec

from paylera_mock.control import (
    clock,
    explain,
    faults,
    findings,
    health,
    journal,
    mutants,
    namespaces,
    objects,
    payments,
    permissions,
    protocol,
    refusals,
    snapshot,
    tokens,
    verify,
    webhooks,
)
from paylera_mock.control.call import Call
from paylera_mock.control.request import ControlRequest, NoBody
from paylera_mock.core import problems
from paylera_mock.core.messages import Outcome, Reply
from paylera_mock.core.path_table import find_by_path
from paylera_mock.core.problems import FieldError, RefusedError
from paylera_mock.core.typed_json import InvalidInputError, convert_json
from paylera_mock.namespaces.snapshot import write_pieces
from paylera_mock.version import version

__all__ = ["CALLS", "Call", "ControlRequest", "answer", "document", "schemas"]


@cache
def _document() -> Mapping[str, Any]:
    from paylera_mock.control.openapi import build  # noqa: PLC0415 - start-up time

    return build(CALLS, version())


def document(control_url: str) -> dict[str, Any]:
    """The OpenAPI document of the control API, which is called under a URL."""
    return {**_document(), "servers": [{"url": control_url}]}


def read_document(call: ControlRequest) -> dict[str, Any]:
    """`GET C/openapi.json`: the OpenAPI document of this control API."""
    return document(call.urls(call.namespace.id)["control_url"])


_CREATED: Final = HTTPStatus.CREATED
_Quick: Final = partial(Call, quick=True)

CALLS: Final[Mapping[str, Mapping[str, Call]]] = {
    "": {"GET": _Quick(protocol.describe_protocol)},
    "actors": {"POST": _Quick(protocol.create_actor, _CREATED)},
    "clock": {"GET": _Quick(protocol.read_clock), "POST": Call(clock.set_clock)},
    "clock/advance": {"POST": Call(protocol.advance_clock)},
    "clock/instants": {"GET": Call(clock.read_instants)},
    "coverage": {"GET": Call(findings.read_coverage, locked=False)},
    "customers": {"POST": _Quick(protocol.create_customer, _CREATED)},
    "explain": {"POST": Call(explain.explain_request, locked=False)},
    "faults": {
        "GET": Call(faults.list_faults, locked=False),
        "POST": Call(faults.arm_fault, _CREATED, locked=False, conflicts=True),
        "DELETE": _Quick(faults.clear_faults, locked=False),
    },
    "faults/{id}": {"DELETE": _Quick(faults.disarm_fault, locked=False)},
    "findings": {
        "GET": Call(findings.read_findings, locked=False),
        "DELETE": Call(findings.clear_findings, locked=False),
    },
    "health": {"GET": _Quick(health.read_health, locked=False)},
    "journal": {
        "GET": Call(journal.list_exchanges, locked=False),
        "DELETE": Call(journal.clear_journal, locked=False),
    },
    "journal/{id}": {"GET": Call(journal.get_exchange, locked=False)},
    "mutants": {"GET": Call(mutants.read_mutants), "POST": _Quick(mutants.switch_mutants)},
    "namespaces": {"GET": Call(namespaces.list_namespaces), "POST": _Quick(protocol.create_namespace, _CREATED)},
    "namespaces/{id}": {"DELETE": Call(protocol.delete_namespace)},
    "objects": {"GET": Call(objects.list_objects), "POST": _Quick(protocol.create_object, _CREATED)},
    "objects/{id}": {"GET": _Quick(objects.read_object)},
    "openapi.json": {"GET": Call(read_document, locked=False)},
    "payment-actions/{id}": {"POST": _Quick(payments.complete_payment_action)},
    "permissions": {"GET": Call(permissions.read_permissions)},
    "rate-limits": {"POST": _Quick(protocol.set_rate_limits)},
    "refusals": {"GET": Call(refusals.read_refusals, locked=False)},
    "reset": {"POST": Call(protocol.reset_namespace)},
    "snapshot": {"GET": Call(snapshot.read_snapshot, write=write_pieces), "PUT": Call(snapshot.restore_snapshot)},
    "tenants": {"GET": Call(objects.list_tenants), "POST": _Quick(protocol.create_tenant, _CREATED)},
    "tokens": {"GET": Call(tokens.list_tokens), "POST": _Quick(protocol.create_token, _CREATED)},
    "tokens/{id}": {"GET": _Quick(tokens.read_token), "DELETE": _Quick(tokens.revoke_token)},
    "tokens/{id}/rotate": {"POST": _Quick(tokens.rotate_token)},
    "verify": {"POST": Call(verify.verify_requests, locked=False)},
    "versions": {"GET": _Quick(protocol.read_versions), "POST": _Quick(protocol.release_version, _CREATED)},
    "webhooks/deliveries": {"GET": Call(webhooks.list_deliveries, locked=False)},
    "webhooks/deliveries/{id}": {"GET": Call(webhooks.get_delivery, locked=False)},
    "webhooks/flush": {"POST": Call(webhooks.flush_deliveries, locked=False)},
    "webhooks/redeliver": {"POST": Call(webhooks.redeliver_event, _CREATED, locked=False)},
}
"""Every call, by its path below the control URL, where `{id}` stands for any one segment, and by its method."""


def is_quick(method: str, path: str) -> bool:
    """Whether a call waits for nothing, and takes no longer than a request to the API."""
    found = find_by_path(CALLS, path)
    call = found and _of_method(found[0], method)
    return call is not None and call.quick


def _of_method(calls: Mapping[str, Call], method: str) -> Call | None:
    return calls.get("GET" if method == "HEAD" else method)


def answer(method: str, path: str, request: ControlRequest) -> Outcome:
    """Answer one call; `path` is what follows the control URL, without slash at its ends."""
    found = find_by_path(CALLS, path)
    if found is None:
        return problems.route_not_found()
    calls, identifier = found
    request = replace(request, identifier=identifier)
    call = _of_method(calls, method)
    if call is None:
        return problems.method_not_allowed(calls)
    if method not in {"GET", "HEAD"} and call.handler is not explain.explain_request:
        request.namespace.collector.note_control_call(path)
    try:
        result = _run(call, request)
    except RefusedError as refused:
        return refused.problem
    except InvalidInputError as flaw:
        message = f"{flaw.message[:1].upper()}{flaw.message[1:]}"
        message += "" if message.endswith("?") else "."
        return problems.validation_failed(FieldError(flaw.place or "body", "member.invalid", message))
    if result is None:
        return Reply(HTTPStatus.NO_CONTENT)
    return Reply(call.status, pieces=call.write(result)) if call.write else Reply(call.status, result)


def _run(call: Call, request: ControlRequest) -> Any:
    """Call a handler. What is due by the clock happens before, and again after, as the call may have moved it."""
    hints = call.annotations
    arguments: dict[str, Any] = {}
    if "body" in hints:
        arguments["body"] = convert_json(request.body, hints["body"])
    else:
        convert_json(request.body, NoBody)
    if "query" in hints:
        arguments["query"] = convert_json(dict(request.query), hints["query"], strict=False)
    request.namespace.catch_up()
    request.namespace.discarded.free_some()
    with request.namespace.lock if call.locked else nullcontext():
        # What is shown is copied while nothing can change it.
        result = call.handler(request, **arguments)
        if call.write is None:
            result = msgspec.to_builtins(result, str_keys=True)
    request.namespace.catch_up()
    request.state.webhooks.wake()
    return result


def schemas() -> dict[str, dict[str, Any]]:
    """The JSON Schemas of every call by its name, as `POST C/tokens`: those of its `body`, `query` and `result`."""
    return {
        f"{method} C/{path}".rstrip("/"): {
            "result" if name == "return" else name: msgspec.json.schema(kind)
            for name, kind in call.annotations.items()
            if kind not in {ControlRequest, NoneType}
        }
        for path, calls in CALLS.items()
        for method, call in calls.items()
    }
