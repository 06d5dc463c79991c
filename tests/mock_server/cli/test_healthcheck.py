"""`paylera-mock healthcheck` tells by its exit status whether a fake answers."""

from __future__ import annotations

from typing import Any

import pytest
from click.testing import CliRunner

from paylera_mock.cli.main import main
from paylera_mock.server.port import reserve


def checked(url: str) -> tuple[int, str]:
    """The exit status, and what was said."""
    result = CliRunner().invoke(main, ["healthcheck", "--url", url])
    return result.exit_code, result.output


def test_a_fake_that_answers_is_healthy(served: dict[str, Any]) -> None:
    """One line says so."""
    assert checked(served["url"]) == (0, f"{served['url']} is healthy\n")


def test_where_nobody_listens_is_nobody_healthy() -> None:
    """One line says why, and no traceback."""
    reservation = reserve("127.0.0.1", 0)
    with reservation.socket:
        status, said = checked(reservation.url())
    assert (status, said.count("\n"), "nothing listens" in said) == (1, 1, True)


def test_another_server_is_no_healthy_fake(served: dict[str, Any]) -> None:
    """Any server answers something."""
    assert checked(f"{served['url']}/elsewhere") == (
        1,
        f"Error: {served['url']}/elsewhere is not healthy: it answers with status 401\n",
    )


@pytest.mark.parametrize("path", ["/v1", "/_mock", "/v1/customers", "/_mock/"])
def test_another_url_of_a_fake_is_told_with_the_base_url(served: dict[str, Any], path: str) -> None:
    """As who copies the one that clients or the control API are given."""
    status, said = checked(f"{served['url']}{path}")
    assert (status, f": give the base URL, as {served['url']}\n" in said) == (1, True), said


@pytest.mark.parametrize("url", ["127.0.0.1:4242", "ftp://127.0.0.1", "http://", "http://127.0.0.1:port"])
def test_what_is_no_url_is_told(url: str) -> None:
    """In one line."""
    status, said = checked(url)
    assert (status, said.count("\n")) == (1, 1)
