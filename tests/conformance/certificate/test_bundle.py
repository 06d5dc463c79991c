"""No byte of a certificate can be altered unseen, signed or not."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
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

from paylera_conformance.certificate.bundle import (
    PAYLOAD_TYPE,
    AlteredError,
    decode_certificate,
    encode_certificate,
    make_signer,
    read_public_key,
    read_signer,
)
from paylera_conformance.provenance import canonical
from paylera_conformance.target.settings import ConfigError

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
OTHER_KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33)))
PUBLIC = KEY.public_key().public_bytes_raw().hex()
PAYLOAD = {
    "statement": {
        "target": "https://api.example",
        "verdict": "CONFORMANT",
        "suite": {"version": "1.0", "sha256": "5" * 64},
        "contract": {"version": "1", "sha256": "c" * 64},
        "clauses": [{"id": "token.unknown", "outcome": "pass"}],
    },
    "run": {"text": "ü\u2028 €"},
}
CERTIFICATES = {"unsigned": encode_certificate(PAYLOAD, None), "signed": encode_certificate(PAYLOAD, make_signer(KEY))}


@pytest.mark.parametrize(("kind", "public_key"), [("unsigned", None), ("signed", PUBLIC)])
def test_certificate_is_read_as_it_was_written(kind: str, public_key: str | None) -> None:
    """The payload, and who signed it."""
    bundle = decode_certificate(CERTIFICATES[kind])
    assert (bundle.payload, bundle.public_key) == (PAYLOAD, public_key)


def flip(content: bytes, position: int, byte: int) -> bytes:
    """The content with another byte at a position."""
    position %= len(content)
    return content[:position] + bytes([content[position] ^ byte]) + content[position + 1 :]


@pytest.mark.parametrize("content", CERTIFICATES.values(), ids=CERTIFICATES)
@given(position=st.integers(0, 10_000), byte=st.integers(1, 255))
def test_any_altered_byte_is_seen(content: bytes, position: int, byte: int) -> None:
    """Wherever it is: payload, digest, signature, a bracket or the white space between."""
    with pytest.raises(AlteredError):
        decode_certificate(flip(content, position, byte))


@pytest.mark.parametrize("content", CERTIFICATES.values(), ids=CERTIFICATES)
def test_each_single_bit_is_held(content: bytes) -> None:
    """Every position, and of each byte the bit that makes another case, digit or space of it."""
    seen = 0
    for position in range(len(content)):
        for bit in (1, 0x20):
            with pytest.raises(AlteredError):
                decode_certificate(flip(content, position, bit))
            seen += 1
    assert seen == 2 * len(content)


def with_payload(content: bytes, payload: bytes) -> bytes:
    """The envelope around other bytes, which keeps its signatures."""
    return rewrite(content, payload=base64.b64encode(payload).decode())


@pytest.mark.parametrize("content", CERTIFICATES.values(), ids=CERTIFICATES)
def test_each_byte_of_the_payload_is_held(content: bytes) -> None:
    """By whoever undoes the base64, alters what is inside, and writes it anew."""
    payload, seen = base64.b64decode(json.loads(content)["payload"]), 0
    for position in range(len(payload)):
        for bit in (1, 0x20):
            with pytest.raises(AlteredError):
                decode_certificate(with_payload(content, flip(payload, position, bit)))
            seen += 1
    assert seen == 2 * len(payload)


@pytest.mark.parametrize("content", CERTIFICATES.values(), ids=CERTIFICATES)
@given(data=st.data())
def test_cut_and_extended_certificates_are_seen(content: bytes, data: st.DataObject) -> None:
    """What is missing or added anywhere."""
    position = data.draw(st.integers(0, len(content) - 1))
    added = data.draw(st.sampled_from([b" ", b"\n", b"0", b"{}", b"\xef\xbb\xbf"]))
    for altered in (content[:position], content[:position] + added + content[position:], content + added):
        with pytest.raises(AlteredError):
            decode_certificate(altered)


def rewrite(content: bytes, **members: Any) -> bytes:
    """The envelope with other members, written as the suite writes it."""
    return json.dumps({**json.loads(content), **members}, sort_keys=True, indent=1).encode() + b"\n"


SIGNATURE = json.loads(CERTIFICATES["signed"])["signatures"][0]
OTHER_SIGNATURE = json.loads(encode_certificate(PAYLOAD, make_signer(OTHER_KEY)))["signatures"][0]
OTHER_CONTENT = json.loads(encode_certificate({**PAYLOAD, "run": {}}, make_signer(OTHER_KEY)))["signatures"][0]
TEXT = json.loads(CERTIFICATES["signed"])["payload"]
DOES_NOT_FIT, NOT_AS_WRITTEN, NO_CERTIFICATE = "signature does not fit", "not written as", "no certificate of this"
ENVELOPES: dict[str, tuple[dict[str, Any], str]] = {
    "another-type": ({"payloadType": "application/json"}, NO_CERTIFICATE),
    "type-is-a-list": ({"payloadType": [PAYLOAD_TYPE]}, NO_CERTIFICATE),
    "further-member": ({"note": ""}, NOT_AS_WRITTEN),
    "payload-is-a-list": ({"payload": []}, NO_CERTIFICATE),
    "payload-is-no-base64": ({"payload": "?"}, NO_CERTIFICATE),
    "payload-is-no-json": ({"payload": base64.b64encode(b"?").decode()}, NO_CERTIFICATE),
    "payload-is-nested": ({"payload": base64.b64encode(b"[" * 100_000).decode()}, NO_CERTIFICATE),
    "payload-has-no-end": ({"payload": TEXT.rstrip("=") + "===="}, NO_CERTIFICATE),
    "signatures-are-null": ({"signatures": None}, NO_CERTIFICATE),
    "signatures-are-words": ({"signatures": ["yes"]}, NO_CERTIFICATE),
    "signature-is-empty": ({"signatures": [{}]}, NO_CERTIFICATE),
    "signature-is-no-base64": ({"signatures": [{**SIGNATURE, "sig": "?"}]}, NO_CERTIFICATE),
    "key-id-is-a-list": ({"signatures": [{**SIGNATURE, "keyid": []}]}, NO_CERTIFICATE),
    "key-id-is-a-number": ({"signatures": [{**SIGNATURE, "keyid": 7}]}, DOES_NOT_FIT),
    "key-of-another": ({"signatures": [{**SIGNATURE, "keyid": OTHER_SIGNATURE["keyid"]}]}, DOES_NOT_FIT),
    "signature-of-another": ({"signatures": [{**SIGNATURE, "sig": OTHER_SIGNATURE["sig"]}]}, DOES_NOT_FIT),
    "signature-of-other-content": ({"signatures": [OTHER_CONTENT]}, DOES_NOT_FIT),
    "short-key": ({"signatures": [{**SIGNATURE, "keyid": "00"}]}, DOES_NOT_FIT),
    "short-signature": ({"signatures": [{**SIGNATURE, "sig": "AAAA"}]}, DOES_NOT_FIT),
    "no-key": ({"signatures": [{**SIGNATURE, "keyid": ""}]}, DOES_NOT_FIT),
    # These are the same key to whoever reads hexadecimal.
    "capitals": ({"signatures": [{**SIGNATURE, "keyid": PUBLIC.upper()}]}, DOES_NOT_FIT),
    "spaces": ({"signatures": [{**SIGNATURE, "keyid": f" {PUBLIC}"}]}, DOES_NOT_FIT),
    "further-words": ({"signatures": [{**SIGNATURE, "note": ""}]}, NOT_AS_WRITTEN),
    "two-signatures": ({"signatures": [SIGNATURE, OTHER_SIGNATURE]}, NOT_AS_WRITTEN),
    "two-signatures-one-wrong": ({"signatures": [SIGNATURE, OTHER_CONTENT]}, NOT_AS_WRITTEN),
    "one-signature-twice": ({"signatures": [SIGNATURE, SIGNATURE]}, NO_CERTIFICATE),
}


@pytest.mark.parametrize(("members", "message"), ENVELOPES.values(), ids=ENVELOPES)
def test_rewritten_envelope_is_told_from_the_issued_one(members: dict[str, Any], message: str) -> None:
    """Whoever alters it with care does not get further."""
    with pytest.raises(AlteredError, match=message):
        decode_certificate(rewrite(CERTIFICATES["signed"], **members))


def at(*path: str | int, value: object) -> Callable[[Any], None]:
    """Put another value into the in-toto statement."""

    def alter(document: Any) -> None:
        for step in path[:-1]:
            document = document[step]
        document[path[-1]] = value

    return alter


OURS = ("predicate", "payleraCertificate")
NO_DIGEST = "does not have its digest"
CONTENTS: dict[str, tuple[Callable[[Any], None], str]] = {
    "another-run": (at(*OURS, "run", value={}), NO_DIGEST),
    "another-statement": (at(*OURS, "statement", "verdict", value="CONFORMANT WITH FINDINGS"), NO_DIGEST),
    "another-statement-digest": (at(*OURS, "statement_sha256", value="0" * 64), NO_DIGEST),
    "another-subject-digest": (at("subject", 0, "digest", "sha256", value="0" * 64), NO_DIGEST),
    "another-target": (at("subject", 0, "name", value="https://other.example"), NOT_AS_WRITTEN),
    "another-result": (at("predicate", "result", value="WARNED"), NOT_AS_WRITTEN),
    "further-test": (at("predicate", "passedTests", 0, value="token.other"), NOT_AS_WRITTEN),
    "another-suite": (at("predicate", "configuration", 0, "digest", "sha256", value="0" * 64), NOT_AS_WRITTEN),
    "further-words": (at("predicate", "recommended", value=True), NOT_AS_WRITTEN),
    "another-predicate": (at("predicateType", value="https://slsa.dev/provenance/v1"), NOT_AS_WRITTEN),
    "another-schema": (at(*OURS, "schema", value=3), "another schema"),
    "nothing-of-ours": (at("predicate", value={"result": "PASSED"}), NO_CERTIFICATE),
    "no-predicate": (at("predicate", value=None), NO_CERTIFICATE),
    "no-subject": (at("subject", value=[]), NO_CERTIFICATE),
    "no-statement": (at(*OURS, "statement", value=None), NO_CERTIFICATE),
    "statement-is-empty": (at(*OURS, "statement", value={}), NO_CERTIFICATE),
    "clauses-are-words": (at(*OURS, "statement", "clauses", value=["pass"]), NO_CERTIFICATE),
    "verdict-is-a-list": (at(*OURS, "statement", "verdict", value=[]), NO_CERTIFICATE),
}


@pytest.mark.parametrize(("alter", "message"), CONTENTS.values(), ids=CONTENTS)
def test_rewritten_content_is_told_from_the_issued_one(alter: Callable[[Any], None], message: str) -> None:
    """What in-toto's members say, and what ours do, belong together."""
    document = json.loads(base64.b64decode(json.loads(CERTIFICATES["unsigned"])["payload"]))
    alter(document)
    with pytest.raises(AlteredError, match=message):
        decode_certificate(with_payload(CERTIFICATES["unsigned"], canonical(document)))


