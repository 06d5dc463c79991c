"""No byte of a bundle can be altered unseen, signed or not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from hypothesis import given
from hypothesis import strategies as st

from paylera_conformance.certificate.bundle import AlteredError, pack, read_private_key, read_public_key, unpack
from paylera_conformance.target.settings import ConfigError

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
OTHER_KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33)))
PUBLIC = KEY.public_key().public_bytes_raw().hex()
PAYLOAD = {
    "statement": {"level": "core", "clauses": [{"id": "token.unknown", "cases": 2}]},
    "run": {"text": "ü\u2028 €"},
}
BUNDLES = {"unsigned": pack(PAYLOAD, None), "signed": pack(PAYLOAD, KEY)}


@pytest.mark.parametrize(("kind", "public_key"), [("unsigned", None), ("signed", PUBLIC)])
def test_bundle_is_read_as_it_was_written(kind: str, public_key: str | None) -> None:
    """The payload, and who signed it."""
    bundle = unpack(BUNDLES[kind])
    assert (bundle.payload, bundle.public_key) == (PAYLOAD, public_key)


def flipped(content: bytes, position: int, byte: int) -> bytes:
    """The content with another byte at a position."""
    position %= len(content)
    return content[:position] + bytes([content[position] ^ byte]) + content[position + 1 :]


@pytest.mark.parametrize("content", BUNDLES.values(), ids=BUNDLES)
@given(position=st.integers(0, 10_000), byte=st.integers(1, 255))
def test_any_altered_byte_is_seen(content: bytes, position: int, byte: int) -> None:
    """Wherever it is: content, digest, signature, a bracket or the white space between."""
    with pytest.raises(AlteredError):
        unpack(flipped(content, position, byte))


@pytest.mark.parametrize("content", BUNDLES.values(), ids=BUNDLES)
def test_each_single_bit_is_held(content: bytes) -> None:
    """Every position, and of each byte the bit that makes another case, digit or space of it."""
    seen = 0
    for position in range(len(content)):
        for bit in (1, 0x20):
            with pytest.raises(AlteredError):
                unpack(flipped(content, position, bit))
            seen += 1
    assert seen == 2 * len(content)


@pytest.mark.parametrize("content", BUNDLES.values(), ids=BUNDLES)
@given(data=st.data())
def test_cut_and_extended_bundles_are_seen(content: bytes, data: st.DataObject) -> None:
    """What is missing or added anywhere."""
    position = data.draw(st.integers(0, len(content) - 1))
    added = data.draw(st.sampled_from([b" ", b"\n", b"0", b"{}", b"\xef\xbb\xbf"]))
    for altered in (content[:position], content[:position] + added + content[position:], content + added):
        with pytest.raises(AlteredError):
            unpack(altered)


def rewritten(content: bytes, **members: Any) -> bytes:
    """The bundle with other members, written as the suite writes it."""
    return json.dumps({**json.loads(content), **members}, sort_keys=True, indent=1).encode() + b"\n"


SIGNATURE = json.loads(BUNDLES["signed"])["signature"]
OTHER_SIGNATURE = json.loads(pack(PAYLOAD, OTHER_KEY))["signature"]
REWRITTEN = {
    "another-payload": ({"payload": {"statement": {}}}, "does not have its digest"),
    "another-format": ({"format": "certificate"}, "no certificate of this suite"),
    "another-schema": ({"schema": 2}, "another schema"),
    "further-member": ({"note": ""}, "another schema"),
    "no-payload": ({"payload": []}, "another schema"),
    "no-such-signature": ({"signature": "yes"}, "signature does not fit"),
    "key-of-another": (
        {"signature": {**SIGNATURE, "public_key": OTHER_SIGNATURE["public_key"]}},
        "signature does not fit",
    ),
    "signature-of-another": ({"signature": {**SIGNATURE, "value": OTHER_SIGNATURE["value"]}}, "signature does not fit"),
    "short-key": ({"signature": {**SIGNATURE, "public_key": "00"}}, "signature does not fit"),
    # These say the same to the library: what is not written as it was issued is altered all the same.
    "capitals": ({"signature": {**SIGNATURE, "value": SIGNATURE["value"].upper()}}, "not written as"),
    "spaces": ({"signature": {**SIGNATURE, "value": f" {SIGNATURE['value']}"}}, "not written as"),
    "another-algorithm": ({"signature": {**SIGNATURE, "algorithm": "none"}}, "not written as"),
}


@pytest.mark.parametrize(("members", "told"), REWRITTEN.values(), ids=REWRITTEN)
def test_rewritten_bundle_is_told_from_the_issued_one(members: dict[str, Any], told: str) -> None:
    """Whoever alters it with care does not get further."""
    with pytest.raises(AlteredError, match=told):
        unpack(rewritten(BUNDLES["signed"], **members))


def test_other_spelling_of_the_same_json_is_altered() -> None:
    """White space and the order of members are held too, so that a bundle has one digest."""
    with pytest.raises(AlteredError, match="not written as the suite writes it"):
        unpack(json.dumps(json.loads(BUNDLES["unsigned"])).encode())


@pytest.mark.parametrize("content", [b"", b"[]\n", b"null\n", b"[" * 100_000, b"\xff\xfe", b"NaN\n"])
def test_what_is_no_bundle_is_refused(content: bytes) -> None:
    """In words, whatever it is."""
    with pytest.raises(AlteredError):
        unpack(content)


def private_pem(key: Any = KEY, encryption: KeySerializationEncryption | None = None) -> bytes:
    """A private key as OpenSSL writes it."""
    pem: bytes = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption or NoEncryption())
    return pem


def public_pem(key: Any = KEY) -> bytes:
    """A public key as OpenSSL writes it."""
    pem: bytes = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return pem


def test_keys_are_read(tmp_path: Path) -> None:
    """Those that belong together do."""
    (tmp_path / "key.pem").write_bytes(private_pem())
    (tmp_path / "public.pem").write_bytes(public_pem())
    signed = pack(PAYLOAD, read_private_key(str(tmp_path / "key.pem")))
    assert unpack(signed).public_key == read_public_key(str(tmp_path / "public.pem"))


ELLIPTIC = generate_private_key(SECP256R1())
NO_PRIVATE_KEYS = {
    "text": b"not a key",
    "public": public_pem(),
    "another-kind": private_pem(ELLIPTIC),
    "passphrase": private_pem(encryption=BestAvailableEncryption(b"passphrase")),
}


@pytest.mark.parametrize("content", NO_PRIVATE_KEYS.values(), ids=NO_PRIVATE_KEYS)
def test_what_is_no_private_key_is_a_mistake(tmp_path: Path, content: bytes) -> None:
    """And the message says how to make one."""
    (tmp_path / "key.pem").write_bytes(content)
    with pytest.raises(ConfigError, match="openssl genpkey -algorithm ed25519"):
        read_private_key(str(tmp_path / "key.pem"))


NO_PUBLIC_KEYS = {"text": b"not a key", "private": private_pem(), "another-kind": public_pem(ELLIPTIC)}


@pytest.mark.parametrize("content", NO_PUBLIC_KEYS.values(), ids=NO_PUBLIC_KEYS)
def test_what_is_no_public_key_is_a_mistake(tmp_path: Path, content: bytes) -> None:
    """A private key given to `verify` above all: it is not to be handed around."""
    (tmp_path / "public.pem").write_bytes(content)
    with pytest.raises(ConfigError, match="no Ed25519 public key"):
        read_public_key(str(tmp_path / "public.pem"))


@pytest.mark.parametrize("read", [read_private_key, read_public_key])
def test_key_file_that_is_not_there_is_a_mistake(tmp_path: Path, read: Any) -> None:
    """A path that is misspelt does not make an unsigned bundle."""
    with pytest.raises(ConfigError, match="cannot be read"):
        read(str(tmp_path / "nowhere.pem"))
