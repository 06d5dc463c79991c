"""A fake Paylera for one test: where it is, and everything that a test may do to it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

from flask import Flask

from paylera_fixtures.api.operations import Resource
from paylera_fixtures.vocabulary import WILDCARD, Audience, Environment
from paylera_mock.app import EXTENSION, Views, create_app
from paylera_mock.findings.catalog import Severity
from paylera_mock.testing.handles import (
    ClockHandle,
    ControlHandle,
    FaultsHandle,
    JournalHandle,
    Object,
    PlainSecret,
    Token,
)
from paylera_mock.testing.in_process import ServerAddress, Wire

if TYPE_CHECKING:  # each needs a client of an extra
    from paylera_mock.testing.httpx_transport import PayleraTransport
    from paylera_mock.testing.requests_adapter import PayleraAdapter

_SANDBOX = ServerAddress("https", Environment.SANDBOX.production_host)


def application() -> Flask:
    """The application that the namespaces of a test run share."""
    app = create_app(by_host=True)
    # Every client has a transport of this process, which breaks an answer as a fault wants it.
    app.extensions[EXTENSION].namespaces.socket_faults = True
    return app


class Paylera:
    """A namespace of its own for one test.

    - `url`, `live_url`, `control_url`: production's hosts, as the transports of this process reach them;
    - `clock`, `journal`, `faults`: handles on these parts of the namespace.
    """

    def __init__(self, app: Flask, settings: Mapping[str, Any]) -> None:
        self._views: Views = app.extensions[EXTENSION]
        self.url = f"https://{Environment.SANDBOX.production_host}"
        self.live_url = f"https://{Environment.LIVE.production_host}"
        self.control_url = f"{self.url}/_mock"
        default = ControlHandle(Wire(app, self._views.namespaces.default), _SANDBOX, "/_mock")
        self._id: str = default.call("POST", "namespaces", settings)["id"]
        namespace = self._views.namespaces.find(self._id)
        assert namespace is not None  # noqa: S101 - it was just made
        self.namespace = namespace
        self._wire = Wire(app, namespace)
        self._control = ControlHandle(self._wire, _SANDBOX, "/_mock")
        self.clock = ClockHandle(self._control)
        self.journal = JournalHandle(self._control)
        self.faults = FaultsHandle(self._control)

    def __repr__(self) -> str:
        return f"<Paylera: namespace {self._id}, {self.namespace.journal.count} exchanges>"

    def close(self) -> None:
        """Delete the namespace with its tokens; requests that hang by a fault go on."""
        self.namespace.faults.clear()
        self._views.namespaces.delete(self._id)

    def call(self, method: str, path: str, body: Mapping[str, object] | None = None) -> Any:
        """Make any call of the control API: its answer. Raises `ControlCallError` with what to change."""
        return self._control.call(method, path, body)

    def token(self, *scopes: str, audience: str = Audience.SERVICE, **more: object) -> Token:
        """Mint a token with these scopes, and no others.

        `more`: the members of `POST C/tokens`: `aal`, `environment`, `tenant_id`, `customer_id`, `name`.
        """
        minted = self.call("POST", "tokens", {"audience": audience, "scopes": list(scopes), **more})
        return Token(**{**minted, "scopes": tuple(minted["scopes"]), "secret": PlainSecret(minted["secret"])})

    @cached_property
    def everything(self) -> Token:
        """A service token that may do all that a backend may do."""
        return self.token(WILDCARD, name="everything")

    @cached_property
    def admin(self) -> Token:
        """An admin token with every scope and a second factor."""
        return self.token(WILDCARD, audience=Audience.ADMIN, aal=2, name="admin")

    def make(self, kind: str, **more: object) -> str:
        """Make an object ready to be acted on, as `payment`, with a `status` if it matters: its id."""
        return str(self.call("POST", "objects", {"kind": kind, **more})["id"])

    def customer(self, **more: object) -> str:
        """Make a customer: its id."""
        return str(self.call("POST", "customers", more)["id"])

    def actor(self, **more: object) -> str:
        """Enter an actor in the tenant's registry: its id."""
        return str(self.call("POST", "actors", more)["id"])

    def tenant(self) -> str:
        """Open another tenant: its id."""
        return str(self.call("POST", "tenants", {})["id"])

    @property
    def audit(self) -> list[Object]:
        """The audit records of every tenant in both environments, the oldest of each first."""
        kind = Resource.AUDIT_RECORD
        tables = list(self.namespace.state.store)
        return [entry.value for objects in tables for entry in objects.oldest_first(kind)]

    @property
    def findings(self) -> list[Object]:
        """What the client under test does wrong: errors and warnings."""
        return [finding for finding in self._all_findings() if finding["severity"] != Severity.HINT]

    @property
    def hints(self) -> list[Object]:
        """What is legal of the client under test, and might be better."""
        return [finding for finding in self._all_findings() if finding["severity"] == Severity.HINT]

    def _all_findings(self) -> list[Object]:
        findings: list[Object] = self.call("GET", "findings")["data"]
        return findings

    def verify(self, **wanted: object) -> Object:
        """Raise `AssertionError` unless the journal holds what is wanted; else return the answer of the call.

        `wanted`: the members of `POST C/verify`, as `method`, `route` and `times`, or `order`, or `retried`.
        """
        answer: Object = self.call("POST", "verify", wanted)
        if not answer["verified"]:
            raise AssertionError("\n".join([answer["message"], *map(_format_mismatch, answer["closest"])]))
        return answer

    @cached_property
    def transport(self) -> PayleraTransport:
        """The transport for httpx clients, sync and async."""
        from paylera_mock.testing.httpx_transport import PayleraTransport  # noqa: PLC0415 - httpx is an extra

        return PayleraTransport(self._wire)

    def requests_adapter(self, **settings: Any) -> PayleraAdapter:
        """An adapter for a session of requests. `settings` are those of requests' own adapter, as `max_retries`."""
        from paylera_mock.testing.requests_adapter import PayleraAdapter  # noqa: PLC0415 - requests is an extra

        return PayleraAdapter(self._wire, **settings)


def _format_mismatch(closest: Object) -> str:
    differences = [f"{one['field']} is {one['got']!r}, not {one['wanted']!r}" for one in closest["differs"]]
    return f"  exchange {closest['exchange']}: {'; '.join(differences)}"
