"""What a case that did not pass tells its reader: everything to act on, nothing secret, nothing that moves a cursor."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable
from typing import TypeAlias

import pytest

from paylera_conformance.model.messages import Exchange
from paylera_conformance.model.outcomes import Blocked, Violation
from paylera_conformance.model.tokens import Credential
from paylera_conformance.verdict.evidence import BODY_SHOWN, LINE_SHOWN, curl, explain, headline
from paylera_fixtures.clauses import BY_ID, Level
from paylera_fixtures.redaction import Redactor, Secret

Exchanged: TypeAlias = Callable[..., Exchange]

CLAUSE = BY_ID["scope.required"]
PROBLEM = json.dumps({"problem": "auth.invalid_token", "status": 401}).encode()


def violation(exchange: Exchange) -> Violation:
    """A violation with everything in it."""
    return Violation(
        "401 auth.scope_required",
        "401 auth.invalid_token",
        change="a token without customers:read",
        hint="look at the scope after the token",
        exchange=exchange,
    )


@pytest.fixture
def message(exchanged: Exchanged) -> str:
    """The message of such a violation."""
    exchange = exchanged(401, PROBLEM, ("Content-Type", "application/problem+json"))
    return explain(violation(exchange), CLAUSE, Level.MUST, Redactor())


@pytest.mark.parametrize(
    "line",
    [
        "scope.required (must)",
        f"says    {CLAUSE.says}",
        f"source  {CLAUSE.section}",
        "change  a token without customers:read (but for this, the request is one that the target accepts)",
        "wanted  401 auth.scope_required",
        "got     401 auth.invalid_token",
        "hint    look at the scope after the token",
        "sent    GET http://target.test/v1/customers",
        "answer  401",
        "        Content-Type: application/problem+json",
        '        {"problem": "auth.invalid_token", "status": 401}',
        'repeat  curl -i http://target.test/v1/customers -H "Authorization: Bearer $TOKEN"',
    ],
)
def test_failure_tells_everything(message: str, line: str) -> None:
    """Whoever reads it can act on it without the suite at hand."""
    assert line in message.splitlines()


def test_clause_comes_first(message: str) -> None:
    """What is at stake stands before what was seen."""
    words = [line.partition(" ")[0] for line in message.splitlines() if not line.startswith(" ")]
    assert words == [CLAUSE.id, "says", "source", "change", "wanted", "got", "hint", "sent", "answer", "repeat"]


def test_what_every_request_has_is_left_out(message: str) -> None:
    """The suite's own name says nothing about the case."""
    assert "User-Agent" not in message


def test_line_without_content_is_left_out(exchanged: Exchanged) -> None:
    """Where there was no change and there is no hint, none is spoken of."""
    text = explain(Violation("a", "b", exchange=exchanged()), CLAUSE, Level.SHOULD, Redactor())
    assert not [line for line in text.splitlines() if line.startswith(("change", "hint"))]


def test_block_tells_its_reason_and_the_exchange(exchanged: Exchanged) -> None:
    """What hindered a probe is evidence too."""
    text = explain(Blocked("no control", exchange=exchanged(503)), CLAUSE, Level.MUST, Redactor())
    assert text.splitlines()[:2] == ["no control", "sent    GET http://target.test/v1/customers"]


def test_headline_is_one_line(exchanged: Exchanged) -> None:
    """The same in short, for lists."""
    assert headline(violation(exchanged()), Redactor()) == (
        "a token without customers:read: wanted 401 auth.scope_required; got 401 auth.invalid_token"
    )


# Where a secret may stand in what went over the wire: the request's members, and what the target said.
PLACES: dict[str, Callable[[Exchanged, str], Exchange]] = {
    "credential": lambda make, _: make(),
    "query": lambda make, secret: make(path=f"/v1/customers?token={secret}"),
    "header": lambda make, secret: make(headers=(("X-Api-Key", secret),)),
    "request-body": lambda make, secret: make(method="POST", body=json.dumps({"token": secret}).encode()),
    "echoed": lambda make, secret: make(200, json.dumps({"token": secret}).encode()),
    "echoed-in-header": lambda make, secret: make(200, b"", ("X-Echo", f"Bearer {secret}")),
    "cut-by-the-limit": lambda make, secret: make(200, (b"x" * (BODY_SHOWN - 20)) + secret.encode()),
    "escaped-json": lambda make, secret: make(
        200, ('{"token": "' + "".join(f"\\u{ord(letter):04x}" for letter in secret) + '"}').encode()
    ),
}


