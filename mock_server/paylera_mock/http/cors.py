"""Which web pages may call the API, as the CORS protocol of the Fetch standard has it. It is closed by default."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from paylera_fixtures.hosts import origin_of
from paylera_fixtures.vocabulary import Header
from paylera_mock.pipeline import responses

if TYPE_CHECKING:  # the stubs of the type checker alone have it
    from _typeshed.wsgi import WSGIEnvironment

    from paylera_mock.http.handler import ExchangeSteps  # start-up time: the command line reads origins

ANY_ORIGIN: Final = "*"
_NO_ORIGIN: Final = "null"  # of a page that was opened from a file
_WANTED_METHOD: Final = "HTTP_ACCESS_CONTROL_REQUEST_METHOD"
_WANTED_HEADERS: Final = "HTTP_ACCESS_CONTROL_REQUEST_HEADERS"
_REMEMBERED_SECONDS: Final = 600

_EXPOSED: Final = (
    Header.VERSION,
    Header.DEPRECATION,
    Header.SUNSET,
    Header.RATE_LIMIT,
    Header.RATE_REMAINING,
    Header.RATE_RESET,
    Header.RETRY_AFTER,
    Header.CHALLENGE,
    responses.VERDICT_HEADER,
    responses.JOURNAL_HEADER,
    responses.HINT_HEADER,
    responses.FAULT_HEADER,
)
"""What a page may read of an answer, beside what every page may."""


def parse_origin(text: str) -> str:
    """An origin as browsers send it. Raises `ValueError`, with what to write, for anything else."""
    if text in {ANY_ORIGIN, _NO_ORIGIN}:
        return text
    scheme, separator, rest = text.partition("://")
    try:
        origin = origin_of(text)
    except ValueError:
        origin = ""
    if scheme.lower() not in {"http", "https"} or not separator or not rest or set("/?#@*") & set(rest) or not origin:
        raise ValueError(f"an origin is a scheme and a host, as in http://localhost:5173; {ANY_ORIGIN} is every one")
    return origin


@dataclass(frozen=True)
class CorsPolicy:
    """The origins whose pages may call the API, `*` for every one."""

    origins: frozenset[str]

    def allows(self, origin: str) -> bool:
        """Whether pages of an origin may call."""
        return ANY_ORIGIN in self.origins or origin in self.origins

    def answer_headers(self, origin: str | None) -> tuple[tuple[str, str], ...]:
        """What is added to every answer. Without cookies, the tokens being in a header, `*` is enough for any page."""
        exposed = ("Access-Control-Expose-Headers", ", ".join(_EXPOSED))
        if ANY_ORIGIN in self.origins:
            return (("Access-Control-Allow-Origin", ANY_ORIGIN), exposed)
        if origin is None or not self.allows(origin):
            return (("Vary", "Origin"),)
        return (("Access-Control-Allow-Origin", origin), exposed, ("Vary", "Origin"))

    def open_steps(self, steps: ExchangeSteps, origin: str | None) -> ExchangeSteps:
        """An exchange whose answer a page of an origin may read, if it may call."""
        transmission = yield from steps
        answer = transmission.answer
        headers = answer.headers + self.answer_headers(origin)
        return replace(transmission, answer=answer._replace(headers=headers))


def is_preflight(environ: WSGIEnvironment) -> bool:
    """Whether a browser asks before it sends a page's request."""
    return environ["REQUEST_METHOD"] == "OPTIONS" and "HTTP_ORIGIN" in environ and _WANTED_METHOD in environ


def preflight_headers(environ: WSGIEnvironment) -> tuple[tuple[str, str], ...]:
    """What a page may send: the method and the headers that the browser asks for."""
    wanted = environ.get(_WANTED_HEADERS)
    return (
        ("Access-Control-Allow-Methods", environ[_WANTED_METHOD]),
        *((("Access-Control-Allow-Headers", wanted),) if wanted else ()),
        ("Access-Control-Max-Age", str(_REMEMBERED_SECONDS)),
    )
