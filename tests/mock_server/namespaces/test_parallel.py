"""Threads: parallel writes lose nothing, reads see whole objects, namespaces do not wait for each other's state."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

from helpers.fake import Fake
from paylera_fixtures.tokens import WELL_KNOWN

CUSTOMERS: Final = "/v1/customers"
THREADS: Final = 8


def test_parallel_writes_lose_nothing(fake: Fake) -> None:
    """Each with its own key makes its own object."""
    secret = fake.secret()
    with ThreadPoolExecutor(THREADS) as pool:
        sent = [
            pool.submit(fake.call, "POST", CUSTOMERS, secret, key=f"k{n}", json={"email": f"a{n}@example.com"})
            for n in range(60)
        ]
        ids = {(future.result().json or {})["id"] for future in sent}
    listed = (fake.call("GET", f"{CUSTOMERS}?limit=100", secret).json or {})["data"]
    assert {each["id"] for each in listed} == ids


def test_parallel_refunds_never_exceed_the_payment(fake: Fake) -> None:
    """Of ten refunds of 30.00 from 100.00, three fit."""
    secret, path = fake.secret(), f"/v1/payments/{fake.made('payment')}/refunds"
    with ThreadPoolExecutor(THREADS) as pool:
        sent = [pool.submit(fake.call, "POST", path, secret, key=f"k{n}", json={"amount": "30.00"}) for n in range(10)]
        statuses = sorted(future.result().status_code for future in sent)
    assert statuses == [201] * 3 + [422] * 7


def test_reads_go_on_while_others_write(fake: Fake) -> None:
    """They take no lock, and never stumble over what changes meanwhile."""
    secret = fake.secret()

    def mixed(number: int) -> int:
        fake.call("POST", CUSTOMERS, secret, key=f"k{number}", json={"email": "a@example.com"})
        return fake.call("GET", f"{CUSTOMERS}?limit=100", secret).status_code

    with ThreadPoolExecutor(THREADS) as pool:
        assert set(pool.map(mixed, range(80))) == {200}


def test_a_reset_among_requests_breaks_none(default: Fake) -> None:
    """Who reads meanwhile sees the world before it, or the one after."""
    secret = WELL_KNOWN[0].secret

    def mixed(number: int) -> int:
        if number % 10 == 0:
            default.release(f"20{27 + number // 10}-01-01")
            default.control("POST", "reset")
        return default.call("GET", CUSTOMERS, secret).status_code

    with ThreadPoolExecutor(THREADS) as pool:
        assert set(pool.map(mixed, range(100))) == {200}


def test_parallel_namespaces_see_nothing_of_each_other(namespace: Callable[[], Fake]) -> None:
    """Made, used and deleted at once."""

    def life(number: int) -> tuple[Any, ...]:
        fake = namespace()
        secret = fake.secret()
        for index in range(number % 5):
            fake.call("POST", CUSTOMERS, secret, key=f"k{index}", json={"email": "a@example.com"})
        count = len((fake.call("GET", CUSTOMERS, secret).json or {})["data"])
        fake.client.delete(f"/_mock/namespaces/{fake.base.removeprefix('/ns/')}")
        return count == number % 5, fake.call("GET", CUSTOMERS, secret).status_code

    with ThreadPoolExecutor(THREADS) as pool:
        assert set(pool.map(life, range(40))) == {(True, 404)}
