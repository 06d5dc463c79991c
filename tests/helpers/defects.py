"""The fake in this process, with deliberate defects."""

from __future__ import annotations

from typing import Any

from flask import Flask
from werkzeug.test import Client, TestResponse


class Lab:
    """One fake: `ask` goes to the API of a namespace, `control` to its control API; `""` is the default one."""

    def __init__(self, app: Flask) -> None:
        self._client = Client(app)

    def ask(self, path: str, secret: str | None, *, base: str = "") -> TestResponse:
        """Send a read by a secret, or without."""
        headers = {} if secret is None else {"Authorization": f"Bearer {secret}"}
        return self._client.get(f"{base}{path}", headers=headers)

    def control(self, path: str, *, base: str = "", **body: Any) -> TestResponse:
        """Post to the control API."""
        return self._client.post(f"{base}/_mock/{path}", json=body)

    def namespace(self, *, base: str = "", **body: Any) -> str:
        """Make a namespace from another: its base."""
        made = self.control("namespaces", base=base, **body)
        assert made.status_code == 201, made.text
        return f"/ns/{(made.json or {})['id']}"

    def secret(self, base: str) -> str:
        """Mint a token that may do everything."""
        return str((self.control("tokens", base=base, audience="service", scopes=["*"]).json or {})["secret"])

    def mutants(self, base: str = "") -> dict[str, Any]:
        """What the control API says of the mutants."""
        return dict(self._client.get(f"{base}/_mock/mutants").json or {})
