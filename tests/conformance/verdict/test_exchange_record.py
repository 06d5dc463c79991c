"""What is kept of an exchange: everything that was said, and no secret."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

import msgspec
import pytest

from paylera_conformance.model.messages import AnswerRecord, Exchange, Request, Response
from paylera_conformance.model.outcomes import Violation
from paylera_conformance.model.tokens import Credential, forge_credential
from paylera_conformance.verdict.evidence import explain
from paylera_conformance.verdict.exchange_record import BODY_KEPT, calls_behind, record_evidence, record_of, records_of
from paylera_conformance.verdict.target_time import TargetTimes
from paylera_fixtures.clauses import BY_ID, Level
from paylera_fixtures.redaction import Redactor, Secret

CANARY = "sk_sandbox_" + "CanaryCanaryCanary".ljust(32, "7")
TOKEN = Credential(Secret(CANARY, "everything"))
REDACTOR = Redactor([TOKEN.secret])
NO_TIMES = TargetTimes([], stands_still=True)


def answered(body: bytes, *headers: tuple[str, str]) -> Exchange:
    """An exchange with this answer."""
    request = Request("POST", "/v1/customers", TOKEN, body=b'{"name": "Ada"}')
    return Exchange(
        request,
        "http://target.test/v1/customers",
        (("Authorization", f"Bearer {CANARY}"),),
        Response(200, headers, body),
        seconds=0.5,
        at="2026-11-24T10:00:00.000+00:00",
    )


ESCAPED = "".join(f"\\u{ord(letter):04x}" for letter in CANARY)

PLACES: dict[str, Callable[[], Exchange]] = {
    "request-header": lambda: answered(b""),
    "body": lambda: answered(CANARY.encode()),
    "header": lambda: answered(b"", ("X-Echo", CANARY)),
    "header-name": lambda: answered(b"", (CANARY, "x")),
    "escaped-json": lambda: answered(f'{{"token": "{ESCAPED}"}}'.encode()),
    "at-the-cut": lambda: answered(b"x" * (BODY_KEPT - 20) + CANARY.encode()),
}


@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES)
def test_no_secret_is_kept(place: Callable[[], Exchange]) -> None:
    """Wherever it stood, read as JSON or not."""
    record = msgspec.to_builtins(record_of(place(), REDACTOR))
    read_again = json.dumps(record) + str(record).encode().decode("unicode_escape")
    assert CANARY[11:23] not in read_again


# Bodies that are no JSON as a whole, in each of which the secret stands.
SPELLINGS: dict[str, bytes] = {
    "plain": f"your new token: {CANARY}".encode(),
    "lines-of-json": f'{{"a": 1}}\n{{"secret": "{ESCAPED}"}}'.encode(),
    "json-after-a-warning": f'Warning: x\n{{"secret": "{ESCAPED}"}}'.encode(),
    "hexadecimal": "".join(f"\\x{ord(letter):02x}" for letter in CANARY).encode(),
    "markup": "".join(f"&#{ord(letter)};" for letter in CANARY).encode(),
    "url": "".join(f"%{ord(letter):02x}" for letter in CANARY).encode(),
    "wide-with-mark": f"token {CANARY}".encode("utf-16"),
    "wide": f"token {CANARY}".encode("utf-16-le"),
    "wide-the-other-way": f"token {CANARY}".encode("utf-16-be"),
    "widest": f"token {CANARY}".encode("utf-32-le"),
}


@pytest.mark.parametrize("known", [True, False], ids=["known", "unknown"])
@pytest.mark.parametrize("body", SPELLINGS.values(), ids=SPELLINGS)
def test_no_secret_is_read_out_of_what_is_no_json(body: bytes, known: bool) -> None:  # noqa: FBT001 - either may be
    """In the record and in the message it is a label, one that nobody announced too."""
    redactor = REDACTOR if known else Redactor()
    exchange = answered(body, ("Content-Type", "text/plain"))
    kept = record_of(exchange, redactor).answer.body
    told = explain(Violation("x", "y", exchange=exchange), BY_ID["scope.required"], Level.MUST, redactor)
    label = TOKEN.secret.fingerprint
    assert [text for text in (kept, told.partition("answer")[2]) if label not in text] == []
    assert "\0" not in kept


def test_escapes_that_hide_nothing_stay() -> None:
    """A body is evidence, and shown byte for byte."""
    body = '{"name":  "\\u0041da"}'
    assert record_of(answered(body.encode()), REDACTOR).answer.body == body


def test_long_body_is_cut() -> None:
    """And how long it was is told."""
    kept = record_of(answered(b"x" * 20_000), REDACTOR).answer.body
    assert kept == "x" * BODY_KEPT + "… (cut, 20000 bytes in all)"


def test_bytes_that_are_no_text_are_spelled_out() -> None:
    """A body need not be UTF-8."""
    assert record_of(answered(b"\xff\xfe"), REDACTOR).answer.body == "\\xff\\xfe"


def test_deciding_exchange_is_marked() -> None:
    """It alone."""
    exchanges = [answered(b"1"), answered(b"2")]
    marks = [record.deciding for record in records_of(exchanges, REDACTOR, deciding=exchanges[1])]
    assert marks == [False, True]


def test_everything_that_was_said_is_kept() -> None:
    """With the credential by its role, and the time."""
    record = record_of(answered(b"{}", ("X-A", "1")), REDACTOR)
    assert record.role == str(TOKEN)
    assert record.answer == AnswerRecord(200, (("X-A", "1"),), "{}")
    assert (record.method, record.body, record.seconds) == ("POST", '{"name": "Ada"}', 0.5)


def _minting(identifier: str, at: str) -> Exchange:
    body = json.dumps({"id": identifier, "secret": f"plain-secret-of-{identifier}"}).encode()
    return Exchange(Request("POST", "/tokens"), "http://control.test/tokens", (), Response(201, (), body), at=at)


def test_secret_of_a_control_call_is_hidden_in_whatever_form() -> None:
    """What a control API gives is a secret, whether it was sent and whether it looks like one."""
    evidence = record_evidence([], [_minting("t1", "")], Redactor(), deciding=None, times=NO_TIMES)
    assert "plain-secret" not in evidence.control_calls[0].answer.body
    assert "‹minted #" in evidence.control_calls[0].answer.body


def test_exchange_rests_on_the_call_that_made_its_token() -> None:
    """Of calls for several cases a case has those behind it, and none that only begins like one."""
    token = replace(forge_credential("s", "service"), id="t1")
    sent = Exchange(Request("GET", "/v1/customers", token), "http://t.test", (), Response(200, ()), at="2")
    calls = [_minting("t1", "1"), _minting("t12", "1"), _minting("t1", "3")]
    assert calls_behind(calls, [sent]) == calls[:1]


def test_evidence_says_once_what_a_credential_is() -> None:
    """Whoever repeats a case must know which token it takes."""
    token = forge_credential("s", "nobody's")
    sent = Exchange(Request("GET", "/v1/customers", token), "http://t.test", (), Response(200, ()), at="2")
    evidence = record_evidence([sent, sent], [], Redactor(), deciding=None, times=NO_TIMES)
    assert [(note.label, note.issued) for note in evidence.credentials] == [(str(token), False)]
