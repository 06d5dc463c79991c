"""How tests start a pytest of a user's: without the plugins that are here for this repository's own tests."""

from __future__ import annotations

from typing import Final

_NOT_OF_USERS: Final = ("schemathesis", "hypothesispytest", "fakefs", "faker", "anyio", "socket", "cacheprovider")

LEAN: Final = [word for name in _NOT_OF_USERS for word in ("-p", f"no:{name}")]
"""Its arguments: to import those plugins takes most of such a start. Nor does it write a cache."""
