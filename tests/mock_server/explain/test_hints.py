"""What is wrong with a token that is almost right is said in a header, and never by showing a secret."""

from __future__ import annotations

import base64
import string
from collections.abc import Callable
from typing import Any, Final

import pytest
from flask import Flask
from werkzeug.test import Client

from paylera_fixtures.tokens import WELL_KNOWN, new_secret
from paylera_fixtures.vocabulary import Environment
from paylera_mock.core.policy import Policy
from paylera_mock.explain.header_mistakes import MISTAKES, find_mistake
from paylera_mock.explain.near_misses import describe_difference
from paylera_mock.http.environ import UNDERSCORED
from paylera_mock.namespaces.namespace import Namespace, Namespaces
from paylera_mock.namespaces.well_known import seed_default
from paylera_mock.state.token_index import REMEMBERED, Holder, TokenIndex

PATH: Final = "/v1/customers"
HINT: Final = "Paylera-Mock-Hint"

SPELLED: Final = {
    "no scheme": ("{}", "stands alone"),
    "quotes": ('Bearer "{}"', "quotes"),
    "quotes around all": ("'Bearer {}'", "quotes"),
    "backticks": ("Bearer `{}`", "quotes"),
    "twice": ("Bearer Bearer {}", "twice"),
    "colon": ("Bearer: {}", "one space"),
    "glued": ("Bearer{}", "one space"),
    "tab": ("Bearer\t{}", "tab"),
    "comma": ("Bearer {},", "comma"),
    "semicolon": ("Bearer {};", "semicolon"),
    "line break as text": ("Bearer {}\\n", "line break"),
    "encoded line break": ("Bearer {}%0A", "URL-encoded"),
    "header's name": ("Authorization: Bearer {}", "own name"),
    "Token": ("Token {}", "must be the word Bearer"),
    "ApiKey": ("ApiKey {}", "must be the word Bearer"),
    "JSON": ('Bearer {{"secret": "{}"}}', "JSON"),
    "two": ("Bearer {0}, Bearer {0}", "two Authorization headers"),
    "full stop": ("Bearer {}.", "stands around it"),
    "beyond ASCII": ("Bearer {}\u00a0", "beyond ASCII"),
}
"""What a token is wrapped in, and a part of what is said of it."""

UNFILLED: Final = {
    "Bearer $PAYLERA_KEY": "placeholder",
    "Bearer ${PAYLERA_KEY}": "placeholder",
    "Bearer {{PAYLERA_KEY}}": "placeholder",
    "Bearer {PAYLERA_KEY}": "placeholder",
    "Bearer <token>": "placeholder",
    "Bearer %PAYLERA_KEY%": "placeholder",
    "$PAYLERA_KEY": "placeholder",
    "Bearer process.env.PAYLERA_KEY": "placeholder",
    "Bearer ${{ secrets.PAYLERA_KEY }}": "CI system",
    "${{secrets.PAYLERA_KEY}}": "CI system",
    "Bearer YOUR_API_KEY": "example",
    "Bearer sk_sandbox_xxxxxxxx": "example",
    "Bearer sk_sandbox_...": "example",
    "Bearer undefined": "empty or not set",
    "Bearer None": "empty or not set",
    "Bearer [object Object]": "empty or not set",
    "Bearer": "empty or not set",
    "Bearer tok_serviceall": "id of a token",
    "Bearer whsec_0123456789": "webhook",
    "Bearer eyJhbGciOiJ.eyJzdWIi.c2ln": "JWT",
    "Bearer pk_sandbox_serviceall": "sk_sandbox_ or sk_live_",
    "Bearer sk_test_0123456789": "sandbox and live",
    "Bearer sk-sandbox-0123456789": "underscores",
    "Basic dXNlcjpwYXNz": "Basic",
}
"""What is sent in the place of a token, and a part of what is said of it."""

