"""A certificate as a file: a DSSE envelope around an in-toto statement, of which no byte can be altered unseen.

The file is the one way in which its content can be written (keys sorted, nothing but ASCII), so that white space,
escapes and the spelling of base64 are held too. The digests in the payload show an accident; whoever alters the content
on purpose can make them anew. What a forger cannot make is the signature, over the payload and its type.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key
from securesystemslib.dsse import Envelope
from securesystemslib.exceptions import VerificationError
from securesystemslib.signer import CryptoSigner, SSlibKey

from paylera_conformance.certificate.statement import CERTIFICATE_MEMBER, SCHEMA, in_toto_statement
from paylera_conformance.provenance import canonical, digest
from paylera_conformance.target.settings import ConfigError, read_file

PAYLOAD_TYPE: Final = "application/vnd.in-toto+json"


class AlteredError(Exception):
    """A certificate is not as it was issued; the text says what does not fit."""


@dataclass(frozen=True)
class Bundle:
    """What a certificate holds: the `statement` and the `run` it rests on, and who signed it.

    - `public_key`: the Ed25519 public key of the signature, which fits, in hexadecimal; `None` where there is none.
    """

    payload: Mapping[str, Any]
    public_key: str | None


def encode_certificate(payload: Mapping[str, Any], signer: CryptoSigner | None) -> bytes:
    """The file of a certificate, signed where there is a signer.

    - `payload`: the members `statement` and `run`.
    """
    content = canonical(in_toto_statement(payload["statement"], payload["run"]))
    envelope = Envelope(content, PAYLOAD_TYPE, {})
    if signer is not None:
        envelope.sign(signer)
    return _encode_envelope(envelope)


def decode_certificate(content: bytes) -> Bundle:
    """Read a certificate, and compare it with its digests and its signature. Raises `AlteredError`."""
    try:
        document = json.loads(content.decode("ascii"))
    except (ValueError, RecursionError):
        raise AlteredError("it is not JSON: it was cut or altered") from None
    if not isinstance(document, dict) or document.get("payloadType") != PAYLOAD_TYPE:
        raise AlteredError("it is no certificate of this suite")
    try:
        envelope = Envelope.from_dict(document)
        found = json.loads(envelope.payload)
        certificate = found["predicate"][CERTIFICATE_MEMBER]
        schema, statement, run = certificate["schema"], certificate["statement"], certificate["run"]
        digests = (certificate["statement_sha256"], found["subject"][0]["digest"]["sha256"])
        has_its_digests = digests == (digest(statement), digest(run))
        is_as_written = (
            canonical(in_toto_statement(statement, run)) == envelope.payload
            and _encode_envelope(envelope) == content
            and len(envelope.signatures) <= 1
            and not any(signature.unrecognized_fields for signature in envelope.signatures.values())
        )
    except (AttributeError, LookupError, TypeError, ValueError, RecursionError):
        raise AlteredError("it is no certificate of this suite, or it was altered") from None
    if schema != SCHEMA:
        raise AlteredError("it is of another schema: verify it with the suite that issued it")
    if not has_its_digests:
        raise AlteredError("its content does not have its digest: it was altered")
    if not is_as_written:
        raise AlteredError("it is not written as the suite writes it: it was altered")
    return Bundle({"statement": statement, "run": run}, _verify_signature(envelope))


def _encode_envelope(envelope: Envelope) -> bytes:
    return json.dumps(envelope.to_dict(), sort_keys=True, indent=1).encode("ascii") + b"\n"


def _verify_signature(envelope: Envelope) -> str | None:
    """The public key of a signature that fits, in hexadecimal; `None` where there is no signature."""
    if not envelope.signatures:
        return None
    try:
        (key_id,) = envelope.signatures
        public = bytes.fromhex(key_id).hex()  # in capitals it would be another key's id
        envelope.verify([SSlibKey(public, "ed25519", "ed25519", {"public": public})], threshold=1)
    except (TypeError, ValueError, VerificationError):
        raise AlteredError("its signature does not fit: it was altered, or signed with another key") from None
    return public


def make_signer(key: Ed25519PrivateKey) -> CryptoSigner:
    """The signer of a key. Its key id is the public key, so that a signature can be checked where no key is given."""
    public = key.public_key()
    return CryptoSigner(key, SSlibKey.from_crypto(public, keyid=public.public_bytes_raw().hex()))


def read_signer(path: str) -> CryptoSigner:
    """The signer of an Ed25519 private key in PEM, without passphrase. Raises `ConfigError`; it shows no content."""
    try:
        key = load_pem_private_key(read_file(path), None)
    except (ValueError, TypeError):
        key = None
    if not isinstance(key, Ed25519PrivateKey):
        raise ConfigError(
            f"{path} is no Ed25519 private key in PEM without passphrase: make one with"
            f" `openssl genpkey -algorithm ed25519 -out {path}`"
        )
    return make_signer(key)


def read_public_key(path: str) -> str:
    """An Ed25519 public key in PEM, as hexadecimal. Raises `ConfigError`."""
    try:
        key = load_pem_public_key(read_file(path))
    except ValueError:
        key = None
    if not isinstance(key, Ed25519PublicKey):
        raise ConfigError(
            f"{path} is no Ed25519 public key in PEM: its owner gets it with `openssl pkey -in KEY -pubout`"
        )
    return key.public_bytes_raw().hex()
