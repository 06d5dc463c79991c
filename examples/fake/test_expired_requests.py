"""With requests, on a real connection: what the client does when the grace of its secret ends.

`paylera-mock exec -- pytest test_expired_requests.py`
"""

import os
from typing import Any

import requests


def test_the_old_secret_works_until_its_grace_ends() -> None:
    """A millisecond before its end, and then."""
    control = os.environ["PAYLERA_CONTROL_URL"]
    namespace = requests.post(f"{control}/namespaces", json={}, timeout=5).json()
    control, url = namespace["control_url"], namespace["url"]

    def minted(**token: object) -> dict[str, Any]:
        return dict(requests.post(f"{control}/tokens", json=token, timeout=5).json())

    def customers(secret: str) -> requests.Response:
        return requests.get(f"{url}/v1/customers", headers={"Authorization": f"Bearer {secret}"}, timeout=5)

    token = minted(audience="service", scopes=["customers:read"])
    admin = minted(audience="admin", scopes=["*"], aal=2)["secret"]
    rotate = f"{url}/v1/admin/api-tokens/{token['id']}/rotate"
    new = requests.post(rotate, headers={"Authorization": f"Bearer {admin}"}, timeout=5).json()["secret"]

    requests.post(f"{control}/clock", json={"to": f"token:{token['id']}:grace_end", "offset_ms": -1}, timeout=5)
    assert customers(token["secret"]).status_code == 200
    requests.post(f"{control}/clock/advance", json={"seconds": 0.001}, timeout=5)
    assert customers(token["secret"]).json()["problem"] == "auth.expired_token"
    assert customers(new).status_code == 200
