"""Questions about what was called: the mock's own call, answered without a lock."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from types import MappingProxyType
from typing import Any, Final

from paylera_mock.control.request import BadMemberError, ControlRequest, Table
from paylera_mock.core.messages import Outcome, Reply
from paylera_mock.journal.verify import (
    CountRange,
    RequestPattern,
    RetryPattern,
    Verification,
    called,
    in_order,
    retried,
)

_WANTED: Final = ("method", "route", "token", "status", "key", "body")
_TEXTS: Final = ("method", "route", "token")
_FLAGS: Final = ("same_key", "same_bytes", "after_retry_after")
_STEPS: Final = 100


def verify(call: ControlRequest) -> Outcome:
    """`POST C/verify`: was this called, so often; with `order`: one after the other; with `retried`: as it should.

    `dropped` tells how many exchanges the journal has forgotten, about which nothing can be said.
    """
    return Reply(HTTPStatus.OK, {**_asked(call).view(), "dropped": call.namespace.journal.dropped})


def _asked(call: ControlRequest) -> Verification:
    exchanges = call.namespace.journal.exchanges()
    body = call.body
    if "order" in body:
        _only(body, ("order",), "")
        return in_order(exchanges, _steps(body["order"]))
    if "retried" in body:
        _only(body, ("retried",), "")
        return retried(exchanges, _retried(body["retried"]))
    _only(body, (*_WANTED, "times", "order", "retried"), "")
    times = _times(body["times"], "times") if "times" in body else CountRange()
    return called(exchanges, _wanted(body, ""), times)


def _only(members: Mapping[str, Any], allowed: tuple[str, ...], prefix: str) -> None:
    unknown = sorted(set(members) - set(allowed))
    if unknown:
        raise BadMemberError(f"{prefix}{unknown[0]}", f"There is no such member here: there are {', '.join(allowed)}.")


def _steps(value: Any) -> list[RequestPattern]:
    if not isinstance(value, list) or not 0 < len(value) <= _STEPS:
        raise BadMemberError("order", f"This must be a list of 1 to {_STEPS} steps.")
    steps: list[RequestPattern] = []
    for place, step in enumerate(value):
        _only(_object(step, f"order[{place}]"), _WANTED, f"order[{place}].")
        steps.append(_wanted(step, f"order[{place}]."))
    return steps


def _retried(value: Any) -> RetryPattern:
    asked = _object(value, "retried")
    _only(asked, (*_WANTED, "attempts", *_FLAGS), "retried.")
    flags: dict[str, bool] = {}
    for name in _FLAGS:
        if name in asked:
            flags[name] = _flag(asked[name], f"retried.{name}")
    attempts = _times(asked["attempts"], "retried.attempts") if "attempts" in asked else CountRange(2)
    return RetryPattern(_wanted(asked, "retried."), attempts, **flags)


def _wanted(asked: Mapping[str, Any], prefix: str) -> RequestPattern:
    texts = {name: _text(asked[name], f"{prefix}{name}") for name in _TEXTS if name in asked}
    if "method" in texts:
        texts["method"] = texts["method"].upper()
    if "route" in texts and not texts["route"].startswith("/"):
        raise BadMemberError(f"{prefix}route", "This is a path, as in /v1/customers/{id} or /v1/customers/cus_ada.")
    return RequestPattern(
        **texts,
        status=_count(asked["status"], f"{prefix}status") if "status" in asked else None,
        key=_key(asked["key"], f"{prefix}key") if "key" in asked else None,
        body=_object(asked["body"], f"{prefix}body") if "body" in asked else None,
    )


def _times(value: Any, name: str) -> CountRange:
    """A count, or the ends of a range."""
    if not isinstance(value, dict):
        count = _count(value, name)
        return CountRange(count, count)
    _only(value, ("min", "max"), f"{name}.")
    low = _count(value.get("min", 0), f"{name}.min")
    high = _count(value["max"], f"{name}.max") if "max" in value else None
    if high is not None and high < low:
        raise BadMemberError(f"{name}.max", "This must not be less than min.")
    return CountRange(low, high)


def _object(value: Any, name: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise BadMemberError(name, "This must be an object.")
    return value


def _text(value: Any, name: str) -> str:
    if not isinstance(value, str):
        raise BadMemberError(name, "This must be a string.")
    return value


def _count(value: Any, name: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise BadMemberError(name, "This must be a whole number from 0.")
    return value


def _flag(value: Any, name: str) -> bool:
    if not isinstance(value, bool):
        raise BadMemberError(name, "This must be true or false.")
    return value


def _key(value: Any, name: str) -> str | bool:
    if not isinstance(value, str | bool):
        raise BadMemberError(name, "This must be a key, or true for any key and false for none.")
    return value


CALLS: Final[Table] = MappingProxyType({"verify": {"POST": verify}})
