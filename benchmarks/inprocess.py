"""Measures one call without a socket, with its trace and its journal, beside one to a bare Flask view.

`python benchmarks/inprocess.py`. Both go through one httpx client each, and take turns, so that a busy moment of the
machine meets both; the ratio is the median over the pairs.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from typing import Any, Final

import httpx
from flask import Flask, Response, jsonify

from paylera_mock.testing.fake import Paylera, application

AIM: Final = 1.5


def bare_app(body: Any) -> Flask:
    """One view, and nothing else: what the fake is measured against."""
    app = Flask("bare")

    @app.get("/v1/customers")
    def customers() -> Response:
        return jsonify(body)

    return app


def seconds_for(client: httpx.Client, calls: int) -> float:
    """What so many calls take, each of which must be answered 200."""
    began = time.perf_counter()
    for _ in range(calls):
        client.get("/v1/customers").raise_for_status()
    return time.perf_counter() - began


def measure(paylera: Paylera, calls: int, rounds: int) -> list[tuple[float, float]]:
    """Pairs of seconds for one call: to the fake, and to the bare view, which answers the same body."""
    headers = {"Authorization": f"Bearer {paylera.everything.secret}"}
    with httpx.Client(transport=paylera.transport, base_url=paylera.url, headers=headers) as fake:
        body = fake.get("/v1/customers").json()
        transport = httpx.WSGITransport(bare_app(body))
        with httpx.Client(transport=transport, base_url="http://bare.example", headers=headers) as bare:
            for client in (fake, bare):
                seconds_for(client, calls)  # not counted: caches fill
            return [(seconds_for(fake, calls) / calls, seconds_for(bare, calls) / calls) for _ in range(rounds)]


def main() -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(description="Measure one call without a socket on this machine.")
    parser.add_argument("--calls", type=int, default=2000, help="calls a round (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=7, help="rounds of each kind (default: %(default)s)")
    options = parser.parse_args()
    paylera = Paylera(application(), {})
    pairs = measure(paylera, options.calls, options.rounds)
    paylera.close()
    fake, bare = (statistics.median(column) * 1_000_000 for column in zip(*pairs, strict=True))
    ratio = statistics.median(fake / bare for fake, bare in pairs)
    print(f"GET /v1/customers through httpx, in process: {fake:.0f} us; a bare Flask view: {bare:.0f} us")
    print(json.dumps({"fake_us": round(fake, 1), "bare_us": round(bare, 1), "ratio": round(ratio, 2)}))
    print(f"ratio, median of the pairs: {ratio:.2f}   aim: {AIM} or less")


if __name__ == "__main__":
    main()
