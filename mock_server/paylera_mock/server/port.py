"""Binds a port before a server does, so that a taken one is an error here and a free one is known by its number."""

from __future__ import annotations

import contextlib
import errno
import ipaddress
import socket
import sys
from dataclasses import dataclass
from typing import Final

from paylera_fixtures.hosts import is_loopback

_REASONS: Final = {
    errno.EADDRINUSE: "port {port} on {host} is taken: choose another with --port, or --port 0 for a free one",
    errno.EACCES: "port {port} may not be opened by this user: choose one above 1023 with --port",
    errno.EADDRNOTAVAIL: "{host} is no address of this machine: choose another with --host",
}


class CannotListenError(Exception):
    """The address cannot be listened on; the text is one line that names the fix."""


@dataclass(frozen=True)
class Reservation:
    """A port that is bound, so that nobody else can bind it until `close`."""

    socket: socket.socket
    host: str
    port: int

    def url(self, scheme: str = "http") -> str:
        """The base URL by which this machine reaches the port: no slash at its end."""
        address = ipaddress.ip_address(self.host)
        if isinstance(address, ipaddress.IPv6Address):
            return f"{scheme}://[{'::1' if address.is_unspecified else address}]:{self.port}"
        return f"{scheme}://{'127.0.0.1' if address.is_unspecified else address}:{self.port}"

    def listen(self) -> None:
        """Let connections queue here."""
        _set_reuse(self.socket, on=True)  # connections inherit it, and must not keep the next fake from the port
        self.socket.listen(socket.SOMAXCONN)

    def close(self) -> None:
        """Release the port."""
        self.socket.close()


def resolves_to_loopback(host: str) -> bool:
    """Whether only this machine reaches a host: a name counts if every address of it does.

    Raises `CannotListenError` where the name has no address.
    """
    return all(is_loopback(address) for _, address in _addresses(host))


def reserve(host: str, port: int) -> Reservation:
    """Bind a port; 0 takes a free one.

    Raises `CannotListenError` where it is taken, forbidden or no port of this machine.
    """
    family, address = _addresses(host)[0]
    bound = socket.socket(family, socket.SOCK_STREAM)
    try:
        # Connections of a fake that has just stopped remain for a minute, and must not make its port a taken one.
        _set_reuse(bound, on=True)
        bound.bind((address, port))
        # With it on, another fake could bind the port too until one of them listens.
        _set_reuse(bound, on=False)
    except OSError as error:
        bound.close()
        reason = _REASONS.get(error.errno or 0, "{host}:{port} cannot be listened on: {error}; see --host and --port")
        raise CannotListenError(reason.format(host=host, port=port, error=error)) from error
    return Reservation(bound, address, bound.getsockname()[1])


def _set_reuse(bound: socket.socket, *, on: bool) -> None:
    if sys.platform != "win32":  # where the option lets any program bind a port that is in use
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, on)


def _addresses(host: str) -> list[tuple[socket.AddressFamily, str]]:
    with contextlib.suppress(OSError, UnicodeError):
        infos = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
        return [(family, str(address[0])) for family, _, _, _, address in infos]
    raise CannotListenError(f"{host!r} is no host that this machine knows: choose another with --host")
