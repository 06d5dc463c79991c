"""Certificates of the first format, which `certify` no longer writes, are read and verified as they were."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from paylera_conformance.certificate.bundle import AlteredError, Bundle, decode_certificate
from paylera_conformance.certificate.check import verify_certificate
from paylera_conformance.certificate.first_format import decode_first_format
from paylera_conformance.certificate.levels import Suite
from paylera_conformance.provenance import canonical

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
OTHER_KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33)))
PUBLIC = KEY.public_key().public_bytes_raw().hex()
KEYS = {"unsigned": None, "signed": KEY}
PAYLOAD = {"statement": {"level": "core"}, "run": {"text": "ü\u2028 €"}}
Encode = Callable[..., bytes]
Payload = dict[str, Any]


def sample(kind: str) -> bytes:
    """A certificate that was issued before the format changed."""
    return (Path(__file__).parent / "first_format" / f"{kind}.json").read_bytes()


@pytest.mark.parametrize(("kind", "key"), KEYS.items(), ids=KEYS)
def test_samples_are_of_the_form_that_these_tests_write(kind: str, key: Any, encode_first_format: Encode) -> None:
    """So that what is shown with certificates made here is shown for those that were issued."""
    assert encode_first_format(json.loads(sample(kind))["payload"], key) == sample(kind)


@pytest.mark.parametrize(("kind", "public_key"), [("unsigned", None), ("signed", PUBLIC)])
def test_sample_is_read(kind: str, public_key: str | None) -> None:
    """The payload, and who signed it."""
    bundle = decode_first_format(sample(kind))
    assert bundle is not None
    assert (bundle.payload["run"]["run_id"], bundle.public_key) == ("run1", public_key)


NOTES: dict[str, tuple[Ed25519PrivateKey | None, str | None, str]] = {
    "unsigned": (None, None, "UNSIGNED: whoever wrote it could have made the evidence up; nobody vouches for it"),
    "signed": (KEY, None, f"SIGNED BY {PUBLIC[:16]}…, held against no key: give --key to know whose it is"),
}


@pytest.mark.parametrize(("key", "public_key", "message"), NOTES.values(), ids=NOTES)
def test_what_was_issued_holds(
    payload: Payload,
    suite: Suite,
    now: datetime,
    encode_first_format: Encode,
    *,
    key: Any,
    public_key: Any,
    message: str,
) -> None:
    """And its reader learns what its signature is worth."""
    found = verify_certificate(encode_first_format(payload, key), suite, now=now, public_key=public_key)
    assert (found.problems, found.notes[0]) == ([], message)


def test_key_that_is_given_is_held_to(
    payload: Payload, suite: Suite, now: datetime, encode_first_format: Encode
) -> None:
    """A key that only the certificate itself names proves nothing about its owner."""
    content = encode_first_format(payload, OTHER_KEY)
    found = verify_certificate(content, suite, now=now, public_key=PUBLIC)
    assert found.problems == ["it was signed with another key than the one given"]


def test_forged_statement_does_not_hold(
    payload: Payload, suite: Suite, now: datetime, encode_first_format: Encode
) -> None:
    """Even where its digest was made anew, it says more than its evidence does."""
    payload["statement"]["target"] = "https://other.example"
    found = verify_certificate(encode_first_format(payload), suite, now=now)
    assert found.problems == ["it says of target what does not follow from its evidence"]


@pytest.mark.parametrize(("part", "message"), [("statement", "it has no statement"), ("run", "cannot be read")])
def test_payload_without_a_part_does_not_hold(
    payload: Payload, suite: Suite, now: datetime, encode_first_format: Encode, *, part: str, message: str
) -> None:
    """Both are needed to compute anything."""
    del payload[part]
    assert message in verify_certificate(encode_first_format(payload), suite, now=now).problems[0]


@pytest.mark.parametrize("key", KEYS.values(), ids=KEYS)
@given(position=st.integers(0, 10_000), byte=st.integers(1, 255))
def test_any_altered_byte_is_seen(encode_first_format: Encode, key: Any, position: int, byte: int) -> None:
    """Wherever it is. What no longer says that it is of this format is left to the reader of the other."""
    content = bytearray(encode_first_format(PAYLOAD, key))
    content[position % len(content)] ^= byte
    with pytest.raises(AlteredError):
        decode_any(bytes(content))


def decode_any(content: bytes) -> Bundle:
    """Read a certificate of either format, as `verify` does."""
    return decode_first_format(content) or decode_certificate(content)


SIGNATURE = {"algorithm": "Ed25519", "public_key": PUBLIC, "value": KEY.sign(canonical(PAYLOAD)).hex()}
OTHER_PUBLIC, OTHER_VALUE = OTHER_KEY.public_key().public_bytes_raw().hex(), OTHER_KEY.sign(canonical(PAYLOAD)).hex()
REWRITTEN: dict[str, tuple[dict[str, Any], str]] = {
    "another-payload": ({"payload": {"statement": {}}}, "does not have its digest"),
    "another-format": ({"format": "certificate"}, "no certificate of this suite"),
    "another-schema": ({"schema": 2}, "another schema"),
    "further-member": ({"note": ""}, "another schema"),
    "no-payload": ({"payload": []}, "another schema"),
    "no-such-signature": ({"signature": "yes"}, "signature does not fit"),
    "key-of-another": ({"signature": {**SIGNATURE, "public_key": OTHER_PUBLIC}}, "signature does not fit"),
    "signature-of-another": ({"signature": {**SIGNATURE, "value": OTHER_VALUE}}, "signature does not fit"),
    "short-key": ({"signature": {**SIGNATURE, "public_key": "00"}}, "signature does not fit"),
    # These say the same to the library: what is not written as it was issued is altered all the same.
    "capitals": ({"signature": {**SIGNATURE, "value": SIGNATURE["value"].upper()}}, "not written as"),
    "spaces": ({"signature": {**SIGNATURE, "value": f" {SIGNATURE['value']}"}}, "not written as"),
    "another-algorithm": ({"signature": {**SIGNATURE, "algorithm": "none"}}, "not written as"),
}


@pytest.mark.parametrize(("members", "message"), REWRITTEN.values(), ids=REWRITTEN)
def test_rewritten_certificate_is_told_from_the_issued_one(
    encode_first_format: Encode, members: dict[str, Any], message: str
) -> None:
    """Whoever alters it with care does not get further."""
    with pytest.raises(AlteredError, match=message):
        decode_any(encode_first_format(PAYLOAD, KEY, **members))


RESPELT: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "on-one-line": (lambda content: json.dumps(json.loads(content)).encode(), "not written as"),
    "not-a-number": (lambda content: content.replace(b'"core"', b"NaN"), "it is not JSON"),
    "not-ascii": (lambda content: content.replace(b"core", "cöre".encode()), "it is not JSON"),
    "cut": (lambda content: content[:-3], "it is not JSON"),
}


@pytest.mark.parametrize(("spell", "message"), RESPELT.values(), ids=RESPELT)
def test_other_spelling_is_altered(encode_first_format: Encode, spell: Callable[[bytes], bytes], message: str) -> None:
    """White space and the order of members are held too, so that a certificate has one digest."""
    with pytest.raises(AlteredError, match=message):
        decode_any(spell(encode_first_format(PAYLOAD, KEY)))
