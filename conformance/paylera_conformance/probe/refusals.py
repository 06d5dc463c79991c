"""What a refusal must look like to count: its status and its reason, under the readings of the run.

The rest of the body is what the `problem.*` clauses are about.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from paylera_conformance.model.messages import Exchange, Response
from paylera_conformance.model.outcomes import Deviation, Violation
from paylera_fixtures.printable import shorten
from paylera_fixtures.vocabulary import Header, Problems, ProblemType

_ANY_4XX: Final = frozenset(range(400, 500))
_PAGES: Final = {401: "the guide", 403: "the Errors page"}
"""Who gives which status, where the two contradict each other."""


_HIDDEN: Final = (
    "who hides what exists from those who may not know of it (RFC 9110, section 15.5.4) departs from the letter of the"
    " contract: a finding where each such call is answered so, a failure where only some are"
)


_BEARER: Final = re.compile(r"(^|,)\s*bearer(\s|,|$)", re.IGNORECASE)


def has_bearer_challenge(response: Response) -> bool:
    """Whether `WWW-Authenticate` has a Bearer challenge, among others or alone (RFC 9110, section 11.6.1)."""
    return _BEARER.search(response.header(Header.CHALLENGE) or "") is not None


@dataclass(frozen=True)
class Refusal:
    """The statuses and `problem` codes by which a refusal counts.

    - `problems`: the codes that do; empty where no source gives one, and any code will do;
    - `needs_problem`: false where even a body without `problem` will do;
    - `deviations`: the statuses, with a reason as above, that are a finding where every case of the clause has one;
    - `reading`: the reading that decides which one of the statuses counts; see `under`.
    """

    statuses: frozenset[int]
    problems: tuple[str, ...] = ()
    needs_problem: bool = True
    deviations: frozenset[int] = frozenset()
    reading: str = ""

    def under(self, readings: Mapping[str, str]) -> Refusal:
        """This refusal with the one status that a run's readings give it."""
        return replace(self, statuses=frozenset({int(readings[self.reading])})) if self.reading else self

    def accepts(self, response: Response) -> bool:
        """Whether an answer is this refusal."""
        return response.status in self.statuses and self._has_reason(response)

    def _has_reason(self, response: Response) -> bool:
        if self.problems:
            return response.problem in self.problems
        return response.problem is not None or not self.needs_problem

    def check(self, exchange: Exchange, *, change: str, hint: str = "") -> None:
        """Raise `Violation` where the answer is not this refusal, `Deviation` where it is one of its deviations."""
        if self.accepts(exchange.response):
            return
        if exchange.response.status in self.deviations and self._has_reason(exchange.response):
            raise Deviation(str(self), describe(exchange.response), change=change, hint=_HIDDEN, exchange=exchange)
        wanted, got = min(self.statuses), exchange.response.status
        if self.reading and {wanted, got} == set(_PAGES):
            other = f"{_PAGES[got]} has {got} for this: see reading `{self.reading}`"
            hint = f"{wanted} by {_PAGES[wanted]}; {other}"
        elif exchange.response.refused:
            # What a caller knows is why such a request may be accepted: here it was not.
            hint = self._hint_on_refusal(exchange.response) or hint
        raise Violation(str(self), describe(exchange.response), change=change, hint=hint, exchange=exchange)

    def _hint_on_refusal(self, response: Response) -> str:
        """What is wrong with an answer that refuses, but otherwise; empty where that tells nothing of the cause."""
        if response.problem in self.problems:
            return f"it is refused, and for this reason: the status alone is not {self}"
        if response.status in self.statuses and response.problem is None:
            return "it is refused with this status: the body alone names no such `problem`"
        if response.problem is not None and self.problems:
            return f"it is refused, but as {response.problem}: is that looked at first, or is another code meant?"
        return ""

    def __str__(self) -> str:
        statuses = (
            "a 4xx" if self.statuses == _ANY_4XX else " or ".join(str(status) for status in sorted(self.statuses))
        )
        if self.problems:
            return f"{statuses} {' or '.join(self.problems)}"
        return f"{statuses} with a problem code" if self.needs_problem else statuses


def refusal_like(exchange: Exchange) -> Refusal:
    """The refusal that an answer is, as what another is to be refused like."""
    problem = exchange.response.problem
    return Refusal(frozenset({exchange.response.status}), (problem,) if problem else (), needs_problem=False)


def describe(response: Response) -> str:
    """An answer in a few words: status, and its `problem` or its media type."""
    if response.problem:
        return str(response)
    what = response.media_type or "no media type"
    return f"{response.status} ({what}, {len(response.body)} bytes)" if response.body else f"{response.status}, no body"


