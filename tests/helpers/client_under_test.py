"""A client under test, which sends exactly what a test has it send."""

from __future__ import annotations

from typing import Any, Final

from helpers.fake import Fake

CUSTOMERS: Final = "/v1/customers"
TOKENS: Final = "/v1/admin/api-tokens"
ADA: Final = {"email": "ada@example.com"}
GRACE: Final = {"email": "grace@example.com"}


class ClientUnderTest:
    """A client with a version and a name of its own, and a token that grants everything."""

    def __init__(self, fake: Fake, agent: str = "acme/1") -> None:
        self.fake = fake
        self.token = fake.token("*")
        self.secret: str = self.token["secret"]
        self.agent = agent

    def sends(self, method: str, path: str = CUSTOMERS, *, version: str | None = "2026-04-01", **more: Any) -> Any:
        """Send one request."""
        headers = {"User-Agent": self.agent} | ({"Paylera-Version": version} if version else {})
        secret = more.pop("secret", self.secret)
        return self.fake.call(method, path, secret, headers=headers | more.pop("headers", {}), **more)

    def reads(self, **more: Any) -> None:
        """List customers."""
        self.sends("GET", **more)

    def creates(self, key: str | None, body: dict[str, str] | None = None, **more: Any) -> None:
        """Create a customer."""
        self.sends("POST", key=key, json=body or ADA, **more)

    def fails(self, **fault: Any) -> None:
        """Have what comes next fail."""
        assert self.fake.control("POST", "faults", **({"action": "answer"} | fault)).status_code == 201

    def rotates(self, token: dict[str, Any] | None = None) -> str:
        """Rotate a token as an admin who is the same program: the new secret."""
        path = f"{TOKENS}/{(token or self.token)['id']}/rotate"
        answer = self.sends("POST", path, secret=self.fake.admin())
        return str(answer.json["secret"])

    @property
    def findings(self) -> list[dict[str, Any]]:
        """What was found."""
        found = self.fake.client.get(f"{self.fake.control_base}/findings").json
        assert isinstance(found, dict)
        data: list[dict[str, Any]] = found["data"]
        return data

    @property
    def found(self) -> list[tuple[str, str]]:
        """What was found, by id and severity."""
        return [(finding["id"], finding["severity"]) for finding in self.findings]
