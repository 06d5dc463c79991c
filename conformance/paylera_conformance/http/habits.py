"""The headers that common clients send, in their order: by what is always alike an examiner is known."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, TypeAlias

from paylera_conformance.http.content import CODINGS
from paylera_conformance.version import VERSION

Habit: TypeAlias = tuple[tuple[str, str], ...]

OWN_USER_AGENT: Final = f"paylera-conformance/{VERSION}"

_USER_AGENT: Final = "User-Agent"
_ACCEPT: Final = "Accept"
_CODINGS: Final = ("Accept-Encoding", CODINGS.decode())
_GZIP: Final = ("Accept-Encoding", "gzip")
_ANYTHING: Final = (_ACCEPT, "*/*")
_JSON: Final = (_ACCEPT, "application/json")


def _named(user_agent: str, *behind: tuple[str, str], before: Habit = ()) -> tuple[str, Habit]:
    return user_agent, (*before, (_USER_AGENT, user_agent), *behind)


HABITS: Final[Mapping[str, Habit]] = dict(
    [
        _named(OWN_USER_AGENT, _JSON, _CODINGS),
        _named("Apache-HttpClient/5.5 (Java/21.0.8)", before=(_JSON, _GZIP)),
        _named("Go-http-client/1.1", _JSON, _GZIP),
        _named("GuzzleHttp/7", _JSON),
        _named("PostmanRuntime/7.46.1", _ANYTHING, ("Cache-Control", "no-cache"), _CODINGS),
        _named("Ruby", before=(_CODINGS, _ANYTHING)),
        _named("axios/1.12.2", _CODINGS, before=((_ACCEPT, "application/json, text/plain, */*"),)),
        _named("curl/8.15.0", _ANYTHING),
        _named("node", _CODINGS, before=(_ANYTHING, ("Accept-Language", "*"), ("Sec-Fetch-Mode", "cors"))),
        _named("okhttp/5.1.0", before=(_JSON, _GZIP)),
        _named("python-httpx/0.28.1", before=(_ANYTHING, _CODINGS)),
        _named("python-requests/2.32.5", _CODINGS, _ANYTHING),
    ]
)
"""By the `User-Agent` that they send."""


def headers_of(user_agent: str) -> Habit:
    """What a client sends that calls itself so; one that is not known sends what the suite does."""
    own = HABITS[OWN_USER_AGENT]
    return HABITS.get(user_agent) or tuple((name, user_agent if name == _USER_AGENT else value) for name, value in own)
