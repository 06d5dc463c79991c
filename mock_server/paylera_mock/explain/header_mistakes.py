"""How an `Authorization` header is misspelled: its form alone, without a look at which tokens there are.

`MISSPELLINGS` is every known mistake on one screen. A sentence never holds a part of what was sent.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from typing import Final, NamedTuple
from urllib.parse import unquote

_QUOTES: Final = "\"'`"
_TOKEN: Final = re.compile(r"sk_(?:sandbox|live)_[A-Za-z0-9._~+/-]+=*")
_BASE64: Final = re.compile(r"[A-Za-z0-9+/_-]{24,}={0,2}")
_STRAY: Final = _QUOTES + "<>()[]{},;:.!\\ \t\r\n"

_EMPTY_VARIABLE: Final = "the variable that should hold it is empty or not set"
_NOT_EXPANDED: Final = (
    "A placeholder was sent in the place of the token: nothing put the variable's value there"
    " (between single quotes a shell does not)."
)
_EXAMPLE: Final = "The text of an example was sent in the place of a token: put a real one there."


class HeaderMistake(NamedTuple):
    """One mistake: the form of the whole header's value, and what to do about it."""

    form: re.Pattern[str]
    says: str


def _form(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE | re.DOTALL)


MISSPELLINGS: Final = (
    HeaderMistake(_form(r""), f"The header is there without a value: {_EMPTY_VARIABLE}."),
    HeaderMistake(_form(r"bearer"), f"After Bearer comes no token: {_EMPTY_VARIABLE}."),
    HeaderMistake(
        _form(r"authorization\s*[:=].*"), "The value begins with the header's own name: send `Bearer <token>` alone."
    ),
    HeaderMistake(
        _form(r"bearer\s+bearer\b.*"), "The word Bearer stands there twice: give the client the token without it."
    ),
    HeaderMistake(_form(r'(?:\w+\s+)?\{\s*".*'), "A whole JSON object was sent: send its member `secret` alone."),
    HeaderMistake(_form(r"(?:\w+\s+)?(?:\$\{?\w+\}?|\$\(.*\)|\$env:\w+|%\w+%|#?\{\{?.*\}?\}|<[^<>]*>)"), _NOT_EXPANDED),
    HeaderMistake(_form(r"(?:\w+\s+)?(?:process\.env|os\.environ|ENV\[|import\.meta).*"), _NOT_EXPANDED),
    HeaderMistake(
        _form(r"(?:\w+\s+)?(?:undefined|null|none|nil|nan|false|\[object \w+\])"),
        f"A word that means nothing was sent in the place of a token: {_EMPTY_VARIABLE}.",
    ),
    HeaderMistake(
        _form(
            r"(?:\w+\s+)?(?:sk_\w+?_)?(?:your[-_ ]?.*|my[-_ ]?(?:api|token|key|secret).*|x{3,}|\.{3,}|\*{3,}|token"
            r"|secret|api[-_ ]?key|access[-_ ]?token|paylera[-_ ]?key|change[-_ ]?me|replace[-_ ]?me|todo|example|test)"
        ),
        _EXAMPLE,
    ),
    HeaderMistake(
        _form(r"bearer\s*[:=].*"), "After the word Bearer comes one space, and nothing else before the token."
    ),
    HeaderMistake(_form(r"bearer\t.*"), "Between Bearer and the token stands a tab: it must be one space."),
    HeaderMistake(
        _form(r"basic\b.*"),
        "This is Basic authentication: send `Authorization: Bearer <token>` (with curl by -H, not by -u).",
    ),
    HeaderMistake(
        _form(r"(?:token|apikey|api-key|key|x-api-key|jwt|oauth|access_token|digest|negotiate|secret)\b[ :=].*"),
        "The scheme before the token is another one: it must be the word Bearer.",
    ),
    HeaderMistake(_form(r"bearersk.*"), "Between Bearer and the token must stand one space."),
    HeaderMistake(_form(r".*[^\x00-\x7f].*"), "There is a character beyond ASCII in it, perhaps one that is not seen."),
    HeaderMistake(_form(r"(?:\w+\s+)?[\"'`].*|.*[\"'`]"), "There are quotes around it: send the token without them."),
    HeaderMistake(_form(r"sk_\S+"), "The token stands alone: before it must stand the word Bearer and one space."),
    HeaderMistake(_form(r".*(?:\\[nrt])+"), "A line break was written behind the token as a backslash and a letter."),
    HeaderMistake(
        _form(r".*[\r\n].*"), "There is a line break in it: take it off where the token is read from a file."
    ),
    HeaderMistake(_form(r"\w+\s+[^,;]+[,;]\s*"), "Behind the token stands a comma or a semicolon: take it off."),
    HeaderMistake(_form(r"\w+\s+\S*%[0-9a-f]{2}\S*"), "The token was URL-encoded: in a header it is sent as it is."),
    HeaderMistake(_form(r".*,\s*bearer\s.*"), "There are two Authorization headers: send one, with one token."),
    HeaderMistake(_form(r"bearer\s+\S+\s+\S.*"), "Within the token stands a space: send it in one piece, alone."),
    HeaderMistake(
        _form(r"bearer\s+whsec_.*"), "This is the signing secret of a webhook endpoint: a token begins with sk_."
    ),
    HeaderMistake(
        _form(r"bearer\s+tok_.*"), "This is the id of a token: send its secret, which was shown when it was made."
    ),
    HeaderMistake(
        _form(r"bearer\s+eyJ[\w-]+\.[\w-]+.*"), "This is a JWT: a token of this API is opaque and begins with sk_."
    ),
    HeaderMistake(
        _form(r"bearer\s+[pr]k_.*"),
        "A key of this kind does not exist here: a token begins with sk_sandbox_ or sk_live_.",
    ),
    HeaderMistake(
        _form(r"bearer\s+sk[-_](?:test|prod|production)[-_].*"), "The environments are named sandbox and live."
    ),
    HeaderMistake(
        _form(r"bearer\s+sk-(?:sandbox|live).*"),
        "Between the parts of a token stand underscores: sk_sandbox_ or sk_live_.",
    ),
)
"""The first whose form the value has is the mistake."""


def misspelled(value: str) -> str:
    """What is wrong with the form of a header's value; empty where nothing is known to be."""
    text = value.strip(" \t")
    return next((each.says for each in MISSPELLINGS if each.form.fullmatch(text)), "")


def meant(value: str) -> Iterator[str]:
    """The tokens that may be meant by a value: as it stands there, and with the usual mistakes undone."""
    word = value.strip(_STRAY).rpartition(" ")[2].strip(_STRAY)
    yield word
    for text in (value, unquote(value), *_decoded(value)):
        yield from _TOKEN.findall(text)
    yield word.removesuffix("\\n").removesuffix("%0A")


def _decoded(value: str) -> Iterator[str]:
    """What stands in a value as base64."""
    for run in _BASE64.findall(value):
        try:
            yield base64.b64decode(
                run + "=" * (-len(run) % 4), altchars=b"-_" if "-" in run or "_" in run else None
            ).decode("ascii")
        except (binascii.Error, ValueError):
            continue
