"""The driver `control`: gets what it needs through the test-support protocol (docs/protocol.md)."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from paylera_conformance.http.client import Client
from paylera_conformance.model.messages import Request
from paylera_conformance.model.outcomes import Blocked, CaseEnd
from paylera_conformance.model.tokens import Credential, TokenState, forged
from paylera_conformance.target.provisioner import OTHER, Need, StaticProvisioner
from paylera_conformance.target.settings import ConfigError, Settings, VersionSettings
from paylera_fixtures.api.operations import Resource
from paylera_fixtures.redaction import Secret
from paylera_fixtures.vocabulary import Audience, Environment

PROTOCOL: Final = 1


class ControlApi:
    """Calls of the protocol on one control URL. Raises `Blocked` for every refusal: set-up never fails a target."""

    def __init__(self, client: Client, url: str, credential: Secret | None = None) -> None:
        self._client = client
        self._token = None if credential is None else forged(credential.reveal(), "control")
        self.url = url

    def at(self, url: str) -> ControlApi:
        """The same on another control URL, a namespace's."""
        credential = None if self._token is None else self._token.secret
        return ControlApi(self._client, url, credential)

    def get(self, path: str = "") -> Mapping[str, Any]:
        """The answer to a GET."""
        return self._call(Request("GET", path, self._token))

    def post(self, path: str, body: Mapping[str, Any] | None = None) -> Mapping[str, Any]:
        """The answer to a POST, members without a value left out."""
        members = {name: value for name, value in (body or {}).items() if value is not None}
        return self._call(Request("POST", path, self._token).with_json(members))

    def delete(self, path: str) -> None:
        """Send a DELETE."""
        self._call(Request("DELETE", path, self._token))

    def _call(self, request: Request) -> Mapping[str, Any]:
        exchange = self._client.send(request, self.url)
        if not exchange.response.ok:
            raise Blocked(f"the control API answered {exchange.response} to {request}", exchange=exchange)
        return exchange.response.object


def describe(api: ControlApi) -> Mapping[str, Any]:
    """What the control API says of itself.

    Raises `ConfigError` where it is not one, or speaks another protocol.
    """
    try:
        answer = api.get()
    except CaseEnd as trouble:
        raise ConfigError(f"no control API answers at {api.url}: {trouble.reason}; check control_url") from None
    if answer.get("protocol") != PROTOCOL:
        raise ConfigError(f"{api.url} does not speak protocol {PROTOCOL} of the control API; check control_url")
    return answer


@dataclass(frozen=True)
class TargetNamespace:
    """A world of its own on the target: its id, its base URLs, and the control API that gives it back."""

    id: str
    url: str
    live_url: str | None
    parent: ControlApi


