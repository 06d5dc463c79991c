"""The rows of the matrix about calls that are accepted: what every one of them must show besides its answer."""

from __future__ import annotations

from paylera_conformance.matrix.calls import Call
from paylera_conformance.matrix.features import Features, Version
from paylera_conformance.model.messages import Exchange
from paylera_conformance.model.outcomes import Unobservable, Violation
from paylera_conformance.scenarios.audit_log import expect_recorded, format_records, record_mentions
from paylera_fixtures.api.operations import Operation
from paylera_fixtures.vocabulary import Header

PINNED = "pinned"
"""The row of version.pinned: an operation answers by the version that the call names."""

AUDITED = "audited"
"""The row of acting-as.audited: what a service writes for an operator is recorded."""

CLAUSES = {PINNED: "version.pinned", AUDITED: "acting-as.audited"}


def is_audited(operation: Operation) -> bool:
    """Whether the guide asks for a record: of what a service changes on behalf of an operator."""
    return not (operation.is_read or operation.is_admin or operation.aal2)


def is_pinned(features: Features) -> bool:
    """Whether a call names a version."""
    return features.version is not Version.NONE


def expect_pinned(accepted: Exchange) -> None:
    """The clause is that a call is answered by the version that it names.

    Raises `Violation` or `Unobservable` where the answer does not say by which it is.
    """
    named = next(value for name, value in accepted.request.headers if name == Header.VERSION)
    echo = accepted.response.header(Header.VERSION)
    if echo is None:
        raise Unobservable("the answer has no Paylera-Version header, and nothing else shows the version")
    if echo != named:
        raise Violation(
            f"an answer by version {named}",
            f"one by {echo}",
            change=f"Paylera-Version: {named}",
            hint="the header of a request goes before the default of its token, whatever the method",
            exchange=accepted,
        )


def expect_audited(call: Call) -> None:
    """The clause is that the audit log names the token and the actor of an accepted write.

    Raises `Violation`, `Unobservable` where no log can be read, or `Blocked`.
    """
    probe, actor = call.probe, call.population.actor
    records = expect_recorded(probe, call.request, actor=actor)
    probe.expect(
        probe.log[-1],
        f"a record that names the token and the actor {actor}",
        holds=any(record_mentions(record, actor) for record in records),
        got=format_records(records),
        hint="what X-Paylera-Acting-As says belongs in the record of the request, whatever it does",
    )
