"""How tests start a pytest of a user's: without the plugins that this repository's own tests have here."""

from __future__ import annotations

from typing import Final

_NOT_OF_USERS: Final = ("schemathesis", "hypothesispytest", "fakefs", "faker", "anyio", "socket", "cacheprovider")

LEAN: Final = [word for name in _NOT_OF_USERS for word in ("-p", f"no:{name}")]
"""Its arguments; to import those plugins takes most of what such a start takes."""
