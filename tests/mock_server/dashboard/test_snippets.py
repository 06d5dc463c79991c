"""A request as code: what is sent by it is what was sent, whatever is in it."""

from __future__ import annotations

import ast
import json
import shlex
import shutil
import subprocess
from typing import Any, Final

import pytest

from paylera_mock.dashboard.snippets import make_snippets

HOSTILE: Final = "'; rm -rf ~ #`$(id)\\\"\n\u202e\x1b\u00e9"
ENTRY: Final[dict[str, Any]] = {
    "method": "POST",
    "path": "/v1/customers/\u00e2\u0080\u00ae'$(id)",
    "query": "limit=2&x=%22",
    "headers": {
        "Idempotency-Key": HOSTILE,
        "User-Agent": "acme/1",
        "Authorization": "Bearer \u2039serviceall #056e\u203a",
    },
    "token": {"label": "\u2039serviceall #056e\u203a"},
    "body": f'{{"name": "{HOSTILE}"}}',
}
URL: Final = "http://127.0.0.1:4242/v1/customers/%E2%80%AE'$(id)?limit=2&x=%22"


def snippet(id: str, **changes: Any) -> str:
    """The code in one language."""
    return next(each.text for each in make_snippets({**ENTRY, **changes}, "http://127.0.0.1:4242") if each.id == id)


@pytest.mark.parametrize("id", ["curl", "httpx", "fetch"])
def test_code_is_ascii_without_a_secret(id: str) -> None:
    """What is shown is what is copied; the token is a variable."""
    text = snippet(id)
    assert text.isascii()
    assert "PAYLERA_TOKEN" in text
    assert ("acme/1" in text, "serviceall" in text) == (False, False)


def test_shell_sends_what_was_sent() -> None:
    """Every argument arrives whole, and nothing of it is a command."""
    text = snippet("curl").replace("curl ", "printf '%s\\0' ", 1)
    arguments = subprocess.run(
        [shutil.which("bash") or "bash", "-c", text], env={"PAYLERA_TOKEN": "t"}, capture_output=True, check=True
    ).stdout.split(b"\0")
    assert [argument.decode() for argument in arguments[:-1]] == [
        URL,
        "-X",
        "POST",
        "-H",
        "Authorization: Bearer t",
        "-H",
        f"Idempotency-Key: {HOSTILE}",
        "--data-raw",
        ENTRY["body"],
    ]


def test_plain_request_is_a_plain_line() -> None:
    """A reader is to recognise it."""
    text = snippet("curl", method="GET", path="/v1/customers", query="", headers={}, body=None)
    assert shlex.split(text.replace("\\\n", "")) == [
        "curl",
        "http://127.0.0.1:4242/v1/customers",
        "-H",
        "Authorization: Bearer $PAYLERA_TOKEN",
    ]


def test_python_sends_what_was_sent() -> None:
    """The arguments of the call are the parts of the request."""
    call = next(node for node in ast.walk(ast.parse(snippet("httpx"))) if isinstance(node, ast.Call))
    method, url = (ast.literal_eval(argument) for argument in call.args)
    headers, content = (keyword.value for keyword in call.keywords)
    assert isinstance(headers, ast.Dict)
    assert (method, url, ast.literal_eval(headers.values[1])) == ("POST", URL, HOSTILE)
    assert ast.literal_eval(content.func.value) == ENTRY["body"]  # type: ignore[attr-defined] # `"…".encode()`


def test_javascript_sends_what_was_sent() -> None:
    """JSON is JavaScript."""
    lines = snippet("fetch").splitlines()
    assert json.loads(lines[0].removeprefix("const answer = await fetch(").removesuffix(", {")) == URL
    assert json.loads(lines[-3].partition("body: ")[2].removesuffix(",")) == ENTRY["body"]


def test_request_without_token_has_none() -> None:
    """It would be another request."""
    assert "PAYLERA_TOKEN" not in snippet("curl", token=None)
