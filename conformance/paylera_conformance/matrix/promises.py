"""Features that the guide promises: a call that is accepted without one of them must be accepted with it.

A round whose call is refused for what it carries is gone again without; that it was refused must not be lost by that.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from itertools import combinations
from typing import Any, Final

from paylera_conformance.matrix.calls import CallFactory
from paylera_conformance.matrix.features import PLAIN, Features, Grants, History, Version, fit
from paylera_conformance.model.messages import Exchange, Response
from paylera_conformance.model.outcomes import Violation
from paylera_conformance.probe.answers import names_customer
from paylera_conformance.probe.probe import Probe
from paylera_conformance.probe.refusals import ANY_REFUSAL, INVALID, describe
from paylera_fixtures.api.operations import Operation, Resource
from paylera_fixtures.vocabulary import Audience, Problems

_PROMISED: Final[dict[tuple[str, Any], str]] = {
    ("version", Version.CURRENT): "version.pinned",
    ("version", Version.OLDER): "version.pinned",
    ("history", History.ROTATED): "rotation.again",
    ("history", History.GRACE): "rotation.grace-holds",
    ("history", History.OLDEST): "rotation.again",
    ("grants", Grants.NAMED): "scope.granted",
    ("grants", Grants.NEEDED): "scope.granted",
    ("grants", Grants.BOTH): "scope.wildcard",
    ("created", True): "credential.accepted",
    ("audience", Audience.CUSTOMER): "audience.customer-reads-own",
    ("audience", Audience.ADMIN): "audience.admin-on-public-api",
    ("live", True): "credential.accepted",
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
    """The clause by whose feature a call is refused, with what was seen; `None` where it is none.

    Each feature is tried alone, then two together, then all.

    - `features`: those of a call that was refused;
    - `send_plain`: sends the same without any. Raises `CaseEnd` where that is refused too.

    Raises `CaseEnd` where a call is not to be had.
    """
    promised = [(name, value) for name, value in _PROMISED if _is_promised(operation, features, name, value)]
    for size in sorted({1, 2, len(promised)} - {0}):
        for some in combinations(promised, size):
            together = replace(PLAIN, **dict(some))
            if together != fit(operation, together):
                continue
            exchange = probe.send(calls.call(operation, together).request)
            if not ANY_REFUSAL.accepts(exchange.response) or exchange.response.status in _TRANSIENT:
                continue
            clause = _clause_of(dict(some), exchange.response)
            if clause is None or (together.audience is Audience.CUSTOMER and not _is_own(probe, operation, exchange)):
                return None
            send_plain()
            wanted, got = f"a 2xx from {operation}", describe(exchange.response)
            hint = "without it the same is accepted: is it left out on this operation?"
            return clause, Violation(wanted, got, change=str(together), hint=hint, exchange=exchange)
    return None


def _is_own(probe: Probe, operation: Operation, refused: Exchange) -> bool:
    """Whether what an end-user was refused is seen to be the end-user's; what is found in a list need not be."""
    customer = refused.request.token and refused.request.token.customer_id
    if operation.is_list or operation.resource is Resource.CUSTOMER or not customer:
        return True
    shown = probe.send(replace(refused.request, token=probe.tokens.service, method="GET"))
    return shown.response.ok and names_customer(shown.response.json, customer)


def _is_promised(operation: Operation, features: Features, name: str, value: object) -> bool:
    # Who acts for an operator is a service that writes; of the Admin API, of reads, and of what an operator's second
    # factor is asked for, the guide does not say it.
    by_service = features.audience in {None, Audience.SERVICE} and not (operation.is_admin or operation.aal2)
    is_silent = name == "actor" and (operation.is_read or not by_service)
    return getattr(features, name) == value and not is_silent


def _clause_of(some: Mapping[str, Any], refusal: Response) -> str | None:
    """The clause that promises these features, by how they were refused; `None` where the refusal is another matter."""
    is_about_grants = refusal.problem in _ABOUT_GRANTS
    if "history" in some:
        return "rotation.keeps-grants" if is_about_grants else _PROMISED["history", some["history"]]
    is_made = "created" in some or some.keys() == {"live"}
    if ("grants" in some and not is_about_grants) or (is_made and not INVALID.accepts(refusal)):
        return None  # the token is none, or not what it was asked to be
    *_, (name, value) = some.items()
    return _PROMISED[name, value]
