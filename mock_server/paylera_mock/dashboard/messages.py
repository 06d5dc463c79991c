"""What a page is asked for with, and what its view answers: nothing here knows Flask's `request`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from threading import Semaphore
from typing import TYPE_CHECKING, Any, Final, TypeAlias
from urllib.parse import quote, urlencode

from werkzeug.datastructures import Headers, MultiDict

from paylera_mock.core.problems import Problem

if TYPE_CHECKING:  # the stubs of the type checker alone have it
    from _typeshed.wsgi import WSGIEnvironment

ROOT: Final = "/_mock/ui"
"""Where the dashboard is."""


@dataclass(frozen=True)
class PageRequest:
    """A request of a browser's.

    - `page`: the path below `ROOT`, without a slash at its ends;
    - `form`: what was filled in, of a POST;
    - `urls`: gives the base URLs of a namespace by its id.
    """

    environ: WSGIEnvironment
    method: str
    page: str
    scheme: str
    headers: Headers
    query: MultiDict[str, str]
    form: MultiDict[str, str]
    cookies: Mapping[str, str]
    urls: Callable[[str | None], dict[str, str]]


class CallRefusedError(Exception):
    """A call of the control API that a page made was refused."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.detail)
        self.problem = problem


@dataclass(frozen=True)
class Visit:
    """A request to one view, in one namespace.

    - `run`: a text that is another one once the fake was started anew, whose journal numbers from 1 again;
    - `ask(method, path, body=…, query=…)`: call the control API of the namespace; raises `CallRefusedError`;
    - `waiting`: has a place for each page that may wait for an event;
    - `identifier`: what stands in the place of `{id}` in the path of the page.
    """

    view: str
    run: str
    waiting: Semaphore
    namespace_id: str | None
    ask: Callable[..., Any]
    query: MultiDict[str, str]
    form: MultiDict[str, str]
    headers: Headers
    identifier: str = ""

    @property
    def scope(self) -> dict[str, str]:
        """What the query says where every namespace is meant; else nothing."""
        return {"scope": "all"} if self.query.get("scope") == "all" else {}

    def url(self, page: str = "", /, **query: object) -> str:
        """The address of a page of the namespace, as `tokens/tok_1`; parts of the query that are empty are left out."""
        return page_url(self.namespace_id, page or self.view, **query)

    def given(self, *names: str) -> dict[str, str]:
        """The parts of the query that have one of these names and are not empty."""
        return {name: value for name in names if (value := self.query.get(name, "").strip())}


@dataclass(frozen=True)
class Shown:
    """A template with its values."""

    template: str
    values: Mapping[str, Any] = field(default_factory=dict)
    status: int = HTTPStatus.OK


@dataclass(frozen=True)
class Led:
    """Another page, to which the browser goes on."""

    url: str


@dataclass(frozen=True)
class Streamed:
    """One event of a stream, which ends with it: the browser asks for the next one, and names the `id` of this one.

    So no server holds a stream open for longer than it waits for one event, and none has to send an answer in parts.

    - `template`: what is shown, `None` where nothing happened;
    - `event`: the name of an event that is not shown;
    - `retry_ms`: when the browser asks for the next one, so that what comes is shown in a few steps a second.
    """

    id: str
    template: str | None = None
    values: Mapping[str, Any] = field(default_factory=dict)
    event: str = ""
    retry_ms: int = 300


Response: TypeAlias = Shown | Led | Streamed
Handler: TypeAlias = Callable[[Visit], Response]


def page_url(namespace_id: str | None, page: str, /, **query: object) -> str:
    """The address of a page; `namespace_id` is `None` for the default namespace."""
    prefix = ROOT if namespace_id is None else f"{ROOT}/ns/{quote(namespace_id, safe='')}"
    text = urlencode({name: str(value) for name, value in query.items() if value not in (None, "")})
    return f"{prefix}/{quote(page, safe='/')}" + (f"?{text}" if text else "")