def _refusal_by_code(statuses: set[int], *problems: ProblemType, reading: str = "") -> Refusal:
    return Refusal(frozenset(statuses), tuple(problem.code for problem in problems), reading=reading)


_ABOUT_THE_REQUEST: Final = frozenset({400, 406, 409, 412, 415, 422, 428})
_LISTS_OF_FLAWS: Final = ("errors", "invalid_params", "invalid-params", "invalidParams", "violations", "details")
_NAMES_OF_MEMBERS: Final = ("field", "pointer", "name", "param", "parameter", "property", "member", "path", "loc")
_MOST_MEMBERS: Final = 5
_MOST_DETAIL: Final = 200


def is_about_request(response: Response) -> bool:
    """Whether an answer refuses what was sent, and not who sent it."""
    return response.status in _ABOUT_THE_REQUEST and not (response.problem or "").startswith("auth.")


def describe_flaw(response: Response) -> str:
    """An answer in a few words; with the members that it names, or else its `detail`, where it is about the request."""
    if not is_about_request(response):
        return describe(response)
    body = response.object
    flaws = [entry for name in _LISTS_OF_FLAWS for entry in _entries_of(body.get(name))]
    own = {name: body[name] for name in ("pointer", "field", "param", "parameter") if name in body}
    members = dict.fromkeys(member for entry in (*flaws, own) if (member := _member_named(entry)))
    words = ", ".join([*members][:_MOST_MEMBERS])
    detail = body.get("detail") or body.get("message")
    if words:
        return f"{describe(response)}, naming {words}"
    return f"{describe(response)}: {shorten(detail, _MOST_DETAIL)}" if isinstance(detail, str) else describe(response)


def _entries_of(flaws: object) -> list[object]:
    """The entries of a list of flaws, which may be an object with a member for each."""
    if isinstance(flaws, dict):
        return list(flaws)
    return flaws if isinstance(flaws, list) else []


def _member_named(entry: object) -> str:
    """The member that an entry names, empty where it names none."""
    if not isinstance(entry, dict):
        return shorten(entry, _MOST_DETAIL) if isinstance(entry, str) else ""
    source = entry.get("source")
    named = source if isinstance(source, dict) else entry
    value = next((named[name] for name in _NAMES_OF_MEMBERS if named.get(name)), "")
    if isinstance(value, list):
        value = ".".join(str(step) for step in value)
    return shorten(value, _MOST_DETAIL) if isinstance(value, str) else ""


MISSING: Final = _refusal_by_code({401}, Problems.MISSING_TOKEN)
INVALID: Final = _refusal_by_code({401}, Problems.INVALID_TOKEN)
NO_CREDENTIAL: Final = _refusal_by_code({401}, Problems.MISSING_TOKEN, Problems.INVALID_TOKEN)
UNRECOGNISED: Final = _refusal_by_code(
    {401}, Problems.MISSING_TOKEN, Problems.INVALID_TOKEN, Problems.WRONG_ENVIRONMENT
)
EXPIRED: Final = _refusal_by_code({401}, Problems.EXPIRED_TOKEN)
WRONG_ENVIRONMENT: Final = _refusal_by_code({401}, Problems.WRONG_ENVIRONMENT)
SCOPE: Final = _refusal_by_code({401, 403}, Problems.SCOPE_REQUIRED, reading="scope_refusal")
AAL2: Final = _refusal_by_code({401, 403}, Problems.AAL2_REQUIRED, reading="aal2_refusal")
KEY_REQUIRED: Final = _refusal_by_code({400}, Problems.KEY_REQUIRED)
BODY_MISMATCH: Final = _refusal_by_code({422}, Problems.KEY_BODY_MISMATCH)
RATE_LIMITED: Final = _refusal_by_code({429}, Problems.RATE_LIMITED)
AUDIENCE: Final = Refusal(frozenset({401, 403}))
ADMIN_API: Final = Refusal(frozenset({401, 403}), deviations=frozenset({404}))
KEPT_OUT: Final = Refusal(frozenset({401, 403, 404}), needs_problem=False)
FORBIDDEN: Final = Refusal(frozenset({401, 403}), needs_problem=False)
NOT_FOUND: Final = Refusal(frozenset({404}))
NO_SUCH_OBJECT: Final = Refusal(frozenset({404}), needs_problem=False)
NO_SUCH_ROUTE: Final = Refusal(frozenset({404, 405}))
NOT_OWN: Final = Refusal(frozenset({403, 404}), needs_problem=False)
GONE: Final = Refusal(frozenset({404, 410}), needs_problem=False)
MALFORMED_INPUT: Final = Refusal(frozenset({400, 422}))
ANY_PROBLEM: Final = Refusal(_ANY_4XX)
ANY_REFUSAL: Final = Refusal(_ANY_4XX, needs_problem=False)
