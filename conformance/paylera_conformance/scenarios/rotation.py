"""What a test of rotation looks at: a token that was used and then rotated, its two secrets, and its grants."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from urllib.parse import quote

import pytest

from paylera_conformance.model.messages import Exchange, Request
from paylera_conformance.model.outcomes import Blocked, Unobservable, Violation
from paylera_conformance.model.tokens import Credential
from paylera_conformance.probe import refusals
from paylera_conformance.probe.answers import find_secrets, mentions
from paylera_conformance.probe.probe import Probe
from paylera_conformance.probe.refusals import Refusal, describe
from paylera_conformance.scenarios.error_cases import aal2_request
from paylera_conformance.scenarios.token_lifecycle import Rotation, disposable, rotate
from paylera_conformance.scenarios.token_uses import ADMINISTERS, READS, WRITES, TokenUse
from paylera_fixtures.api.operations import BY_ID
from paylera_fixtures.vocabulary import GRACE_SECONDS, WILDCARD, Audience

_AGE: Final = 600
"""Seconds between the use of a token and its rotation."""

_LIST_TOKENS: Final = BY_ID["list_api_tokens"]
_GET_TOKEN: Final = BY_ID["get_api_token"]
_NO_SUCH_ROUTE: Final = frozenset({404, 405})
_UNRECOGNISED: Final = Refusal(
    frozenset({401}),
    (*refusals.NO_CREDENTIAL.problems, *refusals.EXPIRED.problems, *refusals.WRONG_ENVIRONMENT.problems),
)


def used_and_rotated(probe: Probe, deed: TokenUse) -> Rotation:
    """A token that has done a deed, and was rotated a while later."""
    token = deed.token(probe)
    probe.require_accepted(deed.by(probe, token))
    _let_age(probe)
    return rotate(probe, token)


def _let_age(probe: Probe) -> None:
    """Let time pass where it stands still, or a grace from when the token was made would look like the right one."""
    if probe.provisioner.stands_still:
        with suppress(Blocked):
            probe.provisioner.advance(_AGE)


def still_accepts(probe: Probe, rotation: Rotation, request: Request) -> None:
    """A secret in its grace is accepted. Raises `Violation`; `Blocked` where the grace ended on a clock that runs."""
    try:
        probe.accepts(
            request,
            wanted="a 2xx for the old secret",
            hint="the old secret works for 24 hours after the rotation, with all that it could do before",
        )
    except Violation:
        if rotation.before and probe.clock.now() >= rotation.before + timedelta(seconds=GRACE_SECONDS):
            raise Blocked("the grace ended while the old secret was on its way: the clock cannot be frozen") from None
        raise


def issuing(probe: Probe, request: Request) -> Exchange:
    """An accepted request whose answer issues a secret; without credential it is refused. Raises `Blocked`."""
    probe.require_proven(request)
    answer = probe.log[-1]
    if not find_secrets(answer):
        raise Blocked(f"the answer to {request} holds no secret (see rotation.new-secret)", exchange=answer)
    return answer


# Reads of a token


def views_of(probe: Probe, rotation: Rotation) -> list[Exchange]:
    """Every read that shows the rotated token, by itself and in the list.

    Raises `Unobservable` where the target offers no such read: no source has one.
    """
    answer = rotation.exchange.response.object
    # Whether a rotated token keeps its id is for the target to say.
    given = (rotation.old.id, answer.get("id"), answer.get("api_token_id"))
    ids = list(dict.fromkeys(value for value in given if isinstance(value, str)))
    paths = [_GET_TOKEN.concrete(quote(value, safe="")) for value in ids]
    answers = [
        probe.send(Request("GET", path, probe.tokens.admin)) for path in (*paths, f"{_LIST_TOKENS.path}?limit=100")
    ]
    views = [view for view in answers if view.response.ok and any(mentions(view.response.json, value) for value in ids)]
    if views:
        probe.require_proven(views[0].request)
        return views
    if all(view.response.status in _NO_SUCH_ROUTE for view in answers):
        raise Unobservable("the target offers no read of a token by which a secret could be shown")
    raise Blocked(f"no read of a token shows it: {answers[0].request} was answered {describe(answers[0].response)}")


def shows_secret(probe: Probe, rotation: Rotation, view: Exchange) -> bool:
    """Whether an answer holds one of a token's two secrets, with its prefix or without."""
    text = view.response.body.decode("utf-8", "replace") + str(view.response.headers)
    bare = [_without_prefix(token) for token in (rotation.old, rotation.new)]
    return any(probe.register_secret(secret).secret.reveal() in text for secret in bare)


def _without_prefix(token: Credential) -> Credential:
    random = token.secret.reveal().split("_", 2)[-1]
    return token.with_secret(random, f"{token.secret.role} without prefix")


# Grants


@dataclass(frozen=True)
class GrantCheck:
    """Something that a token may do, or may not, by what it was given.

    - `name`: the token in words; `what`: what decides;
    - `ask`: makes the request, by a token that may, each time on an object of its own;
    - `refusal`: how one that may not is refused, where this is about that.
    """

    name: str
    what: str
    ask: Callable[[Probe], Request]
    audience: Audience = Audience.SERVICE
    scopes: tuple[str, ...] = (WILDCARD,)
    aal: int = 1
    refusal: Refusal = refusals.AUDIENCE

    def token(self, probe: Probe) -> Credential:
        """A token of these grants and no others, that may be rotated."""
        return disposable(probe, self.name, audience=self.audience, scopes=self.scopes, aal=self.aal)


def _anothers_record(probe: Probe) -> Request:
    return probe.factory.request_for(BY_ID["get_customer"])


_ONE_SCOPE: Final = ("customers:read",)

KEPT: Final = (
    GrantCheck("of one scope", "scopes", READS.ask, scopes=_ONE_SCOPE),
    GrantCheck("of an end-user", "audience", READS.ask, Audience.CUSTOMER),
    GrantCheck("of an operator", "audience", ADMINISTERS.ask, Audience.ADMIN, aal=2),
    GrantCheck("of an operator with AAL2", "assurance", aal2_request, Audience.ADMIN, aal=2),
)
"""What the old secret could, and the new one can."""

WITHHELD: Final = (
    GrantCheck("of one scope", "scopes", WRITES.ask, scopes=_ONE_SCOPE, refusal=refusals.SCOPE),
    GrantCheck("of a service", "audience", ADMINISTERS.ask),
    GrantCheck("of an end-user", "audience", WRITES.ask, Audience.CUSTOMER),
    # Whose data an end-user may read is part of what the audience customer means.
    GrantCheck(
        "of an end-user on another's record",
        "audience",
        _anothers_record,
        Audience.CUSTOMER,
        refusal=refusals.NOT_OWN,
    ),
    GrantCheck(
        "of an operator without AAL2",
        "assurance",
        aal2_request,
        Audience.ADMIN,
        refusal=refusals.AAL2,
    ),
)
"""What the old secret could not, and the new one cannot."""


def each_grant(grants: tuple[GrantCheck, ...]) -> pytest.MarkDecorator:
    """Make a case of every grant: the parameter `grant`."""
    return pytest.mark.parametrize(
        "grant", grants, ids=[grant.name.replace("'", "").replace(" ", "-") for grant in grants]
    )


def blocked_unless_recognised(probe: Probe, token: Credential) -> None:
    """What a new secret may do is to be seen only where it is one."""
    exchange = probe.send(READS.by(probe, token))
    if _UNRECOGNISED.accepts(exchange.response):
        raise Blocked(
            f"{token} was answered {describe(exchange.response)}: it is no credential (see rotation.new-works)",
            exchange=exchange,
        )
