"""Features that the guide promises: a call that is accepted without one of them must be accepted with it.

A round whose call is refused for what it carries is gone again without; that it was refused must not be lost by that.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

from paylera_conformance.matrix.calls import CallFactory
from paylera_conformance.matrix.features import PLAIN, Features, Grants, History, Version
from paylera_conformance.model.outcomes import Violation
from paylera_conformance.probe.probe import Probe
from paylera_conformance.probe.refusals import ANY_REFUSAL, describe
from paylera_fixtures.api.operations import Operation
from paylera_fixtures.vocabulary import Problems

_PROMISED: Final[dict[tuple[str, Any], str]] = {
    ("version", Version.CURRENT): "version.pinned",
    ("version", Version.OLDER): "version.pinned",
    ("history", History.ROTATED): "rotation.again",
    ("history", History.GRACE): "rotation.grace-holds",
    ("grants", Grants.NAMED): "scope.granted",
    ("actor", True): "acting-as.known-actor",
}
"""The clause that promises a feature."""

_ABOUT_GRANTS: Final = frozenset(
    problem.code for problem in (Problems.SCOPE_REQUIRED, Problems.AAL2_REQUIRED, Problems.AUDIENCE_REQUIRED)
)
"""What a token that may not is refused as; otherwise its secret is none."""

_TRANSIENT: Final = frozenset({408, 425, 429})


def find_broken_promise(
    probe: Probe, calls: CallFactory, operation: Operation, features: Features, send_plain: Callable[[], object]
) -> tuple[str, Violation] | None:
    """The clause by whose feature alone a call is refused, with what was seen; `None` where it is no single one.

    - `features`: those of a call that was refused;
    - `send_plain`: sends the same without any. Raises `CaseEnd` where that is refused too.

    Raises `CaseEnd` where a call is not to be had.
    """
    for (name, value), clause in _PROMISED.items():
        # Who acts for an operator is a service; of the Admin API the guide does not say it.
        if getattr(features, name) != value or (name == "actor" and operation.is_admin):
            continue
        alone = replace(PLAIN, **{name: value})
        exchange = probe.send(calls.call(operation, alone).request)
        refusal = exchange.response
        if ANY_REFUSAL.accepts(refusal) and refusal.status not in _TRANSIENT:
            is_about_grants = refusal.problem in _ABOUT_GRANTS
            if name == "grants" and not is_about_grants:
                return None
            kept = "rotation.keeps-grants" if name == "history" and is_about_grants else clause
            send_plain()
            wanted, got = f"a 2xx from {operation}", describe(refusal)
            hint = "without it the same is accepted: is it left out on this operation?"
            return kept, Violation(wanted, got, change=str(alone), hint=hint, exchange=exchange)
    return None
