"""HTTP clients of Python, each with the retries that it brings: does jobs read as JSON from stdin, some at once."""

from __future__ import annotations

import asyncio
import json
import sys
import uuid
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import aiohttp
import httpx
import requests
import stamina
import tenacity
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

TIMEOUT: Final = 3.0
"""Longer than the fake takes on any machine, for what is not held up on purpose."""

ATTEMPTS: Final = 3
STATUSES: Final = (429, 500, 502, 503, 504)
BODY: Final = {"email": "ada@example.com"}
Job = dict[str, Any]


class WorthAnotherError(Exception):
    """An answer after which a client tries again."""


def headers_of(job: Job) -> dict[str, str]:
    """What every request is sent with."""
    return {
        "Authorization": f"Bearer {job['secret']}",
        "Idempotency-Key": str(uuid.uuid4()),
        "Paylera-Version": "2026-04-01",
        "User-Agent": job["client"],
    }


def by_requests(job: Job) -> None:
    """Requests, with the retries of urllib3, which sends the same headers again."""
    retry = Retry(ATTEMPTS - 1, allowed_methods=None, status_forcelist=STATUSES, backoff_factor=0)
    with requests.Session() as session:
        session.mount("http://", HTTPAdapter(max_retries=retry))
        session.post(job["url"], json=BODY, headers=headers_of(job), timeout=TIMEOUT)


def post_with_httpx(job: Job, headers: Mapping[str, str]) -> None:
    """One request. Raises for what is worth another."""
    with httpx.Client(timeout=TIMEOUT, follow_redirects=True) as client:
        if client.post(job["url"], json=BODY, headers=headers).status_code in STATUSES:
            raise WorthAnotherError


def by_tenacity(job: Job) -> None:
    """Httpx under tenacity, which waits for nobody."""
    headers = headers_of(job)

    @tenacity.retry(stop=tenacity.stop_after_attempt(ATTEMPTS))
    def attempt() -> None:
        post_with_httpx(job, headers_of(job) if job["renews"] else headers)

    attempt()


def by_stamina(job: Job) -> None:
    """Httpx under stamina."""
    headers = headers_of(job)
    again = (httpx.TransportError, WorthAnotherError)
    for attempt in stamina.retry_context(on=again, attempts=ATTEMPTS, wait_initial=0.01, wait_max=0.01, wait_jitter=0):
        with attempt:
            post_with_httpx(job, headers_of(job) if job["renews"] else headers)


def by_aiohttp(job: Job) -> None:
    """Aiohttp, with a loop as its users write it."""
    asyncio.run(_by_aiohttp(job))


async def _by_aiohttp(job: Job) -> None:
    headers = headers_of(job)
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=TIMEOUT)) as session:
        for attempt in range(ATTEMPTS):
            sent = headers_of(job) if attempt and job["renews"] else headers
            try:
                async with session.post(job["url"], json=BODY, headers=sent) as answer:
                    await answer.read()
                    if answer.status not in STATUSES:
                        return
                    await asyncio.sleep(float(answer.headers.get("Retry-After", "0")))
            except (aiohttp.ClientError, TimeoutError):
                continue


CLIENTS: Final[Mapping[str, Callable[[Job], None]]] = {
    "requests": by_requests,
    "tenacity": by_tenacity,
    "stamina": by_stamina,
    "aiohttp": by_aiohttp,
}


def run(job: Job) -> str:
    """Do one job: what came of it."""
    try:
        CLIENTS[job["client"]](job)
    except Exception as error:  # noqa: BLE001 - whatever a client raises when it gives up
        return type(error).__name__
    return "fulfilled"


if __name__ == "__main__":
    with ThreadPoolExecutor(8) as pool:
        print(json.dumps(list(pool.map(run, json.load(sys.stdin)))))  # noqa: T201 - its answer
