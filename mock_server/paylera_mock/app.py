"""The Flask application: its routes and views. Nothing below it knows Flask's `request`.

What is neither control API nor dashboard nor OpenAPI document goes to the one view of the API, with any method and any
path, so that nothing is answered before its credential was looked at.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from http import HTTPStatus
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException
from werkzeug.routing import MapAdapter

from paylera_fixtures.hosts import hostname
from paylera_fixtures.redaction import mask_secrets
from paylera_fixtures.vocabulary import PRODUCTION_HOSTS, Environment, Header
from paylera_mock import control
from paylera_mock.core import problems, request_bodies
from paylera_mock.core.credential import parse_authorization
from paylera_mock.core.messages import Answer, Outcome, Reply
from paylera_mock.core.policy import Policy
from paylera_mock.core.problems import Problem
from paylera_mock.core.randomness import Randomness
from paylera_mock.http.access import Access, refuse_call, refuse_endpoint
from paylera_mock.http.cors import CorsPolicy, is_preflight, preflight_headers
from paylera_mock.http.flask_response import StreamedResponse, WholeResponse
from paylera_mock.http.handler import (
    ELSEWHERE,
    Exchange,
    ExchangeSteps,
    Transmission,
    answer_at_once,
    answer_elsewhere,
    exchange,
    finish_at_once,
)
from paylera_mock.http.openapi import document
from paylera_mock.http.outside import NOT_KEPT_JSON, answer_outside
from paylera_mock.http.request_log import RequestLog
from paylera_mock.http.routes import add_routes
from paylera_mock.http.waits import WaitLimit
from paylera_mock.http.wsgi import authorization_of, locate, read_body, read_request
from paylera_mock.mutants import apply_mutants
from paylera_mock.namespaces.namespace import Namespace, Namespaces
from paylera_mock.namespaces.well_known import seed_default
from paylera_mock.pipeline.context import Pipeline

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment  # the stubs of the type checker alone have it

    from paylera_mock.dashboard import Dashboard, PageRequest  # start-up time: see `Views.dashboard`

_LOG: Final = logging.getLogger(__name__)

EXTENSION: Final = "paylera_mock"

_SHOWN_TO_PAGES: Final = frozenset({"api", "document", "root"})
_FINISHED_BY_FLASK: Final = frozenset({"control", "document"})


class Views:
    """The views, over the namespaces of one fake, whose `routes` tell what goes to which.

    - `by_host`: production's host names tell the environment, as in a process without network;
    - `access`: who is answered;
    - `explain`: whether the rule that decided is named in a header beside the contract;
    - `cors`: which web pages of other origins may call the API, and read its documents; `None`: none;
    - `request_log`: has a line for each request, but for what the fake asks itself; `None`: there is none.
    """

    def __init__(
        self,
        namespaces: Namespaces,
        routes: MapAdapter,
        *,
        access: Access,
        explain: bool,
        by_host: bool,
        cors: CorsPolicy | None = None,
        request_log: RequestLog | None = None,
    ) -> None:
        self.namespaces = namespaces
        self.by_host = by_host
        self.explain = explain
        self._cors = cors
        self._request_log = request_log
        self._wait_limit = WaitLimit()
        self._routes = routes
        self._access = access
        self._dashboard: Dashboard | None = None

    def api(self, path: str = "") -> Response:
        """Every request to the API. The path is taken from the server's environment, where nothing was touched."""
        del path
        transmission = self._wait_limit.finish(self.begin(request.environ).steps)
        # Where a fault breaks it off, bytes are missing, so that a server drops the connection.
        return WholeResponse(transmission.answer, transmission.broken_by)

    def is_own(self, environ: WSGIEnvironment) -> bool:
        """Whether the fake itself asks."""
        return self._access.is_own(environ)

    def is_api(self, environ: WSGIEnvironment) -> bool:
        """Whether a request is one to the API; all others are answered by Flask."""
        path = environ.get("PATH_INFO", "")
        if path == "/":
            return not self._leads_to_dashboard(environ)
        return ("/_mock" not in path and "/openapi/" not in path) or self._routes.match(path)[0] == "api"

    def namespace_of_quick_call(self, environ: WSGIEnvironment) -> Namespace | None:
        """Where a call to the control API goes that waits for nothing, and takes no longer than a request to the API.

        `None` where the call may take long, the request is no such call, or there is no such namespace.
        """
        endpoint, arguments = self._routes.match(environ.get("PATH_INFO", ""))
        if endpoint != "control" or not control.is_quick(environ["REQUEST_METHOD"], arguments.get("call", "")):
            return None
        return self._find_namespace(arguments.get("namespace_id"))

    def body_limit(self, path: str, *, is_api: bool) -> int:
        """How many bytes of a body are read, of the API or of the control API."""
        policy = self.namespaces.default.policy
        if is_api:
            return policy.body_limit
        return policy.snapshot_limit if path.endswith("/_mock/snapshot") else policy.control_body_limit

    def begin(self, environ: WSGIEnvironment, namespace: Namespace | None = None) -> Exchange:
        """Begin an exchange with the API, which whoever serves the request goes through.

        `namespace`: where it goes if the path names none; by itself, to where its token was minted.
        """
        steps, judged_in = self._begin(environ, namespace)
        return Exchange(self._finish(steps, environ), judged_in)

    def _finish(self, steps: ExchangeSteps, environ: WSGIEnvironment, *, is_shown: bool = True) -> ExchangeSteps:
        """An exchange that ends as all do: with what pages may read if it `is_shown` to them, and with its line."""
        if self._cors is not None and is_shown:
            steps = self._cors.open_steps(steps, environ.get("HTTP_ORIGIN"))
        if self._request_log is not None and not self.is_own(environ):
            steps = self._request_log.log_steps(steps, environ)
        return steps

    def answer_failure(self, problem: Problem, environ: WSGIEnvironment) -> Transmission:
        """The answer to a request that nobody could answer otherwise: its body did not come, or the fake has failed."""
        path = environ.get("PATH_INFO", "")
        is_shown = self._routes.match(path)[0] in _SHOWN_TO_PAGES
        steps = self._finish(self._refuse(problem, path), environ, is_shown=is_shown)
        return finish_at_once(steps)

    def _begin(self, environ: WSGIEnvironment, namespace: Namespace | None) -> Exchange:
        path = environ.get("PATH_INFO", "")
        if refusal := self._access.refuse_host(environ):
            return Exchange(self._refuse(refusal, path))
        if self._cors is not None and is_preflight(environ):
            return Exchange(answer_at_once(Transmission(self._answer_preflight(self._cors, environ))))
        location = locate(path, environ.get("HTTP_HOST", ""), by_host=self.by_host)
        if refusal := refuse_endpoint(location.path, environ):
            return Exchange(self._refuse(refusal, path))
        authorization = authorization_of(environ)
        credential = parse_authorization(authorization)
        if location.namespace_id is not None:
            namespace = self.namespaces.find(location.namespace_id)
        elif namespace is None:
            namespace = self.namespaces.of_credential(credential)
        if namespace is None:
            return Exchange(self._refuse(problems.namespace_not_found(), path))
        received = read_request(environ, location, credential, namespace.policy.body_limit)
        if received.path.startswith(f"{ELSEWHERE}/"):
            return Exchange(answer_elsewhere(received, namespace), namespace)
        steps = exchange(
            received,
            namespace,
            explain=self.explain,
            authorization=", ".join(authorization),
            is_own=self.is_own(environ),
        )
        return Exchange(steps, namespace)

    def control(self, call: str = "", namespace_id: str | None = None) -> Response:
        """Every call to the control API."""
        refusal = self._access.refuse_host(request.environ) or refuse_call(self._access.control, request.environ)
        return self._respond(refusal or self._answer_control(call, namespace_id))

    def _answer_control(self, path: str, namespace_id: str | None) -> Outcome:
        namespace = self._find_namespace(namespace_id)
        if namespace is None:
            return problems.namespace_not_found()
        policy = namespace.policy
        limit = policy.snapshot_limit if path == "snapshot" else policy.control_body_limit
        raw = read_body(request.environ, limit)
        if raw is None:
            return problems.body_too_large(limit)
        if raw and request.headers.get("Content-Encoding", "").lower() not in request_bodies.PLAIN_ENCODINGS:
            return problems.unsupported_content_encoding()
        body = request_bodies.read_json(raw, policy.control_body_depth)
        if isinstance(body, Problem):
            return body
        call = control.ControlRequest(self.namespaces, namespace, body, self._urls, query=request.args.to_dict())
        return control.answer(request.method, path, call)

    def root(self) -> Response:
        """`/`: a browser is led to the dashboard, anybody else gets what the API answers."""
        return self._lead("/_mock/ui") if self._leads_to_dashboard(request.environ) else self.api()

    def _leads_to_dashboard(self, environ: WSGIEnvironment) -> bool:
        fetched, accepted = environ.get("HTTP_SEC_FETCH_MODE"), environ.get("HTTP_ACCEPT", "")
        is_page = "text/html" in accepted if fetched == "navigate" else not fetched and accepted.startswith("text/html")
        settings = self._access.control
        return bool(environ["REQUEST_METHOD"] == "GET" and is_page and settings.enabled and settings.dashboard)

    def dashboard(self, page: str = "") -> Response:
        """Every page of the dashboard, which is loaded when it is first asked for: most fakes run without."""
        from paylera_mock.dashboard import Dashboard  # noqa: PLC0415 - start-up time

        if refusal := self._access.refuse_host(request.environ):
            return self._respond(refusal)
        if self._dashboard is None:
            self._dashboard = Dashboard(self.namespaces, self._access.control)
        answer = self._dashboard.answer(self._read_page_request(page))
        if isinstance(answer, Problem):
            return self._respond(answer)
        return WholeResponse(answer)

    def namespace_dashboard(self, namespace_id: str, page: str = "") -> Response:
        """The dashboard, where it stands below the control URL of a namespace: it is led to its own place."""
        return self._lead(f"/_mock/ui/ns/{quote(namespace_id, safe='')}/{quote(page)}")

    def _lead(self, url: str) -> Response:
        return WholeResponse(Answer(HTTPStatus.SEE_OTHER, (("Location", url), ("Cache-Control", "no-store")), b""))

    def _read_page_request(self, page: str) -> PageRequest:
        from paylera_mock.dashboard import PageRequest  # noqa: PLC0415 - start-up time

        return PageRequest(
            environ=request.environ,
            method=request.method,
            page=page.strip("/"),
            scheme=request.scheme,
            headers=request.headers,
            query=request.args,
            form=request.form,
            cookies=request.cookies,
            urls=self._urls,
        )

    def document(self, form: str, namespace_id: str | None = None) -> Response:
        """The OpenAPI document; it takes no token."""
        if refusal := self._access.refuse_host(request.environ):
            return self._respond(refusal)
        if self._cors is not None and is_preflight(request.environ):
            return WholeResponse(self._answer_preflight(self._cors, request.environ))
        namespace = self._find_namespace(namespace_id)
        if namespace is None:
            return self._respond(problems.namespace_not_found())
        if request.method not in {"GET", "HEAD"}:
            return self._respond(problems.method_not_allowed(("GET", "HEAD")))
        base_url = f"{request.scheme}://{request.host}{request.path.partition('/openapi/')[0]}"
        versions = namespace.state.versions
        body = document(namespace.policy, base_url, versions.supported, form)
        headers = (("Content-Type", f"application/{form}"), (Header.VERSION, versions.current))
        return WholeResponse(Answer(HTTPStatus.OK, headers, body))

    def handle_error(self, error: Exception) -> Response:
        """Whatever was raised, as a problem document; what went wrong inside is for the log alone."""
        if isinstance(error, TimeoutError):
            problem = problems.body_too_slow()
        elif isinstance(error, HTTPException):
            problem = problems.http_error(error.code or HTTPStatus.BAD_REQUEST)
        else:
            _LOG.error("no answer to %s %s", request.method, mask_secrets(request.path), exc_info=error)
            problem = problems.internal()
        if request.endpoint in _FINISHED_BY_FLASK:
            return self._respond(problem)
        return WholeResponse(self.answer_failure(problem, request.environ).answer)

    def finish_response(self, response: Response) -> Response:
        """What `_finish` is to the API, to what Flask alone answers."""
        if self._cors is not None and request.endpoint == "document":
            response.headers.extend(self._cors.answer_headers(request.headers.get("Origin")))
        if (
            self._request_log is not None
            and request.endpoint in _FINISHED_BY_FLASK
            and not self.is_own(request.environ)
        ):
            self._request_log.log_other(request.environ, response.status_code)
        return response

    def _respond(self, outcome: Outcome) -> Response:
        if isinstance(outcome, Reply) and outcome.pieces is not None:
            headers = ((Header.VERSION, self.namespaces.default.state.versions.current), *NOT_KEPT_JSON)
            return StreamedResponse(outcome.pieces, outcome.status, headers)
        return WholeResponse(answer_outside(outcome, request.environ.get("PATH_INFO", ""), self.namespaces))

    def _refuse(self, problem: Problem, path: str) -> ExchangeSteps:
        return answer_at_once(Transmission(answer_outside(problem, path, self.namespaces)))

    def _answer_preflight(self, policy: CorsPolicy, environ: WSGIEnvironment) -> Answer:
        """What a browser asks before a page's request is no request to the API yet."""
        if not policy.allows(environ["HTTP_ORIGIN"]):
            return answer_outside(problems.forbidden_page(), environ.get("PATH_INFO", ""), self.namespaces)
        return Answer(HTTPStatus.NO_CONTENT, preflight_headers(environ), b"")

    def _find_namespace(self, namespace_id: str | None) -> Namespace | None:
        return self.namespaces.default if namespace_id is None else self.namespaces.find(namespace_id)

    def _urls(self, namespace_id: str | None) -> dict[str, str]:
        """Where a namespace is, by the address under which the control API was called."""
        prefix = "" if namespace_id is None else f"/ns/{namespace_id}"
        own = f"{request.scheme}://{request.host}{prefix}"
        url, live_url = own, f"{own}/live"
        if self.by_host and hostname(request.host) in PRODUCTION_HOSTS:
            url, live_url = (f"{request.scheme}://{each.production_host}{prefix}" for each in Environment)
        return {"url": url, "live_url": live_url, "control_url": f"{own}/_mock"}


