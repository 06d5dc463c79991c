"""Webhooks in verbs: a fake whose endpoints are registered with a receiver of the test's own."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final
from uuid import uuid4

from helpers.fake import Fake
from helpers.waiting import PATIENCE_SECONDS
from paylera_mock.app import EXTENSION
from paylera_mock.namespaces.namespace import Namespace

ENDPOINTS: Final = "/v1/admin/webhook-endpoints"


class Receiver:
    """A server that takes webhooks in: `answers` are its next statuses, 200 follows; it `hangs` while told so."""

    def __init__(self) -> None:
        self.answers: list[int] = []
        self.received: list[tuple[str, dict[str, str], bytes]] = []
        self.go_on = threading.Event()
        self.go_on.set()
        self._came = threading.Condition()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._server.server_port}/hooks?a=b"

    @property
    def types(self) -> list[str]:
        """The types of the events that came, in their order."""
        return [headers["Paylera-Event-Type"] for _, headers, _ in self.received]

    @property
    def events(self) -> list[dict[str, Any]]:
        """The events that came, in their order."""
        return [json.loads(body) for *_, body in self.received]

    def wait_for(self, type: str) -> bool:
        """Wait until an event of a type has come: whether it has."""
        with self._came:
            return self._came.wait_for(lambda: type in self.types, PATIENCE_SECONDS)

    def wait_for_count(self, count: int) -> bool:
        """Wait until so many events have come: whether they have."""
        with self._came:
            return self._came.wait_for(lambda: len(self.received) >= count, PATIENCE_SECONDS)

    def close(self) -> None:
        """Listen no more."""
        self.go_on.set()
        self._server.shutdown()
        self._server.server_close()

    def take(self, path: str, headers: dict[str, str], body: bytes) -> int:
        """Take one webhook in: the status to answer with."""
        with self._came:
            self.received.append((path, headers, body))
            self._came.notify_all()
        self.go_on.wait(PATIENCE_SECONDS)
        return self.answers.pop(0) if self.answers else 200

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status = receiver.take(self.path, dict(self.headers), body)
                self.send_response(status)
                self.send_header("Location", "/hooks/elsewhere")
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Keep quiet."""

        return Handler


class Hooks:
    """One namespace of a fake, and what is done to have webhooks sent."""

    def __init__(self, fake: Fake) -> None:
        self.fake = fake

    @property
    def namespace(self) -> Namespace:
        """The namespace behind the requests."""
        application: Any = self.fake.client.application
        found: Namespace = application.extensions[EXTENSION].namespaces.find(self.fake.base.removeprefix("/ns/"))
        return found

    def child(self, **body: Any) -> Hooks:
        """A namespace that is made from this one."""
        base = f"/ns/{(self.fake.control('POST', 'namespaces', **body).json or {})['id']}"
        return Hooks(type(self.fake)(self.fake.client, base, f"{base}/live"))

    def register(self, url: str, *events: str, **more: Any) -> dict[str, Any]:
        """Register an endpoint for events, for all where none is named: the endpoint, with its secret."""
        body = {"url": url, "events": list(events or ("*",))}
        answer = self.fake.call("POST", ENDPOINTS, self.fake.admin(**more), key=str(uuid4()), json=body)
        assert answer.status_code == 201, answer.text
        return dict(answer.json or {})

    def customer(self, secret: str, email: str = "ada@example.com") -> str:
        """Add a customer by the API: its id."""
        answer = self.fake.call("POST", "/v1/customers", secret, key=str(uuid4()), json={"email": email})
        return str((answer.json or {})["id"])

    def rename(self, secret: str, customer_id: str) -> None:
        """Change a customer."""
        assert self.fake.call("PATCH", f"/v1/customers/{customer_id}", secret, json={"name": "Ada"}).status_code == 200

    def pay(self, secret: str, invoice: str, **body: Any) -> dict[str, Any]:
        """Pay an invoice: the summary."""
        answer = self.fake.call("POST", f"/v1/invoices/{invoice}/pay", secret, key=str(uuid4()), json=body)
        return dict(answer.json or {})

    def flush(self, **body: Any) -> dict[str, Any]:
        """Wait until everything that is due has been attempted: the counts."""
        return dict(self.fake.control("POST", "webhooks/flush", **{"timeout_seconds": 60, **body}).json or {})

    def deliveries(self, query: str = "") -> list[dict[str, Any]]:
        """What the control API lists."""
        return list((self.fake.client.get(f"{self.fake.control_base}/webhooks/deliveries{query}").json or {})["data"])
