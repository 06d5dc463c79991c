"""The id that is listed for a token may be a wrong one, which is nothing that the target has done."""

from __future__ import annotations

from http import HTTPStatus
from typing import Final, Protocol
from urllib.parse import quote

from paylera_conformance.model.messages import Exchange, Request
from paylera_conformance.model.outcomes import Blocked
from paylera_conformance.model.tokens import Credential, TokenState
from paylera_conformance.probe import refusals
from paylera_conformance.probe.tokens import Tokens
from paylera_conformance.target.settings import Settings
from paylera_fixtures.api.operations import BY_ID, Resource

_GET_TOKEN: Final = BY_ID["get_api_token"]
_LIST: Final = BY_ID["list_customers"]


class Sender(Protocol):
    """Sends the requests of one case, and keeps them."""

    settings: Settings
    tokens: Tokens
    log: list[Exchange]

    def send(self, request: Request, /) -> Exchange:
        """Send one request."""


def find_wrong_id(sender: Sender, refused: Exchange) -> Blocked | None:
    """What to say of a request about a listed token of whose id the target has none; `None` where the id is right.

    It is right where the target has known it before in this case, shows the token, or has ended it after all.
    """
    own = sender.settings.environment
    named = [token for token in sender.settings.tokens if token.environment is own and _names(refused.request, token)]
    if not named or not refusals.GONE.accepts(refused.response):
        return None
    was_known = any(one.response.ok and _names(one.request, named[0]) for one in sender.log)
    if was_known or _is_shown(sender, named[0]) or _have_ended(sender, named):
        return None
    return Blocked(f"CONFIG: the target has no token {named[0].id}: is that the id of {named[0]}?", exchange=refused)


def _names(request: Request, token: Credential) -> bool:
    """Whether a request's path names a token of the API by the id that is listed for it."""
    operation = request.operation
    is_about_token = operation is not None and operation.resource is Resource.API_TOKEN
    return is_about_token and token.id is not None and quote(token.id, safe="") in request.path.split("/")


def _is_shown(sender: Sender, token: Credential) -> bool:
    path = _GET_TOKEN.concrete(quote(str(token.id), safe=""))
    return sender.send(Request("GET", path, sender.tokens.admin)).response.ok


def _have_ended(sender: Sender, tokens: list[Credential]) -> bool:
    """Whether no secret works any more of those that are listed as working, as all did when the run began."""
    working = [token for token in tokens if token.state is TokenState.ACTIVE]
    used = [sender.send(Request("GET", _LIST.path, token)) for token in working]
    return bool(used) and all(exchange.response.status == HTTPStatus.UNAUTHORIZED for exchange in used)
