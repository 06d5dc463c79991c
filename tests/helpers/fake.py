"""The fake in this process, spoken to in verbs. Each test gets a namespace of its own, whose clock stands still."""

from __future__ import annotations

from typing import Any

from flask import Flask
from werkzeug.test import Client, TestResponse

from helpers.control_document import flaws_of_call


class Fake:
    """One namespace of a fake: `client` sends, `base` is its path, `control_base` that of its control API."""

    def __init__(self, client: Client, base: str = "", live: str = "/live") -> None:
        self.client = client
        self.base = base
        self.live_base = live
        self.control_base = f"{base}/_mock"

    def call(
        self,
        method: str,
        path: str,
        secret: str | None = None,
        *,
        key: str | None = None,
        live: bool = False,
        headers: dict[str, str] | None = None,
        **more: Any,
    ) -> TestResponse:
        """Send one request to the API."""
        sent = dict(headers or {})
        if secret is not None:
            sent["Authorization"] = f"Bearer {secret}"
        if key is not None:
            sent["Idempotency-Key"] = key
        base = self.live_base if live else self.base
        return self.client.open(f"{base}{path}", method=method, headers=sent, **more)

    def control(self, method: str, path: str, /, **body: Any) -> TestResponse:
        """Send one call to the control API, whose answer must be as its document has it."""
        answer = self.client.open(f"{self.control_base}/{path}", method=method, json=body)
        flaws = flaws_of_call(method, path, body, answer)
        assert not flaws, f"{method} {path}: {flaws}"
        return answer

    def token(self, *scopes: str, audience: str = "service", **more: Any) -> dict[str, Any]:
        """Mint a token: its object, with the secret."""
        return self._made("tokens", audience=audience, scopes=list(scopes), **more)

    def secret(self, *scopes: str, **more: Any) -> str:
        """Mint a token: its secret alone; every scope where none is named."""
        return str(self.token(*(scopes or ("*",)), **more)["secret"])

    def admin(self, **more: Any) -> str:
        """Mint an admin token with every scope and AAL2."""
        return self.secret(audience="admin", **{"aal": 2, **more})

    def made(self, kind: str, **more: Any) -> str:
        """Make an object ready to be acted on: its id."""
        return str(self._made("objects", kind=kind, **more)["id"])

    def actor(self, **more: Any) -> str:
        """Enter an actor: its id."""
        return str(self._made("actors", **more)["id"])

    def tenant(self) -> str:
        """Open another tenant: its id."""
        return str(self._made("tenants")["id"])

    def advance(self, seconds: float) -> None:
        """Move the clock."""
        assert self.control("POST", "clock/advance", seconds=seconds).status_code == 200

    def release(self, version: str) -> None:
        """Make a version the default."""
        assert self.control("POST", "versions", version=version).status_code == 201

    def rotate(self, token_id: str, by: str) -> dict[str, Any]:
        """Rotate a token: its object, with the new secret."""
        answer = self.call("POST", f"/v1/admin/api-tokens/{token_id}/rotate", by)
        assert answer.status_code == 200
        return dict(answer.json or {})

    def _made(self, what: str, **body: Any) -> dict[str, Any]:
        answer = self.control("POST", what, **body)
        assert answer.status_code == 201, answer.text
        return dict(answer.json or {})


def namespace_of(app: Flask, **body: Any) -> Fake:
    """A new namespace of an application."""
    client = Client(app)
    made = client.post("/_mock/namespaces", json=body).json or {}
    return Fake(client, f"/ns/{made['id']}", f"/ns/{made['id']}/live")
