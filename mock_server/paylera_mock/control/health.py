"""Whether the fake runs, and since when."""

from __future__ import annotations

from msgspec import Struct

from paylera_mock.control.request import ControlRequest
from paylera_mock.version import version


class Health(Struct):
    """What runs, for how long by the time outside, and how many namespaces it has."""

    status: str
    version: str
    uptime_seconds: float
    namespaces: int


def read_health(call: ControlRequest) -> Health:
    """`GET C/health`: the version, seconds since the start by the time outside, and how many namespaces there are."""
    namespaces = call.namespaces
    return Health("ok", version(), round(namespaces.uptime(), 3), len(namespaces))
