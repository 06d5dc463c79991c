"""The proxies that the environment names, read as curl and Go do."""

from __future__ import annotations

from base64 import b64encode

import pytest

from paylera_conformance.http.proxies import ProxyError, find_proxy, find_proxy_secrets
from paylera_fixtures.redaction import Redactor

PROXY = "http://proxy.test:3128"
VARIABLES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """One in which no proxy is named."""
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    return monkeypatch


@pytest.mark.parametrize(
    ("variable", "scheme", "is_asked"),
    [
        ("https_proxy", "https", True),
        ("HTTPS_PROXY", "https", True),
        ("https_proxy", "http", False),
        ("http_proxy", "http", True),
        ("ALL_PROXY", "https", True),
        ("all_proxy", "http", True),
    ],
)
def test_variable_is_for_its_scheme(
    environment: pytest.MonkeyPatch, variable: str, scheme: str, *, is_asked: bool
) -> None:
    """ALL_PROXY is for each that has none of its own."""
    environment.setenv(variable, PROXY)
    proxy = find_proxy(scheme, "api.test")
    assert (str(proxy) if proxy else None) == ("proxy.test:3128" if is_asked else None)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.8.8.8", "::1", "api.localhost", "::ffff:127.0.0.1"])
def test_this_machine_is_never_asked_through_one(environment: pytest.MonkeyPatch, host: str) -> None:
    """Whatever NO_PROXY says or does not say."""
    environment.setenv("ALL_PROXY", PROXY)
    assert find_proxy("http", host, 8080) is None


@pytest.mark.parametrize(
    ("no_proxy", "host", "port"),
    [
        ("*", "api.test", 443),
        ("api.test", "api.test", 443),
        ("API.TEST", "api.test", 443),
        (".test", "api.test", 443),
        ("test", "api.test", 443),
        ("*.test", "api.test", 443),
        ("other.example, api.test", "api.test", 443),
        ("other.example api.test", "api.test", 443),
        ("api.test:8443", "api.test", 8443),
        ("10.0.0.0/8", "10.1.2.3", 443),
        ("10.1.2.3", "10.1.2.3", 443),
        ("10.1.2.3:8443", "10.1.2.3", 8443),
        ("10.0.0.0/8:8443", "10.1.2.3", 8443),
        ("2001:db8::/32", "2001:db8::1", 443),
        ("[2001:db8::1]:8443", "2001:db8::1", 8443),
        ("[2001:db8::1]", "2001:db8::1", 443),
        ("[2001:db8:0::1]", "2001:db8::1", 443),
        ("[2001:db8::]/32", "2001:db8::1", 443),
        ("other.example,[2001:db8::/32]:8443", "2001:db8::1", 8443),
    ],
)
def test_no_proxy_exempts(environment: pytest.MonkeyPatch, no_proxy: str, host: str, port: int) -> None:
    """By name, domain, address, network, and port."""
    environment.setenv("HTTPS_PROXY", PROXY)
    environment.setenv("NO_PROXY", no_proxy)
    assert find_proxy("https", host, port) is None


@pytest.mark.parametrize(
    ("no_proxy", "host", "port"),
    [
        ("", "api.test", 443),
        ("api.test:8443", "api.test", 443),
        ("pi.test", "api.test", 443),
        ("10.0.0.0/8", "11.1.2.3", 443),
        ("10.0.0.0/8", "api.test", 443),
        (".", "api.test", 443),
        ("[2001:db8::1]", "2001:db8::2", 443),
        ("[2001:db8::1]:8443", "2001:db8::1", 443),
        ("[2001:db8::1", "2001:db8::1", 443),
        ("[", "api.test", 443),
    ],
)
def test_no_proxy_exempts_nothing_else(environment: pytest.MonkeyPatch, no_proxy: str, host: str, port: int) -> None:
    """Half a name is another one."""
    environment.setenv("HTTPS_PROXY", PROXY)
    environment.setenv("NO_PROXY", no_proxy)
    assert find_proxy("https", host, port) is not None


def test_user_and_password_are_sent_and_not_shown(environment: pytest.MonkeyPatch) -> None:
    """They may be percent-encoded."""
    environment.setenv("HTTPS_PROXY", "http://ada:p%40ss@proxy.test:3128")
    proxy = find_proxy("https", "api.test")
    assert proxy is not None
    assert proxy.headers == {"Proxy-Authorization": "Basic " + b64encode(b"ada:p@ss").decode()}
    assert "ada" not in f"{proxy!r} {proxy}"


@pytest.mark.parametrize("url", ["socks5://ada:secret@proxy.test:1080", "https://ada:secret@proxy.test", "http://:80"])
def test_proxy_that_is_not_spoken_to_is_an_error(environment: pytest.MonkeyPatch, url: str) -> None:
    """It names the variable, and neither the user nor the password."""
    environment.setenv("ALL_PROXY", url)
    with pytest.raises(ProxyError, match="ALL_PROXY names") as error:
        find_proxy("https", "api.test")
    assert "secret" not in str(error.value)


@pytest.mark.parametrize("scheme", ["http", "socks5"])
def test_credentials_of_any_proxy_are_secrets(environment: pytest.MonkeyPatch, scheme: str) -> None:
    """As they stand in its URL, and as they are sent; also where it cannot be gone through."""
    url = f"{scheme}://user:hunter2%2Fhunter2@proxy.test:3128"
    environment.setenv("ALL_PROXY", url)
    sent = b64encode(b"user:hunter2/hunter2").decode()
    shown = Redactor(find_proxy_secrets()).redact(f"{url} Basic {sent} user:hunter2/hunter2 hunter2/hunter2")
    assert [piece for piece in ("hunter2", sent[4:-4]) if piece in shown] == []


@pytest.mark.parametrize("url", ["", "http://proxy.test", "http://user@proxy.test", "http://[", "user:secret@["])
def test_proxy_without_a_password_has_no_secret(environment: pytest.MonkeyPatch, url: str) -> None:
    """Nor one whose URL is none."""
    environment.setenv("ALL_PROXY", url)
    assert list(find_proxy_secrets()) == []
