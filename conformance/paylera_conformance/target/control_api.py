"""The driver `control`: gets what it needs through the test-support protocol (docs/reference/protocol.md)."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any, TypeVar

import msgspec
from msgspec import Struct
from msgspec.structs import asdict

from paylera_conformance.http.client import Client
from paylera_conformance.model.dates import Instant
from paylera_conformance.model.messages import Exchange, Request
from paylera_conformance.model.outcomes import Blocked, CaseEnd, TransportTrouble
from paylera_conformance.model.tokens import Credential, TokenState, forge_credential
from paylera_conformance.target.provisioner import OTHER, Need, Provisioner
from paylera_conformance.target.settings import ConfigError, Settings, VersionSettings
from paylera_fixtures.api.operations import Resource
from paylera_fixtures.redaction import Secret
from paylera_fixtures.trouble import describe_trouble
from paylera_fixtures.vocabulary import CONTROL_PROTOCOL, Audience, Environment


class Description(Struct, frozen=True):
    """What a control API says of itself (docs/reference/protocol.md, Discovery)."""

    protocol: int = 0
    capabilities: tuple[str, ...] = ()
    live_url: str | None = None


class Namespace(Struct, frozen=True):
    """A namespace of the target: its id, its base URLs, and its own control API."""

    id: str | int
    url: str
    control_url: str
    live_url: str | None = None


class MintedToken(Struct, frozen=True):
    """A token, with what was really granted."""

    id: str | int
    secret: Secret
    audience: Audience
    scopes: tuple[str, ...]
    aal: int
    environment: Environment
    tenant_id: str | int | None = None
    customer_id: str | int | None = None
    default_version: str | None = None


class _Created(Struct, frozen=True):
    id: str | int


class _Clock(Struct, frozen=True):
    now: Instant


_Answer = TypeVar("_Answer")


def read_answer(answer: Mapping[str, Any], kind: type[_Answer]) -> _Answer:
    """An answer of the control API as the protocol has it. Raises `Blocked` where it is something else."""
    try:
        return msgspec.convert(answer, kind, dec_hook=lambda _, value: Secret(str(value)))
    except msgspec.ValidationError as error:
        name = kind.__name__.strip("_").lower()
        raise Blocked(f"the control API's answer is not the {name} of docs/reference/protocol.md: {error}") from None


class ControlApi:
    """Calls of the protocol on one control URL. Raises `Blocked` for every refusal: set-up never fails a target."""

    def __init__(
        self, client: Client, url: str, credential: Secret | None = None, *, calls: list[Exchange] | None = None
    ) -> None:
        self._client = client
        self._token = None if credential is None else forge_credential(credential.reveal(), "control")
        self.url = url
        self.calls: list[Exchange] = [] if calls is None else calls

    def at(self, url: str, *, calls: list[Exchange] | None = None) -> ControlApi:
        """The same on another control URL, a namespace's. `calls`: kept there, else with these."""
        credential = None if self._token is None else self._token.secret
        return ControlApi(self._client, url, credential, calls=self.calls if calls is None else calls)

    def get(self, path: str = "") -> Mapping[str, Any]:
        """The answer to a GET."""
        return self._call(Request("GET", path, self._token))

    def post(self, path: str, body: Mapping[str, Any] | None = None, *, repeatable: bool = False) -> Mapping[str, Any]:
        """The answer to a POST, members without a value left out. `repeatable`: see `Request`."""
        members = {name: value for name, value in (body or {}).items() if value is not None}
        return self._call(Request("POST", path, self._token, repeatable=repeatable).with_json(members))

    def create(self, path: str, body: Mapping[str, Any] | None = None) -> str:
        """The id of what a POST makes."""
        return str(read_answer(self.post(path, body), _Created).id)

    def mint(self, body: Mapping[str, Any]) -> MintedToken:
        """A token with the grants of `body`."""
        return read_answer(self.post("/tokens", body, repeatable=True), MintedToken)

    def delete(self, path: str) -> None:
        """Send a DELETE."""
        self._call(Request("DELETE", path, self._token))

    def _call(self, request: Request) -> Mapping[str, Any]:
        exchange = self._client.send(request, self.url)
        self.calls.append(exchange)
        if not exchange.response.ok:
            asked = f"{request.method} {request.path or self.url}"
            said = self._client.redact(f"the control API answered {exchange.response} to {asked}", request)
            raise Blocked(said, exchange=exchange)
        return exchange.response.object


def _as_text(identifier: str | int | None) -> str | None:
    return None if identifier is None else str(identifier)


def discover(api: ControlApi) -> Description:
    """What the control API says of itself. Raises `ConfigError` where it is not one, or has another protocol."""
    try:
        description = read_answer(api.get(), Description)
    except TransportTrouble as trouble:
        reason = describe_trouble(api.url, trouble.reason)
        raise ConfigError(f"no control API answers at {api.url}: {reason}; check control_url") from None
    except CaseEnd as trouble:
        ending = "" if api.url.endswith("/_mock") else ", which ends in /_mock where paylera-mock serves it"
        raise ConfigError(f"no control API answers at {api.url}: {trouble.reason}; check control_url{ending}") from None
    if description.protocol != CONTROL_PROTOCOL:
        raise ConfigError(f"{api.url} does not speak protocol {CONTROL_PROTOCOL} of the control API; check control_url")
    return description


