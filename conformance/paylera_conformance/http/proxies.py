"""The proxy before a host, as the environment names it: `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY`.

They are read as curl and Go do. This machine is never asked through a proxy, whatever they say.
"""

from __future__ import annotations

import ipaddress
import re
from base64 import b64encode
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies, proxy_bypass

from paylera_fixtures.hosts import DEFAULT_PORTS, is_loopback
from paylera_fixtures.redaction import Secret

_ROLE: Final = "proxy"
_SHORTEST_PASSWORD: Final = 8
_BRACKETS: Final = re.compile(r"^\[(.*)\](?=/|$)")
"""An address of IPv6 is written in brackets where a port may follow (RFC 3986, section 3.2.2)."""


class ProxyError(ValueError):
    """The environment names a proxy that cannot be gone through. The text names the variable, and no credential."""


@dataclass(frozen=True)
class Proxy:
    """A proxy that is spoken to in clear.

    - `authorization`: the value of `Proxy-Authorization`, where its URL has a user and a password.
    """

    host: str
    port: int
    authorization: str | None = field(default=None, repr=False)

    @property
    def headers(self) -> Mapping[str, str]:
        """What it is to be sent with each request of its own (RFC 9110, section 11.7.2)."""
        return {} if self.authorization is None else {"Proxy-Authorization": self.authorization}

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


def find_proxy(scheme: str, host: str, port: int | None = None) -> Proxy | None:
    """The proxy before a host, `None` where it is asked directly. Raises `ProxyError`."""
    if is_loopback(host):
        return None
    named = getproxies()
    variable = next((name for name in (scheme, "all") if named.get(name)), None)
    if variable is None or _is_exempt(host.lower(), port or DEFAULT_PORTS[scheme], named.get("no", "")):
        return None
    return _parse(named[variable], f"{variable.upper()}_PROXY")


def find_proxy_secrets() -> Iterator[Secret]:
    """What is secret of the proxies that the environment names, whether or not they can be gone through."""
    for url in getproxies().values():
        with suppress(ValueError):
            parts = urlsplit(url if "://" in url else f"http://{url}")
            for decode in (str, unquote):
                user, password = decode(parts.username or ""), decode(parts.password or "")
                if password:
                    yield Secret(f"{user}:{password}", _ROLE)
                # A shorter one stands in any text by chance, and by itself it is sent to nobody.
                if len(password) >= _SHORTEST_PASSWORD:
                    yield Secret(password, _ROLE)


def find_proxy_to(url: str) -> Proxy | None:
    """The proxy before the host of a URL. Raises `ProxyError`."""
    parts = urlsplit(url)
    return find_proxy(parts.scheme, parts.hostname or "", parts.port)


def _is_exempt(host: str, port: int, no_proxy: str) -> bool:
    """Whether a host needs no proxy: by its name or a domain of it, with or without port, its address or network."""
    entries = no_proxy.replace(",", " ").lower().split()
    return any(_matches(entry, host, port) for entry in entries) or bool(proxy_bypass(host))


def _matches(entry: str, host: str, port: int) -> bool:
    if entry == "*":
        return True
    try:
        return ipaddress.ip_address(host) in ipaddress.ip_network(_BRACKETS.sub(r"\1", entry), strict=False)
    except ValueError:  # one of them is a name, or has a port
        name, colon, digits = entry.rpartition(":")
        if colon and digits.isdecimal():
            return int(digits) == port and _matches(name, host, port)
    name = entry.removeprefix("*").strip(".")
    return bool(name) and (host == name or host.endswith(f".{name}"))


def _parse(url: str, variable: str) -> Proxy:
    try:
        parts = urlsplit(url if "://" in url else f"http://{url}")
        host, port = parts.hostname, parts.port or DEFAULT_PORTS["http"]
    except ValueError:
        host, port = None, 0
    if not host:
        raise ProxyError(f"{variable} names no proxy: it should read like http://host:port")
    if parts.scheme != "http":
        raise ProxyError(
            f"{variable} names a proxy by {parts.scheme}://, which the suite does not speak: name one by http://, or"
            " list the target in NO_PROXY"
        )
    if parts.username is None:
        return Proxy(host, port)
    credentials = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
    return Proxy(host, port, f"Basic {b64encode(credentials.encode()).decode()}")
