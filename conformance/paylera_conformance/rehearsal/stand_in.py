"""The fake in place of a target, with tokens that are what the listed ones claim to be.

No listed secret is sent to it: each token is minted anew, with the claims of the one that it stands for.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from paylera_conformance.http.client import Client
from paylera_conformance.model.messages import FRESH_KEY, Request
from paylera_conformance.model.outcomes import Blocked
from paylera_conformance.model.tokens import Credential, TokenState
from paylera_conformance.target.control_api import ControlApi, ControlProvisioner, Namespace, discover, read_answer
from paylera_conformance.target.local_mock import LocalMock
from paylera_conformance.target.provisioner import OTHER, Need, Provisioner, StaticProvisioner
from paylera_conformance.target.settings import Settings, VersionSettings
from paylera_fixtures.api.operations import BY_ID, Operation, parse_operation
from paylera_fixtures.redaction import Secret
from paylera_fixtures.vocabulary import GRACE_SECONDS, WILDCARD, Audience, Environment, Problems

PAYMENTS: Final = 20
"""Payments of each status that are there to be acted on; how many the real target has, nobody can know."""

_NEWER: Final = "2099-01-01"
_NOT_THERE: Final[dict[str, Any]] = {
    "at": "before_auth",
    "action": "answer",
    "status": 404,
    "problem": Problems.ROUTE_NOT_FOUND.code,
    "times": 1_000_000,
}
"""What befalls each request for an operation that the stand-in is to lack."""

_PAYMENT_STATUSES: Final = ("succeeded", "requires_action")


def static_stand_in(
    settings: Settings, client: Client, mock: LocalMock, lacking: Iterable[Operation] = ()
) -> tuple[Settings, Provisioner]:
    """Settings and provisioner of a run with listed tokens, all of it in one namespace, as on a deployment.

    - `lacking`: operations that the stand-in is to answer as a target does that lacks them.
    """
    own, _, _ = _deploy(settings, client, mock, lacking)
    return own, StaticProvisioner(own)


def lavish_stand_in(
    settings: Settings, client: Client, mock: LocalMock, lacking: Iterable[Operation] = (), *, has_clock: bool
) -> tuple[Settings, Provisioner]:
    """As above, with as many tokens listed as the cases ask for.

    - `has_clock`: time can be moved.
    """
    own, api, tenant = _deploy(settings, client, mock, lacking)
    return own, LavishProvisioner(own, api, tenant, has_clock=has_clock)


def _deploy(
    settings: Settings, client: Client, mock: LocalMock, lacking: Iterable[Operation]
) -> tuple[Settings, ControlApi, str]:
    """A namespace with all that the settings list: settings that are about it, its control API, and another tenant."""
    root = ControlApi(client, mock.control_url)
    namespace = read_answer(root.post("/namespaces"), Namespace)
    api = root.at(namespace.control_url)
    tenant = api.create("/tenants")
    own = _settings_at(settings, namespace.url, str(namespace.live_url))
    tokens = tuple(_mint_tokens(settings, api, client, own.url, tenant=tenant))
    for status in _PAYMENT_STATUSES:
        for _ in range(PAYMENTS):
            api.create("/objects", {"kind": "payment", "status": status})
    versions = read_answer(api.get("/versions"), VersionSettings) if settings.versions.current else VersionSettings()
    own = replace(
        own,
        tokens=tokens,
        versions=versions,
        known_actor=api.create("/actors") if settings.known_actor else None,
        foreign_actor=api.create("/actors", {"tenant_id": tenant}) if settings.foreign_actor else None,
    )
    for operation in lacking:
        api.post("/faults", _NOT_THERE | {"method": operation.method, "route": operation.path})
    return own, api, tenant


class LavishProvisioner(StaticProvisioner):
    """A file that lists one token more wherever none fits."""

    def __init__(self, settings: Settings, api: ControlApi, other_tenant: str, *, has_clock: bool) -> None:
        super().__init__(settings)
        self._api = api
        self._clock = ControlProvisioner(api, discover(api), settings) if has_clock else Provisioner(settings)
        self._other_tenant = other_tenant
        self._customer = api.create("/customers")

    def token(self, need: Need) -> Credential:
        """A token as needed, listed at once where none is."""
        try:
            return super().token(need)
        except Blocked:
            if need.older_than or need.state is not TokenState.ACTIVE:
                raise
        self._pool.add(self._mint(need))
        return super().token(need)

    def _fits(self, token: Credential, need: Need) -> bool:
        """Whoever takes a token that may do all has one, so that none is taken from those who need less."""
        may_all = WILDCARD in token.scopes
        return super()._fits(token, need) and (may_all or not (need.disposable and need.takes_wildcard))

    def _mint(self, need: Need) -> Credential:
        customer = need.customer_id or (self._customer if need.audience is Audience.CUSTOMER else None)
        scopes = (WILDCARD,) if need.takes_wildcard else need.scopes
        minted = self._api.mint(
            {
                "audience": need.audience,
                "scopes": list(scopes),
                "aal": need.aal,
                "environment": need.environment,
                "customer_id": customer,
                "tenant_id": self._other_tenant if need.tenant == OTHER else None,
            }
        )
        return Credential(
            Secret(minted.secret.reveal(), need.role),
            need.audience,
            scopes,
            aal=need.aal,
            environment=need.environment or self._settings.environment,
            id=str(minted.id),
            tenant_id=OTHER if need.tenant == OTHER else None,
            customer_id=customer,
            default_version=minted.default_version,
            disposable=need.disposable,
            may_cross=True,
        )

    def now(self) -> datetime:
        """The stand-in's time, where it can be moved."""
        return self._clock.now()

    def advance(self, seconds: float) -> datetime:
        """Move it on."""
        return self._clock.advance(seconds)