ALTERED: Final[dict[str, tuple[Callable[[str], str], str]]] = {
    "first character": (lambda secret: _other_at(secret, 11), "its end is right"),
    "a character of the middle": (lambda secret: _other_at(secret, 26), "both ends are right"),
    "last character": (lambda secret: _other_at(secret, 42), "its beginning is right"),
    "neighbours": (lambda secret: _swap_neighbours(secret), "right"),  # noqa: PLW0108 - it is defined below
    "cut": (lambda secret: secret[:-3], "3 characters are missing, and its beginning is right"),
    "cut in front": (lambda secret: secret[:11] + secret[12:], "one character is missing, and its end is right"),
    "extended": (lambda secret: secret + "x", "one character is too many, and its beginning is right"),
    "case": (lambda secret: secret.swapcase(), "upper and lower case only"),
    "prefix": (lambda secret: secret.replace("sandbox", "live"), "But for its prefix"),
    "no prefix": (lambda secret: secret[11:], "But for its prefix"),
}
"""What is done to a secret that was minted, and a part of what is said of it."""


def _swap_neighbours(secret: str) -> str:
    """The secret with two characters in the other order: the first two after 30 that differ by more than case."""
    letters = secret.lower()
    place = next(place for place in range(30, len(secret)) if letters[place] != letters[place + 1])
    return secret[:place] + secret[place + 1] + secret[place] + secret[place + 2 :]


def _other_at(secret: str, place: int) -> str:
    other = "a" if secret[place] not in "aA" else "b"
    return secret[:place] + other + secret[place + 1 :]


def secret_of(name: str) -> str:
    """A well-known secret of the sandbox."""
    return next(token.secret for token in WELL_KNOWN if (token.name, token.environment) == (name, "sandbox"))


def hint(fake: Any, value: str, *, live: bool = False, path: str = PATH) -> str:
    """What a request with such a header is told."""
    return str(fake.call("GET", path, headers={"Authorization": value}, live=live).headers.get(HINT, ""))


@pytest.mark.parametrize(("wrap", "part"), SPELLED.values(), ids=SPELLED)
def test_a_known_token_in_a_wrong_spelling_is_recognised(fake: Any, wrap: str, part: str) -> None:
    """What is to be changed is said, and which token it is."""
    said = hint(fake, wrap.format(fake.secret(name="mine")))
    assert (part in said, "The token in it is mine." in said) == (True, True), said


@pytest.mark.parametrize(("value", "part"), UNFILLED.items(), ids=UNFILLED)
def test_what_is_no_token_at_all_is_called_what_it_is(fake: Any, value: str, part: str) -> None:
    """A variable that was not expanded, the text of an example, another kind of secret."""
    assert part in hint(fake, value)


@pytest.mark.parametrize(("alter", "part"), ALTERED.values(), ids=ALTERED)
def test_a_minted_token_with_a_mistake_is_named(fake: Any, alter: Callable[[str], str], part: str) -> None:
    """Though of its secret digests alone are kept."""
    said = hint(fake, f"Bearer {alter(fake.secret(name='mine'))}")
    assert ("the token mine" in said, part in said) == (True, True), said


@pytest.mark.parametrize(("alter", "part"), ALTERED.values(), ids=ALTERED)
def test_a_hint_holds_no_part_of_a_secret(fake: Any, alter: Callable[[str], str], part: str) -> None:
    """Neither of what was sent nor of what is right, be it four characters long."""
    del part
    secret = fake.secret(name="mine")
    said = hint(fake, f"Bearer {alter(secret)}")
    assert [run for run in (secret[at : at + 4] for at in range(11, 40)) if run.lower() in said.lower()] == []


@pytest.mark.parametrize("wrap", ["{}:", ":{}"])
def test_a_token_in_basic_authentication_is_recognised(fake: Any, wrap: str) -> None:
    """As the user, as `curl -u` sends it, or as the password."""
    encoded = base64.b64encode(wrap.format(fake.secret(name="mine")).encode()).decode()
    assert "not by -u). The token in it is mine." in hint(fake, f"Basic {encoded}")


def test_a_token_in_base64_is_recognised(fake: Any) -> None:
    """Well formed, but not what was minted."""
    encoded = base64.b64encode(fake.secret(name="mine").encode()).decode()
    assert hint(fake, f"Bearer {encoded}").endswith("The token in it is mine.")


