"""Why no answer came, in words for who gave the URL."""

from __future__ import annotations

import pytest

from paylera_conformance.http.trouble import describe_trouble

TROUBLES = {
    "GET /: ConnectionRefusedError: [Errno 111] Connection refused": "nothing listens at api.test:8443",
    "GET /: gaierror: [Errno -2] Name or service not known": "there is no host api.test",
    "GET /: SSLError: [SSL: WRONG_VERSION_NUMBER] wrong version number (_ssl.c:1000)": "give http:// in the URL",
    "GET /: RemoteDisconnected: Remote end closed connection without response": "is it https?",
    "GET /: ConnectionResetError: [Errno 104] Connection reset by peer": "is it https?",
    "GET /: SSLCertVerificationError: [SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: self-signed"
    " certificate (_ssl.c:1000)": "(certificate verify failed: self-signed certificate): have it send its chain",
    "GET /: TimeoutError: timed out": "no answer came in time",
    "GET /: ProxyError: the proxy p.test answers 403": "the proxy p.test answers 403: check HTTPS_PROXY",
    "GET /: OSError: [Errno 113] No route to host": "No route to host: check the URL",
}


@pytest.mark.parametrize(("reason", "says"), TROUBLES.items(), ids=lambda text: text[:40])
def test_trouble_is_told_with_what_to_do(reason: str, says: str) -> None:
    """And without a number that means nothing to its reader."""
    told = describe_trouble("https://api.test:8443/prefix", reason)
    assert says in told
    assert ("Errno" in told, "_ssl.c" in told, "[SSL" in told) == (False, False, False)
