"""Right servers that ask for other things than the fake does, each a pipeline of the fake with a rule more."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from werkzeug.datastructures import Headers
from werkzeug.test import run_wsgi_app

from paylera_fixtures.api.operations import Resource
from paylera_mock.app import create_app
from paylera_mock.contract import CONTRACT
from paylera_mock.core import problems
from paylera_mock.core.messages import Decision, Outcome
from paylera_mock.core.policy import Policy
from paylera_mock.core.problems import FieldError
from paylera_mock.pipeline import rules
from paylera_mock.pipeline.context import Context, Pipeline, Rule
from paylera_mock.state.objects import ObjectTable

if TYPE_CHECKING:  # the stubs of the type checker alone have it
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

CREATE_CUSTOMER: Final = "create_customer"
POISON: Final = (rb"\ud800", b"1e999999")
AMOUNTS: Final = frozenset({"amount", "unit_amount"})
MINOR_UNITS: Final = 100
DOCUMENT: Final = "/openapi/v1.json"


def deploy_pipeline(pipeline: Pipeline, policy: Policy | None = None) -> WSGIApplication:
    """A fake that judges by a pipeline."""
    return create_app(policy, pipeline=pipeline).wsgi_app


def with_check(rule: Rule, check: Callable[[Context], Decision | None]) -> Pipeline:
    """The contract with one check more, before a rule."""
    return CONTRACT.with_rule_before(rule, Rule("own-check", "credential.accepted", check))


def requires_member(member: str) -> Pipeline:
    """Customers are made with a member that the guide does not name."""

    def check(context: Context) -> Decision | None:
        lacks = context.called_operation.id == CREATE_CUSTOMER and member not in context.payload
        return problems.validation_failed(FieldError(member, "required", "This is required.")) if lacks else None

    return with_check(rules.BODY_FITS_SCHEMA, check)


def unique_addresses() -> Pipeline:
    """No two customers have one e-mail address, not even those of two tenants."""
    effect = CONTRACT.effects[CREATE_CUSTOMER]

    def create(context: Context) -> Outcome:
        address = context.payload["email"]
        is_taken = any(objects.find(Resource.CUSTOMER, email=address) for objects in context.state.store)
        return problems.conflict("email") if is_taken else effect(context)

    return CONTRACT.with_effect(CREATE_CUSTOMER, create)


def fragile_lists(contract: Pipeline = CONTRACT) -> Pipeline:
    """It takes a lone surrogate, and a number without end; then its list of customers cannot be written any more."""
    broken: list[ObjectTable] = []
    effect = contract.effects["list_customers"]

    def take(context: Context) -> None:
        body = context.request.body or b""
        if any(poison in body for poison in POISON) and context.called_operation.id == CREATE_CUSTOMER:
            broken.append(context.objects)
            context.request = context.request._replace(body=body.replace(POISON[0], b"?").replace(POISON[1], b"1"))

    def list_customers(context: Context) -> Outcome:
        if any(objects is context.objects for objects in broken):
            raise RuntimeError("a customer that cannot be written")
        return effect(context)

    changed = contract.with_effect("list_customers", list_customers)
    return changed.with_rule_before(rules.BODY_IS_JSON, Rule("take", "robustness.no-server-error", take))


def whole_amounts() -> Pipeline:
    """Amounts in requests are integers, in minor units."""

    def check(context: Context) -> Decision | None:
        strings = [name for name, value in _members(context.payload) if name in AMOUNTS and not isinstance(value, int)]
        if strings:
            return problems.validation_failed(*(FieldError(name, "integer", "An integer.") for name in strings))
        context.payload = _change_amounts(context.payload, lambda value: f"{Decimal(value) / MINOR_UNITS:.2f}")
        return None

    return with_check(rules.BODY_FITS_SCHEMA, check)


def _members(value: object) -> Iterable[tuple[str, object]]:
    if isinstance(value, dict):
        for name, member in value.items():
            yield name, member
            yield from _members(member)
    elif isinstance(value, list):
        for item in value:
            yield from _members(item)


def _change_amounts(value: Any, change: Callable[[Any], Any]) -> Any:
    """A JSON value in which every member that is an amount is another."""
    if isinstance(value, list):
        return [_change_amounts(item, change) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        name: change(member)
        if name in AMOUNTS and not isinstance(member, dict | list)
        else _change_amounts(member, change)
        for name, member in value.items()
    }


def documents_whole_amounts(app: WSGIApplication) -> WSGIApplication:
    """The application, whose OpenAPI document says that the amounts of requests are integers."""
    return _with_changed_json(app, DOCUMENT, partial(_declare_amounts, as_={"type": "integer", "minimum": 1}))


def documents_nothing(app: WSGIApplication) -> WSGIApplication:
    """The application, without an OpenAPI document."""

    def wrapped(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        missing = environ["PATH_INFO"].endswith(DOCUMENT)
        return app({**environ, "PATH_INFO": "/none"} if missing else environ, start_response)

    return wrapped


def documents_no_amounts(app: WSGIApplication) -> WSGIApplication:
    """The application, whose OpenAPI document does not say what an amount is."""
    return _with_changed_json(app, DOCUMENT, partial(_declare_amounts, as_={}))


def refunds_once(app: WSGIApplication) -> WSGIApplication:
    """The application, where a payment is refunded once, by `POST /v1/payments/{id}/refund`."""
    refunded: set[str] = set()

    def wrapped(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        if environ["REQUEST_METHOD"] != "POST" or not path.endswith(("/refund", "/refunds")):
            return app(environ, start_response)
        changed = {**environ, "PATH_INFO": f"{path}s" if path.endswith("/refund") else f"{path}/none"}
        body, status, headers = run_wsgi_app(app, changed)
        if status.startswith("2") and path in refunded:
            problem = {"problem": "payment.refunded", "status": 409, "detail": "It was refunded before."}
            status, headers = "409 Conflict", Headers([("Content-Type", "application/problem+json")])
            body = [json.dumps(problem).encode()]
        elif status.startswith("2"):
            refunded.add(path)
        start_response(status, list(headers))
        return body

    return wrapped


def without_namespaces(app: WSGIApplication) -> WSGIApplication:
    """The application, whose control API gives out no namespaces."""
    return _with_changed_json(app, "/_mock", lambda description: description["capabilities"].remove("namespaces"))


def _with_changed_json(app: WSGIApplication, path: str, change: Callable[[Any], None]) -> WSGIApplication:
    """The application, with another answer to the GETs of the paths that end with one."""

    def wrapped(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if environ["REQUEST_METHOD"] != "GET" or not environ["PATH_INFO"].endswith(path):
            return app(environ, start_response)
        content = json.loads(b"".join(run_wsgi_app(app, environ)[0]))
        change(content)
        body = json.dumps(content).encode()
        start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
        return [body]

    return wrapped


def _declare_amounts(value: Any, as_: Mapping[str, object]) -> None:
    if isinstance(value, list):
        for item in value:
            _declare_amounts(item, as_)
    if isinstance(value, dict):
        for name in AMOUNTS & set(value.get("properties", {})):
            value["properties"][name] = as_
        for member in value.values():
            _declare_amounts(member, as_)
