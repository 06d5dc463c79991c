"""Hints: what is wrong with a credential that is almost right, and what would have been let pass.

Worked out for refusals only. A hint is one or two short sentences of ASCII, and holds no part of any secret.
"""

from __future__ import annotations

from typing import Final

from paylera_fixtures.tokens import digest
from paylera_mock.core.credential import Credential, Missing
from paylera_mock.core.json_text import redacted
from paylera_mock.explain.header_mistakes import meant, misspelled
from paylera_mock.explain.near_misses import almost
from paylera_mock.namespaces.namespace import Namespace
from paylera_mock.pipeline.advice import advice
from paylera_mock.pipeline.context import Context, Judgement
from paylera_mock.state.token_names import name_of
from paylera_mock.state.tokens import StoredToken, TokenStore

_LONGEST_HEADER: Final = 1024
"""Characters of a header that are looked at; a token has 43."""

_WRAPPED: Final = "The token is encoded, or something stands around it: send it as it is, after the word Bearer."


def hint_for(verdict: Judgement, authorization: str, namespace: Namespace) -> str:
    """What to change about a refused request, as a sentence of ASCII without a secret; often none.

    `authorization`: the header as it was sent, empty where there was none.
    """
    context = verdict.context
    if context.token is None and not isinstance(context.credential, Missing):
        said = _of_credential(context, authorization[:_LONGEST_HEADER], namespace)
    else:
        said = advice(context, verdict.rule, verdict.decision)
    return redacted(said).encode("ascii", "replace").decode("ascii")


def _of_credential(context: Context, value: str, namespace: Namespace) -> str:
    """About a credential that is none."""
    tokens = namespace.state.tokens
    if isinstance(context.credential, Credential):
        token = tokens.by_digest(context.credential.digest)
        if token is not None:
            return _elsewhere(token, context.credential.digest, context)
    said = misspelled(value)
    named = _meant(value, tokens)
    if said or named:
        return f"{said or _WRAPPED} {named}".strip()
    sent = value.strip().rpartition(" ")[2]
    return almost(sent, tokens, length=context.policy.token_length, is_default=namespace.id is None)


def _meant(value: str, tokens: TokenStore) -> str:
    for text in meant(value):
        token = tokens.by_digest(digest(text))
        if token is not None:
            name = name_of(token, token.secret_with(digest(text)))
            return f"The token in it is {name}."
    return ""


def _elsewhere(token: StoredToken, secret_digest: str, context: Context) -> str:
    """The token exists, in the other environment."""
    environment = token.grant.environment
    name = name_of(token, token.secret_with(secret_digest))
    return (
        f"The token {name} is one of {environment}: send it to the {environment} URL,"
        f" or use one of {context.request.environment} here."
    )