def generous_stand_in(settings: Settings, client: Client, mock: LocalMock) -> tuple[Settings, Provisioner]:
    """Settings and provisioner of a run for which everything is made that is asked for."""
    own = replace(_settings_at(settings, mock.url, mock.live_url), tokens=(), control_url=mock.control_url)
    api = ControlApi(client, mock.control_url)
    return own, ControlProvisioner(api, discover(api), own)


def _settings_at(settings: Settings, sandbox_url: str, live_url: str) -> Settings:
    """The settings with the stand-in's addresses, so that nothing in them leads to the target."""
    urls = (sandbox_url, live_url) if settings.environment is Environment.SANDBOX else (live_url, sandbox_url)
    return replace(
        settings,
        # Without the ids of objects that only the target has.
        operations={
            name: tuple(str(parse_operation(text) or text) for text in texts)
            for name, texts in settings.operations.items()
        },
        url=urls[0],
        live_url=urls[1] if settings.live_url else None,
        control_url=None,
        control_token=None,
        known_failures=None,
        report=None,
        state=None,
        resume=False,
    )


def _mint_tokens(settings: Settings, api: ControlApi, client: Client, url: str, *, tenant: str) -> Iterator[Credential]:
    """A token for each that is listed, with its claims: the oldest first, since time only moves on."""
    current = settings.versions.current or ""

    def age(token: Credential) -> int:
        if token.state is TokenState.EXPIRED:
            return 0
        return 1 if (token.default_version or current) < current else 2

    reached = 0
    for token in sorted(settings.tokens, key=age):
        if reached < 1 <= age(token):
            api.post("/clock/advance", {"seconds": GRACE_SECONDS + 1})
        if reached < 2 <= age(token):  # noqa: PLR2004 - an age, as above
            api.post("/versions", {"version": _NEWER})
        reached = age(token)
        customer = api.create("/customers") if token.audience is Audience.CUSTOMER else None
        minted = api.mint(
            {
                "audience": token.audience,
                "scopes": list(token.scopes),
                "aal": token.aal,
                "environment": token.environment,
                "customer_id": customer,
                "tenant_id": tenant if token.tenant_id == OTHER else None,
            }
        )
        if token.state is not TokenState.ACTIVE:
            # Its secret is then the old one.
            operation = BY_ID["revoke_api_token" if token.state is TokenState.REVOKED else "rotate_api_token"]
            operator = api.mint({"audience": Audience.ADMIN, "scopes": [WILDCARD], "aal": 2})
            credential = Credential(Secret(operator.secret.reveal(), "operator of the stand-in"))
            request = Request(operation.method, operation.concrete(str(minted.id)), credential, key=FRESH_KEY)
            client.send(request.with_json({}), url)
        yield replace(
            token,
            secret=Secret(minted.secret.reveal(), token.secret.role),
            id=str(minted.id) if token.id else None,
            customer_id=customer if token.customer_id else None,
            default_version=minted.default_version if token.default_version else None,
        )
