"""The shell: Flask takes a request in and hands an answer out, and decides nothing.

`ROUTES` is every route on one screen. What is neither control API nor document goes to the one view of the API, with
any method and any path, so that nothing is answered before its credential was looked at.
"""

from __future__ import annotations

import logging
import socket
from collections.abc import Iterable, Sequence
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from flask import Flask, Response
from flask import request as flask_request
from werkzeug.datastructures import Headers
from werkzeug.exceptions import HTTPException
from werkzeug.routing import PathConverter, Rule

from paylera_fixtures.api.operations import OPERATIONS
from paylera_fixtures.redaction import mask_secrets
from paylera_fixtures.vocabulary import PROBLEM_MEDIA_TYPE, Environment, Header
from paylera_mock import control
from paylera_mock.core import problems, request_bodies
from paylera_mock.core.credential import parse_authorization
from paylera_mock.core.ids import trace_id
from paylera_mock.core.json_text import encode_json
from paylera_mock.core.messages import Outcome, Reply
from paylera_mock.core.policy import Policy
from paylera_mock.core.problems import Problem
from paylera_mock.core.randomness import randomness_of
from paylera_mock.http import control_access
from paylera_mock.http.broken_responses import (
    WaitLimit,
    break_connection,
    breaks_before_head,
    broken_body,
    connection_of,
    declared_length,
)
from paylera_mock.http.control_access import ControlSettings
from paylera_mock.http.handler import ELSEWHERE, Exchanging, Transmission, arrived_elsewhere, exchange
from paylera_mock.http.openapi import document
from paylera_mock.http.wsgi import authorization_of, locate, read_body, read_request
from paylera_mock.mutants import apply_mutants
from paylera_mock.namespaces.namespace import Namespace, Namespaces
from paylera_mock.namespaces.well_known import seed_default
from paylera_mock.pipeline import responses
from paylera_mock.pipeline.context import Pipeline

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

_LOG: Final = logging.getLogger(__name__)
__all__ = ["EXTENSION", "ROUTES", "ControlSettings", "Views", "create_app"]

EXTENSION: Final = "paylera_mock"
_DOCUMENT: Final = "openapi/v1.<any(json, yaml):form>"

ROUTES: Final = (
    ("/_mock", "control"),
    ("/_mock/<path:call>", "control"),
    ("/ns/<namespace_id>/_mock", "control"),
    ("/ns/<namespace_id>/_mock/<path:call>", "control"),
    (f"/{_DOCUMENT}", "document"),
    (f"/live/{_DOCUMENT}", "document"),
    (f"/ns/<namespace_id>/{_DOCUMENT}", "document"),
    (f"/ns/<namespace_id>/live/{_DOCUMENT}", "document"),
    # Of the API's own paths werkzeug finds those without a parameter at once; the last row is for all others.
    *((path, "api") for path in dict.fromkeys(o.path for o in OPERATIONS if not o.has_parameter)),
    ("/<everything:path>", "api"),
)


class _Everything(PathConverter):
    """Any path, the empty one and those that begin with a slash included."""

    regex = ".*?"
    weight = 1000
    part_isolating = False


class _FinalHeaders(Headers):
    """Headers that are taken as they are: they were written here, so that none can hold a line break."""

    def __init__(self, lines: list[tuple[str, str]]) -> None:
        self._list = lines


class _Answer(Response):
    """A response that is complete when it is made: werkzeug derives nothing, which is a good part of its time.

    It is one of Flask's own class, which Flask would make it otherwise, and so undo what is defined here.
    """

    default_mimetype = None

    def __init__(self, body: bytes, status: int, headers: list[tuple[str, str]], *, chunked: bool = False) -> None:
        if status != HTTPStatus.NO_CONTENT and not chunked:
            headers.append(("Content-Length", str(len(body))))
        half = len(body) // 2 if chunked else 0
        super().__init__([body[:half], body[half:]] if half else [body], status, _FinalHeaders(headers))

    def get_wsgi_response(self, environ: WSGIEnvironment) -> tuple[Iterable[bytes], str, list[tuple[str, str]]]:
        """What goes over the wire: for a HEAD all but the body (RFC 9110, section 9.3.2)."""
        empty = environ["REQUEST_METHOD"] == "HEAD" or self.status_code == HTTPStatus.NO_CONTENT
        return () if empty else self.iter_encoded(), self.status, self.headers.to_wsgi_list()


