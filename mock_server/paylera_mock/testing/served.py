"""The fakes of a test run on a real port, for clients that have no transport of this process."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

from flask import Flask
from werkzeug.serving import make_server

from paylera_mock.server.on_werkzeug import Handler
from paylera_mock.server.settings import BODY_SECONDS
from paylera_mock.testing.fake import Paylera

_HOST = "127.0.0.1"
_BETWEEN_LOOKS_SECONDS = 0.05
"""How long a stop may take to be noticed."""


@dataclass(frozen=True)
class ServedUrls:
    """Where a namespace is on a real port: the sandbox, live, and its control API."""

    url: str
    live_url: str
    control_url: str

    @classmethod
    def below(cls, url: str) -> ServedUrls:
        """The URLs of the namespace whose sandbox is at a URL."""
        return cls(url, f"{url}/live", f"{url}/_mock")


@dataclass(frozen=True)
class PayleraServer(ServedUrls):
    """All fakes of this process on a port of 127.0.0.1. Its own URLs are those of the default namespace.

    There the well-known tokens are, and a token that a test has minted finds its own namespace.
    """

    def at(self, fake: Paylera) -> ServedUrls:
        """Where the fake of a test is, for requests without a token too."""
        return ServedUrls.below(f"{self.url}/ns/{fake.namespace.id}")


@contextmanager
def serving(app: Flask) -> Iterator[PayleraServer]:
    """Serve an application on a free port until the context ends."""
    handler: Any = partial(Handler, body_seconds=BODY_SECONDS)
    server = make_server(_HOST, 0, app, threaded=True, request_handler=handler)
    thread = threading.Thread(target=server.serve_forever, args=(_BETWEEN_LOOKS_SECONDS,), daemon=True)
    thread.start()
    try:
        urls = ServedUrls.below(f"http://{_HOST}:{server.server_port}")
        yield PayleraServer(urls.url, urls.live_url, urls.control_url)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
