"""Secrets that know that they are secret, and text with the secrets taken out."""

from __future__ import annotations

import base64
import json
import pickle
from collections.abc import Callable
from urllib.parse import quote

import pytest

from paylera_fixtures.redaction import Redactor, Secret, redact
from paylera_fixtures.tokens import fingerprint, new_secret
from paylera_fixtures.vocabulary import Environment

CANARY = "sk_sandbox_" + "Canary/7+Zz" * 3
ROLE = "everything"
SECRET = Secret(CANARY, ROLE)
LABEL = f"‹everything {fingerprint(CANARY)}›"

AS_TEXT: dict[str, Callable[[Secret], str]] = {
    "str": str,
    "repr": repr,
    "f-string": lambda secret: f"{secret}",
    "format": lambda secret: format(secret, ""),
    "percent": lambda secret: "%s" % secret,  # noqa: UP031 - the old way is what is tested
    "in-a-list": lambda secret: str([secret]).strip("[]"),
    "json-default": lambda secret: json.loads(json.dumps(secret, default=str)),
}


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _base64url(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


SPELLINGS: dict[str, Callable[[str], str]] = {
    "raw": lambda secret: secret,
    "bearer": lambda secret: f"Authorization: Bearer {secret}",
    "bearer-dump": lambda secret: f"[(b'authorization', b'Bearer {secret}')]",
    "json": lambda secret: json.dumps({"secret": secret}),
    "url": lambda secret: "?token=" + quote(secret, safe=""),
    "url-every-byte": lambda secret: "".join(f"%{byte:02x}" for byte in secret.encode()),
    "base64": _base64,
    "base64-after-one": lambda secret: _base64(":" + secret),
    "base64-after-two": lambda secret: _base64("u:" + secret),
    "base64-as-user": lambda secret: "Basic " + _base64(secret + ":"),
    "base64-of-a-header": lambda secret: _base64("Bearer " + secret),
    "base64url": _base64url,
    "glued": lambda secret: f"x{secret}y",
}


def leaks(text: str, secret: str) -> list[str]:
    """Every eight characters in a row of the secret's random part, in any spelling, that the text still has."""
    spelt = [secret.removeprefix("sk_sandbox_"), quote(secret, safe=""), _base64(secret), _base64url(secret)]
    pieces = [whole[at : at + 8] for whole in spelt for at in range(len(whole) - 7)]
    return [piece for piece in pieces if piece in text]


@pytest.mark.parametrize("as_text", AS_TEXT.values(), ids=AS_TEXT)
def test_secret_as_text_is_its_label(as_text: Callable[[Secret], str]) -> None:
    """Whatever makes text of a secret gets the label."""
    assert as_text(SECRET) == LABEL


def test_reveal_gives_the_secret() -> None:
    """The one way to the secret is asked for by name."""
    assert SECRET.reveal() == CANARY


def test_json_refuses_a_secret() -> None:
    """It is no string, so no serialiser writes it unasked."""
    with pytest.raises(TypeError):
        json.dumps({"token": SECRET})


def test_pickling_is_refused_without_a_leak() -> None:
    """A pickle is a copy in clear; the message names the secret by its label."""
    with pytest.raises(TypeError, match=LABEL):
        pickle.dumps(SECRET)


def test_secrets_of_one_value_are_equal() -> None:
    """The role is a name, not a part of the value."""
    assert {Secret(CANARY, "a"), Secret(CANARY, "b")} == {SECRET}


@pytest.mark.parametrize("other", [Secret("sk_sandbox_other"), CANARY, None])
def test_secret_differs_from_anything_else(other: object) -> None:
    """Not even the bare string is equal, so that none is compared by mistake."""
    assert other != SECRET


def test_secret_has_no_further_members() -> None:
    """No dictionary of members that a debugger's dump would print."""
    assert not hasattr(SECRET, "__dict__")


@pytest.mark.parametrize("spell", SPELLINGS.values(), ids=SPELLINGS)
def test_known_secret_is_taken_out(spell: Callable[[str], str]) -> None:
    """However it is spelt, no piece of it stays."""
    assert leaks(redact(spell(CANARY), [SECRET]), CANARY) == []


@pytest.mark.parametrize("spell", SPELLINGS.values(), ids=SPELLINGS)
def test_known_secret_is_named(spell: Callable[[str], str]) -> None:
    """The label stands where the secret stood."""
    assert LABEL in redact(spell(CANARY), [SECRET])


@pytest.mark.parametrize("spelling", ["raw", "bearer", "json", "base64", "base64-as-user", "base64-of-a-header"])
@pytest.mark.parametrize("environment", Environment)
def test_unknown_token_is_taken_out(spelling: str, environment: Environment) -> None:
    """A token that nobody announced is known by its form."""
    stranger = new_secret(environment)
    assert f"‹unknown token {fingerprint(stranger)}›" in redact(SPELLINGS[spelling](stranger))


def test_unknown_webhook_secret_is_taken_out() -> None:
    """Signing secrets have a form too."""
    assert "c2lnbmluZw" not in redact("secret: whsec_c2lnbmluZw")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "sk_sandbox_ and sk_live_ are prefixes",
        "sk_<env>_<random>",
        "tok_serviceall cus_ada",
        "GET /v1/admin/webhook-endpoints 401 auth.invalid_token",
        "0123456789abcdef0123456789abcdef0",
    ],
)
def test_other_text_stays_as_it_is(text: str) -> None:
    """Redaction is no reason to make a report unreadable."""
    assert redact(text, [SECRET]) == text


def test_secret_that_begins_with_another_is_taken_out_whole() -> None:
    """The longer one is looked for first."""
    longer = Secret(CANARY + "More", "longer")
    assert redact(longer.reveal(), [SECRET, longer]) == longer.label


def test_empty_secret_changes_nothing() -> None:
    """An empty string is in every text."""
    assert redact("text", [Secret("")]) == "text"


def test_secret_without_a_tokens_form_is_taken_out() -> None:
    """A password of a proxy is a secret too."""
    password = Secret("hunter2-hunter2", "proxy")
    assert redact("proxy: hunter2-hunter2", [password]) == f"proxy: {password.label}"


def test_short_secret_leaves_chance_matches_alone() -> None:
    """The base64 of three characters stands in many a word."""
    assert redact("aGk is base64", [Secret("hi")]) == "aGk is base64"


def test_full_stop_after_a_token_is_the_texts() -> None:
    """The fingerprint is that of the token, not of the sentence's end."""
    stranger = new_secret(Environment.SANDBOX)
    assert redact(f"It was {stranger}.") == f"It was ‹unknown token {fingerprint(stranger)}›."


def test_redactor_learns_later() -> None:
    """Secrets that are issued during a run are taken out from then on."""
    redactor = Redactor()
    redactor.add(SECRET)
    assert redactor.redact(CANARY) == LABEL


def test_redacting_twice_changes_nothing_more() -> None:
    """A label is no secret."""
    once = redact(f"Bearer {CANARY}", [SECRET])
    assert redact(once, [SECRET]) == once
