"""Names of this machine are dialled at its own addresses."""

from __future__ import annotations

import socket
from typing import Any, Final

import pytest

from paylera_conformance.http.connections import make_connection


def test_the_suite_looks_up_no_local_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """A token for a target at `*.localhost` never leaves the machine (RFC 6761, section 6.3)."""
    monkeypatch.setattr(socket, "getaddrinfo", _lookup_of_addresses)
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        connection = make_connection("http", "paylera.localhost", port, timeout=10, tunnels=False)
        connection.connect()
        assert connection.sock.getpeername() == server.getsockname()
        connection.close()


def _lookup_of_addresses(*args: Any, **more: Any) -> Any:
    assert args[0] in {"127.0.0.1", "::1"}
    return _getaddrinfo(*args, **more)


_getaddrinfo: Final = socket.getaddrinfo