@pytest.mark.parametrize(
    ("sent", "part"),
    [
        ("sk_sandbox_serviceall00", "characters are missing"),
        (f"SK_SANDBOX_{'SERVICEALL'.ljust(32, '0')}", "case only"),
        (f"sk_sandbox_{'serviceall'.ljust(34, '0')}", "too many"),
        (f"sk_sandbox_{'sreviceall'.ljust(32, '0')}", "characters have changed places"),
        (f"sk_sandbox_{'serviceell'.ljust(32, '0')}", "one character differs, in place 19"),
    ],
)
def test_a_well_known_token_with_a_mistake_is_named(default: Any, sent: str, part: str) -> None:
    """They are public, so that they are compared whole."""
    said = hint(default, f"Bearer {sent}")
    assert ("well-known token serviceall" in said, part in said) == (True, True), said


@pytest.mark.parametrize("environment", Environment)
def test_a_whole_token_that_nobody_made_here_is_told_so(default: Any, environment: Environment) -> None:
    """A real key, or one of an earlier run."""
    said = hint(default, f"Bearer {new_secret(environment)}", live=environment is Environment.LIVE)
    assert ("a real environment, or of an earlier run" in said, "PAYLERA_KEY" in said) == (True, True), said


@pytest.mark.parametrize(
    "headers", [{}, {"Authorization": f"Bearer sk_sandbox_{'n0b0dy' * 5}zz"}], ids=["none", "unknown"]
)
def test_no_token_of_another_namespace_is_advised(fake: Any, headers: dict[str, str]) -> None:
    """The well-known ones are the default namespace's alone: whoever takes one of them is refused again."""
    said = fake.call("GET", PATH, headers=headers).headers[HINT].lower()
    assert ("paylera_key" in said, "minted here" in said or "mint one here" in said) == (False, True), said


@pytest.mark.parametrize("value", ["Bearer serviceall", "serviceall", "Bearer live_serviceall", "Bearer ServiceRead"])
def test_the_bare_name_of_a_well_known_token_is_told_so(default: Any, value: str) -> None:
    """As a name is written in the options of `paylera-mock explain`."""
    assert f"name of the well-known token {value.rsplit(maxsplit=1)[-1].lower()}:" in hint(default, value)


def test_basic_authentication_of_requests_may_come_from_a_file(fake: Any) -> None:
    """Which nobody thinks of, since it replaces the header that the client was given."""
    headers = {"Authorization": "Basic dXNlcjpwYXNz", "User-Agent": "python-requests/2.34"}
    said = fake.call("GET", PATH, headers=headers).headers[HINT]
    assert (".netrc" in said, "trust_env" in said, ".netrc" in hint(fake, "Basic dXNlcjpwYXNz")) == (True, True, False)


@pytest.mark.parametrize(
    ("headers", "part"),
    [
        ({"X-Api-Key": "anything"}, "The header X-Api-Key seems"),
        ({"X-Whatever": "Bearer sk_sandbox_0123456789"}, "The header X-Whatever seems"),
        ({"Cookie": "session=1; token=sk_sandbox_0123456789"}, "A cookie seems"),
    ],
    ids=str,
)
def test_a_token_in_another_header_is_told_where_it_belongs(app: Flask, headers: dict[str, str], part: str) -> None:
    """It is not looked at there."""
    said = Client(app, use_cookies=False).get(PATH, headers=headers).headers[HINT]
    assert (part in said, "sk_sandbox" in said) == (True, False), said


@pytest.mark.parametrize(
    ("sent", "part"),
    [
        ({"environ_overrides": {UNDERSCORED: ("X_Api_Key",)}}, "The header X_Api_Key seems"),
        ({"json": {"api_key": "sk_sandbox_0123456789"}}, "The body seems"),
    ],
    ids=str,
)
def test_a_token_that_no_header_holds_is_told_where_it_belongs(fake: Any, sent: dict[str, Any], part: str) -> None:
    """Neither in a body nor in a header whose name has an underscore it is looked at."""
    said = fake.call("POST", PATH, **sent).headers[HINT]
    assert (part in said, "sk_sandbox" in said) == (True, False), said


@pytest.mark.parametrize(
    ("name", "status", "part"),
    [
        ("Idempotency_Key", 400, "send Idempotency-Key"),
        ("Paylera_Version", 201, "send Paylera-Version"),
        ("X_Trace", 201, ""),
    ],
)
def test_a_header_with_an_underscore_is_told(fake: Any, name: str, status: int, part: str) -> None:
    """Where it was meant for one that matters, also if the request was accepted without it."""
    key = "key" if status == 201 else None
    environ = {UNDERSCORED: (name,)}
    answer = fake.call("POST", PATH, fake.secret(), key=key, json={"email": "a@b.example"}, environ_overrides=environ)
    assert (answer.status_code, part in answer.headers.get(HINT, "")) == (status, True)


