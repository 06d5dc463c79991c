"""Mistakes in the form of an `Authorization` header, without a look at which tokens there are.

`MISTAKES` has every known mistake. A sentence never holds a part of what was sent.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from typing import Final, NamedTuple
from urllib.parse import unquote

from paylera_fixtures.tokens import TOKEN_FORM

_BASE64: Final = re.compile(r"[A-Za-z0-9+/_-]{24,}={0,2}")
_STRAY: Final = "\"'`<>()[]{},;:.!\\ \t\r\n"

_EMPTY_VARIABLE: Final = "the variable that should hold it is empty or not set"
_NOT_EXPANDED: Final = (
    "A placeholder was sent in the place of the token: nothing put the variable's value there"
    " (between single quotes a shell does not)."
)
_EXPRESSION: Final = (
    "An expression of a CI system was sent as it stands: it is filled in within the workflow file alone, as under env."
)
_EXAMPLE: Final = "The text of an example was sent in the place of a token: put a real one there."


class HeaderMistake(NamedTuple):
    """One mistake: the form of the whole header's value as a regular expression, and what to do about it."""

    form: str
    advice: str


MISTAKES: Final = (
    HeaderMistake(r"", f"The header is there without a value: {_EMPTY_VARIABLE}."),
    HeaderMistake(r"bearer", f"After Bearer comes no token: {_EMPTY_VARIABLE}."),
    HeaderMistake(
        r"authorization\s*[:=].*", "The value begins with the header's own name: send `Bearer <token>` alone."
    ),
    HeaderMistake(r"bearer\s+bearer\b.*", "The word Bearer stands there twice: give the client the token without it."),
    HeaderMistake(r'(?:\w+\s+)?\{\s*".*', "A whole JSON object was sent: send its member `secret` alone."),
    HeaderMistake(r"(?:\w+\s+)?\$(?:\{\{.*\}\}|\[\[.*\]\]|\(\(.*\)\))", _EXPRESSION),
    HeaderMistake(r"(?:\w+\s+)?(?:\$\{?\w+\}?|\$\(.*\)|\$env:\w+|%\w+%|#?\{\{?.*\}?\}|<[^<>]*>)", _NOT_EXPANDED),
    HeaderMistake(r"(?:\w+\s+)?(?:process\.env|os\.environ|ENV\[|import\.meta).*", _NOT_EXPANDED),
    HeaderMistake(
        r"(?:\w+\s+)?(?:undefined|null|none|nil|nan|false|\[object \w+\])",
        f"A word that means nothing was sent in the place of a token: {_EMPTY_VARIABLE}.",
    ),
    HeaderMistake(
        r"(?:\w+\s+)?(?:sk_\w+?_)?(?:your[-_ ]?.*|my[-_ ]?(?:api|token|key|secret).*|x{3,}|\.{3,}|\*{3,}|token"
        r"|secret|api[-_ ]?key|access[-_ ]?token|paylera[-_ ]?key|change[-_ ]?me|replace[-_ ]?me|todo|example|test)",
        _EXAMPLE,
    ),
    HeaderMistake(r"bearer\s*[:=].*", "After the word Bearer comes one space, and nothing else before the token."),
    HeaderMistake(r"bearer\t.*", "Between Bearer and the token stands a tab: it must be one space."),
    HeaderMistake(
        r"basic\b.*", "This is Basic authentication: send `Authorization: Bearer <token>` (with curl by -H, not by -u)."
    ),
    HeaderMistake(
        r"(?:token|apikey|api-key|key|x-api-key|jwt|oauth|access_token|digest|negotiate|secret)\b[ :=].*",
        "The scheme before the token is another one: it must be the word Bearer.",
    ),
    HeaderMistake(r"bearersk.*", "Between Bearer and the token must stand one space."),
    HeaderMistake(r".*[^\x00-\x7f].*", "There is a character beyond ASCII in it, perhaps one that is not seen."),
    HeaderMistake(r"(?:\w+\s+)?[\"'`].*|.*[\"'`]", "There are quotes around it: send the token without them."),
    HeaderMistake(r"sk_\S+", "The token stands alone: before it must stand the word Bearer and one space."),
    HeaderMistake(r".*(?:\\[nrt])+", "A line break was written behind the token as a backslash and a letter."),
    HeaderMistake(r".*[\r\n].*", "There is a line break in it: take it off where the token is read from a file."),
    HeaderMistake(r"\w+\s+[^,;]+[,;]\s*", "Behind the token stands a comma or a semicolon: take it off."),
    HeaderMistake(r"\w+\s+\S*%[0-9a-f]{2}\S*", "The token was URL-encoded: in a header it is sent as it is."),
    HeaderMistake(r".*,\s*bearer\s.*", "There are two Authorization headers: send one, with one token."),
    HeaderMistake(r"bearer\s+\S+\s+\S.*", "Within the token stands a space: send it in one piece, alone."),
    HeaderMistake(r"bearer\s+whsec_.*", "This is the signing secret of a webhook endpoint: a token begins with sk_."),
    HeaderMistake(r"bearer\s+tok_.*", "This is the id of a token: send its secret, which was shown when it was made."),
    HeaderMistake(r"bearer\s+eyJ[\w-]+\.[\w-]+.*", "This is a JWT: a token of this API is opaque and begins with sk_."),
    HeaderMistake(
        r"bearer\s+[pr]k_.*", "A key of this kind does not exist here: a token begins with sk_sandbox_ or sk_live_."
    ),
    HeaderMistake(r"bearer\s+sk[-_](?:test|prod|production)[-_].*", "The environments are named sandbox and live."),
    HeaderMistake(
        r"bearer\s+sk-(?:sandbox|live).*", "Between the parts of a token stand underscores: sk_sandbox_ or sk_live_."
    ),
)
"""The first whose form the value has is the mistake; the case of letters does not matter."""

_FLAGS: Final = re.IGNORECASE | re.DOTALL
_COMPILED: Final = tuple((re.compile(form, _FLAGS), advice) for form, advice in MISTAKES)
_ANY: Final = re.compile("|".join(f"(?:{form})" for form, _ in MISTAKES), _FLAGS)
"""Most tokens that are refused have no such form: one look is quicker than thirty."""


def find_mistake(value: str) -> str:
    """What is wrong with the form of a header's value; empty where nothing is known to be."""
    text = value.strip(" \t")
    if not _ANY.fullmatch(text):
        return ""
    return next(advice for form, advice in _COMPILED if form.fullmatch(text))


def tokens_within(value: str) -> Iterator[str]:
    """The tokens that may be meant by a value: as it stands there, and with the usual mistakes undone."""
    word = value.strip(_STRAY).rpartition(" ")[2].strip(_STRAY)
    yield word
    for text in (value, unquote(value), *_decode_base64(value)):
        yield from (found[0] for found in TOKEN_FORM.finditer(text))
    yield word.removesuffix("\\n").removesuffix("%0A")


def _decode_base64(value: str) -> Iterator[str]:
    for run in _BASE64.findall(value):
        try:
            yield base64.urlsafe_b64decode(run + "=" * (-len(run) % 4)).decode("ascii")
        except ValueError:
            continue
