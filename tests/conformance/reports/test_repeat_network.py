"""The scripts that repeat violations, on the way to their target: proxies, and authorities that nobody knows."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import trustme

from helpers.proxy import Proxy, serving
from paylera_conformance.reports.repeat_program import CannotRepeat, is_direct, open_connection, repeat

SEEN = {"status": 200, "headers": [("Content-Length", "2")], "body": "{}"}
STEP: dict[str, Any] = {"to": "target", "method": "GET", "path": "/v1/customers", "headers": [], "body": None}
WORDS = dict.fromkeys(("clause", "says", "source", "case", "change", "wanted", "got", "control_url"), "")
VARIABLES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")


class Answers200(BaseHTTPRequestHandler):
    """What was seen in the run."""

    def log_message(self, *_args: Any) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        """Answer any request alike."""
        self.send_response_only(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """One in which no proxy is named, nor a target."""
    for name in (*VARIABLES, "SSL_CERT_FILE", "PAYLERA_CONFORMANCE_URL", "PAYLERA_CONFORMANCE_CONTROL_TOKEN"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    return monkeypatch


@contextmanager
def target(certificate: trustme.LeafCert | None = None) -> Iterator[tuple[str, int]]:
    """A server on loopback, with a certificate or in clear: its address."""
    with HTTPServer(("127.0.0.1", 0), Answers200) as server:
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            certificate.configure_cert(context)
            server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        yield "127.0.0.1", server.server_port
        server.shutdown()
        thread.join()


def case_at(url: str) -> dict[str, Any]:
    """A case of one request."""
    return {**WORDS, "target": url, "tokens": {}, "made_up": {}, "steps": [{**STEP, "answer": SEEN, "alike": {}}]}


@pytest.mark.parametrize("user", ["", "ada:p w@7"])
def test_target_that_only_a_proxy_reaches(environment: pytest.MonkeyPatch, user: str) -> None:
    """As the run did, with what the proxy asks for."""
    with target() as address, serving(Proxy({"api.test": address}, user=user)) as proxy:
        environment.setenv("HTTP_PROXY", proxy.url.replace("://", "://ada:p%20w%407@") if user else proxy.url)
        assert repeat(case_at("http://api.test/prefix")) == 1
    assert proxy.lines == ["GET http://api.test/prefix/v1/customers HTTP/1.1"]


def test_target_of_an_own_authority_behind_a_proxy(
    environment: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Through a tunnel, where SSL_CERT_FILE names the authority; without it, that is said."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    with target(authority.issue_cert("api.test")) as address, serving(Proxy({"api.test": address})) as proxy:
        environment.setenv("HTTPS_PROXY", proxy.url)
        assert repeat(case_at("https://api.test:8443")) == 2
        assert "SSL_CERT_FILE=FILE" in capsys.readouterr().out
        environment.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
        assert repeat(case_at("https://api.test:8443")) == 1
    # Which version of HTTP it says, the version of Python settles.
    assert {line.rpartition(" ")[0] for line in proxy.lines} == {"CONNECT api.test:8443"}


def test_answer_of_the_proxy_is_not_the_target_s(
    environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its 407 does not say that the violation is gone."""
    with serving(Proxy({}, user="ada:secret")) as proxy:
        environment.setenv("ALL_PROXY", proxy.url)
        assert repeat(case_at("http://api.test")) == 2
    assert "asks for a user" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("no_proxy", "host"),
    [
        ("", "localhost"),
        ("", "127.8.8.8"),
        ("*", "10.1.2.3"),
        ("other.test,10.0.0.0/8", "10.1.2.3"),
        ("api.test:8080", "api.test"),
        (".test", "api.test"),
        ("*.test", "api.test"),
        ("10.1.2.3:8080", "10.1.2.3"),
        ("[2001:db8::1]", "2001:db8::1"),
        ("[2001:db8::1]:8080", "2001:db8::1"),
    ],
)
def test_host_that_needs_no_proxy(environment: pytest.MonkeyPatch, no_proxy: str, host: str) -> None:
    """This machine, and what NO_PROXY names."""
    environment.setenv("NO_PROXY", no_proxy)
    assert is_direct(host, 8080)


@pytest.mark.parametrize(
    ("no_proxy", "host"),
    [
        ("", "api.test"),
        ("api.test:80", "api.test"),
        ("10.0.0.0/8", "11.1.1.1"),
        ("[2001:db8::1]:80", "2001:db8::1"),
    ],
)
def test_host_that_needs_one(environment: pytest.MonkeyPatch, no_proxy: str, host: str) -> None:
    """Every other."""
    environment.setenv("NO_PROXY", no_proxy)
    assert not is_direct(host, 8080)


@pytest.mark.parametrize(
    ("proxy", "is_secret"),
    [("socks5://proxy.test", False), ("http://proxy.test:port", False), ("http://proxy.test", True)],
)
def test_proxy_that_is_not_gone_through(environment: pytest.MonkeyPatch, proxy: str, *, is_secret: bool) -> None:
    """It speaks another protocol, or would read the control token."""
    environment.setenv("HTTP_PROXY", proxy)
    with pytest.raises(CannotRepeat, match="NO_PROXY"):
        open_connection(urlsplit("http://api.test/_mock"), is_secret=is_secret)