@pytest.mark.parametrize("number", [b"NaN", b"1e999"])
def test_content_that_is_no_json_is_refused(number: bytes) -> None:
    """Python reads these numbers, and no other tool has to."""
    payload = base64.b64decode(json.loads(CERTIFICATES["unsigned"])["payload"]).replace(b'"1.0"', number)
    with pytest.raises(AlteredError, match=NO_CERTIFICATE):
        decode_certificate(with_payload(CERTIFICATES["unsigned"], payload))


def test_other_spelling_of_the_same_json_is_altered() -> None:
    """White space and the order of members are held too, so that a certificate has one digest."""
    with pytest.raises(AlteredError, match=NOT_AS_WRITTEN):
        decode_certificate(json.dumps(json.loads(CERTIFICATES["unsigned"])).encode())


@pytest.mark.parametrize("content", [b"", b"[]\n", b"null\n", b"[" * 100_000, b"\xff\xfe", b"NaN\n"])
def test_what_is_no_certificate_is_refused(content: bytes) -> None:
    """In words, whatever it is."""
    with pytest.raises(AlteredError):
        decode_certificate(content)


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
    signed = encode_certificate(PAYLOAD, read_signer(str(tmp_path / "key.pem")))
    assert decode_certificate(signed).public_key == read_public_key(str(tmp_path / "public.pem"))


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
        read_signer(str(tmp_path / "key.pem"))


NO_PUBLIC_KEYS = {"text": b"not a key", "private": private_pem(), "another-kind": public_pem(ELLIPTIC)}


@pytest.mark.parametrize("content", NO_PUBLIC_KEYS.values(), ids=NO_PUBLIC_KEYS)
def test_what_is_no_public_key_is_a_mistake(tmp_path: Path, content: bytes) -> None:
    """A private key given to `verify` above all: it is not to be handed around."""
    (tmp_path / "public.pem").write_bytes(content)
    with pytest.raises(ConfigError, match="no Ed25519 public key"):
        read_public_key(str(tmp_path / "public.pem"))


@pytest.mark.parametrize("read", [read_signer, read_public_key])
def test_key_file_that_is_not_there_is_a_mistake(tmp_path: Path, read: Any) -> None:
    """A path that is misspelt does not make an unsigned certificate."""
    with pytest.raises(ConfigError, match="cannot be read"):
        read(str(tmp_path / "nowhere.pem"))