@pytest.mark.parametrize(
    ("headers", "part"),
    [
        ({"X-Idempotency-Key": "k"}, "X-Idempotency-Key is not looked at"),
        ({"Idempotency-Key": ""}, "without a value"),
        ({}, "a new UUID"),
    ],
    ids=str,
)
def test_a_missing_key_is_told_by_what_came_instead(fake: Any, headers: dict[str, str], part: str) -> None:
    """Another name, or no value."""
    answer = fake.call("POST", PATH, fake.secret(), headers=headers, json={"email": "a@b.example"})
    assert part in answer.headers[HINT]


def test_padding_is_no_similarity(fake: Any) -> None:
    """Two secrets that end in zeros need not have anything to do with each other."""
    assert "earlier run" in hint(fake, "Bearer sk_sandbox_" + "q7w2e9".ljust(32, "0"))


def test_a_well_known_token_in_another_namespace_is_told_where_it_exists(fake: Any) -> None:
    """Who has given the client a namespace's URL has to mint there."""
    assert "in the default namespace only" in hint(fake, f"Bearer {secret_of('serviceall')}")


@pytest.mark.parametrize(
    "spell", [lambda sent: sent[:-1], str.upper, lambda sent: sent.replace("serviceall", "servicall")]
)
def test_a_misspelt_well_known_token_is_told_outside_its_namespace_too(fake: Any, spell: Callable[[str], str]) -> None:
    """Which one was meant, and that there is none of it here."""
    said = hint(fake, f"Bearer {spell(secret_of('serviceall'))}")
    assert ("Did you mean the well-known token serviceall?" in said, "POST tokens" in said) == (True, True), said


def test_a_misspelt_name_of_a_well_known_token_is_told(default: Any, fake: Any) -> None:
    """As a name alone: in the default namespace, where to find its secret."""
    said = [hint(each, "Bearer servceall") for each in (default, fake)]
    assert [text.startswith("Did you mean the well-known token serviceall?") for text in said] == [True, True], said
    assert ["`paylera-mock tokens`" in text for text in said] == [True, False]


def test_a_token_of_another_namespace_is_told_whose_it_is(namespace: Callable[[], Any]) -> None:
    """By the id under which it is reached."""
    one, other = namespace(), namespace()
    assert f"send it to {one.base}" in hint(other, f"Bearer {one.secret()}")


def test_a_mistake_in_a_token_of_another_namespace_names_nobody(namespace: Callable[[], Any]) -> None:
    """What exists in another namespace is not told but for its whole secret."""
    one, other = namespace(), namespace()
    said = hint(other, f"Bearer {one.secret(name='mine')[:-1]}")
    assert ("another namespace" in said, "mine" in said) == (True, False)


def test_a_token_of_a_deleted_namespace_is_told_so(namespace: Callable[[], Any], default: Any) -> None:
    """A test that goes on after its fixture was torn down finds out why."""
    gone = namespace()
    secret, name = gone.secret(), gone.base.removeprefix("/ns/")
    gone.client.delete(f"/_mock/namespaces/{name}")
    default.client = gone.client
    assert f"namespace {name}, which was deleted or reset" in hint(default, f"Bearer {secret}")


def test_a_token_from_before_a_reset_is_told_so(default: Any) -> None:
    """Its namespace is there still, and it is not."""
    secret = default.secret()
    default.control("POST", "reset")
    assert "before the last reset" in hint(default, f"Bearer {secret}")


def test_the_memory_of_ended_secrets_is_bounded() -> None:
    """A fake that runs for a year does not grow by them."""
    index, holder = TokenIndex[Namespace](), Holder(Namespaces(Policy(), seed_default).default)
    digests = [str(number) for number in range(REMEMBERED + 5)]
    index.enter(holder, "", digests)
    index.take_out(digests, holder)
    assert [index.former_owner(str(number)) is not None for number in (4, 5, REMEMBERED + 4)] == [False, True, True]


