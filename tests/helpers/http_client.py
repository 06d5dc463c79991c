"""An HTTP client for the tests."""

from __future__ import annotations

from typing import Any, Final

import httpx

from helpers.waiting import PATIENCE_SECONDS

TLS: Final = httpx.create_ssl_context()
"""One for all clients: to make one takes almost a tenth of a second."""


def http_client(**options: Any) -> httpx.Client:
    """A client that waits long, with further options of httpx."""
    return httpx.Client(verify=TLS, timeout=PATIENCE_SECONDS, **options)
