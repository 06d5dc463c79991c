"""Hints: what is wrong with a credential that is almost right, and what would have been accepted.

Worked out for refusals only. A hint is one or two short sentences of ASCII, and holds no part of any secret.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from paylera_fixtures.redaction import mask_secrets
from paylera_fixtures.tokens import digest
from paylera_fixtures.vocabulary import Header
from paylera_mock.core.credential import BearerCredential, Missing
from paylera_mock.explain.header_mistakes import find_mistake, tokens_within
from paylera_mock.explain.near_misses import describe_near_miss
from paylera_mock.namespaces.namespace import Namespace
from paylera_mock.pipeline.context import Context, Rule
from paylera_mock.state.token_names import name_of

_LONGEST_HEADER: Final = 1024
"""Characters of a header that are looked at; a token has 43."""

_KNOWN_HEADERS: Final = frozenset(
    name.lower() for name in (Header.IDEMPOTENCY_KEY, Header.VERSION, Header.ACTING_AS, "Content-Type")
)

_REQUESTS: Final = "python-requests/"
_FROM_NETRC: Final = (
    " Where nobody asked for it, requests took it from a .netrc file, in the place of your header: set"
    " session.trust_env = False, or give it an auth object of your own."
)

_IGNORED_NAMED: Final = 3

_WRAPPED: Final = "The token is encoded, or something stands around it: send it as it is, after the word Bearer."


def hint_for(context: Context, rule: Rule, authorization: str, namespace: Namespace) -> str:
    """What to change about a request that a rule refused, as a sentence of ASCII without a secret; often none.

    `authorization`: the header as it was sent, empty where there was none.
    """
    if ignored := describe_ignored(context):
        return ignored
    if context.token is None and not isinstance(context.credential, Missing):
        hint = _explain_credential(context, authorization[:_LONGEST_HEADER], namespace)
    else:
        hint = rule.advise(context)
    return mask_secrets(hint).encode("ascii", "replace").decode("ascii")


def describe_ignored(context: Context) -> str:
    """What of the headers, the body and the query is not looked at; empty where there is nothing."""
    sent = context.request.ignored_headers
    if misnamed := [name for name in sent if name.lower().replace("_", "-") in _KNOWN_HEADERS]:
        right = misnamed[0].replace("_", "-")
        return f"The header {misnamed[0]} is ignored, as servers and proxies do with an underscore: send {right}."
    if not context.ignored:
        return ""
    text = "; ".join(map(str, context.ignored[:_IGNORED_NAMED]))
    said = f"{context.called_operation} does not name this, and ignores it: {text}"
    return said if said.endswith("?") else f"{said}."


@lru_cache(maxsize=64)  # who sends a wrong token mostly sends it again
def _read_header(value: str) -> tuple[str, tuple[str, ...]]:
    """What is wrong with the form of a header's value, and the digests of the tokens that may be meant by it."""
    return find_mistake(value), tuple(map(digest, dict.fromkeys(tokens_within(value))))


def _explain_credential(context: Context, value: str, namespace: Namespace) -> str:
    """Why the header's value is no credential here."""
    tokens = namespace.state.tokens
    here = context.request.environment
    if isinstance(context.credential, BearerCredential):
        sent = context.credential.digest
        token = tokens.by_digest(sent)
        if token is not None:
            name, its = name_of(token, token.secret_with(sent)), token.grant.environment
            return f"The token {name} is one of {its}: send it to the {its} URL, or use one of {here} here."
    mistake, digests = _read_header(value)
    if value.lower().startswith("basic ") and _REQUESTS in context.request.user_agent:
        mistake += _FROM_NETRC
    meant = next(((token, each) for each in digests if (token := tokens.by_digest(each)) is not None), None)
    if meant is not None:
        token, each = meant
        return f"{mistake or _WRAPPED} The token in it is {name_of(token, token.secret_with(each))}."
    last_word = value.strip().rpartition(" ")[2]
    is_default = namespace.id is None
    return mistake or describe_near_miss(last_word, tokens, length=context.policy.token_length, is_default=is_default)
