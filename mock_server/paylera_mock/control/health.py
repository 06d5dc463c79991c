"""Whether the fake is there, and since when."""

from __future__ import annotations

from http import HTTPStatus
from types import MappingProxyType
from typing import Final

from paylera_mock.control.request import ControlRequest, Table
from paylera_mock.core.messages import Outcome, Reply
from paylera_mock.version import version


def read_health(call: ControlRequest) -> Outcome:
    """`GET C/health`: the version, seconds since the start by the time outside, and how many namespaces there are."""
    namespaces = call.namespaces
    return Reply(
        HTTPStatus.OK,
        {
            "status": "ok",
            "version": version(),
            "uptime_seconds": round(namespaces.uptime(), 3),
            "namespaces": 1 + sum(1 for _ in namespaces),
        },
    )


CALLS: Final[Table] = MappingProxyType({"health": {"GET": read_health}})
