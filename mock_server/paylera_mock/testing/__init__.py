"""The fake inside a test run of Python: fixtures, and the transports that connect clients with it without a socket.

Here are the types of the fixtures, for annotations. Each is imported when it is first used: every test run of every
user loads the plugin in this package, and few use it.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # what needs an extra is loaded by `__getattr__`
    from paylera_mock.testing.fake import Paylera
    from paylera_mock.testing.handles import ControlCallError, Token
    from paylera_mock.testing.httpx_transport import PayleraTransport
    from paylera_mock.testing.requests_adapter import PayleraAdapter
    from paylera_mock.testing.respx_router import PayleraRouter
    from paylera_mock.testing.served import PayleraServer

__all__ = [
    "ControlCallError",
    "Paylera",
    "PayleraAdapter",
    "PayleraRouter",
    "PayleraServer",
    "PayleraTransport",
    "Token",
]

_MODULES = {
    "ControlCallError": "handles",
    "Paylera": "fake",
    "PayleraAdapter": "requests_adapter",
    "PayleraRouter": "respx_router",
    "PayleraServer": "served",
    "PayleraTransport": "httpx_transport",
    "Token": "handles",
}


def __getattr__(name: str) -> Any:
    """Import a name from where it is defined (PEP 562)."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
