"""What a test of rotation looks at: a token that was used and then rotated, its two secrets, and its grants."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from urllib.parse import quote

from paylera_conformance.model.messages import Exchange, Request
from paylera_conformance.model.outcomes import Blocked, Unobservable, Violation
from paylera_conformance.model.tokens import Credential
from paylera_conformance.probe import refusals
from paylera_conformance.probe.answers import find_id, find_secrets, mentions, require_secret
from paylera_conformance.probe.probe import Probe
from paylera_conformance.probe.refusals import Refusal, describe
from paylera_conformance.probe.sender import lacks_operation
from paylera_conformance.scenarios.aal2 import aal2_request
from paylera_conformance.scenarios.further_cases import draw_some, drop_where_blocked
from paylera_conformance.scenarios.token_lifecycle import Rotation, disposable_token, rotate, rotation_request
from paylera_conformance.scenarios.token_uses import ADMINISTERS, READS, WRITES, TokenUse
from paylera_fixtures.api.operations import BY_ID, Resource
from paylera_fixtures.vocabulary import GRACE_SECONDS, Audience, scopes_of

_AGE: Final = 600
"""Seconds between the use of a token and its rotation."""

_LIST_TOKENS: Final = BY_ID["list_api_tokens"]
_GET_TOKEN: Final = BY_ID["get_api_token"]
_UNRECOGNISED: Final = Refusal(
    frozenset({401}),
    (*refusals.NO_CREDENTIAL.problems, *refusals.EXPIRED.problems, *refusals.WRONG_ENVIRONMENT.problems),
)


def use_and_rotate(probe: Probe, use: TokenUse) -> Rotation:
    """Have a token do something, and rotate it a while later."""
    token = use.token(probe)
    probe.require_accepted(use.request_by(probe, token))
    # Where time stands still, a grace that runs from when the token was made would look like the right one.
    if probe.provisioner.stands_still:
        with suppress(Blocked):
            probe.provisioner.advance(_AGE)
    return rotate(probe, token)


def expect_grace_holds(probe: Probe, rotation: Rotation, request: Request) -> None:
    """The clause is that a secret in its grace is accepted. Raises `Blocked` where it ended meanwhile."""
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


def use_within_grace(probe: Probe, rotation: Rotation) -> None:
    """Use an old secret at an instant of its grace that the run's seed draws, where time is moved: its end stays.

    Where time is waited for, no more sessions are asked for than the end itself takes.
    """
    if probe.recording is not None:
        return
    operation = BY_ID["list_actors" if rotation.old.audience is Audience.ADMIN else "list_customers"]
    (seconds,) = draw_some(probe, range(_AGE, GRACE_SECONDS - _AGE), 1, name="rotation.grace-ends")
    probe.clock.move_to(rotation.after or probe.clock.now(), seconds=seconds)
    probe.send(Request("GET", operation.path, rotation.old))


def require_issued(probe: Probe, request: Request) -> Exchange:
    """An accepted request whose answer issues a secret. Raises `Blocked` where it does not."""
    answer = probe.require_proven(request)
    if not find_secrets(answer):
        raise Blocked(f"the answer to {request} holds no secret (see rotation.new-secret)", exchange=answer)
    return answer


def read_token(probe: Probe, rotation: Rotation) -> list[Exchange]:
    """Every read that shows a rotated token, by itself and in the list.

    Raises `Unobservable` where the target offers no such read: no source has one.
    """
    # Whether a rotated token keeps its id is for the target to say.
    answered = find_id(rotation.exchange.response.json, Resource.API_TOKEN)
    ids = list(dict.fromkeys(value for value in (rotation.old.id, answered) if value))
    paths = [*(_GET_TOKEN.concrete(quote(value, safe="")) for value in ids), _LIST_TOKENS.path]
    answers = [probe.send(Request("GET", path, probe.tokens.admin)) for path in paths]
    views = [view for view in answers if view.response.ok and any(mentions(view.response.json, value) for value in ids)]
    if views:
        probe.require_proven(views[0].request)
        return views
    if all(lacks_operation(answer) for answer in answers):
        raise Unobservable("the target offers no read of a token by which a secret could be shown")
    raise Blocked(f"no read of a token shows it: {answers[0].request} was answered {describe(answers[0].response)}")


def shows_secret(probe: Probe, rotation: Rotation, view: Exchange) -> bool:
    """Whether an answer holds one of a token's two secrets, with its prefix or without."""
    text = view.response.body.decode("utf-8", "replace") + str(view.response.headers)
    for token in (rotation.old, rotation.new):
        random_part = token.secret.reveal().split("_", 2)[-1]
        probe.register_secret(token.with_secret(random_part, f"{token.secret.role} without prefix"))
        if random_part in text:
            return True
    return False


