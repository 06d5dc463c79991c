"""With httpx, on a real connection: a client that repeats a lost request creates nothing twice.

`paylera-mock exec -- pytest test_lost_answer_httpx.py`
"""

import os
import uuid

import httpx


class Customers:
    """What of an SDK is tested: it repeats what was lost, with the key that it sent first."""

    def __init__(self, client: httpx.Client) -> None:
        self._client = client

    def create(self, email: str) -> str:
        """Create a customer: its id."""
        headers = {"Idempotency-Key": str(uuid.uuid4())}
        for _ in range(3):
            try:
                answer = self._client.post("/v1/customers", json={"email": email}, headers=headers)
            except httpx.TransportError:
                continue
            answer.raise_for_status()
            return str(answer.json()["id"])
        raise RuntimeError("no answer after three attempts")


def test_a_lost_answer_creates_one_customer() -> None:
    """The second attempt gets the first one's answer."""
    # A whole fake of this test's own.
    namespace = httpx.post(f"{os.environ['PAYLERA_CONTROL_URL']}/namespaces", json={}).json()
    control = namespace["control_url"]
    token = httpx.post(f"{control}/tokens", json={"audience": "service", "scopes": ["customers:write"]}).json()
    httpx.post(f"{control}/faults", json={"at": "after_commit", "action": "drop"})

    headers = {"Authorization": f"Bearer {token['secret']}", "Paylera-Version": "2026-04-01"}
    with httpx.Client(base_url=namespace["url"], headers=headers) as client:
        Customers(client).create("ada@example.com")

    attempts = httpx.get(f"{control}/journal?method=POST").json()["data"]
    assert [attempt["verdict"]["check"] for attempt in attempts] == ["effect", "replayed"]
