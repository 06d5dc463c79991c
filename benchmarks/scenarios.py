"""The requests that servers are measured by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from paylera_fixtures.vocabulary import Header

UNKNOWN_SECRET: Final = "sk_sandbox_" + "nobody".ljust(32, "0")
_REFUSED_FROM: Final = 400


class Key(StrEnum):
    """What idempotency key a request has."""

    NONE = "none"
    NEW = "new"
    SAME = "same"


@dataclass(frozen=True)
class Scenario:
    """One request, again and again. `status`: what each must be answered with."""

    name: str
    method: str
    path: str
    status: int
    key: Key = Key.NONE
    body: str = ""

    @property
    def is_refused(self) -> bool:
        """Whether it is to be refused, as its token is unknown."""
        return self.status >= _REFUSED_FROM

    def headers(self, secret: str, key: str | None = None) -> Mapping[str, str]:
        """The headers of the request: `secret` is that of a token which may, `key` an idempotency key."""
        bearer = UNKNOWN_SECRET if self.is_refused else secret
        headers = {Header.AUTHORIZATION: f"Bearer {bearer}", "Accept": "application/json"}
        if self.body:
            headers["Content-Type"] = "application/json"
        return headers | ({Header.IDEMPOTENCY_KEY: key} if key else {})


LIST: Final = Scenario("GET of a list", "GET", "/v1/customers", 200)
OBJECT: Final = Scenario("GET of one object", "GET", "/v1/customers/cus_ada", 200)
POST: Final = Scenario(
    "POST with a new key", "POST", "/v1/customers", 201, Key.NEW, body='{"email": "grace@example.com"}'
)
REPLAY: Final = Scenario("a replay of that POST", "POST", POST.path, POST.status, Key.SAME, POST.body)
REFUSAL: Final = Scenario("GET by an unknown token: 401", "GET", "/v1/invoices", 401)

SCENARIOS: Final = (LIST, OBJECT, POST, REPLAY, REFUSAL)
