"""What a client or a proxy may send besides, and no rule depends on: a rule must not be dropped where it is there."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Final

from paylera_conformance.model.messages import Request
from paylera_fixtures.api.operations import Operation


@dataclass(frozen=True)
class Besides:
    """A header, a query, or several; `name` is the header's or the query's, and `on` says where it may stand."""

    name: str
    words: str
    add_to: Callable[[Request], Request]
    on: Callable[[Operation], bool] = lambda _operation: True

    def __str__(self) -> str:
        return self.words


def _header(name: str, value: str, on: Callable[[Operation], bool] = lambda _operation: True) -> Besides:
    return Besides(name, f"{name}: {value}", lambda request: request.with_header(name, value), on)


def _query(text: str, on: Callable[[Operation], bool]) -> Besides:
    """A query; of two, the later one is added to the earlier."""
    return Besides(
        text.partition("=")[0],
        f"?{text}",
        lambda request: request.at(f"{request.path}{'&' if '?' in request.path else '?'}{text}"),
        on,
    )


def _has_body(operation: Operation) -> bool:
    return operation.method in {"POST", "PATCH"}


def _is_post(operation: Operation) -> bool:
    return operation.method == "POST"


_HEADERS: Final = (
    _header("Accept", "text/csv"),
    _header("Accept", "text/html,application/xhtml+xml"),
    _header("Accept", "*/*"),
    _header("Accept-Language", "de-AT, en;q=0.5"),
    _header("Content-Type", "application/json; charset=utf-8", _has_body),
    _header("Content-Type", "application/merge-patch+json", lambda operation: operation.method == "PATCH"),
    _header("Cookie", "theme=dark"),
    _header("Forwarded", "for=127.0.0.1;proto=https"),
    _header("If-Modified-Since", "Thu, 01 Jan 1970 00:00:00 GMT", lambda operation: operation.is_read),
    _header("If-Match", "*", lambda operation: not operation.is_read),
    _header("If-None-Match", '"3f9c"', lambda operation: operation.is_read),
    _header("Origin", "https://app.example.com"),
    _header("Range", "bytes=0-9", lambda operation: operation.is_read),
    _header("X-Forwarded-For", "10.0.0.7"),
    _header("X-Forwarded-For", "127.0.0.1"),
    _header("X-HTTP-Method-Override", "GET", lambda operation: not operation.is_read),
    # Who takes the POST for what it says to be asks for no key.
    _header("X-HTTP-Method-Override", "PUT", _is_post),
    _header("X-HTTP-Method-Override", "PATCH", _is_post),
    _header("X-HTTP-Method-Override", "DELETE", _is_post),
    _header("X-Real-IP", "127.0.0.1"),
    _header("X-Requested-With", "XMLHttpRequest"),
)
_QUERIES: Final = (
    _query("limit=50", lambda operation: operation.is_list),
    _query("cursor=", lambda operation: operation.is_list),
    _query("locale=de", lambda operation: operation.is_read),
)
_SHARE: Final = 0.5


def draw_besides(operation: Operation, draw: random.Random) -> Sequence[Besides]:
    """What is tried to stand on an operation: several at once, then one of them; a target need not accept each."""
    fitting = [besides for besides in (*_HEADERS, *_QUERIES) if besides.on(operation) and draw.random() < _SHARE]
    chosen = [*{besides.name: besides for besides in draw.sample(fitting, len(fitting))}.values()]
    return [_together(chosen), draw.choice(chosen)] if chosen else []


def _together(several: Sequence[Besides]) -> Besides:
    def add(request: Request) -> Request:
        return reduce(lambda added, besides: besides.add_to(added), several, request)

    return Besides("", ", ".join(map(str, several)), add)
