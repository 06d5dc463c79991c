"""A thousand fakes in one process, and twenty threads that use them all at once."""

from __future__ import annotations

import gc
import itertools
import threading
import tracemalloc
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from flask import Flask

from helpers.fake import Fake, namespace_of
from paylera_mock.app import create_app
from paylera_mock.state import token_index

NAMESPACES = 1000
THREADS = 20


def customers_of(fake: Fake, secret: str) -> set[str]:
    """The e-mail addresses of the customers there are."""
    answer = fake.call("GET", "/v1/customers?limit=100", secret)
    assert answer.status_code == 200, answer.text
    return {customer["email"] for customer in (answer.json or {})["data"]}


def create(fake: Fake, secret: str, name: str) -> int:
    """Create a customer with a name of its own: the status."""
    body = {"email": f"{name}@example.com"}
    return fake.call("POST", "/v1/customers", secret, key="the-same-everywhere", json=body).status_code


@pytest.mark.slow
def test_a_thousand_namespaces_share_a_process_and_nothing_else() -> None:
    """Each thread leaves a customer of its own in each: all are there, none is mixed, and no answer is a 5xx."""
    app = create_app()
    worlds = [(fake, fake.secret()) for fake in (namespace_of(app) for _ in range(NAMESPACES))]
    statuses: Counter[int] = Counter()
    counting = threading.Lock()

    def use(thread: int) -> None:
        # Every thread begins mixed, so that they meet in all orders.
        begin = thread * NAMESPACES // THREADS
        found: Counter[int] = Counter()
        for number in itertools.islice(itertools.cycle(range(NAMESPACES)), begin, begin + NAMESPACES):
            fake, secret = worlds[number]
            body = {"email": f"{number}-{thread}@example.com"}
            key = f"thread-{thread}-the-same-in-every-namespace"
            found[fake.call("POST", "/v1/customers", secret, key=key, json=body).status_code] += 1
        with counting:
            statuses.update(found)

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(use, range(THREADS)))
    mixed = [
        number
        for number, (fake, secret) in enumerate(worlds)
        if customers_of(fake, secret) != {f"{number}-{thread}@example.com" for thread in range(THREADS)}
    ]
    assert (statuses, mixed) == ({201: NAMESPACES * THREADS}, [])


def test_a_token_of_one_namespace_is_none_in_another(fake: Fake, namespace: Callable[[], Fake]) -> None:
    """Under the other's own path; at the root it leads home."""
    secret = fake.secret()
    create(fake, secret, "mine")
    other = namespace()
    assert other.call("GET", "/v1/customers", secret).status_code == 401
    assert customers_of(Fake(fake.client), secret) == {"mine@example.com"}


def live(app: Flask) -> Fake:
    """A namespace with a little of everything that is remembered."""
    fake = namespace_of(app)
    secret, admin = fake.secret(), fake.admin()
    create(fake, secret, "mine")
    fake.rotate(fake.token("*")["id"], admin)
    fake.control("POST", "faults", action="answer")
    fake.call("GET", "/v1/customers", "sk_sandbox_unknown")
    fake.call("GET", "/v1/customers", secret)
    return fake


def die(fake: Fake) -> None:
    """Delete a namespace."""
    fake.client.delete(f"/_mock/namespaces/{fake.base.removeprefix('/ns/')}")


def held() -> int:
    """The bytes that are held."""
    gc.collect()
    return tracemalloc.get_traced_memory()[0]


@pytest.fixture
def traced() -> Iterator[None]:
    """Counts the memory that is held."""
    tracemalloc.start()
    yield
    tracemalloc.stop()


@pytest.mark.slow
@pytest.mark.usefixtures("traced")
def test_a_namespace_that_is_gone_leaves_nothing_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    """A hundred that came and went hold no more than a few living ones: what bounded caches took of them."""
    monkeypatch.setattr(token_index, "REMEMBERED", 100)
    app = create_app()
    for _ in range(10):
        die(live(app))
    at_first = held()
    living = [live(app) for _ in range(10)]
    by_one = (held() - at_first) / len(living)
    for fake in living:
        die(fake)
    for _ in range(90):
        die(live(app))
    assert held() - at_first < 5 * by_one
