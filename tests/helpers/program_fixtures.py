"""Fixtures of more than one room: servers to point the suite at, and the suite as a program."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from helpers.deployment import EVERYTHING, NEW_VERSION, PASSPHRASE, SCOPES, Deployment
from helpers.http_client import http_client
from helpers.suite import Program, always
from helpers.wsgi_server import served
from paylera_mock.cli.subprocess_server import running_fake

if TYPE_CHECKING:  # the stubs of the type checker alone have it
    from _typeshed.wsgi import WSGIApplication


@pytest.fixture(scope="module")
def serve() -> Iterator[Callable[[WSGIApplication], str]]:
    """Serve applications until the module's tests are done."""
    with ExitStack() as stack:
        yield lambda app: stack.enter_context(served(app))


@pytest.fixture(scope="session")
def answering() -> Callable[..., WSGIApplication]:
    """Makes applications that answer everything alike."""
    return always


@pytest.fixture
def program(tmp_path: Path) -> Iterator[Program]:
    """The program in a folder of the test's own."""
    made = Program(tmp_path)
    yield made
    made.kill()


@pytest.fixture(scope="module")
def make_program(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Program]:
    """Makes programs, for runs that several tests look at."""
    return lambda: Program(tmp_path_factory.mktemp("run"))


@pytest.fixture(scope="module")
def deploy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Deployment]]:
    """Makes deployments, each a fake of its own with the options given."""
    with ExitStack() as stack:

        def make(*options: str) -> Deployment:
            root = stack.enter_context(running_fake(options)).control_url
            with http_client() as client:
                made = client.post(f"{root}/namespaces", json={}).json()
            folder = tmp_path_factory.mktemp("target")
            return Deployment(
                folder,
                made["url"],
                made["live_url"],
                made["control_url"],
                env={"PAYLERA_CONFORMANCE_STATE_KEY": PASSPHRASE},
            )

        yield make


@pytest.fixture(scope="session")
def furnish() -> Callable[[Deployment], Deployment]:
    """What an owner prepares for a whole certification: tokens for every clause, one of an older version."""

    def prepare(target: Deployment) -> Deployment:
        target.mint("older", "service", EVERYTHING)
        target.mint("older-spare", "service", EVERYTHING, "disposable = true")
        target.call("/versions", {"version": NEW_VERSION})
        target.mint("everything", "service", EVERYTHING, "may_cross = true")
        target.mint("limited-admin", "admin", ["customers:read", "admin:write"])
        target.mint("limited-admin-aal2", "admin", ["customers:read"], aal=2)
        target.mint("operator", "admin", EVERYTHING)
        target.mint("operator-aal2", "admin", EVERYTHING, aal=2)
        customer = target.call("/customers")["id"]
        target.mint("customer", "customer", EVERYTHING, f'customer_id = "{customer}"', customer_id=customer)
        tenant = target.call("/tenants")["id"]
        target.mint("other", "service", EVERYTHING, 'tenant = "other"', tenant_id=tenant)
        target.mint("other-admin", "admin", EVERYTHING, 'tenant = "other"', tenant_id=tenant, aal=2)
        target.mint("live", "service", EVERYTHING, "may_cross = true", environment="live")
        for scope in SCOPES:
            audience, aal = ("admin", 2) if scope.startswith("webhooks") else ("service", 1)
            target.mint(f"only-{scope}", audience, [scope], aal=aal)
            target.mint(f"but-{scope}", audience, [one for one in SCOPES if one != scope], aal=aal)
        # Of operations that ask for AAL2 too.
        target.mint("admin-but", "admin", [one for one in SCOPES if one != "payments:write"], aal=2)
        for status in ("requires_action", "succeeded"):
            for _ in range(6):
                target.call("/objects", {"kind": "payment", "status": status})
        known, foreign = target.call("/actors")["id"], target.call("/actors", {"tenant_id": tenant})["id"]
        target.configure(
            f'[target]\nurl = "{target.url}"\nlive_url = "{target.live_url}"\nmode = "full"',
            f'[versions]\nsupported = ["2025-10-01", "2026-04-01", "{NEW_VERSION}"]\ncurrent = "{NEW_VERSION}"',
            f'[actors]\nknown = "{known}"\nforeign = "{foreign}"',
        )
        return target

    return prepare
