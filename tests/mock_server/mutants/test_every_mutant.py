"""Every mutant and dialect runs wherever the fake does: in a process without sockets, and where nothing is sent."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
from click.testing import CliRunner
from flask import Flask

from paylera_mock.cli.main import main
from paylera_mock.mutants import all_mutants
from paylera_mock.testing.fake import Paylera, application

NEW = {"email": "ada@example.com"}


@pytest.fixture(scope="module")
def app() -> Flask:
    """The application in which each has a namespace of its own."""
    return application()


def settings(name: str) -> dict[str, Any]:
    """What a namespace is asked for, in which a mutant shows."""
    mutant = all_mutants()[name]
    return {"mutants": [name], "profile": mutant.profile, "readings": mutant.readings}


@pytest.mark.parametrize("name", all_mutants())
def test_each_answers_in_process(app: Flask, name: str) -> None:
    """An accepted read, an accepted write, and a request without a token are answered, and none with a server error."""
    fake = Paylera(app, settings(name))
    headers = {"Authorization": f"Bearer {fake.everything.secret}"}
    with httpx.Client(transport=fake.transport, base_url=fake.url) as client:
        statuses = [
            client.get("/v1/customers").status_code,
            client.get("/v1/customers", headers=headers).status_code,
            client.head("/v1/customers", headers=headers).status_code,
            client.post("/v1/customers", headers={**headers, "Idempotency-Key": "k"}, json=NEW).status_code,
        ]
    fake.close()
    assert max(statuses) < httpx.codes.INTERNAL_SERVER_ERROR


@pytest.mark.parametrize(
    ("name", "method", "headers"),
    [
        ("token-in-api-key-header", "GET", {"x-api-key": "TOKEN"}),
        ("token-for-the-proxy", "GET", {"Proxy-Authorization": "Bearer TOKEN"}),
        ("token-in-cookie", "GET", {"Cookie": "theme=dark; access_token=TOKEN"}),
        ("head-needs-no-token", "HEAD", {}),
        ("forwarded-neighbour-is-trusted", "GET", {"X-Forwarded-For": "127.0.0.1"}),
        ("localhost-is-trusted", "GET", {"Host": "localhost"}),
    ],
)
def test_what_stands_in_any_header_is_seen_in_process(
    app: Flask, name: str, method: str, headers: dict[str, str]
) -> None:
    """A mutant reads the request that it is given, wherever that came from."""
    fake = Paylera(app, settings(name))
    secret = fake.everything.secret
    sent = {header: value.replace("TOKEN", secret) for header, value in headers.items()}
    with httpx.Client(transport=fake.transport, base_url=fake.url) as client:
        statuses = [client.request(method, "/v1/customers", headers=each).status_code for each in (sent, {})]
    fake.close()
    assert statuses == [200, 200 if method == "HEAD" else 401]


@pytest.mark.parametrize("name", all_mutants())
def test_each_can_be_explained(name: str) -> None:
    """By the program, which judges without a server."""
    command = ["explain", "--json", "-t", "serviceall", "--mutant", name]
    write = [*command, "-X", "POST", "-H", "Idempotency-Key: k", "-d", json.dumps(NEW), "/v1/customers"]
    runs = [CliRunner().invoke(main, arguments) for arguments in ([*command, "/v1/customers"], write)]
    assert [run.exception for run in runs if not isinstance(run.exception, SystemExit | None)] == []
    assert [json.loads(run.stdout)["verdict"]["status"] < httpx.codes.INTERNAL_SERVER_ERROR for run in runs] == [
        True
    ] * 2
