"""Reads take no lock: another thread may write between any two of their lines. Here one does, at every line."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import count, cycle
from types import FrameType
from typing import Any, Final

import pytest
from flask import Flask

from helpers.fake import Fake
from paylera_fixtures.api.operations import OPERATIONS, Operation, Resource
from paylera_fixtures.vocabulary import Audience, Environment
from paylera_mock.app import EXTENSION
from paylera_mock.core.messages import Answer
from paylera_mock.namespaces.namespace import Namespace, Namespaces
from paylera_mock.state.actors import actor_object
from paylera_mock.state.idempotency import IdempotencyRecord
from paylera_mock.state.tokens import Grant

OBJECTS: Final = [kind for kind in Resource if kind not in {Resource.API_TOKEN, Resource.ACTOR, Resource.REFUND}]
OWN_LOCK: Final = "token_index.py"
"""A module that has a lock of its own, which a writer would wait for."""

CONTROL_READS: Final = (
    "clock",
    "clock/instants",
    "coverage",
    "faults",
    "findings",
    "health",
    "journal",
    "mutants",
    "snapshot",
    "versions",
    "webhooks/deliveries",
)


class Writer:
    """Adds, changes and removes a little of everything that a namespace keeps, by one step each time."""

    def __init__(self, namespaces: Namespaces, namespace: Namespace) -> None:
        self.namespaces = namespaces
        self.namespace = namespace
        self.steps = 0
        self._numbers = count()
        self._pool = ThreadPoolExecutor(1)
        self._added: list[tuple[Resource, str]] = []
        self._next = cycle((self._add, self._add, self._remove, self._mint, self._enter_actor, self._keep, self._make))

    def write(self) -> None:
        """Write from another thread, if that would get the lock."""
        self._pool.submit(self._write).result()

    def fill(self) -> None:
        """Write a good while."""
        for _ in range(21):
            self.write()

    def close(self) -> None:
        """End the thread."""
        self._pool.shutdown()

    def _write(self) -> None:
        lock: Any = self.namespace.lock
        if lock.acquire(blocking=False):
            with lock:
                lock.release()
                next(self._next)()
                self.steps += 1

    def _add(self) -> None:
        for kind in OBJECTS:
            number = next(self._numbers)
            value = {"id": f"{kind}_{number}", "object": kind.value, "code": f"code-{number}", "status": "disabled"}
            self._table().add(kind, value | {"customer_id": "cus_x", "payment_method_id": None, "currency": "USD"})
            self._added.append((kind, value["id"]))

    def _remove(self) -> None:
        for kind, identifier in self._added[: len(OBJECTS)]:
            self._table().remove(kind, identifier)
        del self._added[: len(OBJECTS)]

    def _mint(self) -> None:
        state = self.namespace.state
        grant = Grant(state.main_tenant, Audience.SERVICE, ())
        state.tokens.mint(grant, version=state.versions.current, now=0, policy=state.policy)

    def _enter_actor(self) -> None:
        state, number = self.namespace.state, next(self._numbers)
        state.actors.add(state.main_tenant, actor_object(f"actor_{number}", "2026-01-01T00:00:00.000Z"))
        state.actors.remove(state.main_tenant, f"actor_{number - 20}")
        state.add_tenant()

    def _keep(self) -> None:
        state = self.namespace.state
        record = IdempotencyRecord(b"", Answer(200, (), b""), state.clock.epoch())
        state.idempotency.keep(("t", Environment.SANDBOX, "POST", "/", f"k{next(self._numbers)}"), record)

    def _make(self) -> None:
        self.namespaces.delete(str(self.namespaces.create().id))

    def _table(self) -> Any:
        state = self.namespace.state
        return state.store.objects(state.main_tenant, Environment.SANDBOX)


@contextmanager
def between_all_lines(write: Callable[[], None]) -> Iterator[None]:
    """Write before each line of the fake that is run meanwhile."""

    def trace(frame: FrameType, event: str, _: object) -> Any:
        path = frame.f_code.co_filename
        if "paylera_mock" not in path or path.endswith(OWN_LOCK):
            return None
        if event == "line":
            write()
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        yield
    finally:
        sys.settrace(before)


@pytest.fixture
def writer(app: Flask, fake: Fake) -> Iterator[Writer]:
    """What writes into the namespace of the fake."""
    namespaces = app.extensions[EXTENSION].namespaces
    writer = Writer(namespaces, namespaces.find(fake.base.removeprefix("/ns/")))
    yield writer
    writer.close()


def prepared_read(fake: Fake, operation: Operation) -> Callable[[], int]:
    """A read of something that stays: gives the status of its answer."""
    makers: dict[str, Callable[[str], str]] = {
        Resource.CUSTOMER: lambda _: str((fake.control("POST", "customers").json or {})["id"]),
        Resource.API_TOKEN: lambda _: str(fake.token("*")["id"]),
        Resource.WEBHOOK_ENDPOINT: lambda _: new_endpoint(fake),
        Resource.ACTOR: lambda _: fake.actor(),
        Resource.AUDIT_RECORD: str,
    }
    made = makers.get(operation.resource, fake.made)(operation.resource)
    secret = fake.admin()
    return lambda: fake.call("GET", operation.concrete(made), secret).status_code


def new_endpoint(fake: Fake) -> str:
    """A webhook endpoint: its id."""
    body = {"url": "https://hooks.example/", "events": ["*"]}
    answer = fake.call("POST", "/v1/admin/webhook-endpoints", fake.admin(), key="e", json=body)
    return str((answer.json or {})["id"])


@pytest.mark.parametrize("operation", [each for each in OPERATIONS if each.is_read], ids=str)
def test_no_read_stumbles_over_a_write(fake: Fake, writer: Writer, operation: Operation) -> None:
    """Whatever is added and removed while it looks."""
    read = prepared_read(fake, operation)
    writer.fill()
    before = writer.steps
    with between_all_lines(writer.write):
        status = read()
    assert (status, writer.steps > before + 50) == (200, True)


@pytest.mark.parametrize("path", ["/v1/customers", "/v1/invoices", "/v1/payments"])
def test_no_list_of_a_customer_stumbles_over_a_write(fake: Fake, writer: Writer, path: str) -> None:
    """What is one customer's is found among much that is others'."""
    secret = fake.secret("*", audience="customer", customer_id="cus_x")
    writer.fill()
    with between_all_lines(writer.write):
        status = fake.call("GET", path, secret).status_code
    assert status == 200


@pytest.mark.parametrize("call", CONTROL_READS)
def test_no_control_call_stumbles_over_a_write(fake: Fake, writer: Writer, call: str) -> None:
    """Those that take no lock, and those that do."""
    writer.fill()
    with between_all_lines(writer.write):
        status = fake.client.get(f"{fake.control_base}/{call}").status_code
    assert status == 200


def test_a_refusal_with_its_hint_stumbles_over_no_write(fake: Fake, writer: Writer) -> None:
    """A hint looks at other tokens, and at the actors."""
    secret, headers = fake.secret("customers:read"), {"X-Paylera-Acting-As": "actor_nobody"}
    writer.fill()
    with between_all_lines(writer.write):
        scope = fake.call("GET", "/v1/products", secret).status_code
        actor = fake.call("GET", "/v1/customers", secret, headers=headers).status_code
        unknown = fake.call("GET", "/v1/customers", secret[:-1]).status_code
    assert (scope, actor, unknown) == (401, 422, 401)
