"""A response of Flask that is complete when it is made."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from flask import Response
from werkzeug.datastructures import Headers

from paylera_mock.core.messages import BODILESS_STATUSES, Answer
from paylera_mock.faults.model import Fault
from paylera_mock.http.framing import frame
from paylera_mock.http.handler import Transmission

if TYPE_CHECKING:  # the stubs of the type checker alone have it
    from _typeshed.wsgi import WSGIApplication, WSGIEnvironment


class _FinalHeaders(Headers):
    """Headers that are taken as they are: they were written here, so that none can hold a line break."""

    def __init__(self, lines: Iterable[tuple[str, str]]) -> None:
        self._list = list(lines)


class WholeResponse(Response):
    """A response from which werkzeug derives nothing, which would be a good part of its time.

    Its class is one of Flask's own, since Flask would convert any other. `broken_by`: the fault that breaks it off.
    """

    default_mimetype = None

    def __init__(self, answer: Answer, broken_by: Fault | None = None) -> None:
        framed = frame(answer, broken_by)
        super().__init__(list(framed.pieces), framed.status, _FinalHeaders(framed.headers))

    def get_wsgi_response(self, environ: WSGIEnvironment) -> tuple[Iterable[bytes], str, list[tuple[str, str]]]:
        """What goes over the wire: for a HEAD all but the body (RFC 9110, section 9.3.2)."""
        empty = environ["REQUEST_METHOD"] == "HEAD" or self.status_code in BODILESS_STATUSES
        return () if empty else self.iter_encoded(), self.status, self.headers.to_wsgi_list()


def run_wsgi(app: WSGIApplication, environ: WSGIEnvironment) -> Transmission:
    """What a WSGI application, as Flask's, answers to a request, for whoever is no WSGI server."""
    started: list[tuple[str, list[tuple[str, str]]]] = []

    def start(status: str, headers: list[tuple[str, str]], _error: object = None, /) -> Any:
        started.append((status, headers))

    pieces = iter(app(environ, start))
    line, headers = started[-1]
    status = int(line[:3])
    if status in BODILESS_STATUSES or any(name.lower() == "content-length" for name, _ in headers):
        return Transmission(Answer(status, tuple(headers), b"".join(pieces)))
    return Transmission(Answer(status, tuple(headers), b""), pieces=pieces)


class StreamedResponse(WholeResponse):
    """A response in pieces of text, each made when it is sent, so that its length is not known before."""

    def __init__(self, pieces: Iterable[str], status: int, headers: tuple[tuple[str, str], ...]) -> None:
        super().__init__(Answer(status, headers, b"", chunked=True))
        self.response = (piece.encode() for piece in pieces)