@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES)
def test_message_holds_no_secret(
    exchanged: Exchanged, service: Credential, canary: str, place: Callable[[Exchanged, str], Exchange]
) -> None:
    """Wherever a secret stood, no eight characters in a row of its random part are shown."""
    text = explain(violation(place(exchanged, canary)), CLAUSE, Level.MUST, Redactor([service.secret]))
    random = canary.removeprefix("sk_sandbox_")
    assert [random[at : at + 8] for at in range(len(random) - 7) if random[at : at + 8] in text] == []


def test_secret_of_another_form_is_not_cut_into_view(exchanged: Exchanged) -> None:
    """A body is cut to be readable; what is left of a secret at the cut is a secret still."""
    secret = Secret("hunter2-of-no-known-form", "odd")
    exchange = exchanged(200, b"x" * (BODY_SHOWN - 16) + secret.reveal().encode())
    assert "hunter2-of" not in explain(violation(exchange), CLAUSE, Level.MUST, Redactor([secret]))


# What a hostile target may answer, so that it would reach a terminal.
HOSTILE: dict[str, Callable[[Exchanged], Violation]] = {
    "body": lambda make: violation(make(200, b"\x1b[2J\x07\r\x00")),
    "json": lambda make: violation(make(200, b'{"a": "\\u001b[2J\\u009b"}')),
    "header": lambda make: violation(make(200, b"", ("X-Evil", "\x1b]0;owned\x07"))),
    "problem": lambda make: Violation("401", "401 \x1b[2J\x85", exchange=make(401)),
    "url": lambda make: violation(make(path="/\x1b[2J")),
    "request-body": lambda make: violation(make(method="POST", body=b"\x1b[2J\x07")),
    "reversed-text": lambda make: violation(make(200, "\u202egnp".encode())),
}


@pytest.mark.parametrize("hostile", HOSTILE.values(), ids=HOSTILE)
def test_message_has_no_control_characters(exchanged: Exchanged, hostile: Callable[[Exchanged], Violation]) -> None:
    """What a target answers cannot draw on its reader's screen."""
    text = explain(hostile(exchanged), CLAUSE, Level.MUST, Redactor())
    assert [character for character in text if not character.isprintable() and character != "\n"] == []


@pytest.mark.parametrize("hostile", HOSTILE.values(), ids=HOSTILE)
def test_headline_has_no_control_characters(exchanged: Exchanged, hostile: Callable[[Exchanged], Violation]) -> None:
    """Nor by the short form."""
    assert headline(hostile(exchanged), Redactor()).isprintable()


def test_long_line_is_cut_behind_its_secrets(exchanged: Exchanged) -> None:
    """A `problem` may be as long as a body."""
    secret = Secret("hunter2-of-no-known-form", "odd")
    long = Violation("401", "x" * (LINE_SHOWN - 16) + secret.reveal() + "x" * 5000, exchange=exchanged(401))
    text = explain(long, CLAUSE, Level.MUST, Redactor([secret])) + headline(long, Redactor([secret]))
    assert ("hunter2-of" in text, len(text) < 3 * LINE_SHOWN) == (False, True)


def test_long_body_is_cut(exchanged: Exchanged) -> None:
    """A page of HTML is no evidence after its first lines; how long it was is told."""
    text = explain(violation(exchanged(200, b"x" * 5000)), CLAUSE, Level.MUST, Redactor())
    assert "x" * BODY_SHOWN + "… (5000 bytes)" in text
    assert "x" * (BODY_SHOWN + 1) not in text


def test_curl_line_is_what_a_shell_would_send(exchanged: Exchanged) -> None:
    """Quotes, blanks and ampersands arrive as they were sent."""
    exchange = exchanged(
        method="POST", path="/v1/customers?a=1&b='2'", body=b'{"name": "O\'Hara & Sons"}', headers=(("X-Note", "a  b"),)
    )
    assert shlex.split(curl(exchange)) == [
        "curl",
        "-i",
        "-X",
        "POST",
        "http://target.test/v1/customers?a=1&b='2'",
        "-H",
        "Authorization: Bearer $TOKEN",
        "-H",
        "X-Note: a  b",
        "--data-binary",
        '{"name": "O\'Hara & Sons"}',
    ]


@pytest.mark.parametrize("credential", ['Bearer "{}"', "Bearer `{}`", "Bearer \\{}", "$HOME {}"])
def test_curl_line_keeps_an_odd_credential(exchanged: Exchanged, credential: str) -> None:
    """Nothing of the header but the token is left to the shell."""
    words = shlex.split(curl(exchanged(credential=credential)))
    # `shlex` undoes within double quotes what escapes a quote or a backslash; the two others stay escaped.
    written = credential.replace("{}", "$TOKEN").replace("`", "\\`").replace("$HOME", "\\$HOME")
    assert words[-1] == f"Authorization: {written}"
