"""Measures calls without a socket: httpx over the fake's own transport, and over httpx's on the bare Flask views."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from typing import Any

import httpx

from bare import flask_app
from paylera_fixtures.vocabulary import Environment
from paylera_mock.app import EXTENSION
from paylera_mock.testing.fake import application
from paylera_mock.testing.httpx_transport import PayleraTransport
from paylera_mock.testing.in_process import Wire
from scenarios import Key, Scenario
from wrk import Round

_KEYS = count()


@dataclass(frozen=True)
class Caller:
    """An httpx client with what it calls. `reset`: brings that back to how it was at the start."""

    name: str
    client: httpx.Client
    secret: str
    reset: Callable[[], object]

    def drive(self, scenario: Scenario, *, calls: int) -> Round:
        """So many calls, one after another. Raises `RuntimeError` where one is not answered as it should be."""
        self.reset()
        call = self._call(scenario)
        call()  # what is sent again was sent before
        taken = []
        cpu, began = time.process_time(), time.perf_counter()
        for _ in range(calls):
            sent = time.perf_counter()
            call()
            taken.append(time.perf_counter() - sent)
        seconds, spent = time.perf_counter() - began, time.process_time() - cpu
        percentiles = statistics.quantiles(taken, n=100)
        return Round(calls, seconds, percentiles[49] * 1000, percentiles[98] * 1000, spent, generator_cpu=0)

    def _call(self, scenario: Scenario) -> Callable[[], None]:
        again = f"in-process-{next(_KEYS)}"

        def call() -> None:
            key = {Key.NONE: None, Key.SAME: again, Key.NEW: f"in-process-{next(_KEYS)}"}[scenario.key]
            headers = scenario.headers(self.secret, key)
            response = self.client.request(scenario.method, scenario.path, headers=headers, content=scenario.body)
            if response.status_code != scenario.status:
                raise RuntimeError(f"{scenario.name} should be answered {scenario.status}: {response.text[:200]}")

        return call


@contextmanager
def in_process(answers: Mapping[str, Any], secret: str) -> Iterator[tuple[Caller, Caller]]:
    """The fake as it is served, and the bare views, each behind its client. `secret`: of a well-known token."""
    app = application()
    wire = Wire(app, app.extensions[EXTENSION].namespaces.default)
    with (
        httpx.Client(
            transport=PayleraTransport(wire), base_url=f"https://{Environment.SANDBOX.production_host}"
        ) as fake,
        httpx.Client(transport=httpx.WSGITransport(flask_app(answers)), base_url="http://bare.example") as bare,
    ):
        yield (
            Caller("fake", fake, secret, lambda: fake.post("/_mock/reset").raise_for_status()),
            Caller("flask", bare, secret, lambda: None),
        )
