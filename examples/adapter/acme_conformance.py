"""An adapter: how a deployment without the test-support protocol lets its own tools provision.

`acme` stands for whatever your platform has to mint tokens and stage objects: an internal admin client, a script, a
seeding job. Here it is a small HTTP client, and what it talks to is the control API of the fake, so that this example
can be tried. Name the class in the configuration file, which lies beside this module:

    [provision]
    driver = "python"
    adapter = "acme_conformance:Provisioner"
"""

from __future__ import annotations

import json
import os
import urllib.request
from datetime import datetime
from typing import Any

from paylera_conformance.model.outcomes import Blocked
from paylera_conformance.model.tokens import Credential, TokenState
from paylera_conformance.target.adapter import Adapter
from paylera_conformance.target.provisioner import OTHER, Need
from paylera_conformance.target.settings import Settings
from paylera_fixtures.api.operations import Resource
from paylera_fixtures.redaction import Secret
from paylera_fixtures.vocabulary import Environment

SECONDS = 10.0


class Platform:
    """The tools of the platform's own."""

    def __init__(self, url: str) -> None:
        self._url = url

    def __call__(self, path: str, **body: Any) -> dict[str, Any]:
        """Call a tool: with a body it does something, without it tells."""
        given = {name: value for name, value in body.items() if value is not None}
        data = json.dumps(given).encode() if given or not path.startswith("/clock") else None
        request = urllib.request.Request(self._url + path, data, {"Content-Type": "application/json"})  # noqa: S310 - our own tools
        with urllib.request.urlopen(request, timeout=SECONDS) as answer:  # noqa: S310 - as above
            found: dict[str, Any] = json.load(answer)
            return found


class Provisioner(Adapter):
    """Mints tokens, stages objects and moves the clock; versions and all else are left to the configuration file."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self._platform = Platform(os.environ["ACME_TOOLS_URL"])
        self._other_tenant: str | None = None

    def token(self, need: Need) -> Credential:
        """A token minted as asked, with everything that the suite must know of it."""
        if need.state is not TokenState.ACTIVE:
            raise Blocked(f"our tools mint no token that is {need.state}")
        tenant = self._tenant() if need.tenant == OTHER else None
        made = self._platform(
            "/tokens",
            audience=need.audience,
            scopes=list(need.scopes),
            aal=need.aal,
            environment=need.environment,
            tenant_id=tenant,
            customer_id=need.customer_id,
        )
        return Credential(
            Secret(made["secret"], need.role),
            need.audience,
            tuple(made["scopes"]),
            aal=made["aal"],
            environment=Environment(made["environment"]),
            id=made["id"],
            tenant_id=need.tenant,
            customer_id=made.get("customer_id"),
            default_version=made["default_version"],
            disposable=True,
            may_cross=True,
        )

    def _tenant(self) -> str:
        if self._other_tenant is None:
            self._other_tenant = str(self._platform("/tenants")["id"])
        return self._other_tenant

    def object(self, kind: Resource, status: str | None, customer_id: str | None = None) -> str | None:
        """An object that may be acted on and used up."""
        return str(self._platform("/objects", kind=kind, status=status, customer_id=customer_id)["id"])

    def known_actor(self) -> str:
        """An actor of the own tenant's registry."""
        return str(self._platform("/actors")["id"])

    def foreign_actor(self) -> str:
        """An actor of the other tenant's registry."""
        return str(self._platform("/actors", tenant_id=self._tenant())["id"])

    def now(self) -> datetime:
        """The platform's time."""
        return datetime.fromisoformat(self._platform("/clock")["now"])

    def advance(self, seconds: float) -> datetime:
        """Move the platform's time on."""
        return datetime.fromisoformat(self._platform("/clock/advance", seconds=seconds)["now"])
