"""A bundle: one JSON file with a statement and the evidence under it, of which no byte can be altered unseen.

The file is the one way in which its content can be written (keys sorted, nothing but ASCII), so that white space and
escapes are held too. `sha256` is over the payload; the signature, where there is one, is over the payload's bytes.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from paylera_conformance.provenance import canonical
from paylera_conformance.target.settings import ConfigError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

FORMAT: Final = "paylera-conformance certificate"
SCHEMA: Final = 1
ALGORITHM: Final = "Ed25519"
_MEMBERS: Final = frozenset({"format", "schema", "payload", "sha256", "signature"})


class AlteredError(Exception):
    """A bundle is not as it was issued; the text says what does not fit."""


@dataclass(frozen=True)
class Bundle:
    """A bundle that is whole: its payload, and the public key by which it was signed, in hexadecimal, if by any."""

    payload: Mapping[str, Any]
    public_key: str | None


def pack(payload: Mapping[str, Any], key: Ed25519PrivateKey | None) -> bytes:
    """The bundle of a payload, signed where there is a key."""
    content = canonical(payload)
    return _written(
        {
            "format": FORMAT,
            "schema": SCHEMA,
            "payload": payload,
            "sha256": hashlib.sha256(content).hexdigest(),
            "signature": None if key is None else _signature(content, key),
        }
    )


def unpack(content: bytes) -> Bundle:
    """Read a bundle, and hold it to its digest and its signature. Raises `AlteredError`."""
    try:
        document = json.loads(content.decode("ascii"))
        is_canonical = _written(document) == content
    except (ValueError, RecursionError):
        raise AlteredError("it is not JSON: it was cut or altered") from None
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise AlteredError("it is no certificate of this suite")
    if document.get("schema") != SCHEMA or document.keys() != _MEMBERS or not isinstance(document["payload"], dict):
        raise AlteredError("it is of another schema: verify it with the suite that issued it")
    if not is_canonical:
        raise AlteredError("it is not written as the suite writes it: it was altered")
    payload = canonical(document["payload"])
    if hashlib.sha256(payload).hexdigest() != document["sha256"]:
        raise AlteredError("its content does not have its digest: it was altered")
    return Bundle(document["payload"], _checked(document["signature"], payload))


def _written(document: Any) -> bytes:
    return json.dumps(document, sort_keys=True, indent=1, allow_nan=False).encode("ascii") + b"\n"


def _signature(content: bytes, key: Ed25519PrivateKey) -> dict[str, str]:
    public = key.public_key().public_bytes_raw().hex()
    return {"algorithm": ALGORITHM, "public_key": public, "value": key.sign(content).hex()}


def _checked(signature: Any, content: bytes) -> str | None:
    """The public key of a signature that fits, `None` for no signature."""
    if signature is None:
        return None
    from cryptography.exceptions import InvalidSignature  # noqa: PLC0415 - only what is signed needs the library
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey  # noqa: PLC0415 - as above

    try:
        public, value = bytes.fromhex(signature["public_key"]), bytes.fromhex(signature["value"])
        Ed25519PublicKey.from_public_bytes(public).verify(value, content)
    except (InvalidSignature, KeyError, TypeError, ValueError):
        raise AlteredError("its signature does not fit: it was altered, or signed with another key") from None
    if signature != {"algorithm": ALGORITHM, "public_key": public.hex(), "value": value.hex()}:
        raise AlteredError("its signature is not written as the suite writes it: it was altered")
    return public.hex()


def read_private_key(path: str) -> Ed25519PrivateKey:
    """An Ed25519 private key in PEM, without passphrase. Raises `ConfigError`; no message shows what is in the file."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey  # noqa: PLC0415 - as above
    from cryptography.hazmat.primitives.serialization import load_pem_private_key  # noqa: PLC0415 - as above

    try:
        key = load_pem_private_key(_key_file(path), None)
    except (ValueError, TypeError):
        key = None
    if not isinstance(key, Ed25519PrivateKey):
        raise ConfigError(
            f"{path} is no Ed25519 private key in PEM without passphrase: make one with"
            f" `openssl genpkey -algorithm ed25519 -out {path}`"
        )
    return key


def read_public_key(path: str) -> str:
    """An Ed25519 public key in PEM, as hexadecimal. Raises `ConfigError`."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey  # noqa: PLC0415 - as above
    from cryptography.hazmat.primitives.serialization import load_pem_public_key  # noqa: PLC0415 - as above

    key: Ed25519PublicKey | object
    try:
        key = load_pem_public_key(_key_file(path))
    except ValueError:
        key = None
    if not isinstance(key, Ed25519PublicKey):
        raise ConfigError(
            f"{path} is no Ed25519 public key in PEM: its owner gets it with `openssl pkey -in KEY -pubout`"
        )
    return key.public_bytes_raw().hex()


def _key_file(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}") from None
