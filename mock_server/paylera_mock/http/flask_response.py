"""A response of Flask that is complete when it is made."""

from __future__ import annotations

from collections.abc import Iterable
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from flask import Flask, Response
from werkzeug.datastructures import Headers

from paylera_mock.core.messages import Answer
from paylera_mock.http.handler import Transmission

if TYPE_CHECKING:  # the stubs of the type checker alone have it
    from _typeshed.wsgi import WSGIEnvironment


class _FinalHeaders(Headers):
    """Headers that are taken as they are: they were written here, so that none can hold a line break."""

    def __init__(self, lines: list[tuple[str, str]]) -> None:
        self._list = lines


class WholeResponse(Response):
    """A response from which werkzeug derives nothing, which would be a good part of its time.

    Its class is one of Flask's own, since Flask would convert any other. `chunked`: sent in pieces, without a length.
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


def run_flask(app: Flask, environ: WSGIEnvironment) -> Transmission:
    """What Flask answers to a request, for whoever is no WSGI server."""
    started: list[tuple[str, list[tuple[str, str]]]] = []

    def start(status: str, headers: list[tuple[str, str]], _error: object = None, /) -> Any:
        started.append((status, headers))

    body = b"".join(app.wsgi_app(environ, start))
    status, headers = started[-1]
    return Transmission(Answer(int(status[:3]), tuple(headers), body))
