"""Explanations on demand: the mock's own call, and no part of the protocol."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Annotated, Any, Final

from msgspec import UNSET, Meta, Struct, UnsetType

from paylera_fixtures.vocabulary import Environment, Header
from paylera_mock.control.request import ControlRequest, Whole
from paylera_mock.core import problems
from paylera_mock.core.credential import BearerCredential, parse_authorization
from paylera_mock.core.messages import HEADER_VALUE
from paylera_mock.core.problems import RefusedError
from paylera_mock.core.request_target import quote_target
from paylera_mock.core.typed_json import InvalidInputError
from paylera_mock.explain import dry_run
from paylera_mock.http.wsgi import authorization_of, locate, read_request
from paylera_mock.journal.recorder import BODY_KEPT, JournalEntry
from paylera_mock.journal.retries import Attempt
from paylera_mock.journal.view import view_entry
from paylera_mock.namespaces.namespace import Namespace
from paylera_mock.state.token_names import newest_secret

if TYPE_CHECKING:  # the stubs of the type checker alone have it
    from _typeshed.wsgi import WSGIEnvironment

_LONGEST: Final = 8 * 1024
"""Characters of a path and of a header: servers take no more."""

_METHOD: Final = re.compile(r"[A-Za-z]{1,20}")
_HEADERS: Final = f'an object, as in {{"{Header.AUTHORIZATION}": "Bearer <token>"}}'


class ExplainBody(Struct, kw_only=True, forbid_unknown_fields=True):
    """A request; or the number of an `exchange` in the journal, alone or with what is to be different about it.

    - `path`: with its query; `body`: a string is sent as it is, anything else as JSON;
    - `headers`: beside an `exchange`, `null` leaves out what it had;
    - `token`: the id of a token, which asks in the place of the one in `Authorization`;
    - `environment`: where the path and the host do not name it.
    """

    method: str | UnsetType = UNSET
    path: str | UnsetType = UNSET
    headers: Annotated[dict[str, Any], Meta(description=_HEADERS)] = {}
    body: Any = None
    token: str | UnsetType = UNSET
    environment: Environment | UnsetType = UNSET
    exchange: Whole | UnsetType = UNSET


def explain_request(call: ControlRequest, body: ExplainBody) -> dry_run.Explanation:
    """`POST C/explain`: how a request would be decided, without effect; or how one in the journal was.

    Raises `InvalidInputError` for what cannot be sent or leads to another namespace, `RefusedError` where there is no
    such namespace, exchange or token.
    """
    entry = None if body.exchange is UNSET else _find_entry(call, int(body.exchange))
    if entry is not None:
        if len(call.body) == 1:
            return dry_run.explain_entry(entry)
        body = _change(entry, body)
    environ = _environ_of(body)
    location = locate(environ.get("PATH_INFO", ""), environ.get("HTTP_HOST", ""), by_host=True)
    authorization = authorization_of(environ)
    credential = parse_authorization(authorization)
    if body.token is not UNSET:
        credential = _credential_of(call, body.token)
    elif entry is not None and not _names_authorization(call.body.get("headers", {})):
        credential = entry.request.credential
    is_by_token = entry is None and body.token is UNSET
    if location.namespace_id is None and call.namespace.id is None and is_by_token:
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


def _find_entry(call: ControlRequest, number: int) -> JournalEntry:
    entry = call.namespace.journal.get(number)
    if entry is None:
        raise RefusedError(problems.not_found("exchange"))
    return entry


def _change(entry: JournalEntry, body: ExplainBody) -> ExplainBody:
    """The request of an exchange with what a body says otherwise.

    Raises `InvalidInputError` where the journal has only the beginning of the request's body.
    """
    view, content = view_entry(entry, Attempt()), body.body
    if content is None:
        content = view.body
        if view.body_size > BODY_KEPT:
            raise InvalidInputError("body", f"the journal has only {BODY_KEPT} bytes of it: give all of it here")
    changed = {name.lower() for name in body.headers}
    # What stands for a secret is none, and cannot be sent.
    kept = {
        name: value
        for name, value in view.headers.items()
        if name.lower() not in changed and name.lower() != "authorization" and HEADER_VALUE.fullmatch(value)
    }
    return ExplainBody(
        method=view.method if body.method is UNSET else body.method,
        path=quote_target(view.path, view.query) if body.path is UNSET else body.path,
        headers=kept | {name: value for name, value in body.headers.items() if value is not None},
        body=content,
        token=body.token,
        environment=entry.request.environment if body.environment is UNSET else body.environment,
    )


def _credential_of(call: ControlRequest, token_id: str) -> BearerCredential:
    token = call.find_token(token_id)
    return BearerCredential(newest_secret(token).digest, token.grant.environment)


def _names_authorization(headers: dict[str, Any]) -> bool:
    return any(name.lower() == "authorization" for name in headers)


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

    method = "GET" if body.method is UNSET else body.method
    if not _METHOD.fullmatch(method):
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
        return EnvironBuilder(path=path, method=method.upper(), headers=Headers(headers), data=sent).get_environ()
    except ValueError:
        raise InvalidInputError("path", "this cannot be sent: look for a line break or a colon in it") from None


def _check_headers(headers: dict[str, Any]) -> None:
    for name, value in headers.items():
        if not name.isascii() or not name.replace("-", "").replace("_", "").isalnum():
            raise InvalidInputError("headers", "the name of a header consists of letters, digits and hyphens")
        if not isinstance(value, str) or len(value) > _LONGEST or not HEADER_VALUE.fullmatch(value):
            raise InvalidInputError("headers", f"the value of {name} must be one line of Latin-1, as HTTP sends it")
