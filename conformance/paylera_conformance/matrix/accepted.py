"""The rows of the matrix about calls that are accepted: what every one of them must show besides its answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from paylera_conformance.matrix.calls import Call
from paylera_conformance.matrix.features import Features, Version
from paylera_conformance.model.messages import Exchange
from paylera_conformance.model.outcomes import NotOffered, Unobservable, Violation
from paylera_conformance.scenarios.audit_log import expect_actor_recorded
from paylera_fixtures.api.operations import Operation
from paylera_fixtures.vocabulary import Audience, Header

AUDITED: Final = "audited"
"""The row of acting-as.audited: what a service writes for an operator is recorded. It takes a call of its own."""


@dataclass(frozen=True)
class AcceptedRow:
    """Something that an accepted call shows.

    - `on`: whether it says anything of an operation; `applies`: of one that is asked for with some features.
    """

    name: str
    clause: str
    on: Callable[[Operation], bool]
    applies: Callable[[Features], bool]


PINNED: Final = AcceptedRow(
    "pinned", "version.pinned", lambda _operation: True, lambda features: features.version is Version.OLDER
)
PINNED_CURRENT: Final = AcceptedRow(
    "pinned-current", "version.pinned", lambda _operation: True, lambda features: features.version is Version.CURRENT
)
DEFAULT: Final = AcceptedRow(
    "default-version", "version.default", lambda _operation: True, lambda features: features.version is Version.NONE
)
ONE_TENANT: Final = AcceptedRow(
    "lists-one-tenant",
    "token.one-tenant",
    lambda operation: operation.is_list,
    lambda features: not (features.live or features.head),
)
ONE_CUSTOMER: Final = AcceptedRow(
    "lists-one-customer",
    "audience.customer-sees-only-own",
    lambda operation: operation.is_list and operation.customer_may,
    lambda features: features.audience is Audience.CUSTOMER and not (features.live or features.head),
)

REPLAYED: Final = "replayed"
"""The row of idempotency.replay: the answer to an accepted POST is kept, whatever becomes of what it made."""

ACCEPTED: Final[Mapping[str, AcceptedRow]] = {
    row.name: row for row in (PINNED, PINNED_CURRENT, DEFAULT, ONE_TENANT, ONE_CUSTOMER)
}
"""By name; each is looked at on the accepted calls of the rounds."""


def is_audited(operation: Operation) -> bool:
    """Whether the guide asks for a record: of what a service changes on behalf of an operator."""
    return not (operation.is_read or operation.is_admin or operation.aal2)


def expect_pinned(accepted: Exchange) -> None:
    """The clause is that a call is answered by the version that it names.

    Raises `Violation` or `Unobservable` where the answer does not say by which it is.
    """
    named = next(value for name, value in accepted.request.headers if name == Header.VERSION)
    echo = _echo_of(accepted)
    if echo != named:
        raise Violation(
            f"an answer by version {named}",
            f"one by {echo}",
            change=f"Paylera-Version: {named}",
            hint="the header of a request goes before the default of its token, whatever the method",
            exchange=accepted,
        )


def expect_default(call: Call, accepted: Exchange) -> None:
    """The clause is that a call which names no version is answered by the one that was current when its token was made.

    Raises `Violation`; `NotOffered` where that version is not known, `Unobservable` where the answer names none.
    """
    token = call.request.token
    default = token and call.population.default_of(token)
    if default is None:
        raise NotOffered(f"the version that was current when {token} was made is not known")
    echo = _echo_of(accepted)
    if echo != default:
        raise Violation(
            f"an answer by version {default}, which was current when the token was made",
            f"one by {echo}",
            change=f"no {Header.VERSION} header",
            hint="no use, no release and no time moves the default of a token",
            exchange=accepted,
        )


def _echo_of(accepted: Exchange) -> str:
    echo = accepted.response.header(Header.VERSION)
    if echo is None:
        raise Unobservable("the answer has no Paylera-Version header, and nothing else shows the version")
    return echo


def expect_audited(call: Call) -> None:
    """The clause is that the audit log names the token and the actor of an accepted write.

    Raises `Violation`, `Unobservable` where no log can be read, or `Blocked`.
    """
    probe, actor = call.probe, call.population.actors.another()
    request = call.request.without_header(Header.ACTING_AS)
    hint = "what X-Paylera-Acting-As says belongs in the record of the request, whatever it does"
    expect_actor_recorded(probe, request, actor, hint=hint)
