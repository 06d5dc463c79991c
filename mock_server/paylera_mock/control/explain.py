"""Explanations on demand: the mock's own call, and no part of the protocol."""

from __future__ import annotations

import json
import re
from http import HTTPStatus
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from paylera_fixtures.vocabulary import Header
from paylera_mock.control.request import BadMemberError, ControlRequest, Table
from paylera_mock.core import problems
from paylera_mock.core.credential import parse_authorization
from paylera_mock.core.messages import Outcome, Reply, Request
from paylera_mock.explain import dry_run
from paylera_mock.http.wsgi import authorization_of, locate, read_request
from paylera_mock.namespaces.namespace import Namespace

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

_MEMBERS: Final = ("method", "path", "headers", "body", "environment", "exchange")
_LONGEST: Final = 8 * 1024
"""Characters of a path and of a header: servers take no more."""

_METHOD: Final = re.compile(r"[A-Za-z]{1,20}")
_VALUE: Final = re.compile(r"[\t\x20-\x7e\x80-\xff]*")


def explain_request(call: ControlRequest) -> Outcome:
    """`POST C/explain`: what would become of a request, without effect; or what became of one in the journal."""
    unknown = sorted(set(call.body) - set(_MEMBERS))
    if unknown:
        raise BadMemberError(unknown[0], f"There is no such member: there are {', '.join(_MEMBERS)}.")
    if "exchange" in call.body:
        return _remembered(call)
    environ = _environ_of(call)
    location = locate(environ.get("PATH_INFO", ""), environ.get("HTTP_HOST", ""), by_host=True)
    credential = parse_authorization(authorization_of(environ))
    namespace = _namespace(call, location.namespace_id, environ)
    if namespace is None:
        return problems.namespace_not_found()
    request = read_request(environ, location, credential, namespace.policy.body_limit)
    if "environment" in call.body:
        request = request._replace(environment=call.environment())
    return _explained(request, namespace, ", ".join(authorization_of(environ)))


def _remembered(call: ControlRequest) -> Outcome:
    if len(call.body) > 1:
        raise BadMemberError("exchange", "This goes alone: the request is the one in the journal.")
    exchange = call.namespace.journal.named(int(call.number("exchange")))
    if exchange is None:
        return problems.not_found("exchange")
    return Reply(HTTPStatus.OK, dry_run.explain_entry(exchange).to_json())


def _namespace(call: ControlRequest, named: str | None, environ: WSGIEnvironment) -> Namespace | None:
    """Where the request would go, by its path and its token, as it does when it is sent."""
    if named is None and call.namespace.id is None:
        return call.namespaces.of_credential(parse_authorization(authorization_of(environ)))
    if named is None or named == call.namespace.id:
        return call.namespace
    if call.namespace.id is not None:
        raise BadMemberError("path", "This leads to another namespace: ask the control API of that one.")
    return call.namespaces.find(named)


def _explained(request: Request, namespace: Namespace, authorization: str) -> Outcome:
    with namespace.lock:
        return Reply(HTTPStatus.OK, dry_run.explain_request(request, namespace, authorization).to_json())


def _environ_of(call: ControlRequest) -> WSGIEnvironment:
    """The request as a server would hand it on."""
    from werkzeug.datastructures import Headers  # noqa: PLC0415
    from werkzeug.test import EnvironBuilder  # noqa: PLC0415 - only here, and slow to import

    method, path = call.text("method", "GET"), call.text("path")
    if not _METHOD.fullmatch(method):
        raise BadMemberError("method", "This is the name of a method, as in GET or POST.")
    if not path.startswith("/") or len(path) > _LONGEST or not path.isprintable():
        raise BadMemberError("path", "This is a path from / on, with its query, as in /v1/customers?limit=2.")
    body = _body_asked(call)
    headers = _headers_asked(call)
    if body and "content-type" not in {name.lower() for name in headers}:
        headers["Content-Type"] = "application/json"
    try:
        builder = EnvironBuilder(path=path, method=method.upper(), headers=Headers(headers), data=body)
        return builder.get_environ()
    except ValueError:
        raise BadMemberError(
            "path", "This is no path that can be sent: look for a line break or a colon in it."
        ) from None


def _body_asked(call: ControlRequest) -> bytes:
    body: Any = call.body.get("body")
    if body is None:
        return b""
    return body.encode() if isinstance(body, str) else json.dumps(body).encode()


def _headers_asked(call: ControlRequest) -> dict[str, str]:
    headers = call.body.get("headers", {})
    if not isinstance(headers, dict):
        raise BadMemberError("headers", f'This is an object, as in {{"{Header.AUTHORIZATION}": "Bearer <token>"}}.')
    for name, value in headers.items():
        if not name.isascii() or not name.replace("-", "").replace("_", "").isalnum():
            raise BadMemberError("headers", "The name of a header consists of letters, digits and hyphens.")
        if not isinstance(value, str) or len(value) > _LONGEST or not _VALUE.fullmatch(value):
            raise BadMemberError("headers", f"The value of {name} must be one line of Latin-1, as HTTP sends it.")
    return dict(headers)


CALLS: Final[Table] = MappingProxyType({"explain": {"POST": explain_request}})