class ControlProvisioner:
    """One world of a target with a control API: the whole deployment, or one namespace of it.

    What a missing capability does not give is looked for in the configuration file.
    """

    def __init__(
        self,
        api: ControlApi,
        description: Mapping[str, Any],
        settings: Settings,
        *,
        namespace: TargetNamespace | None = None,
    ) -> None:
        self._api = api
        self._description = description
        self._settings = settings
        self._static = StaticProvisioner(settings)
        self._capabilities = frozenset(description.get("capabilities", ()))
        self._namespace = namespace
        self._touched = False
        self._other_tenant: str | None = None
        # The URL that the run was given, not the one that the control API knows: there may be a proxy between.
        self.url = namespace.url if namespace else settings.url
        live_url = namespace.live_url if namespace else settings.live_url or description.get("live_url")
        self.live_url = str(live_url).rstrip("/") if live_url else None
        self.stands_still = self.vanishes = namespace is not None

    def isolate(self) -> ControlProvisioner:
        """A namespace of its own; where there are none, the whole deployment, reset afterwards if need be."""
        if "namespaces" not in self._capabilities:
            return ControlProvisioner(self._api, self._description, self._settings)
        made = self._api.post("/namespaces", {})
        namespace = TargetNamespace(
            str(made["id"]), str(made["url"]).rstrip("/"), made.get("live_url"), parent=self._api
        )
        return ControlProvisioner(
            self._api.at(str(made["control_url"])), self._description, self._settings, namespace=namespace
        )

    def close(self) -> None:
        """Give the namespace back, or put the deployment back as it was."""
        with contextlib.suppress(CaseEnd):
            if self._namespace is not None:
                self._namespace.parent.delete(f"/namespaces/{self._namespace.id}")
            elif self._touched:
                self._api.post("/reset")

    def token(self, need: Need) -> Credential:
        """A token minted as asked; a target that grants less has blocked the test."""
        if "tokens" not in self._capabilities or need.state is not TokenState.ACTIVE:
            return self._static.token(need)
        body = {
            "audience": need.audience, "scopes": list(need.scopes), "aal": need.aal, "environment": need.environment,
            "tenant_id": self._other() if need.tenant == OTHER else None, "customer_id": need.customer_id,
            "name": need.role,
        }  # fmt: skip
        return _minted(self._api.post("/tokens", body), need)

    def _other(self) -> str:
        if self._other_tenant is None:
            self._require("tenants", "a second tenant")
            self._other_tenant = str(self._api.post("/tenants")["id"])
        return self._other_tenant

    def known_actor(self) -> str:
        """An actor made in the own tenant."""
        if "actors" not in self._capabilities:
            return self._static.known_actor()
        return str(self._api.post("/actors")["id"])

    def foreign_actor(self) -> str:
        """An actor made in the second tenant."""
        if not {"actors", "tenants"} <= self._capabilities:
            return self._static.foreign_actor()
        return str(self._api.post("/actors", {"tenant_id": self._other()})["id"])

    def customer(self) -> str | None:
        """A customer made in the own tenant."""
        return str(self._api.post("/customers")["id"]) if "customers" in self._capabilities else None

    def object(self, kind: Resource, status: str | None, customer_id: str | None = None) -> str | None:
        """An object made in the state asked for."""
        if "objects" not in self._capabilities:
            return None
        body = {"kind": kind.value, "status": status, "customer_id": customer_id}
        return str(self._api.post("/objects", body)["id"])

    def now(self) -> datetime:
        """The clock of this world."""
        self._require("clock", "the target's clock")
        return _instant(self._api.get("/clock"))

    def advance(self, seconds: float) -> datetime:
        """Move the clock of this world."""
        self._require("clock", "a clock that can be moved")
        self._touched = True
        whole = int(seconds) if float(seconds).is_integer() else seconds
        return _instant(self._api.post("/clock/advance", {"seconds": whole}))

    def versions(self) -> VersionSettings:
        """What the control API says, or the file."""
        if "versions" not in self._capabilities:
            return self._static.versions()
        return _versions(self._api.get("/versions"))

    def release(self, version: str) -> VersionSettings:
        """Release a version in this world."""
        self._require("versions", "releasing a version")
        self._touched = True
        return _versions(self._api.post("/versions", {"version": version}))

    def enforce_rate_limits(self) -> None:
        """Switch refusals on."""
        self._require("rate-limits", "enforced rate limits")
        self._touched = True
        self._api.post("/rate-limits", {"enforced": True})

    def _require(self, capability: str, what: str) -> None:
        if capability not in self._capabilities:
            raise Blocked(f"the control API has no {what}: it lacks the capability `{capability}`")


def _minted(answer: Mapping[str, Any], need: Need) -> Credential:
    scopes, aal = answer.get("scopes"), answer.get("aal")
    if not isinstance(scopes, list) or not isinstance(aal, int):
        raise Blocked("the control API did not say which scopes and aal the token has")
    if not need.odd and (set(scopes), aal) != (set(need.scopes), need.aal):
        raise Blocked(f"the control API did not grant what was asked for: {need.describe()}")
    return Credential(
        secret=Secret(str(answer["secret"]), need.role),
        audience=Audience(str(answer["audience"])),
        scopes=tuple(scopes),
        aal=aal,
        environment=Environment(str(answer["environment"])),
        id=str(answer["id"]),
        tenant_id=answer.get("tenant_id"),
        customer_id=answer.get("customer_id") or need.customer_id,
        default_version=answer.get("default_version"),
        disposable=True,
        may_cross=True,
    )


def _instant(answer: Mapping[str, Any]) -> datetime:
    try:
        return datetime.fromisoformat(str(answer.get("now")))
    except ValueError:
        raise Blocked("the control API's clock gave no RFC 3339 time") from None


def _versions(answer: Mapping[str, Any]) -> VersionSettings:
    return VersionSettings(tuple(answer.get("supported", ())), answer.get("current"))
