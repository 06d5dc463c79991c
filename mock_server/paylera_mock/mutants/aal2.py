"""Mutants of the second factor: which operations need it, and whose token has it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Final

from paylera_fixtures.vocabulary import AAL2, Audience, Problems
from paylera_mock.mutants.builders import change_decision, change_refusal, decide_late, without_rule
from paylera_mock.mutants.model import Mutant
from paylera_mock.pipeline import decisions, rules

_SERVICE_NEVER: Final = ("aal2.service-never",)


_breaks_required: Final = partial(Mutant, breaks=("aal2.required",))

MUTANTS: Final[Mapping[str, Mutant]] = {
    "no-aal2-needed": _breaks_required(
        "No operation needs AAL2.", without_rule(rules.SECOND_FACTOR), may_break=_SERVICE_NEVER
    ),
    "aal2-by-audience": _breaks_required(
        "Every admin token counts as having asserted AAL2.",
        change_decision(decisions.has_aal2, lambda right, token: right or token.grant.audience is Audience.ADMIN),
        subtle=True,
    ),
    "aal2-is-400": _breaks_required(
        "A token without AAL2 is refused with 400.",
        change_refusal(rules.SECOND_FACTOR, status=400),
        may_break=_SERVICE_NEVER,
    ),
    "aal2-by-the-other-reading": _breaks_required(
        "A token without AAL2 is refused with the status of the other reading.",
        change_refusal(rules.SECOND_FACTOR, status=403),
        may_break=_SERVICE_NEVER,
    ),
    "aal2-is-scope": _breaks_required(
        "A token without AAL2 is refused as one that lacks a scope.",
        change_refusal(rules.SECOND_FACTOR, type=Problems.SCOPE_REQUIRED),
        may_break=_SERVICE_NEVER,
    ),
    "aal2-refused-late": _breaks_required(
        "A token without AAL2 is refused only after the request has had its effect.",
        decide_late(rules.SECOND_FACTOR),
        subtle=True,
    ),
    "aal3-needed": Mutant(
        "No token has the assurance that is asked for.",
        change_decision(decisions.has_aal2, lambda right, token: right and token.grant.aal > AAL2),
        breaks=("aal2.satisfied",),
    ),
    "aal2-of-service": Mutant(
        "A service token that was issued with AAL2 counts as having it.",
        change_decision(decisions.has_aal2, lambda right, token: right or token.grant.aal >= AAL2),
        breaks=("aal2.service-never",),
        subtle=True,
    ),
}
