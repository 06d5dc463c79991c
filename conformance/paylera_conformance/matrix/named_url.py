"""The named URL itself: what needs no token that somebody mints, looked at outside of every namespace.

Where a control API hands out namespaces, all other cells are looked at in those. A server that keeps the contract in
them alone does not keep it at the URL that was named.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Final

from paylera_conformance.matrix.rules import RULES, Rule
from paylera_conformance.model.case_results import CellNote
from paylera_conformance.model.messages import FRESH_KEY, Request
from paylera_conformance.model.outcomes import NotOffered
from paylera_conformance.model.tokens import Credential
from paylera_conformance.probe.probe import Probe
from paylera_conformance.probe.refusals import describe
from paylera_conformance.scenarios.credential_forms import MALFORMED_CREDENTIALS
from paylera_fixtures.api.examples import EXAMPLES, example
from paylera_fixtures.api.operations import OPERATIONS, Operation

NO_TOKEN_NEEDED: Final = tuple(RULES[name] for name in ("no-token", "malformed", "unknown"))
"""The rules that anybody can look at, without a token of the target's."""

_ABSENT: Final = "absent0000000000"
_HINT: Final = "this is the URL that was named, outside of every namespace: what is there is what its users meet"


def named_url_cells() -> Iterator[tuple[Rule, Operation]]:
    """Every such rule with every operation."""
    return ((rule, operation) for operation in OPERATIONS for rule in NO_TOKEN_NEEDED)


def look_at_named_url(probe: Probe, inside: Probe, rule: Rule, operation: Operation) -> None:
    """End a case as a rule is seen at the named URL, on one operation. Raises `CaseEnd`.

    - `probe`: of the named URL; `inside`: of a namespace, in which the same is asked.

    There is no accepted call beside it, and what is asked for does not exist. So what is refused in a namespace must be
    refused here, and where it is not refused there either, the cell drops out.
    """
    # An adapter need not derive from ours.
    if not getattr(probe.provisioner, "isolates", False):
        raise NotOffered("no namespaces are handed out: every cell is looked at under the named URL")
    probe.cell = CellNote(f"{rule} (named URL)", str(operation))
    exchange = probe.send(_request(probe, rule, operation))
    refusal = rule.refusal.under(probe.settings.readings)
    if not exchange.response.ok and not refusal.accepts(exchange.response):
        twin = inside.send(_request(inside, rule, operation))
        probe.adopt([twin], proofs=0, left_behind=[])
        if not refusal.accepts(twin.response):
            answered = describe(twin.response)
            raise NotOffered(f"{operation} was answered {answered} in a namespace: before who asks", exchange=twin)
    refusal.check(exchange, change=f"{rule.words}, at the named URL", hint=_HINT)
    probe.proofs += 1


def absent_request(operation: Operation, token: Credential) -> Request:
    """A request for an operation that is whole, and names objects that do not exist."""
    path = operation.concrete(_ABSENT) if operation.has_parameter else operation.path
    request = Request(operation.method, path, token, key=FRESH_KEY if operation.method == "POST" else None)
    return request.with_json(example(operation.id)) if operation.id in EXAMPLES else request


def _request(probe: Probe, rule: Rule, operation: Operation) -> Request:
    request = absent_request(operation, probe.tokens.unknown())
    if rule is RULES["no-token"]:
        return request.without_token()
    if rule is RULES["malformed"]:
        draw = random.Random(f"{probe.settings.seed} {operation.id}")  # noqa: S311 - a form, not a secret
        return request.with_credential(draw.choice(list(MALFORMED_CREDENTIALS.values())))
    return request
