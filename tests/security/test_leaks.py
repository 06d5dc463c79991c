"""No command shows a secret: not in what it says, not in what it writes, raw, encoded, cut or split.

The canaries are tokens that the target accepts, one that it does not, one of no known form, the passphrase of the state
file and the key that signs. What the suite itself minted or forged is found by its form.
"""

from __future__ import annotations

import base64
import html
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from typing import TypeAlias
from urllib.parse import quote, unquote

import pytest

from helpers.leaks import Scene
from paylera_fixtures.tokens import fingerprint

pytestmark = pytest.mark.slow

CANARIES = ("EVERYTHING", "SPARE", "OPERATOR", "GHOST", "ODD", "PASSPHRASE", "KEY")
FORM = re.compile(r"sk_(?:sandbox|live)_[A-Za-z0-9]{16,}")
PREFIX = re.compile(r"^sk_(?:sandbox|live)_")
WINDOW = 12
"""So many characters of a secret in a row are a leak: more than any hint shows, and no accident."""


def encoded(secret: str) -> set[str]:
    """The secret in base64, whatever stands before it, less the characters that its neighbours would change."""
    raw = secret.encode()
    texts = {base64.b64encode(b"\0" * before + raw).decode()[2 + before : -4] for before in range(3)}
    return texts | {text.translate(str.maketrans("+/", "-_")) for text in texts}


def needles(secret: str) -> set[str]:
    """What must not be found: any part of the secret of some length, and its other spellings."""
    random = PREFIX.sub("", secret)
    step = WINDOW // 2
    parts = {random[start : start + WINDOW] for start in range(0, len(random) - WINDOW + 1, step)}
    spelt = {quote(secret, safe=""), "".join(f"%{byte:02X}" for byte in secret.encode()), secret.encode().hex()}
    return {secret, *parts, *encoded(secret), *spelt}


def unspaced(text: str) -> str:
    """The text without white space, and without the marks that a page puts between words."""
    return re.sub(r"[\s│┃|]+", "", text)


def unescaped(text: str) -> str:
    """The text with JSON's escapes undone."""
    plain = re.sub(r"\\u([0-9a-fA-F]{4})", lambda found: chr(int(found[1], 16)), text)
    return plain.replace("\\n", "").replace("\\/", "/").replace('\\"', '"').replace("\\", "")


def as_written(text: str) -> str:
    """The text itself."""
    return text


VIEWS: Mapping[str, Callable[[str], str]] = {
    "as-written": as_written,
    "wrapped": unspaced,
    "escaped": lambda text: unspaced(unescaped(text)),
    "marked-up": lambda text: unspaced(html.unescape(re.sub(r"<[^>]*>", "", text))),
    "url-encoded": lambda text: unspaced(unquote(text)),
}
"""The ways in which a reader, or a program, could put together again what was split."""


UNDONE: Mapping[str, Callable[[str], str]] = {
    "as-written": as_written,
    "escaped": unescaped,
    "url-encoded": unquote,
}
"""Those of them that leave the white space, without which two words would make one of a token's form."""


def found_in(texts: Mapping[str, str], secrets: Iterable[str]) -> list[str]:
    """The names of the texts that show any of the secrets; the secrets themselves are not repeated."""
    wanted = {needle for secret in secrets for needle in needles(secret)}
    return [name for name, text in texts.items() if any(needle in text for needle in wanted)]


Read: TypeAlias = Callable[[Callable[[str], str]], Mapping[str, str]]


@pytest.fixture(scope="module")
def read(scene: Scene) -> Read:
    """All that was written, read in some way; each way takes seconds, and is gone once."""
    written = scene.written()
    return cache(lambda view: {name: view(text) for name, text in written.items()})


@pytest.mark.parametrize("canary", CANARIES)
@pytest.mark.parametrize("view", VIEWS)
def test_no_canary_is_shown(scene: Scene, read: Read, view: str, canary: str) -> None:
    """In no artefact, by no way of reading it."""
    assert found_in(read(VIEWS[view]), [scene.secrets[canary]]) == []


@pytest.mark.parametrize("view", UNDONE)
def test_nothing_of_a_tokens_form_is_shown(read: Read, view: str) -> None:
    """What the suite minted, forged and altered has no name here; it is found by its form."""
    assert [name for name, text in read(UNDONE[view]).items() if FORM.search(text)] == []


def test_every_command_went_its_way(scene: Scene) -> None:
    """A command that stopped at once would have nothing to leak."""
    assert scene.codes == {
        "doctor": 13,
        "dry-run": 0,
        "run": 10,
        "refused": 13,
        "verbose": 10,
        "resume": 1,
        "report": 0,
        "parallel": 0,
        "certify": 0,
        "verify": 0,
        "barred": 1,
        "diff": 0,
        "selftest": 0,
        "unreachable": 13,
    }


SHOWN = {
    "out/run.json": ("EVERYTHING", "OPERATOR", "GHOST"),
    "out/exchanges.har": ("EVERYTHING", "OPERATOR", "GHOST"),
    "out/report.html, evidence": ("EVERYTHING", "OPERATOR", "GHOST"),
    "later/run.json": ("EVERYTHING", "OPERATOR", "GHOST"),
    "doctor": ("ODD",),
    "refused": ("ODD",),
}


@pytest.mark.parametrize(("name", "canaries"), SHOWN.items(), ids=SHOWN)
def test_canaries_were_there_to_be_shown(scene: Scene, read: Read, name: str, canaries: Sequence[str]) -> None:
    """By their labels: the search would find nothing in an empty file either."""
    text = html.unescape(read(unspaced)[name])
    assert [canary for canary in canaries if fingerprint(scene.secrets[canary]) not in text] == []


HIDDEN = {
    "raw": "{}",
    "in-a-header": "Authorization: Bearer {}",
    "cut": "{cut}…",
    "in-json": '"\\u0073{json}"',
    "marked-up": "<b>{half}</b><i>{rest}</i>",
    "wrapped": "{half}\n      {rest}",
    "in-a-table": "| {half} |\n| {rest} |",
    "url-encoded": "{url}",
    "base64": "{base64}",
    "basic": "{basic}",
    "hexadecimal": "{hex}",
}


@pytest.mark.parametrize("text", HIDDEN.values(), ids=HIDDEN)
def test_search_finds_what_is_hidden(text: str) -> None:
    """A search that finds nothing in these would prove nothing by finding nothing elsewhere."""
    secret = "sk_sandbox_" + "AbCdEfGhIjKlMnOpQrStUvWxYz012345"
    written = text.format(
        secret,
        cut=secret[:30],
        half=secret[:20],
        rest=secret[20:],
        url="%73" + quote(secret[1:]).replace("k", "%6B"),
        json="".join(f"\\u{ord(character):04x}" for character in secret[1:]),
        hex=secret.encode().hex(),
        base64=base64.b64encode(secret.encode()).decode(),
        basic=base64.b64encode(f"me:{secret}".encode()).decode(),
    )
    assert [view for view, read in VIEWS.items() if found_in({"x": read(written)}, [secret])]
