"""Serves one bare Flask view by granian, as Flask's views are served: what the fake is measured against.

`python benchmarks/bare.py FILE`: the view answers `GET /v1/customers` with the JSON of the file, through `jsonify`. The
first line on stdout is the base URL, once it has answered.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import sys
import threading
import time
from functools import partial
from pathlib import Path
from typing import Any, Final

from flask import Flask, Response, jsonify
from granian.constants import HTTPModes, Interfaces
from granian.log import LogLevels
from granian.server.mp import MPServer

from paylera_mock.server.port import reserve
from paylera_mock.server.ready import READY_WITHIN_SECONDS, NotServingError, wait_for_status

BLOCKING_THREADS: Final = 64


def bare_app(body: Any) -> Flask:
    """The view, and nothing else."""
    app = Flask("bare")

    @app.get("/v1/customers")
    def customers() -> Response:
        return jsonify(body)

    return app


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
    body = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    multiprocessing.set_start_method("fork", force=True)
    reservation = reserve("127.0.0.1", 0)
    reservation.share_with_granian()
    server = MPServer(
        "bare",
        address=reservation.host,
        port=reservation.port,
        interface=Interfaces.WSGI,
        http=HTTPModes.http1,
        websockets=False,
        blocking_threads=BLOCKING_THREADS,
        log_level=LogLevels.error,
    )
    threading.Thread(target=announce, args=(reservation.url(),), daemon=True).start()
    server.serve(target_loader=partial(bare_app, body), wrap_loader=False)


if __name__ == "__main__":
    main()
