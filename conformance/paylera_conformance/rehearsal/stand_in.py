"""The fake in place of a target: furnished with tokens that are what the listed ones claim to be.

No listed secret is sent to it: each token is minted anew, with the claims of the one that it stands for.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Final

from paylera_conformance.http.client import Client
from paylera_conformance.model.messages import FRESH_KEY, Request
from paylera_conformance.model.tokens import Credential, TokenState
from paylera_conformance.target.control_api import ControlApi, ControlProvisioner, describe
from paylera_conformance.target.local_mock import LocalMock
from paylera_conformance.target.provisioner import OTHER, Provisioner, StaticProvisioner
from paylera_conformance.target.settings import Settings, VersionSettings
from paylera_fixtures.api.operations import BY_ID, match
from paylera_fixtures.redaction import Secret
from paylera_fixtures.vocabulary import GRACE_SECONDS, WILDCARD, Audience, Environment

PAYMENTS: Final = 20
"""Payments of each status that are there to be acted on; how many the real target has, nobody can know."""

_NEWER: Final = "2099-01-01"
_STAGED: Final = ("succeeded", "requires_action")


def static_stand_in(settings: Settings, client: Client, mock: LocalMock) -> tuple[Settings, Provisioner]:
    """Settings and world of a run with listed tokens, all of it in one namespace, as on a deployment."""
    root = ControlApi(client, mock.control_url)
    made = root.post("/namespaces", {})
    api = root.at(str(made["control_url"]))
    told = _pointed(settings, str(made["url"]), str(made["live_url"]))
    tokens = _Mint(api, client, told.url).all(settings)
    for status in _STAGED:
        for _ in range(PAYMENTS):
            api.post("/objects", {"kind": "payment", "status": status})
    known = api.get("/versions")
    versions = (
        VersionSettings(tuple(known["supported"]), known["current"]) if settings.versions.current else VersionSettings()
    )
    tenant = api.post("/tenants")["id"]
    told = replace(
        told, tokens=tuple(tokens), versions=versions,
        known_actor=api.post("/actors")["id"] if settings.known_actor else None,
        foreign_actor=api.post("/actors", {"tenant_id": tenant})["id"] if settings.foreign_actor else None,
    )  # fmt: skip
    return told, StaticProvisioner(told)


def generous_stand_in(settings: Settings, client: Client, mock: LocalMock) -> tuple[Settings, Provisioner]:
    """Settings and world of a run for which everything is made that is asked for."""
    told = replace(_pointed(settings, mock.url, mock.live_url), tokens=(), control_url=mock.control_url)
    api = ControlApi(client, mock.control_url)
    return told, ControlProvisioner(api, describe(api), told)


def _pointed(settings: Settings, url: str, live_url: str) -> Settings:
    """The settings with the stand-in's addresses, so that nothing in them leads to the target."""
    here, there = (url, live_url) if settings.environment is Environment.SANDBOX else (live_url, url)
    return replace(
        settings, url=here, live_url=there if settings.live_url else None, control_url=None, control_token=None,
        operations={name: tuple(_template(text) for text in texts) for name, texts in settings.operations.items()},
        known_failures=None, report=None, state=None, resume=False,
    )  # fmt: skip


def _template(text: str) -> str:
    """An operation without the id of an object that only the target has."""
    method, _, path = text.partition(" ")
    found = match(re.sub(r"\{[^}]*\}", "x", path.partition("?")[0]))
    operation = found.operations.get(method) if found else None
    return text if operation is None else str(operation)


class _Mint:
    """Mints tokens that are what others claim to be."""

    def __init__(self, api: ControlApi, client: Client, url: str) -> None:
        self._api = api
        self._client = client
        self._url = url
        self._tenant = str(api.post("/tenants")["id"])

    def all(self, settings: Settings) -> Iterable[Credential]:
        """A token for each that is listed, under its name."""
        current = settings.versions.current or ""
        # The oldest first: what has expired, then what is of an older version, then all else.
        ranked = sorted(settings.tokens, key=lambda token: self._rank(token, current))
        made: list[Credential] = []
        rank = 0
        for token in ranked:
            if self._rank(token, current) > rank:
                self._age(rank, self._rank(token, current))
                rank = self._rank(token, current)
            made.append(self._like(token))
        return made

    @staticmethod
    def _rank(token: Credential, current: str) -> int:
        if token.state is TokenState.EXPIRED:
            return 0
        return 1 if (token.default_version or current) < current else 2

    def _age(self, rank: int, following: int) -> None:
        if rank < 1:
            self._api.post("/clock/advance", {"seconds": GRACE_SECONDS + 1})
        if following > 1:
            self._api.post("/versions", {"version": _NEWER})

    def _like(self, token: Credential) -> Credential:
        customer = self._api.post("/customers")["id"] if token.audience is Audience.CUSTOMER else None
        made = self._api.post("/tokens", {
            "audience": token.audience, "scopes": list(token.scopes), "aal": token.aal,
            "environment": token.environment, "customer_id": customer,
            "tenant_id": self._tenant if token.tenant_id == OTHER else None,
        })  # fmt: skip
        self._end(str(made["id"]), token.state)
        return replace(
            token, secret=Secret(str(made["secret"]), token.secret.role), id=str(made["id"]) if token.id else None,
            customer_id=customer if token.customer_id else None,
            default_version=str(made["default_version"]) if token.default_version else None,
        )  # fmt: skip

    def _end(self, identifier: str, state: TokenState) -> None:
        """Bring a token into a state: its secret is then the old one."""
        if state is TokenState.ACTIVE:
            return
        operation = BY_ID["revoke_api_token" if state is TokenState.REVOKED else "rotate_api_token"]
        request = Request(operation.method, operation.concrete(identifier), self._admin(), key=FRESH_KEY)
        self._client.send(request.with_json({}), self._url)

    def _admin(self) -> Credential:
        body: Mapping[str, object] = {"audience": Audience.ADMIN, "scopes": [WILDCARD], "aal": 2}
        return Credential(Secret(str(self._api.post("/tokens", body)["secret"]), "operator of the stand-in"))
