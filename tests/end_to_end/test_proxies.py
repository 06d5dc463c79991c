"""A target that only a proxy reaches: with and without a user, with and without tunnels."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, TypeAlias
from urllib.parse import urlsplit

import pytest

from helpers.proxy import Proxy, serving
from paylera_fixtures.tokens import WELL_KNOWN
from paylera_mock.app import create_app
from paylera_mock.http.access import Access
from paylera_mock.http.hosts import OwnHosts

if TYPE_CHECKING:  # in typeshed only, and what only annotations need
    from _typeshed.wsgi import WSGIApplication

    from helpers.suite import Program, Run

pytestmark = pytest.mark.slow

Serve: TypeAlias = Callable[["WSGIApplication"], str]

URL = "http://api.test"
OF_HEADERS = ("-k", "scheme_is_found or no_other_spelling_reads", "--rps", "10000", "-n", "0")
"""Cases of which some send what no library would, as fast as one process can."""


@pytest.fixture
def start_proxy(serve: Serve) -> Iterator[Callable[..., Proxy]]:
    """Starts proxies that know where `api.test` is."""
    with ExitStack() as stack:

        def start(**settings: Any) -> Proxy:
            parts = urlsplit(serve(create_app(access=Access(OwnHosts.listening_on("127.0.0.1", ("api.test",))))))
            address = (str(parts.hostname), int(parts.port or 80))
            return stack.enter_context(serving(Proxy({"api.test": address}, **settings)))

        yield start


def run_through(program: Program, proxy_url: str, *arguments: str) -> Run:
    """Run against the target that is known to the proxy alone."""
    program.env |= {"http_proxy": proxy_url, "no_proxy": "", "EVERYTHING": WELL_KNOWN[0].secret}
    program.configure('[tokens.everything]\ntoken = "${EVERYTHING}"')
    return program.run(URL, *OF_HEADERS, *arguments)


def test_target_behind_a_proxy_with_a_user_is_judged(program: Program, start_proxy: Callable[..., Proxy]) -> None:
    """Malformed requests go through a tunnel; the password is in no output."""
    proxy = start_proxy(user="ada:pass-word-7")
    run = run_through(program, proxy.url_with_user)
    assert run.having("pass") >= {"credential.scheme-case"}
    assert run.having("fail") | run.having("error") == set()
    assert {line.partition(" ")[0] for line in proxy.lines} >= {"GET", "CONNECT"}
    assert "pass-word-7" not in run.output + str(run.report)


def test_proxy_without_tunnels_blocks_what_needs_one(program: Program, start_proxy: Callable[..., Proxy]) -> None:
    """What a library would not send cannot be sent through it."""
    run = run_through(program, start_proxy(tunnels=False).url)
    reasons = [run.messages()[name] for name in run.having("blocked")]
    assert any("passes no bytes on" in reason for reason in reasons)
    assert run.having("fail") | run.having("error") == set()


def test_proxy_that_asks_for_a_user_is_named(program: Program, start_proxy: Callable[..., Proxy]) -> None:
    """Its 407 is not the target's."""
    run = run_through(program, start_proxy(user="ada:secret").url)
    assert (run.code, "asks for a user and a password" in " ".join(run.output.split())) == (13, True)


def test_socks_is_refused_before_anything_is_sent(program: Program) -> None:
    """With the variable that names it."""
    run = run_through(program, "socks5://127.0.0.1:1080")
    assert (run.code, "HTTP_PROXY names a proxy by socks5://" in " ".join(run.output.split())) == (4, True)


def test_control_token_does_not_go_to_a_proxy_in_clear(program: Program) -> None:
    """Who reads it owns the target."""
    program.env |= {"PAYLERA_CONFORMANCE_CONTROL_TOKEN": "${OWN}", "OWN": "not-for-proxies"}
    run = run_through(program, "http://127.0.0.1:9", "--control-url", f"{URL}/_mock")
    assert (run.code, "would go to the proxy" in " ".join(run.output.split())) == (4, True)
