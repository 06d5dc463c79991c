"""However the fake ends, it ends in order, and nothing of it stays behind."""

from __future__ import annotations

import http.client
import os
import signal
import socket
from collections.abc import Callable
from contextlib import closing
from typing import Any
from urllib.parse import urlsplit

import pytest

from helpers.mock_program import Programs

Gone = Callable[[str], bool]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_it_in_order(programs: Programs, gone: Gone, number: signal.Signals) -> None:
    """Ctrl-C, a supervisor and a closed terminal end it with status 0, silently, and its port is free."""
    program = programs.serve()
    url = program.ready()["url"]
    assert (program.stop(number), program.errors.read_text(), gone(url)) == (0, "", True)


def test_ctrl_c_of_a_terminal_ends_it_in_order(programs: Programs) -> None:
    """A terminal signals the whole process group, and yet the end is one in order."""
    program = programs.start("serve", "--port=0", "--no-banner", prefix=("setsid",))
    group = os.getpgid(program.ready()["pid"])
    os.killpg(group, signal.SIGINT)
    assert (program.status(), program.errors.read_text()) == (0, "")


def test_nothing_of_a_killed_one_stays(programs: Programs, gone: Gone) -> None:
    """It can stop nothing, so that there must be no other process."""
    program = programs.serve()
    url = program.ready()["url"]
    program.stop(signal.SIGKILL)
    assert gone(url)


def test_a_hanging_request_holds_up_no_stop(programs: Programs) -> None:
    """A client that never sends its body is cut off."""
    program = programs.serve()
    ready = program.ready()
    with hanging_request(ready):
        assert program.stop() == 0


def hanging_request(ready: dict[str, Any]) -> socket.socket:
    """A request that waits for its own body."""
    parts = urlsplit(ready["url"])
    connection = socket.create_connection((parts.hostname, parts.port))
    secret = ready["tokens"]["serviceall"]
    connection.sendall(
        f"POST /v1/customers HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {secret}\r\n"
        "Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{".encode()
    )
    return connection


def test_an_idle_connection_holds_up_no_stop(programs: Programs) -> None:
    """Clients keep connections alive; that keeps no server alive."""
    program = programs.serve()
    parts = urlsplit(program.ready()["url"])
    with closing(http.client.HTTPConnection(parts.hostname or "", parts.port)) as connection:
        connection.request("GET", "/v1/customers")
        connection.getresponse().read()
        assert program.stop() == 0


def test_the_port_can_be_taken_again_at_once(programs: Programs) -> None:
    """Connections of the last run linger for a minute, and make no port a taken one."""
    first = programs.serve()
    parts = urlsplit(first.ready()["url"])
    with closing(http.client.HTTPConnection(parts.hostname or "", parts.port)) as connection:
        connection.request("GET", "/v1/customers")
        connection.getresponse().read()
        first.stop()
    second = programs.start("serve", f"--port={parts.port}", "--no-banner")
    assert second.ready()["url"].endswith(f":{parts.port}")


def test_it_ends_when_its_time_is_up(programs: Programs) -> None:
    """A build that forgets its fake leaves none behind."""
    program = programs.start("serve", "--port=0", "--no-banner", "--max-seconds=0.1")
    assert program.status() == 0


def test_it_ends_with_its_parent_where_asked(programs: Programs, gone: Gone) -> None:
    """A test run that is killed leaves no fake behind."""
    parent = ("/bin/sh", "-c", '"$@" & wait', "sh")
    program = programs.start("serve", "--port=0", "--no-banner", "--exit-with-parent", prefix=parent)
    url = program.ready()["url"]
    program.stop(signal.SIGKILL)
    assert gone(url)