def require_recognised(probe: Probe, token: Credential) -> None:
    """What a new secret may do is to be seen only where it is a credential at all. Raises `Blocked`."""
    exchange = probe.send(READS.request_by(probe, token))
    if _UNRECOGNISED.accepts(exchange.response):
        raise Blocked(
            f"{token} was answered {describe(exchange.response)}: it is no credential (see rotation.new-works)",
            exchange=exchange,
        )


def rotate_itself(probe: Probe) -> tuple[Credential, Credential]:
    """An operator's token that rotated itself, by its two secrets. Raises `NotOffered` where it may not."""
    with drop_where_blocked():
        token = ADMINISTERS.token(probe)
        exchange = probe.require_accepted(rotation_request(probe, token).by(token))
        secret = require_secret(exchange, see="rotation.new-secret", other_than=token)
    return token, probe.register_secret(token.with_secret(secret, "new secret of who rotated itself"))


def narrow_admin_scopes(probe: Probe) -> tuple[str, ...]:
    """The scopes of an admin token that makes and rotates tokens, and may read customers and little else."""
    # In the guide's profile the Admin API asks for no scope, and `admin:write` is none that could be granted.
    known = scopes_of(probe.settings.profile)
    return tuple(scope for scope in ("customers:read", "admin:write") if scope in known)


def expect_no_gain(probe: Probe, rotator: Credential, stronger: Credential, out_of_reach: Request) -> None:
    """A token that is refused a request gets no secret for which it is accepted, by rotating a token that is stronger.

    Raises `Violation`, or `Blocked` where the request is open to the rotator itself.
    """
    own = probe.send(out_of_reach.by(rotator))
    if own.response.ok:
        raise Blocked(f"{out_of_reach} is open to the rotator itself, so that no gain can be seen", exchange=own)
    answer = probe.send(rotation_request(probe, stronger).by(rotator))
    issued = find_secrets(answer, other_than=stronger)
    gained = [probe.register_secret(stronger.with_secret(secret, "gained by rotating")) for secret in issued]
    opened = [token for token in gained if probe.send(out_of_reach.by(token)).response.ok]
    if not opened:  # what was opened may be used up by that
        probe.require_accepted(out_of_reach.by(stronger))
        probe.proofs += 1
    probe.expect(
        answer,
        f"no secret by which {out_of_reach} is accepted, since whoever rotates is refused there",
        holds=not opened,
        got="one",
        change="the rotated token has more than the one that rotates it",
        hint="rotating is refused where making such a token is",
    )


# Grants


@dataclass(frozen=True)
class GrantCheck(TokenUse):
    """Something that a token may do, or may not, by what it was given; `name` is the token in words.

    - `what`: the grant that decides;
    - `refusal`: how one that may not is refused, where this is about that.
    """

    what: str = "audience"
    aal: int = 1
    refusal: Refusal = refusals.AUDIENCE

    def token(self, probe: Probe) -> Credential:
        """A token of these grants and no others, that may be rotated. Raises `NotOffered` where none is made."""
        self.require_offered(probe)
        return disposable_token(probe, self.name, audience=self.audience, scopes=self.scopes, aal=self.aal)


def _table(*grants: GrantCheck) -> Mapping[str, GrantCheck]:
    return {grant.name.replace("'", "").replace(" ", "-"): grant for grant in grants}


_ONE_SCOPE: Final = ("customers:read",)
_SEVERAL_SCOPES: Final = ("catalog:read", "customers:read", "customers:write")
_CUSTOMER, _ADMIN = Audience.CUSTOMER, Audience.ADMIN

KEPT: Final = _table(
    GrantCheck("of one scope", READS.make_request, scopes=_ONE_SCOPE, what="scopes"),
    GrantCheck("of several scopes", WRITES.make_request, scopes=_SEVERAL_SCOPES, what="scopes", is_optional=True),
    GrantCheck("of an end-user", READS.make_request, _CUSTOMER),
    GrantCheck("of an operator", ADMINISTERS.make_request, _ADMIN, aal=2),
    GrantCheck("of an operator with AAL2", aal2_request, _ADMIN, what="assurance", aal=2),
)
"""What the old secret could, and the new one can."""

WITHHELD: Final = _table(
    GrantCheck("of one scope", WRITES.make_request, scopes=_ONE_SCOPE, what="scopes", refusal=refusals.SCOPE),
    GrantCheck("of a service", ADMINISTERS.make_request, refusal=refusals.KEPT_OUT),
    GrantCheck("of an end-user", WRITES.make_request, _CUSTOMER),
    # Whose data an end-user may read is part of what the audience customer means.
    GrantCheck(
        "of an end-user on another's record",
        lambda probe: probe.factory.request_for(BY_ID["get_customer"]),
        _CUSTOMER,
        refusal=refusals.NOT_OWN,
    ),
    GrantCheck("of an operator without AAL2", aal2_request, _ADMIN, what="assurance", refusal=refusals.AAL2),
)
"""What the old secret could not, and the new one cannot."""
