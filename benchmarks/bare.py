"""Serves one bare Flask view, by the very server and settings of the fake: what the fake is measured against.

`python benchmarks/bare.py FILE`: the view answers `GET /v1/customers` with the JSON of the file, through `jsonify`. The
first line on stdout is the base URL, once it has answered.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from functools import partial
from pathlib import Path
from typing import Any

from flask import Flask, Response, jsonify

from paylera_mock.server.port import reserve
from paylera_mock.server.ready import READY_WITHIN_SECONDS, NotServingError, wait_for_status
from paylera_mock.server.serve import serve_app
from paylera_mock.server.served_app import ServedApp
from paylera_mock.server.settings import FakeSettings
from paylera_mock.server.shutdown import Stop


def bare_app(body: Any) -> Flask:
    """The view, and nothing else."""
    app = Flask("bare")

    @app.get("/v1/customers")
    def customers() -> Response:
        return jsonify(body)

    return app


def announce(url: str, stop: Stop) -> None:
    """Print the URL once it answers, or stop the server, so that nobody waits for the line in vain."""
    try:
        wait_for_status({200}, f"{url}/v1/customers", None, deadline=time.monotonic() + READY_WITHIN_SECONDS)
    except NotServingError:
        stop()
        raise
    print(url, flush=True)


def main() -> None:
    """Serve until a signal ends it."""
    body = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    reservation = reserve("127.0.0.1", 0)

    def started(stop: Stop) -> None:
        threading.Thread(target=announce, args=(reservation.url(), stop), daemon=True).start()

    settings = FakeSettings()
    app = ServedApp(partial(bare_app, body), reservation, settings.log_level, started)
    serve_app(app, settings.server)


if __name__ == "__main__":
    main()