def test_a_token_of_live_is_told_where_to_go(fake: Any) -> None:
    """It exists, and was sent to the wrong URL."""
    secret = fake.secret(environment="live", name="mine")
    assert "The token mine is one of live" in hint(fake, f"Bearer {secret}")


def test_a_revoked_token_is_told_when_and_what_would_do(fake: Any) -> None:
    """Another one of the same audience and scopes."""
    token = fake.token("customers:read", name="old")
    fake.secret("customers:read", name="spare")
    revoked = fake.call("DELETE", f"/v1/admin/api-tokens/{token['id']}", fake.admin())
    now = fake.control("GET", "clock").json["now"]
    expected = f"The token old was revoked at {now}, for good. One that would do: spare."
    assert (revoked.status_code, hint(fake, f"Bearer {token['secret']}")) == (204, expected)


def test_a_rotated_secret_is_told_whose_it_was(fake: Any) -> None:
    """And since when it is over."""
    token = fake.token("*", name="mine")
    fake.rotate(token["id"], fake.admin())
    fake.advance(24 * 3600 + 1)
    assert f"old secret of the token {token['id']}, whose grace ended at" in hint(fake, f"Bearer {token['secret']}")


def test_no_token_is_recommended_that_cannot_be_had(default: Any) -> None:
    """The well-known one that was rotated out long ago has a secret that nobody was ever told."""
    assert hint(default, f"Bearer {secret_of('expired')}").endswith("One that would do: serviceall.")


def test_a_missing_scope_names_a_token_that_has_it(default: Any) -> None:
    """Of the same audience and assurance."""
    said = hint(default, f"Bearer {secret_of('servicenoscope')}")
    assert said == "The token servicenoscope lacks customers:read. One that would do: serviceall."


@pytest.mark.parametrize("name", ["a\r\nX-Evil: 1", "sk_sandbox_0123456789", "Zoë", "x" * 60, "<b>"])
def test_a_name_that_could_do_harm_is_not_repeated(fake: Any, name: str) -> None:
    """Whoever mints a token calls it as they like: a header then has its id."""
    token = fake.token("*", name=name)
    assert f"is {token['id']}." in hint(fake, f'Bearer "{token["secret"]}"')


def test_an_accepted_request_gets_no_hint(fake: Any) -> None:
    """There is nothing to change about it."""
    assert hint(fake, f"Bearer {fake.secret()}") == ""


def test_hints_can_be_switched_off_with_the_explanations(fake: Any, app: Flask) -> None:
    """They are no part of the contract."""
    shell = app.extensions["paylera_mock"]
    shell.explain = False
    said = hint(fake, "Bearer $PAYLERA_KEY")
    shell.explain = True
    assert said == ""


@pytest.mark.parametrize("says", [each.advice for each in MISTAKES])
def test_a_sentence_fits_a_header(says: str) -> None:
    """One line of visible ASCII, of no more than two lines of a terminal."""
    assert (set(says) <= set(string.printable) - set("\r\n\t\v\f"), says[-1], len(says) <= 160) == (True, ".", True)


@pytest.mark.parametrize("form", [each.form for each in MISTAKES])
def test_no_form_of_a_mistake_is_a_good_token(form: str) -> None:
    """A sentence about the form is for what never could be a token."""
    good = [f"Bearer {token.secret}" for token in WELL_KNOWN]
    assert [value for value in good if find_mistake(value)] == [], form


@pytest.mark.parametrize(
    "value", ["x" * 100_000, "Bearer " + "a " * 50_000, "Bearer " + "{" * 5000, '"' * 5000, "\\n" * 5000]
)
def test_a_hostile_header_is_looked_at_in_its_beginning_only(fake: Any, value: str) -> None:
    """It is answered as any other."""
    assert fake.call("GET", PATH, headers={"Authorization": value}).status_code == 401


@pytest.mark.parametrize(
    ("sent", "says"),
    [
        ("abcX", "one character differs, in place 4"),
        ("abdc", "characters have changed places, from place 3 on"),
        ("XbcY", "2 characters differ, from place 1 on"),
        ("ABCD", "it differs in upper and lower case only"),
        ("abc", "one character is missing"),
        ("abcdef", "2 characters are too many"),
    ],
)
def test_a_difference_is_told_by_number_and_place(sent: str, says: str) -> None:
    """No character of either is named."""
    assert describe_difference(sent, "abcd") == says
