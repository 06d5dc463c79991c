"""What a hostile target says instead of an answer: it reaches no terminal and no job raw, by any command."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TypeAlias

import pytest

from helpers.scripted_server import ScriptedServer
from helpers.suite import Program

pytestmark = pytest.mark.slow

Scripted: TypeAlias = Callable[..., ScriptedServer]

HOSTILE = b"\x1b]0;owned\x07 ::error::boom ##[error]boom \x9b31m"
COMMAND = re.compile(r"^\s*::\w|##\[", re.MULTILINE)
PROBLEM = b'{"problem": "\\u001b[2J\\n::error::boom\\n##[error] \\u202e\\ud800"}'
HEAD = b"HTTP/1.1 400 %b\r\nX-A: %b\r\n" % (HOSTILE, HOSTILE)
NO_HTTP = b"NONE " + HOSTILE + b"\r\n\r\n"
REFUSED = HEAD + b"Content-Length: %d\r\n\r\n%b" % (len(PROBLEM), PROBLEM)
ELSEWHERE = b"HTTP/1.1 302 %b\r\nLocation: http://x/%b\r\nContent-Length: 0\r\n\r\n" % (HOSTILE, HOSTILE)
NO_PROTOCOL = b'HTTP/1.1 200 OK\r\n\r\n{"protocol": "\\u001b[2J ::error::boom"}'

SAID = {
    "no-http": (NO_HTTP, ("run",), ""),
    "no-http-verbose": (NO_HTTP, ("run", "-v"), ""),
    "no-http-to-the-doctor": (NO_HTTP, ("doctor",), ""),
    "no-http-of-the-control-api": (NO_HTTP, ("run",), "/control"),
    "no-http-of-the-control-api-to-the-doctor": (NO_HTTP, ("doctor",), "/control"),
    "refusal": (REFUSED, ("run", "-k", "token_unknown"), ""),
    "refusal-of-the-control-api": (REFUSED, ("run",), "/control"),
    "redirect": (ELSEWHERE, ("run", "-k", "token_unknown"), ""),
    "redirect-of-the-doctor": (ELSEWHERE, ("doctor", "--clause", "aal2"), ""),
    "no-protocol": (NO_PROTOCOL, ("run",), "/control"),
}
"""What is answered to everything, to which command, and the path of a control API."""


@pytest.mark.parametrize(("answer", "command", "control"), SAID.values(), ids=SAID)
def test_what_it_says_is_never_shown_raw(
    answer: bytes, command: tuple[str, ...], control: str, program: Program, scripted: Scripted
) -> None:
    """Before anything is judged, too."""
    url = scripted(*[[answer]] * 20).url
    name, *more = command
    output = program.command(name, url, *(("--control-url", url + control) if control else ()), *more).output
    assert (COMMAND.findall(output), output.replace("\n", "").isprintable(), url in output) == ([], True, True), output


@pytest.mark.parametrize("command", ["run", "doctor"])
@pytest.mark.parametrize("answer", [NO_HTTP, HEAD + b"\r\n"], ids=["no-http", "refusal"])
def test_what_a_proxy_says_is_never_shown_raw(
    answer: bytes, command: str, program: Program, scripted: Scripted
) -> None:
    """Where it is asked for a way through (CONNECT; RFC 9110, section 9.3.6)."""
    program.env = {"HTTPS_PROXY": scripted(*[[answer]] * 20).url}
    ended = program.command(command, "https://target.test")
    shown = ended.output.replace("\n", "")
    assert (ended.code, COMMAND.findall(ended.output), shown.isprintable()) == (13, [], True), ended.output
    assert "the target cannot be reached" in ended.output
