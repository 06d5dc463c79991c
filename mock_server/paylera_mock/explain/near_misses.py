"""A token that is almost one that exists: which, and how it differs.

The right secret is never kept, so that it is known by digests of its parts only (`token_fingerprints`); those of the
well-known tokens are public and are compared whole. No sentence holds a character of either.
"""

from __future__ import annotations

from difflib import SequenceMatcher
from functools import lru_cache
from operator import itemgetter
from typing import Final, NamedTuple

from paylera_fixtures.spelling import nearest
from paylera_fixtures.tokens import WELL_KNOWN, WellKnownToken, digest, environment_of, prefix
from paylera_fixtures.vocabulary import Environment
from paylera_mock.state.token_fingerprints import caseless_digest, random_part, stem, tail
from paylera_mock.state.token_names import name_of, ready_name
from paylera_mock.state.tokens import TokenStore

_ALIKE: Final = 0.9
"""From which similarity on a token is taken for a misspelled well-known one: three characters in 43 may differ."""

_FOREIGN: Final = (
    "This token has the right form, and this fake never made it: it is one of a real environment, or of an earlier run."
)
_USE_READY: Final = " Use PAYLERA_KEY of `paylera-mock exec`, or one that `paylera-mock tokens` lists."
_USE_MINTED: Final = " Mint one here, with POST tokens of this namespace's control API."

_NAMES: Final = {token.name: token for token in WELL_KNOWN} | {ready_name(token): token for token in WELL_KNOWN}

_ALIKE_NAME: Final = 0.8
_LONGEST_NAME: Final = max(map(len, _NAMES)) * (2 / _ALIKE_NAME - 1)
"""What is longer cannot be that much like a name, and is not compared."""

_DID_YOU_MEAN: Final = "Did you mean the well-known token {name}?"
_MINT_HERE: Final = "mint one here with POST tokens of this namespace's control API."
_ONLY_IN_DEFAULT: Final = f"The well-known token {{name}} exists in the default namespace only: {_MINT_HERE}"
_MINT_INSTEAD: Final = f"It exists in the default namespace only: {_MINT_HERE}"

_LONGEST: Final = 200
"""Longer texts are no misspelled token, and comparing them would take long."""


def describe_near_miss(sent: str, tokens: TokenStore, *, length: int, is_default: bool) -> str:
    """How a token that does not exist differs from one that does, as one sentence; empty where none is near.

    - `length`: how many random characters a token has;
    - `is_default`: whether this is the namespace that has the well-known tokens.
    """
    if not sent or len(sent) > _LONGEST:
        return ""
    sent_digest = digest(sent)
    return (
        _describe_name(sent, is_default=is_default)
        or _describe_ended(sent_digest, tokens)
        or _describe_elsewhere(sent, sent_digest, tokens)
        or _describe_misspelled(sent, is_default=is_default)
        or _describe_other_prefix(sent, tokens)
        or _describe_alike(sent, tokens, length)
        or _describe_foreign(sent, length, is_default=is_default)
    )


def _describe_name(sent: str, *, is_default: bool) -> str:
    """It is the bare name of a well-known token, or almost."""
    near = nearest(sent.lower(), _NAMES, cutoff=_ALIKE_NAME) if len(sent) <= _LONGEST_NAME else ""
    if not near:
        return ""
    known = ready_name(_NAMES[near])
    is_exact = sent.lower() == near
    if not is_default:
        return (
            _ONLY_IN_DEFAULT.format(name=known) if is_exact else f"{_DID_YOU_MEAN.format(name=known)} {_MINT_INSTEAD}"
        )
    said = f"This is the name of the well-known token {known}:" if is_exact else _DID_YOU_MEAN.format(name=known)
    return f"{said} `paylera-mock tokens` shows its secret."


def _describe_foreign(sent: str, length: int, *, is_default: bool) -> str:
    """It is a whole token, and none that was ever made here; where there are no well-known ones, none is advised."""
    if environment_of(sent) is None or len(random_part(sent)) != length or not random_part(sent).isalnum():
        return ""
    return _FOREIGN + (_USE_READY if is_default else _USE_MINTED)


def _describe_ended(sent_digest: str, tokens: TokenStore) -> str:
    """It was a token's secret until the namespace of the token was deleted or reset."""
    former = tokens.former_owner(sent_digest)
    if former is None:
        return ""
    if former.id is None:
        return "This token was minted before the last reset, which ended it: mint another."
    return f"This token was of the namespace {former.id}, which was deleted or reset since: mint another."


