"""Reads the certificates of the first format, which `certify` wrote before they were DSSE envelopes.

Such a file has the members `format`, `schema`, `payload` (with `statement` and `run`), `sha256` over the payload, and
`signature`: null, or an Ed25519 signature over the payload with its public key, both in hexadecimal.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from paylera_conformance.certificate.bundle import AlteredError, Bundle
from paylera_conformance.provenance import canonical

_FORMAT: Final = "paylera-conformance certificate"
_MEMBERS: Final = frozenset({"format", "schema", "payload", "sha256", "signature"})


def decode_first_format(content: bytes) -> Bundle | None:
    """Read a certificate of the first format; `None` where `content` is of another. Raises `AlteredError`."""
    try:
        document = json.loads(content.decode("ascii"))
    except (ValueError, RecursionError):
        return None
    if not isinstance(document, dict) or document.get("format") != _FORMAT:
        return None
    try:
        is_canonical = json.dumps(document, sort_keys=True, indent=1, allow_nan=False).encode() + b"\n" == content
    except (ValueError, RecursionError):
        raise AlteredError("it is not JSON: it was cut or altered") from None
    if document.get("schema") != 1 or document.keys() != _MEMBERS or not isinstance(document["payload"], dict):
        raise AlteredError("it is of another schema: verify it with the suite that issued it")
    if not is_canonical:
        raise AlteredError("it is not written as the suite writes it: it was altered")
    payload = canonical(document["payload"])
    if hashlib.sha256(payload).hexdigest() != document["sha256"]:
        raise AlteredError("its content does not have its digest: it was altered")
    return Bundle(document["payload"], _verify_signature(document["signature"], payload))


def _verify_signature(signature: Mapping[str, Any] | None, content: bytes) -> str | None:
    """The public key of a signature that fits, in hexadecimal; `None` where there is no signature."""
    if signature is None:
        return None
    try:
        public, value = bytes.fromhex(signature["public_key"]), bytes.fromhex(signature["value"])
        Ed25519PublicKey.from_public_bytes(public).verify(value, content)
    except (InvalidSignature, KeyError, TypeError, ValueError):
        raise AlteredError("its signature does not fit: it was altered, or signed with another key") from None
    if signature != {"algorithm": "Ed25519", "public_key": public.hex(), "value": value.hex()}:
        raise AlteredError("its signature is not written as the suite writes it: it was altered")
    return public.hex()
