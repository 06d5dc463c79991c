"""Why no answer came from a URL, and what to do about it, in words for who gave the URL."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import urlsplit

_NOT_REACHED: Final = (
    (
        ("certificate",),
        "its certificate is not trusted ({reason}): have it send its chain, or name the authority by --ca-file FILE",
    ),
    (("proxyerror", "the proxy "), "{reason}: check HTTPS_PROXY and NO_PROXY"),
    (("gaierror", "name or service", "nodename"), "there is no host {host}: check the name"),
    (("refused",), "nothing listens at {place}: start the server, or check the port"),
    (("wrong_version_number", "record_layer_failure"), "nothing speaks TLS at {place}: give http:// in the URL"),
    (
        ("badstatusline", "remotedisconnected", "no header", "connection reset"),
        "what listens at {place} speaks no HTTP: is it https?",
    ),
    (("timeout", "timed out"), "no answer came in time: check the way there (HTTPS_PROXY, NO_PROXY, firewall)"),
    (("",), "{reason}: check the URL, that the server runs, and the way there (HTTPS_PROXY, NO_PROXY, firewall)"),
)
"""How a target is not reached, by words of what the request ended with, and what to do about it."""

_ERRNO: Final = re.compile(r"\[Errno -?\d+\] |\[SSL: \w+\] | \(_ssl\.c:\d+\)")
"""What means nothing to who reads a message."""


def describe_trouble(url: str, reason: str) -> str:
    """Why nothing came from a URL, and what to do. `reason`: what the request ended with."""
    said = reason.lower()
    told = next(told for words, told in _NOT_REACHED if any(word in said for word in words))
    parts = urlsplit(url)
    shown = _ERRNO.sub("", reason.rpartition("Error: ")[2])
    return told.format(host=parts.hostname, place=parts.netloc, reason=shown)