class _BrokenAnswer(_Answer):
    """An answer that a fault breaks on its way."""

    def __init__(self, delivery: Transmission, connection: socket.socket | None) -> None:
        answer = delivery.answer
        headers = [*answer.headers, ("Content-Length", str(declared_length(answer)))]
        super().__init__(b"", answer.status, headers, chunked=True)
        self._delivery, self._connection = delivery, connection

    def get_wsgi_response(self, environ: WSGIEnvironment) -> tuple[Iterable[bytes], str, list[tuple[str, str]]]:
        """The head, and a body that ends with an error; nothing at all where the connection is within reach."""
        del environ
        if self._connection is not None and breaks_before_head(self._delivery):
            break_connection(self._delivery, self._connection)
        return broken_body(self._delivery, self._connection), self.status, self.headers.to_wsgi_list()


class Views:
    """The views, over the namespaces of one fake.

    - `by_host`: production's host names tell the environment, as in a process without network;
    - `explain`: whether the rule that decided is named in a header beside the contract.
    """

    def __init__(
        self, namespaces: Namespaces, *, by_host: bool, control_settings: ControlSettings, explain: bool
    ) -> None:
        self.namespaces = namespaces
        self.by_host = by_host
        self.explain = explain
        self.waiting = WaitLimit()
        hosts = frozenset(environment.production_host for environment in Environment) if by_host else frozenset()
        self.control_settings = ControlSettings(
            control_settings.token,
            control_settings.hosts | hosts,
            control_settings.any_host,
            control_settings.enabled,
        )

    def api(self, path: str = "") -> Response:
        """Every request to the API. The path is taken from the server's environment, where nothing was touched."""
        del path
        begun = self.begin(flask_request.environ)
        if isinstance(begun, Problem):
            return self.refuse(begun)
        delivery = self.waiting.out(begun)
        answer = delivery.answer
        if delivery.broken_by is not None:
            return _BrokenAnswer(delivery, connection_of(flask_request.environ))
        return _Answer(answer.body, answer.status, list(answer.headers), chunked=answer.chunked)

    def begin(self, environ: WSGIEnvironment, namespace: Namespace | None = None) -> Exchanging | Problem:
        """Begin an exchange with the API, which whoever serves the request goes through.

        `namespace`: where it goes if the path names none; by itself, to where its token was minted.
        """
        location = locate(environ.get("PATH_INFO", ""), environ.get("HTTP_HOST", ""), by_host=self.by_host)
        authorization = authorization_of(environ)
        credential = parse_authorization(authorization)
        if location.namespace_id is not None:
            namespace = self.namespaces.named(location.namespace_id)
        elif namespace is None:
            namespace = self.namespaces.of_credential(credential)
        if namespace is None:
            return problems.namespace_not_found()
        request = read_request(environ, location, credential, namespace.policy.body_limit)
        if request.path.startswith(f"{ELSEWHERE}/"):
            return arrived_elsewhere(request, namespace)
        return exchange(request, namespace, explain=self.explain, authorization=", ".join(authorization))

    def control(self, call: str = "", namespace_id: str | None = None) -> Response:
        """Every call to the control API."""
        headers = {name.lower(): value for name, value in flask_request.headers.items()}
        refused = control_access.refusal(self.control_settings, headers, flask_request.scheme)
        if refused:
            return self.refuse(refused)
        namespace = self._namespace(namespace_id)
        if namespace is None:
            return self.refuse(problems.namespace_not_found())
        return self._written(self._controlled(call, namespace))

    def _controlled(self, path: str, namespace: Namespace) -> Outcome:
        policy = namespace.policy
        raw = read_body(flask_request.environ, policy.control_body_limit)
        if raw is None:
            return problems.body_too_large(policy.but(body_limit=policy.control_body_limit))
        body = request_bodies.read_json(raw, policy.control_body_depth)
        if isinstance(body, Problem):
            return body
        query = flask_request.args.to_dict()
        call = control.ControlRequest(self.namespaces, namespace, body, self._urls, path.rpartition("/")[2], query)
        return control.answer(flask_request.method, path, call)

    def document(self, form: str, namespace_id: str | None = None) -> Response:
        """The OpenAPI document; it takes no token."""
        namespace = self._namespace(namespace_id)
        if namespace is None:
            return self.refuse(problems.namespace_not_found())
        if flask_request.method not in {"GET", "HEAD"}:
            return self.refuse(problems.method_not_allowed(("GET", "HEAD")))
        base_url = f"{flask_request.scheme}://{flask_request.host}{flask_request.path.partition('/openapi/')[0]}"
        body = document(namespace.policy, base_url, namespace.state.versions.supported, form)
        headers = [("Content-Type", f"application/{form}"), (Header.VERSION, namespace.state.versions.current)]
        return _Answer(body, HTTPStatus.OK, headers)

    def failed(self, error: Exception) -> Response:
        """Whatever was raised, as a problem document: what went wrong inside is for the log alone."""
        if isinstance(error, HTTPException):
            return self.refuse(problems.http_error(error.code or HTTPStatus.BAD_REQUEST, "HTTP itself refuses this."))
        request_line = f"{flask_request.method} {mask_secrets(flask_request.path)}"
        _LOG.error("no answer to %s", request_line, exc_info=error)
        return self.refuse(problems.internal())

    def refuse(self, problem: Problem) -> Response:
        """A refusal that no namespace had a part in."""
        return self._written(problem)

    def _written(self, outcome: Outcome) -> Response:
        headers = [(Header.VERSION, self.namespaces.default.state.versions.current)]
        if isinstance(outcome, Reply):
            body = b"" if outcome.body is None else encode_json(outcome.body).encode()
            headers += [("Content-Type", "application/json"), ("Cache-Control", "no-store")] if body else []
            return _Answer(body, outcome.status, headers)
        headers += [("Content-Type", PROBLEM_MEDIA_TYPE), *outcome.headers]
        if outcome.status == HTTPStatus.UNAUTHORIZED:
            headers += responses.challenge_of(outcome)
        trace = trace_id(self.namespaces.randomness, self.namespaces.default.clock.epoch())
        body = responses.write_problem(outcome, flask_request.environ.get("PATH_INFO", ""), trace)
        return _Answer(body, outcome.status, headers)

    def _namespace(self, namespace_id: str | None) -> Namespace | None:
        return self.namespaces.default if namespace_id is None else self.namespaces.named(namespace_id)

    def _urls(self, namespace_id: str | None) -> dict[str, str]:
        """Where a namespace is, by the address under which the control API was called."""
        prefix = "" if namespace_id is None else f"/ns/{namespace_id}"
        own = f"{flask_request.scheme}://{flask_request.host}"
        url, live_url = f"{own}{prefix}", f"{own}{prefix}/live"
        if self.by_host:
            url, live_url = (f"{flask_request.scheme}://{e.production_host}{prefix}" for e in Environment)
        return {"url": url, "live_url": live_url, "control_url": f"{own}{prefix}/_mock"}


