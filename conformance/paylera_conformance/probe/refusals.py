"""What a refusal must look like to count: its status and its reason, under the readings of the run.

The rest of the body is the business of the `problem.*` clauses.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from paylera_conformance.model.messages import Exchange, Response
from paylera_conformance.model.outcomes import Violation
from paylera_fixtures.vocabulary import Problems, ProblemType

ANY_4XX: Final = frozenset(range(400, 500))


@dataclass(frozen=True)
class Refusal:
    """The statuses and `problem` codes by which a refusal counts.

    - `problems`: the codes that do; empty where no source gives one, and any code will do;
    - `needs_problem`: false where even a body without `problem` will do;
    - `elsewhere`: what to say where the status is one that another reading has.
    """

    statuses: frozenset[int]
    problems: tuple[str, ...] = ()
    needs_problem: bool = True
    elsewhere: Mapping[int, str] = field(default_factory=dict)

    def accepts(self, response: Response) -> bool:
        """Whether an answer is this refusal."""
        if response.status not in self.statuses:
            return False
        if self.problems:
            return response.problem in self.problems
        return response.problem is not None or not self.needs_problem

    def check(self, exchange: Exchange, *, change: str, hint: str = "") -> None:
        """Raise `Violation` where the answer is not this refusal."""
        if self.accepts(exchange.response):
            return
        reading = self.elsewhere.get(exchange.response.status, "")
        raise Violation(str(self), describe(exchange.response), change=change, hint=reading or hint, exchange=exchange)

    def __str__(self) -> str:
        statuses = "a 4xx" if self.statuses == ANY_4XX else _either(str(status) for status in sorted(self.statuses))
        if self.problems:
            return f"{statuses} {_either(self.problems)}"
        return f"{statuses} with a problem code" if self.needs_problem else statuses


def describe(response: Response) -> str:
    """An answer in a few words: status, and its `problem` or its media type."""
    if response.problem:
        return str(response)
    what = response.media_type or "no media type"
    return f"{response.status} ({what}, {len(response.body)} bytes)" if response.body else f"{response.status}, no body"


def _either(words: Iterable[str]) -> str:
    return " or ".join(words)


def _coded(status: int, *problems: ProblemType) -> Refusal:
    return Refusal(frozenset({status}), tuple(problem.code for problem in problems))


MISSING: Final = _coded(401, Problems.MISSING_TOKEN)
INVALID: Final = _coded(401, Problems.INVALID_TOKEN)
NO_CREDENTIAL: Final = _coded(401, Problems.MISSING_TOKEN, Problems.INVALID_TOKEN)
EXPIRED: Final = _coded(401, Problems.EXPIRED_TOKEN)
WRONG_ENVIRONMENT: Final = _coded(401, Problems.WRONG_ENVIRONMENT)
KEY_REQUIRED: Final = _coded(400, Problems.KEY_REQUIRED)
BODY_MISMATCH: Final = _coded(422, Problems.KEY_BODY_MISMATCH)
RATE_LIMITED: Final = _coded(429, Problems.RATE_LIMITED)
AUDIENCE: Final = Refusal(frozenset({401, 403}))
FORBIDDEN: Final = Refusal(frozenset({401, 403}), needs_problem=False)
NOT_FOUND: Final = Refusal(frozenset({404}))
NO_SUCH_OBJECT: Final = Refusal(frozenset({404}), needs_problem=False)
NOT_OWN: Final = Refusal(frozenset({403, 404}), needs_problem=False)
MALFORMED_INPUT: Final = Refusal(frozenset({400, 422}))
ANY_PROBLEM: Final = Refusal(ANY_4XX)
ANY_REFUSAL: Final = Refusal(ANY_4XX, needs_problem=False)


def scope_required(readings: Mapping[str, str]) -> Refusal:
    """The refusal of a token without the scope, under the reading `scope_refusal`."""
    return _by_reading(readings, "scope_refusal", Problems.SCOPE_REQUIRED)


def aal2_required(readings: Mapping[str, str]) -> Refusal:
    """The refusal of a token without second factor, under the reading `aal2_refusal`."""
    return _by_reading(readings, "aal2_refusal", Problems.AAL2_REQUIRED)


def _by_reading(readings: Mapping[str, str], name: str, problem: ProblemType) -> Refusal:
    status = int(readings[name])
    other = 403 if status == 401 else 401  # noqa: PLR2004 - the two answers that the pages give
    page = {401: "the guide", 403: "the Errors page"}
    return Refusal(
        frozenset({status}),
        (problem.code,),
        elsewhere={other: f"{status} by {page[status]}; {page[other]} has {other} for this: see reading `{name}`"},
    )
