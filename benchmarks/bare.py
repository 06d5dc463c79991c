"""Serves bare views by granian, the fastest server for Flask: what the fake is measured against.

`python benchmarks/bare.py flask|wsgi FILE`. The file has the answers that the fake gave, as JSON; a view gives the one
that belongs to its path, and encodes it anew each time. The first line on stdout is the base URL, once it answers.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final, TypeAlias

from flask import Flask, Response, jsonify, request
from granian.constants import HTTPModes, Interfaces
from granian.log import LogLevels
from granian.server.mp import MPServer

from paylera_mock.server.port import reserve
from paylera_mock.server.ready import READY_WITHIN_SECONDS, NotServingError, wait_for_status

Bodies: TypeAlias = Mapping[str, Any]
"""What the fake answered, by method and path, as in `GET /v1/customers`."""

View: TypeAlias = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]

LIST, OBJECT, CREATE, REFUSED = (
    "GET /v1/customers",
    "GET /v1/customers/cus_ada",
    "POST /v1/customers",
    "GET /v1/invoices",
)
STATUSES: Final = {LIST: 200, OBJECT: 200, CREATE: 201, REFUSED: 401}


def flask_app(bodies: Bodies) -> Flask:
    """A view for each, and nothing else."""
    app = Flask("bare")

    @app.get("/v1/customers")
    def list_customers() -> Response:
        return jsonify(bodies[LIST])

    @app.get("/v1/customers/<identifier>")
    def get_customer(identifier: str) -> Response:
        return jsonify(bodies[f"GET /v1/customers/{identifier}"])

    @app.post("/v1/customers")
    def create_customer() -> tuple[Response, int]:
        request.get_json()
        return jsonify(bodies[CREATE]), STATUSES[CREATE]

    @app.get("/v1/invoices")
    def refuse() -> tuple[Response, int]:
        return jsonify(bodies[REFUSED]), STATUSES[REFUSED]

    return app


def wsgi_app(bodies: Bodies) -> View:
    """One function for all, without Flask."""

    def answer(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        name = f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}"
        if name == CREATE:
            json.loads(environ["wsgi.input"].read())
        body = json.dumps(bodies[name]).encode()
        status = HTTPStatus(STATUSES[name])
        headers = [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
        start_response(f"{status.value} {status.phrase}", headers)
        return (body,)

    return answer


def announce(url: str) -> None:
    """Print the URL once it answers, or stop the server, so that nobody waits for the line in vain."""
    try:
        wait_for_status({200}, f"{url}/v1/customers", None, deadline=time.monotonic() + READY_WITHIN_SECONDS)
    except NotServingError:
        os.kill(os.getpid(), signal.SIGTERM)
        raise
    print(url, flush=True)


def main() -> None:
    """Serve until a signal ends it."""
    kinds: dict[str, Callable[[Bodies], Callable[..., Any]]] = {"flask": flask_app, "wsgi": wsgi_app}
    bodies = json.loads(Path(sys.argv[2]).read_text(encoding="utf-8"))
    multiprocessing.set_start_method("fork", force=True)
    reservation = reserve("127.0.0.1", 0)
    # granian binds a socket of its own, to a port that is known by then.
    reservation.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    # As `granian --interface wsgi` has it: with the threads that it takes by itself.
    server = MPServer(
        "bare",
        address=reservation.host,
        port=reservation.port,
        interface=Interfaces.WSGI,
        http=HTTPModes.http1,
        websockets=False,
        log_level=LogLevels.error,
    )
    threading.Thread(target=announce, args=(reservation.url(),), daemon=True).start()
    server.serve(target_loader=partial(kinds[sys.argv[1]], bodies), wrap_loader=False)


if __name__ == "__main__":
    main()