class ControlProvisioner(Provisioner):
    """The driver `control`, on the whole deployment or in one namespace of it.

    What a missing capability does not give is looked for in the configuration file. Raises `ConfigError` where the
    control API leads to an origin that was not named: another server would be judged, and get the credentials.
    """

    def __init__(
        self, api: ControlApi, description: Description, settings: Settings, *, namespace: Namespace | None = None
    ) -> None:
        super().__init__(settings)
        self._deployment = api
        self._api = api
        self._description = description
        self._namespace = namespace
        self._touched = False
        self._other_tenant: str | None = None
        # The URL that the run was given, not the one that the control API knows: there may be a proxy between.
        self.url = settings.require_named(namespace.url, "a namespace's url") if namespace else settings.url
        live_url = namespace.live_url if namespace else settings.live_url or description.live_url
        self.live_url = settings.require_named(live_url, "the control API's live_url") if live_url else None
        if namespace:
            own = settings.require_named(namespace.control_url, "a namespace's control_url", is_control=True)
            self._api = api.at(own)
        self.stands_still = self.vanishes = namespace is not None
        self.isolates = self._has("namespaces")
        self.calls = self._api.calls

    def _has(self, *capabilities: str) -> bool:
        return set(capabilities) <= set(self._description.capabilities)

    def _require(self, capability: str, what: str) -> None:
        if not self._has(capability):
            raise Blocked(f"the control API has no {what}: it lacks the capability `{capability}`")

    @property
    def has_one_world(self) -> bool:
        return not self.isolates

    def isolate(self) -> ControlProvisioner:
        deployment = self._deployment.at(self._deployment.url, calls=[])
        if not self._has("namespaces"):
            return ControlProvisioner(deployment, self._description, self._settings)
        made = read_answer(deployment.post("/namespaces", repeatable=True), Namespace)
        try:
            return ControlProvisioner(deployment, self._description, self._settings, namespace=made)
        except ConfigError:
            with contextlib.suppress(CaseEnd):
                deployment.delete(f"/namespaces/{made.id}")
            raise

    def close(self) -> None:
        with contextlib.suppress(CaseEnd):
            if self._namespace is not None:
                self._deployment.delete(f"/namespaces/{self._namespace.id}")
            elif self._touched:
                self._api.post("/reset")

    def token(self, need: Need) -> Credential:
        if not self._has("tokens") or need.state is not TokenState.ACTIVE:
            return super().token(need)
        minted = self._api.mint(
            {
                "audience": need.audience,
                "scopes": list(need.scopes),
                "aal": need.aal,
                "environment": need.environment,
                "tenant_id": self._other() if need.tenant == OTHER else None,
                "customer_id": need.customer_id,
            }
        )
        if not need.odd and (set(minted.scopes), minted.aal) != (set(need.scopes), need.aal):
            raise Blocked(f"the control API did not grant what was asked for: {need.describe()}")
        grants = {
            **asdict(minted),
            "secret": Secret(minted.secret.reveal(), need.role),
            "id": str(minted.id),
            "tenant_id": _as_text(minted.tenant_id),
            "customer_id": _as_text(minted.customer_id) or need.customer_id,
        }
        return Credential(**grants, disposable=True, may_cross=True)

    def _other(self) -> str:
        if self._other_tenant is None:
            self._require("tenants", "second tenant")
            self._other_tenant = self._api.create("/tenants")
        return self._other_tenant

    def known_actor(self) -> str:
        return self._api.create("/actors") if self._has("actors") else super().known_actor()

    def foreign_actor(self) -> str:
        if not self._has("actors", "tenants"):
            return super().foreign_actor()
        return self._api.create("/actors", {"tenant_id": self._other()})

    def customer(self) -> str | None:
        return self._api.create("/customers") if self._has("customers") else None

    def object(self, kind: Resource, status: str | None, customer_id: str | None = None) -> str | None:
        body = {"kind": kind.value, "status": status, "customer_id": customer_id}
        return self._api.create("/objects", body) if self._has("objects") else None

    def now(self) -> datetime:
        self._require("clock", "clock that can be read")
        return read_answer(self._api.get("/clock"), _Clock).now

    def advance(self, seconds: float) -> datetime:
        self._require("clock", "clock that can be moved")
        self._touched = True
        whole = int(seconds) if float(seconds).is_integer() else seconds
        return read_answer(self._api.post("/clock/advance", {"seconds": whole}), _Clock).now

    def versions(self) -> VersionSettings:
        if not self._has("versions"):
            return super().versions()
        return read_answer(self._api.get("/versions"), VersionSettings)

    def release(self, version: str) -> VersionSettings:
        self._require("versions", "way to release a version")
        self._touched = True
        return read_answer(self._api.post("/versions", {"version": version}), VersionSettings)

    def enforce_rate_limits(self) -> None:
        self._require("rate-limits", "way to enforce rate limits")
        self._touched = True
        self._api.post("/rate-limits", {"enforced": True})