def _describe_elsewhere(sent: str, sent_digest: str, tokens: TokenStore) -> str:
    other = tokens.elsewhere(sent_digest)
    if other is None:
        return ""
    if other.id is None:
        default = "This is a token of the default namespace: send it to / instead of /ns/."
        return _describe_default_only(sent) or default
    return f"This is a token of the namespace {other.id}: send it to /ns/{other.id}, or to / without any namespace."


def _describe_default_only(sent: str) -> str:
    known = next((token for token in WELL_KNOWN if token.secret == sent), None)
    return "" if known is None else _ONLY_IN_DEFAULT.format(name=ready_name(known))


@lru_cache(maxsize=64)  # who sends a wrong token mostly sends it again, and comparing takes as long as judging
def _describe_misspelled(sent: str, *, is_default: bool) -> str:
    # What it works out of its second text it keeps, and of the first nothing.
    matcher = SequenceMatcher(None, "", sent, autojunk=False)
    ratio, near = max(((_ratio(sent, token, matcher), token) for token in WELL_KNOWN), key=itemgetter(0))
    if ratio < _ALIKE:
        return ""
    name = ready_name(near)
    if is_default:
        return f"This is almost the well-known token {name}: {describe_difference(sent, near.secret)}."
    if sent == near.secret:
        return _ONLY_IN_DEFAULT.format(name=name)
    return f"{_DID_YOU_MEAN.format(name=name)} {_MINT_INSTEAD}"


def _ratio(sent: str, token: WellKnownToken, matcher: SequenceMatcher[str]) -> float:
    secret, start = token.secret, prefix(token.environment) + token.name
    if sent.lower() == secret.lower() or (len(sent) > len(start) and secret.startswith(sent)):
        return 1.0
    matcher.set_seq1(secret)
    return matcher.ratio() if matcher.real_quick_ratio() >= _ALIKE and matcher.quick_ratio() >= _ALIKE else 0.0


def describe_difference(sent: str, right: str) -> str:
    """How two texts differ, by number and place; no character of either is named."""
    if sent.lower() == right.lower():
        return "it differs in upper and lower case only"
    if len(sent) != len(right):
        return _describe_length(len(sent) - len(right))
    places = [place for place, (one, other) in enumerate(zip(sent, right, strict=True), start=1) if one != other]
    if len(places) == 1:
        return f"one character differs, in place {places[0]}"
    if sorted(sent) == sorted(right):
        return f"characters have changed places, from place {places[0]} on"
    return f"{len(places)} characters differ, from place {places[0]} on"


def _describe_length(more: int) -> str:
    count = "one character is" if abs(more) == 1 else f"{abs(more)} characters are"
    return f"{count} {'too many' if more > 0 else 'missing'}"


class _Marks(NamedTuple):
    """The digests by which a token is known that is almost the one that was sent."""

    with_other_prefix: tuple[tuple[Environment, str], ...]
    caseless: str
    stem: str
    tail: str


@lru_cache(maxsize=64)  # as above
def _marks_of(sent: str) -> _Marks:
    others = [environment for environment in Environment if environment is not environment_of(sent)]
    digests = [(environment, digest(prefix(environment) + random_part(sent))) for environment in others]
    return _Marks(tuple(digests), caseless_digest(sent), stem(sent), tail(sent))


def _describe_other_prefix(sent: str, tokens: TokenStore) -> str:
    """It has another prefix than it was minted with, or none."""
    for environment, other_digest in _marks_of(sent).with_other_prefix:
        if (token := tokens.by_digest(other_digest)) is not None:
            return f"But for its prefix this is the token {name_of(token)}, which is one of {environment}."
    return ""


def _describe_alike(sent: str, tokens: TokenStore, length: int) -> str:
    """Its case, its beginning or its end is that of one that exists."""
    _, caseless, first, last = _marks_of(sent)
    if (token := tokens.alike(caseless)) is not None:
        return f"This is almost the token {name_of(token)}: it differs in upper and lower case only."
    begins, ends = tokens.alike(first), tokens.alike(last)
    if (near := begins or ends) is not None:
        more = len(random_part(sent)) - length
        what = _describe_length(more) if more else "a character differs"
        right = "both ends are" if begins and ends else "its beginning is" if begins else "its end is"
        return f"This is almost the token {name_of(near)}: {what}, and {right} right."
    if any(tokens.elsewhere(each) for each in (first, last, caseless) if each):
        return "This is almost a token of another namespace: copy it anew, whole."
    return ""
