"""What a server is given: an application and the port to serve it on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from paylera_mock.server.port import Reservation
from paylera_mock.server.settings import BODY_SECONDS, LogLevel
from paylera_mock.server.shutdown import Stop
from paylera_mock.server.tls import Identity

if TYPE_CHECKING:  # start-up time: the port is taken before Flask is loaded
    from flask import Flask


@dataclass(frozen=True)
class ServedApp:
    """An application that is to be served until a signal ends it.

    - `load`: makes the application;
    - `reservation`: the port;
    - `level`: what the server logs;
    - `started`: called once, when the server has been started, which is before it answers; a call of the `Stop` that it
      is given ends the server too;
    - `identity`: where there is one, the application is served over TLS;
    - `body_seconds`: how long a client may take to send a body.
    """

    load: Callable[[], Flask]
    reservation: Reservation
    level: LogLevel
    started: Callable[[Stop], None]
    identity: Identity | None = None
    body_seconds: float = BODY_SECONDS
