"""A request of the journal as code that sends it again. Where a secret stood is the name of a variable.

All of it is ASCII, whatever the request holds: what is shown is what is copied, and nothing in it ends a string.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from paylera_mock.core.request_target import quote_target

TOKEN_VARIABLE: Final = "PAYLERA_TOKEN"  # noqa: S105 - the name of a variable, not a secret
_LEFT_OUT: Final = frozenset({"authorization", "user-agent", "host", "content-length", "accept-encoding", "connection"})
_PLAIN: Final = re.compile(r"[ -~]*")


class Snippet(NamedTuple):
    """Code in one language."""

    id: str
    title: str
    text: str


class _Parts(NamedTuple):
    method: str
    url: str
    headers: dict[str, str]
    body: str | None
    has_token: bool


def make_snippets(entry: Mapping[str, Any], base_url: str) -> list[Snippet]:
    """An exchange, as the control API shows it, as code for a shell, for Python and for JavaScript."""
    url = base_url + quote_target(entry["path"], entry["query"])
    headers = {name: value for name, value in entry["headers"].items() if name.lower() not in _LEFT_OUT}
    has_token = bool(entry["token"] and entry["token"]["label"])
    parts = _Parts(entry["method"], url, headers, entry["body"], has_token)
    return [
        Snippet("curl", "curl", _write_curl(parts)),
        Snippet("httpx", "Python (httpx)", _write_httpx(parts)),
        Snippet("fetch", "JavaScript (fetch)", _write_fetch(parts)),
    ]


def _write_curl(parts: _Parts) -> str:
    lines = [f"curl {_quote(parts.url)}"]
    lines += [] if parts.method == "GET" and parts.body is None else [f"-X {_quote(parts.method)}"]
    lines += [f'-H "Authorization: Bearer ${TOKEN_VARIABLE}"'] if parts.has_token else []
    lines += [f"-H {_quote(f'{name}: {value}')}" for name, value in parts.headers.items()]
    lines += [] if parts.body is None else [f"--data-raw {_quote(parts.body)}"]
    return " \\\n  ".join(lines)


def _quote(text: str) -> str:
    """A text for a shell: as it is between quotes, or with its characters spelled out."""
    if _PLAIN.fullmatch(text):
        return shlex.quote(text)
    spelled = "".join(_spell(character) for character in text)
    return f"$'{spelled}'"


def _spell(character: str) -> str:
    if character in "\\'":
        return f"\\{character}"
    if " " <= character <= "~":
        return character
    return "".join(f"\\x{byte:02x}" for byte in character.encode("utf-8", "replace"))


def _write_httpx(parts: _Parts) -> str:
    lines = ["import os", "", "import httpx", "", "answer = httpx.request(", f"    {parts.method!a},"]
    lines += [f"    {parts.url!a},"]
    lines += ["    headers={"]
    lines += [f'        "Authorization": f"Bearer {{os.environ[\'{TOKEN_VARIABLE}\']}}",'] if parts.has_token else []
    lines += [f"        {name!a}: {value!a}," for name, value in parts.headers.items()]
    lines += ["    },"]
    lines += [] if parts.body is None else [f"    content={parts.body!a}.encode(),"]
    lines += [")", "print(answer.status_code, answer.text)"]
    return "\n".join(lines)


def _write_fetch(parts: _Parts) -> str:
    lines = [f"const answer = await fetch({json.dumps(parts.url)}, {{", f"  method: {json.dumps(parts.method)},"]
    lines += ["  headers: {"]
    lines += [f'    "Authorization": `Bearer ${{process.env.{TOKEN_VARIABLE}}}`,'] if parts.has_token else []
    lines += [f"    {json.dumps(name)}: {json.dumps(value)}," for name, value in parts.headers.items()]
    lines += ["  },"]
    lines += [] if parts.body is None else [f"  body: {json.dumps(parts.body)},"]
    lines += ["});", "console.log(answer.status, await answer.text());"]
    return "\n".join(lines)
