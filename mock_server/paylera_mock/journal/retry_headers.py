"""What a request says of itself: that it is a retry. All else that looks like one may be another request like it."""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import Final

from paylera_mock.core.messages import Request

_COUNTS_RETRIES: Final = ("x-stainless-retry-count", "x-retry-count", "retry-count", "x-retries", "x-retry")
_COUNTS_ATTEMPTS: Final = ("x-retry-attempt", "x-request-attempt", "x-attempt", "x-attempt-number")
_LEAST: Final = MappingProxyType({**dict.fromkeys(_COUNTS_RETRIES, 1), **dict.fromkeys(_COUNTS_ATTEMPTS, 2)})
"""From which number on a header means a retry; the first attempt may be 0 or 1."""

_MADE_FOR_ONE_CALL: Final = re.compile(
    r"[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}", re.IGNORECASE
)


def says_retry(request: Request) -> bool:
    """Whether a header counts this as a retry, as the clients of some generators send it."""
    return any(name in _LEAST and _count(value) >= _LEAST[name] for name, value in request.headers)


def _count(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 4 else 0  # noqa: PLR2004 - a small number


def is_made_for_one_call(key: str | None) -> bool:
    """Whether a key was drawn at random, so that no two tests can have it by chance."""
    return key is not None and _MADE_FOR_ONE_CALL.fullmatch(key) is not None
