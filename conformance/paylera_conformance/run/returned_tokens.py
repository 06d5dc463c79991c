"""What becomes of the tokens that a case was lent: those that still work serve the next one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final
from urllib.parse import unquote

from paylera_conformance.model.messages import SAFE_METHODS, Exchange, Request
from paylera_conformance.model.outcomes import Outcome
from paylera_conformance.model.tokens import Credential, TokenState
from paylera_conformance.probe import refusals
from paylera_conformance.probe.answers import find_id, find_secrets
from paylera_conformance.probe.probe import Probe
from paylera_conformance.target.provisioner import ACTED_ON
from paylera_fixtures.api.operations import BY_ID, Resource

_ROTATE: Final = BY_ID["rotate_api_token"]
_REVOKE: Final = BY_ID["revoke_api_token"]
_PLAIN: Final = "Bearer {}"
_UNCLEAR: Final = frozenset({Outcome.FAIL, Outcome.ERROR, Outcome.PENDING, Outcome.NOT_RUN})
"""What a case has come to that ended in the midst of something: nobody knows what its tokens are now."""


def return_tokens(probe: Probe, outcome: Outcome, *, acted_on: bool = False) -> None:
    """Give back what a case was lent and has left in a state that its exchanges show; the rest goes to nobody else.

    - `acted_on`: only what requests have named in their path: the other tokens are still in use.
    """
    # An adapter's tokens are its own business.
    lent = () if probe.settings.driver == "python" else probe.provisioner.lent
    for token, need in lent:
        if need.role == ACTED_ON or not acted_on:
            as_it_is = None if outcome in _UNCLEAR else find_newest(token, probe.log)
            probe.provisioner.take_back(token, as_it_is)


def find_newest(token: Credential, exchanges: Sequence[Exchange]) -> Credential | None:
    """A token as these exchanges have left it, with its newest secret and state; `None` where that is not clear.

    - `exchanges`: in the order of sending; those by which the token came to its present secret do not count.
    """
    ids = {token.id}
    keys: set[str] = set()
    works = True
    for exchange in exchanges[_count_before(token, exchanges) :]:
        request, response = exchange.request, exchange.response
        is_use = request.token is not None and request.token.secret == token.secret
        if is_use and request.credential == _PLAIN and not request.live:
            works = not (refusals.INVALID.accepts(response) or refusals.EXPIRED.accepts(response))
        if request.method in SAFE_METHODS or response.refused or ids.isdisjoint(_segments(request)):
            continue
        if request.key in keys:  # a replay: nothing has happened again
            continue
        if response.ok and request.operation is _REVOKE and _segments(request)[-1] == token.id:
            token = replace(token, state=TokenState.REVOKED)
            continue
        secrets = find_secrets(exchange)
        is_clear = response.ok and request.operation is _ROTATE and len(secrets) == 1
        if not is_clear or token.state is TokenState.REVOKED:
            return None
        keys |= {request.key} if request.key else set()
        identifier = find_id(response.json, Resource.API_TOKEN) or token.id
        ids.add(identifier)
        token = replace(token.with_secret(secrets[0], token.secret.role), id=identifier)
        works = True
    return token if works or token.state is TokenState.REVOKED else None


def _count_before(token: Credential, exchanges: Sequence[Exchange]) -> int:
    """How many of the exchanges were there when the token got its present secret."""
    for number, exchange in reversed(list(enumerate(exchanges, start=1))):
        issues = exchange.request.operation is _ROTATE and exchange.response.ok
        if issues and token.secret.reveal() in find_secrets(exchange):
            return number
    return 0


def _segments(request: Request) -> list[str]:
    return unquote(request.path.partition("?")[0]).split("/")
