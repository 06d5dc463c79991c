"""One error of each kind, each from an accepted request: what the clauses about "every error" look at.

They make their own, so that no verdict rests on the traffic of other tests.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import pytest

from paylera_conformance.model.messages import Exchange, Request
from paylera_conformance.model.outcomes import Blocked, Violation
from paylera_conformance.probe.probe import Probe
from paylera_conformance.scenarios import changes
from paylera_conformance.scenarios.aal2 import aal2_request
from paylera_conformance.scenarios.changes import Change
from paylera_conformance.target.settings import Mode
from paylera_fixtures.api.operations import BY_ID, Operation

_LIST: Final = BY_ID["list_customers"]
_CREATE: Final = BY_ID["create_customer"]


@dataclass(frozen=True)
class ErrorCase:
    """A kind of error, and how to get one.

    - `accepted`: the operation whose request is changed, or what makes that request;
    - `in_guide`: whether the guide names the code;
    - `mode`: the least mode in which it may be provoked.
    """

    name: str
    change: Change
    accepted: Operation | Callable[[Probe], Request] = _LIST
    in_guide: bool = False
    mode: Mode = Mode.OBSERVE

    def provoke(self, probe: Probe) -> Exchange:
        """One error of this kind, for a clause that looks at how it is written and not at whether it comes.

        One with another status or code than this kind's is still an error to look at. Raises `Blocked` where there is
        none, since the clause about the refusal itself reports that.
        """
        try:
            accepted = self.accepted if isinstance(self.accepted, Operation) else self.accepted(probe)
            return self.change.expect_refused(probe, accepted)
        except Violation as violation:
            exchange = violation.exchange
            if exchange is None or not (exchange.response.refused or exchange.response.problem):
                raise Blocked(
                    f"the target gave no error of the kind {self.name}: {violation.reason}", exchange=exchange
                ) from None
            probe.proofs += 1
            return exchange


ERROR_CASES: Final = (
    ErrorCase("missing-token", changes.NO_TOKEN, in_guide=True),
    ErrorCase("invalid-token", changes.UNKNOWN_TOKEN, in_guide=True),
    ErrorCase("revoked-token", changes.REVOKED_TOKEN, in_guide=True),
    ErrorCase("expired-token", changes.EXPIRED_TOKEN, in_guide=True),
    ErrorCase("wrong-environment", changes.OTHER_ENVIRONMENT, in_guide=True),
    ErrorCase("scope-required", changes.without_scope("customers:read"), in_guide=True),
    ErrorCase("aal2-required", changes.WITHOUT_AAL2, aal2_request, in_guide=True, mode=Mode.SANDBOX),
    ErrorCase("key-required", changes.NO_KEY, _CREATE, in_guide=True, mode=Mode.SANDBOX),
    ErrorCase("body-mismatch", changes.USED_KEY, _CREATE, mode=Mode.SANDBOX),
    ErrorCase("audience", changes.NOT_ADMIN, BY_ID["list_webhook_endpoints"]),
    ErrorCase("not-found", changes.ABSENT_ID, BY_ID["get_customer"]),
    ErrorCase("unknown-route", changes.UNKNOWN_PATH),
    ErrorCase("method-not-allowed", changes.UNKNOWN_METHOD, mode=Mode.SANDBOX),
    ErrorCase("validation", changes.INVALID_BODY, _CREATE, mode=Mode.SANDBOX),
)
ERRORS_IN_GUIDE: Final = tuple(case for case in ERROR_CASES if case.in_guide)


def each_error_case(cases: Sequence[ErrorCase] = ERROR_CASES) -> pytest.MarkDecorator:
    """Make a case of every kind of error given: the parameter `error`."""
    return pytest.mark.parametrize("error", cases, ids=[case.name for case in cases])