def create_app(  # noqa: PLR0913 - what the caller may choose
    policy: Policy | None = None,
    *,
    by_host: bool = False,
    access: Access | None = None,
    cors: CorsPolicy | None = None,
    request_log: RequestLog | None = None,
    explain_headers: bool = True,
    pipeline: Pipeline | None = None,
    mutants: Sequence[str] = (),
    seed: int | None = None,
    socket_faults: bool = False,
) -> Flask:
    """A fake Paylera as a WSGI application, with the well-known tokens in its default namespace.

    - `policy`: how it decides; the guide's profile where none is given;
    - `by_host`: the hosts of production tell the environment (for a process without network), else the prefix `/live`;
    - `access`: who is answered, and how the control API is guarded; by default whoever calls it by a loopback name;
    - `cors`: which web pages of other origins may call the API, and read its documents; by default none;
    - `request_log`: has a line for each request;
    - `explain_headers`: whether `Paylera-Mock-Verdict` names the rule and the clause that decided;
    - `pipeline`: how it judges, where it is to judge otherwise than the contract says;
    - `mutants`: the mutants that it has, by their ids (`paylera_mock.mutants`);
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
        randomness=Randomness(None if seed is None else str(seed)),
        add_mutants=apply_mutants,
    )
    namespaces.socket_faults = socket_faults
    add_routes(app.url_map)
    views = Views(
        namespaces,
        app.url_map.bind(""),
        access=access or Access(),
        explain=explain_headers,
        by_host=by_host,
        cors=cors,
        request_log=request_log,
    )
    app.extensions[EXTENSION] = views
    app.view_functions.update(
        root=views.root,
        control=views.control,
        dashboard=views.dashboard,
        namespace_dashboard=views.namespace_dashboard,
        document=views.document,
        api=views.api,
    )
    app.register_error_handler(Exception, views.handle_error)
    app.after_request(views.finish_response)
    return app
