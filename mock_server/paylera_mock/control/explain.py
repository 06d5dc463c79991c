"""Explanations on demand: the mock's own call, and no part of the protocol."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Annotated, Any, Final

from msgspec import UNSET, Meta, Struct, UnsetType

from paylera_fixtures.vocabulary import Environment, Header
from paylera_mock.control.request import ControlRequest, Whole
from paylera_mock.core import problems
from paylera_mock.core.credential import parse_authorization
from paylera_mock.core.problems import RefusedError
from paylera_mock.core.typed_json import InvalidInputError
from paylera_mock.explain import dry_run
from paylera_mock.http.wsgi import authorization_of, locate, read_request
from paylera_mock.namespaces.namespace import Namespace

if TYPE_CHECKING:  # the stubs of the type checker alone have it
    from _typeshed.wsgi import WSGIEnvironment

_LONGEST: Final = 8 * 1024
"""Characters of a path and of a header: servers take no more."""

_METHOD: Final = re.compile(r"[A-Za-z]{1,20}")
_VALUE: Final = re.compile(r"[\t\x20-\x7e\x80-\xff]*")
_HEADERS: Final = f'an object, as in {{"{Header.AUTHORIZATION}": "Bearer <token>"}}'


class ExplainBody(Struct, kw_only=True, forbid_unknown_fields=True):
    """A request; or, alone, the number of an `exchange` in the journal.

    - `path`: with its query; `body`: a string is sent as it is, anything else as JSON;
    - `environment`: where the path and the host do not name it.
    """

    method: str = "GET"
    path: str | UnsetType = UNSET
    headers: Annotated[dict[str, Any], Meta(description=_HEADERS)] = {}
    body: Any = None
    environment: Environment | UnsetType = UNSET
    exchange: Whole | UnsetType = UNSET


def explain_request(call: ControlRequest, body: ExplainBody) -> dry_run.Explanation:
    """`POST C/explain`: how a request would be decided, without effect; or how one in the journal was.

    Raises `InvalidInputError` for what cannot be sent or leads to another namespace, `RefusedError` where there is no
    such namespace or exchange.
    """
    if body.exchange is not UNSET:
        return _explain_entry(call, int(body.exchange))
    environ = _environ_of(body)
    location = locate(environ.get("PATH_INFO", ""), environ.get("HTTP_HOST", ""), by_host=True)
    authorization = authorization_of(environ)
    credential = parse_authorization(authorization)
    if location.namespace_id is None and call.namespace.id is None:
        namespace: Namespace | None = call.namespaces.of_credential(credential)
    else:
        namespace = _namespace_named(call, location.namespace_id)
    if namespace is None:
        raise RefusedError(problems.namespace_not_found())
    request = read_request(environ, location, credential, namespace.policy.body_limit)
    if body.environment is not UNSET:
        request = request._replace(environment=body.environment)
    with namespace.lock:
        return dry_run.explain_request(request, namespace, ", ".join(authorization))


def _explain_entry(call: ControlRequest, number: int) -> dry_run.Explanation:
    if len(call.body) > 1:
        raise InvalidInputError("exchange", "this goes alone: the request is the one in the journal")
    entry = call.namespace.journal.get(number)
    if entry is None:
        raise RefusedError(problems.not_found("exchange"))
    return dry_run.explain_entry(entry)


def _namespace_named(call: ControlRequest, namespace_id: str | None) -> Namespace | None:
    """The namespace that a path names, which only the default one may ask about if it is another."""
    if namespace_id in {None, call.namespace.id}:
        return call.namespace
    if call.namespace.id is not None:
        raise InvalidInputError("path", "this leads to another namespace: ask the control API of that one")
    return call.namespaces.find(str(namespace_id))


def _environ_of(body: ExplainBody) -> WSGIEnvironment:
    """The request as a server would hand it on. Raises `InvalidInputError` for what HTTP cannot send."""
    from werkzeug.datastructures import Headers  # noqa: PLC0415
    from werkzeug.test import EnvironBuilder  # noqa: PLC0415 - only here, and slow to import

    if not _METHOD.fullmatch(body.method):
        raise InvalidInputError("method", "this must be the name of a method, as in GET or POST")
    path = body.path or ""
    if not path.startswith("/") or len(path) > _LONGEST or not path.isprintable():
        raise InvalidInputError("path", "this must be a path from / on, with its query, as in /v1/customers?limit=2")
    _check_headers(body.headers)
    headers = dict(body.headers)
    sent = b"" if body.body is None else (body.body if isinstance(body.body, str) else json.dumps(body.body)).encode()
    if sent and "content-type" not in {name.lower() for name in headers}:
        headers["Content-Type"] = "application/json"
    try:
        return EnvironBuilder(path=path, method=body.method.upper(), headers=Headers(headers), data=sent).get_environ()
    except ValueError:
        raise InvalidInputError("path", "this cannot be sent: look for a line break or a colon in it") from None


def _check_headers(headers: dict[str, Any]) -> None:
    for name, value in headers.items():
        if not name.isascii() or not name.replace("-", "").replace("_", "").isalnum():
            raise InvalidInputError("headers", "the name of a header consists of letters, digits and hyphens")
        if not isinstance(value, str) or len(value) > _LONGEST or not _VALUE.fullmatch(value):
            raise InvalidInputError("headers", f"the value of {name} must be one line of Latin-1, as HTTP sends it")