def create_app(
    policy: Policy | None = None,
    *,
    by_host: bool = False,
    control: ControlSettings | None = None,
    explain_headers: bool = True,
    pipeline: Pipeline | None = None,
    mutants: Sequence[str] = (),
    seed: int | None = None,
    socket_faults: bool = False,
) -> Flask:
    """A fake Paylera as a WSGI application, with the well-known tokens in its default namespace.

    - `policy`: how it decides; the guide's profile where none is given;
    - `by_host`: the hosts of production tell the environment (for a process without network), else the prefix `/live`;
    - `control`: how the control API is guarded; by default it answers under loopback names only;
    - `explain_headers`: whether `Paylera-Mock-Verdict` names the rule and the clause that decided;
    - `pipeline`: how it judges, where it is to judge otherwise than the contract says;
    - `mutants`: the deliberate defects that it has, by their ids (`paylera_mock.mutants`);
    - `seed`: makes runs byte-identical: what would be random follows from it, and time stands still until advanced;
    - `socket_faults`: whether whoever serves it can break a connection, as faults may ask.

    Raises `KeyError` for an id that no mutant has.
    """
    app = Flask(__name__, static_folder=None)
    namespaces = Namespaces(
        policy or Policy.for_profile(),
        seed_default,
        pipeline=pipeline,
        mutants=mutants,
        randomness=randomness_of(seed),
        add_mutants=apply_mutants,
    )
    namespaces.socket_faults = socket_faults
    shell = Views(namespaces, by_host=by_host, control_settings=control or ControlSettings(), explain=explain_headers)
    app.extensions[EXTENSION] = shell
    app.url_map.merge_slashes = False
    app.url_map.strict_slashes = False
    app.url_map.converters["everything"] = _Everything
    app.view_functions.update(control=shell.control, document=shell.document, api=shell.api)
    for path, endpoint in ROUTES:
        # Added past Flask, which would limit the methods and answer OPTIONS by itself.
        app.url_map.add(Rule(path, endpoint=endpoint))
    app.register_error_handler(Exception, shell.failed)
    return app
