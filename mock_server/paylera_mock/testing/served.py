"""The fakes of a test run on a real port, for clients that have no transport of this process."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from queue import Queue

from flask import Flask

from paylera_mock.server.answering import Answering
from paylera_mock.server.loop import run_server
from paylera_mock.server.port import reserve
from paylera_mock.server.settings import BODY_SECONDS
from paylera_mock.server.shutdown import Stop
from paylera_mock.testing.fake import Paylera

_HOST = "127.0.0.1"


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
    stops: Queue[Stop] = Queue()
    with closing(reserve(_HOST, 0)) as reservation:
        reservation.listen()
        run = partial(asyncio.run, run_server(Answering(app, body_seconds=BODY_SECONDS), reservation.socket, stops.put))
        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        stop = stops.get()
        try:
            urls = ServedUrls.below(reservation.url())
            yield PayleraServer(urls.url, urls.live_url, urls.control_url)
        finally:
            stop()
            thread.join()
