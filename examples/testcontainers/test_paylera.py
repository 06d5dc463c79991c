"""The fake in a container, with testcontainers for Python: `pip install testcontainers httpx pytest`."""

from collections.abc import Iterator

import httpx
import pytest
from testcontainers.core.container import DockerContainer
from testcontainers.core.wait_strategies import HttpWaitStrategy

CONTROL_TOKEN = "for-tests-only"  # noqa: S105 - it opens nothing but the container


@pytest.fixture(scope="session")
def paylera() -> Iterator[str]:
    """The base URL of a fake for the whole run. The image: `docker build . --tag paylera-mock` in the testkit."""
    container = (
        DockerContainer("paylera-mock")
        .with_env("PAYLERA_CONTROL_TOKEN", CONTROL_TOKEN)
        .with_exposed_ports(4242)
        .waiting_for(HttpWaitStrategy(4242, "/openapi/v1.json").for_status_code(200))
    )
    with container:
        yield f"http://{container.get_container_host_ip()}:{container.get_exposed_port(4242)}"


def test_customers_are_listed(paylera: str) -> None:
    """In a namespace of the test's own, made by the control API."""
    control = {"Authorization": f"Bearer {CONTROL_TOKEN}"}
    own = httpx.post(f"{paylera}/_mock/namespaces", json={}, headers=control).json()
    token = httpx.post(
        f"{own['control_url']}/tokens", json={"audience": "service", "scopes": ["customers:read"]}, headers=control
    ).json()
    answer = httpx.get(f"{own['url']}/v1/customers", headers={"Authorization": f"Bearer {token['secret']}"})
    assert answer.status_code == 200
