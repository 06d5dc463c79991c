"""One request to the dashboard: who asks, for which page of which view, and what is sent."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import partial
from http import HTTPStatus
from secrets import token_hex
from threading import Semaphore
from typing import Any, Final

from paylera_mock import control
from paylera_mock.control import ControlRequest
from paylera_mock.core import problems
from paylera_mock.core.messages import Answer, Reply
from paylera_mock.core.path_table import find_by_path
from paylera_mock.core.problems import Problem
from paylera_mock.dashboard.access import FORM_FIELD, PageAccess
from paylera_mock.dashboard.assets import answer_asset
from paylera_mock.dashboard.messages import (
    ROOT,
    CallRefusedError,
    Led,
    PageRequest,
    Response,
    Shown,
    Streamed,
    Visit,
    page_url,
)
from paylera_mock.dashboard.rendering import templates
from paylera_mock.dashboard.views import VIEWS, View
from paylera_mock.http.access import ControlSettings
from paylera_mock.namespaces.namespace import Namespace, Namespaces
from paylera_mock.version import version

_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self';"
    " form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
_HEADERS: Final = (
    ("Content-Security-Policy", _POLICY),
    ("X-Content-Type-Options", "nosniff"),
    # Nothing goes to another origin. With `no-referrer`, browsers would send `Origin: null` with every form.
    ("Referrer-Policy", "same-origin"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
)
"""What every answer of the dashboard carries."""

_OWN_PAGE: Final = re.compile(rf"{ROOT}/[!-~]*")
_NOT_KEPT: Final = ("Cache-Control", "no-store")

_WAITING_AT_MOST: Final = 16
"""Each holds a thread of the server, of which there are more than four times as many."""

_LISTED: Final = 50
"""So many namespaces, the newest, can be chosen on every page; a view lists them all."""


class Dashboard:
    """The pages over the namespaces of one fake."""

    def __init__(self, namespaces: Namespaces, settings: ControlSettings) -> None:
        self._namespaces = namespaces
        self._access = PageAccess(settings)
        self._run = token_hex(4)
        self._waiting = Semaphore(_WAITING_AT_MOST)

    def answer(self, request: PageRequest) -> Answer | Problem:
        """Answer a request; a problem where it may not be answered at all."""
        refusal = self._access.refusal(request)
        if refusal is not None:
            return refusal
        first, _, rest = request.page.partition("/")
        if first == "assets":
            answer = answer_asset(rest, request)
            return problems.route_not_found() if answer is None else _with_headers(answer)
        if request.method not in {"GET", "HEAD", "POST"}:
            return problems.method_not_allowed(("GET", "HEAD", "POST"))
        if first == "sign-in" and request.method == "POST":
            return self._sign_in(request)
        if not self._access.is_known(request):
            return self._ask_for_token(request)
        return self._answer_known(request)

    def _answer_known(self, request: PageRequest) -> Answer:
        """Answer who may see the page: it names the view, and before that a namespace."""
        first, _, rest = request.page.partition("/")
        namespace_id = None
        if first == "ns":
            namespace_id, _, rest = rest.partition("/")
            first, _, rest = rest.partition("/")
        namespace = self._namespaces.default if namespace_id is None else self._namespaces.find(namespace_id)
        if namespace is None:
            return self._show_problem(request, None, problems.namespace_not_found())
        # Who loads the page for the control token again may have shown it meanwhile.
        if first in {"", "sign-in"}:
            return _lead(page_url(namespace_id, VIEWS[0].name))
        view = next((view for view in VIEWS if view.name == first), None)
        if view is None:
            return self._show_problem(request, namespace, problems.route_not_found())
        return self._answer_view(request, namespace, view, rest)

    def _answer_view(self, request: PageRequest, namespace: Namespace, view: View, path: str) -> Answer:
        is_action = request.method == "POST"
        found = find_by_path(view.actions if is_action else view.pages, path)
        if found is None:
            return self._show_problem(request, namespace, problems.route_not_found())
        if is_action and not self._access.accepts_form(request):
            # The fake was started anew, or the form is another site's.
            stale = "This form is not from a page of this fake as it runs now: load the page again, and send it anew."
            return self._show_problem(request, namespace, problems.forbidden_caller(stale))
        handler, identifier = found
        visit = Visit(
            view.name,
            self._run,
            self._waiting,
            namespace.id,
            partial(self._ask, request, namespace),
            request.query,
            request.form,
            request.headers,
            identifier,
        )
        try:
            return self._write(request, namespace, view, handler(visit))
        except CallRefusedError as refused:
            return self._show_problem(request, namespace, refused.problem)

    def _ask(
        self,
        request: PageRequest,
        namespace: Namespace,
        method: str,
        path: str,
        *,
        body: Mapping[str, Any] | None = None,
        query: Mapping[str, Any] | None = None,
    ) -> Any:
        """Call the control API of the namespace in process: its result. Raises `CallRefusedError`."""
        texts = {name: str(value) for name, value in (query or {}).items()}
        call = ControlRequest(self._namespaces, namespace, dict(body or {}), request.urls, query=texts)
        outcome = control.answer(method, path, call)
        if isinstance(outcome, Reply):
            return outcome.body
        raise CallRefusedError(outcome)

    def _write(self, request: PageRequest, namespace: Namespace, view: View, response: Response) -> Answer:
        match response:
            case Led(url):
                return _lead(url)
            case Streamed():
                headers = (("Content-Type", "text/event-stream; charset=utf-8"), _NOT_KEPT)
                return _with_headers(Answer(HTTPStatus.OK, headers, self._write_event(namespace, response)))
            case Shown(template, values, status):
                frame = self._frame(request, namespace, view)
                return self._render(template, status, {**frame, **values})

    def _write_event(self, namespace: Namespace, streamed: Streamed) -> bytes:
        lines = [f"retry: {streamed.retry_ms}", f"id: {streamed.id}"]
        lines += [f"event: {streamed.event}"] if streamed.event else []
        text = ""
        if streamed.template is not None:
            values = {"url": partial(page_url, namespace.id), **streamed.values}
            text = templates().get_template(streamed.template).render(**values)
        lines += [f"data: {line}" for line in text.splitlines()] or (["data:"] if streamed.event else [])
        return "\n".join([*lines, "", ""]).encode("utf-8", "replace")

    def _frame(self, request: PageRequest, namespace: Namespace, view: View | None) -> dict[str, Any]:
        """What every page of a namespace shows around its own."""
        listed = self._ask(request, namespace, "GET", "namespaces", query={"limit": _LISTED})
        ids = [each["id"] for each in listed["data"]]
        if namespace.id is not None and namespace.id not in ids:
            ids.insert(0, namespace.id)
        return {
            "version": version(),
            "views": [(each.title, page_url(namespace.id, each.name), each is view) for each in VIEWS],
            "title": view.title if view else "",
            "view": view.name if view else VIEWS[0].name,
            "namespace_id": namespace.id,
            "namespace_ids": ids,
            "namespace_count": listed["count"],
            "about": self._ask(request, namespace, "GET", ""),
            "mutants": list(namespace.mutants),
            "url": partial(page_url, namespace.id),
            "root": ROOT,
            "form_field": FORM_FIELD,
            "form_token": self._access.form_token(request),
        }

    def _show_problem(self, request: PageRequest, namespace: Namespace | None, problem: Problem) -> Answer:
        """A page that says what could not be done."""
        frame = self._frame(request, namespace or self._namespaces.default, None)
        return self._render("problem.html.j2", problem.status, {**frame, "problem": problem})

    def _sign_in(self, request: PageRequest) -> Answer:
        target = request.form.get("next", "")
        if not self._access.accepts_token(request.form.get("token", "").strip()):
            return self._ask_for_token(request, is_wrong=True)
        answer = _lead(target if _OWN_PAGE.fullmatch(target) else ROOT)
        return answer._replace(headers=(("Set-Cookie", self._access.session_cookie(request.scheme)), *answer.headers))

    def _ask_for_token(self, request: PageRequest, *, is_wrong: bool = False) -> Answer:
        target = request.form.get("next", "")
        if request.method != "POST":
            target = page_url(None, request.page, **request.query)
        values = {"root": ROOT, "next": target, "is_wrong": is_wrong, "version": version()}
        answer = self._render("sign_in.html.j2", HTTPStatus.UNAUTHORIZED, values)
        return answer._replace(headers=(("WWW-Authenticate", "Bearer"), *answer.headers))

    def _render(self, template: str, status: int, values: Mapping[str, Any]) -> Answer:
        text = templates().get_template(template).render(**values)
        headers = (("Content-Type", "text/html; charset=utf-8"), _NOT_KEPT)
        return _with_headers(Answer(status, headers, text.encode("utf-8", "replace")))


def _lead(url: str) -> Answer:
    return _with_headers(Answer(HTTPStatus.SEE_OTHER, (("Location", url), _NOT_KEPT), b""))


def _with_headers(answer: Answer) -> Answer:
    return answer._replace(headers=(*answer.headers, *_HEADERS))
