"""An SDK for Paylera as others might write it, with six bugs that can be had one by one.

`python acme_paylera.py [BUG ...]` goes through a working day against the fake that the environment names.
"""

from __future__ import annotations

import os
import sys
import uuid
from collections.abc import Iterator
from enum import StrEnum
from typing import Any, Self
from urllib.parse import urljoin

import httpx

VERSION = "2026-04-01"
ATTEMPTS = 3


class Bug(StrEnum):
    """What can be wrong with it."""

    NO_KEY = "no-key"
    NEW_KEY_ON_RETRY = "new-key-on-retry"
    RETRIES_401 = "retries-401"
    DROPS_VERSION = "drops-version"
    KEEPS_OLD_SECRET = "keeps-old-secret"  # noqa: S105 - a name
    FOLLOWS_WITH_TOKEN = "follows-with-token"  # noqa: S105 - a name


class PayleraError(Exception):
    """A call that was refused, with its problem code."""

    def __init__(self, problem: dict[str, Any]) -> None:
        super().__init__(problem.get("title", "no title"))
        self.code = problem.get("problem", "")


class Paylera:
    """The client. It repeats what was lost, and what the server could not do just then."""

    def __init__(self, base_url: str, secret: str, bugs: frozenset[Bug] = frozenset()) -> None:
        self._client = httpx.Client(timeout=60)
        self._base_url = base_url
        self._secret = secret
        self._bugs = bugs

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def create_customer(self, email: str) -> dict[str, Any]:
        """Create a customer."""
        return dict(self._call("POST", "/v1/customers", {"email": email}))

    def customers(self, limit: int = 25) -> Iterator[dict[str, Any]]:
        """Every customer, page by page."""
        cursor = ""
        while True:
            page = self._call("GET", f"/v1/customers?limit={limit}{cursor}")
            yield from page.get("data", ())
            if not page.get("has_more"):
                return
            cursor = f"&cursor={page['next_cursor']}"

    def rotate(self, token_id: str, operator: Paylera) -> None:
        """Have an operator rotate this client's own token, and go on with the new secret."""
        answer = operator._call("POST", f"/v1/admin/api-tokens/{token_id}/rotate")
        if Bug.KEEPS_OLD_SECRET not in self._bugs:
            self._secret = answer["secret"]

    def _call(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        key = str(uuid.uuid4())
        for attempt in range(ATTEMPTS):
            if attempt and Bug.NEW_KEY_ON_RETRY in self._bugs:
                key = str(uuid.uuid4())
            try:
                answer = self._send(method, path, body, self._headers(method, key, attempt))
            except httpx.TransportError:
                continue
            if self._is_worth_another(answer):
                continue
            if answer.is_success:
                return answer.json() if answer.content else None
            raise PayleraError(answer.json())
        raise PayleraError({"problem": "sdk.gave_up", "title": f"no answer in {ATTEMPTS} attempts"})

    def _headers(self, method: str, key: str, attempt: int) -> dict[str, str]:
        headers = {"Authorization": f"Bearer {self._secret}"}
        if not (attempt and Bug.DROPS_VERSION in self._bugs):
            headers["Paylera-Version"] = VERSION
        if method == "POST" and Bug.NO_KEY not in self._bugs:
            headers["Idempotency-Key"] = key
        return headers

    def _is_worth_another(self, answer: httpx.Response) -> bool:
        if answer.status_code == httpx.codes.UNAUTHORIZED:
            return Bug.RETRIES_401 in self._bugs
        return answer.status_code >= httpx.codes.INTERNAL_SERVER_ERROR

    def _send(self, method: str, path: str, body: object, headers: dict[str, str]) -> httpx.Response:
        url = urljoin(self._base_url + "/", path.lstrip("/"))
        answer = self._client.request(method, url, json=body, headers=headers)
        if answer.is_redirect:
            if Bug.FOLLOWS_WITH_TOKEN not in self._bugs:
                headers = {name: value for name, value in headers.items() if name != "Authorization"}
            answer = self._client.request(method, answer.headers["Location"], json=body, headers=headers)
        return answer


def refused(call: Any) -> str:
    """The problem code that a call is refused with, none where it is not."""
    try:
        call()
    except PayleraError as error:
        return str(error.code)
    return ""


def day(control_url: str, bugs: frozenset[Bug] = frozenset()) -> str:
    """A working day in a namespace of its own: its control URL."""
    with httpx.Client(timeout=60) as control:
        made = control.post(f"{control_url}/namespaces", json={}).json()
        url, own = made["url"], made["control_url"]

        def minted(**token: object) -> dict[str, Any]:
            return dict(control.post(f"{own}/tokens", json=token).json())

        mine, stale = (minted(audience="service", scopes=["*"]) for _ in range(2))
        boss = minted(audience="admin", scopes=["*"], aal=2)["secret"]
        with Paylera(url, boss) as operator, Paylera(url, mine["secret"], bugs) as paylera:
            control.post(f"{own}/faults", json={"at": "after_commit", "action": "drop", "route": "/v1/customers"})
            refused(lambda: paylera.create_customer("ada@example.com"))
            control.post(f"{own}/faults", json={"at": "before_auth", "action": "answer", "status": 503})
            list(paylera.customers(limit=1))
            paylera.rotate(mine["id"], operator)
            list(paylera.customers())
            control.post(f"{own}/clock", json={"to": f"token:{mine['id']}:grace_end"})
            refused(lambda: list(paylera.customers()))
            refused(lambda: paylera.create_customer("grace@example.com"))
            control.post(f"{own}/faults", json={"action": "redirect", "method": "GET"})
            refused(lambda: list(paylera.customers()))
        operator_url = f"{url}/v1/admin/api-tokens/{stale['id']}"
        control.delete(operator_url, headers={"Authorization": f"Bearer {boss}", "Paylera-Version": VERSION})
        with Paylera(url, stale["secret"], bugs) as late:
            refused(lambda: list(late.customers()))
    return str(own)


if __name__ == "__main__":
    day(os.environ["PAYLERA_CONTROL_URL"], frozenset(Bug(name) for name in sys.argv[1:]))
