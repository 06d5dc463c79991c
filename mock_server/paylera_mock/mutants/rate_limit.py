"""Mutants of rate limits: the headers that tell the rate, and the refusal of what is over it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from email.utils import formatdate
from functools import partial
from typing import Final

from paylera_fixtures.vocabulary import Header, Problems
from paylera_mock.core.messages import Decision
from paylera_mock.core.problems import Problem
from paylera_mock.mutants.builders import (
    Mutation,
    change_headers,
    change_refusal,
    change_rule,
    combine,
    is_read,
    is_write,
    set_policy,
    without_rule,
    without_step,
)
from paylera_mock.mutants.model import Mutant
from paylera_mock.mutants.problem import has_type, write_as
from paylera_mock.pipeline import responses, rules
from paylera_mock.pipeline.context import Context, Headers


def _write(change: Callable[[str, int, Context], int]) -> Mutation:
    """The headers about the rate have other values: `change` gets name, value and context."""
    return change_headers(
        responses.RATE_HEADERS,
        lambda headers, context, _: tuple((name, str(change(name, int(value), context))) for name, value in headers),
    )


def _spell_wait(spell: Callable[[str], str]) -> Mutation:

    def change(decided: Decision, _context: Context) -> Decision:
        if not isinstance(decided, Problem):
            return decided
        return replace(decided, headers=tuple((name, spell(value)) for name, value in decided.headers))

    return change_rule(rules.WITHIN_RATE, change)


def _limit(context: Context) -> int:
    return context.allowance.limit if context.allowance else 0


def _keep_unless_limited(headers: Headers, _context: Context, decided: Decision) -> Headers:
    return () if isinstance(decided, Problem) and decided.type is Problems.RATE_LIMITED else headers


_BARE: Final = json.dumps({"status": 429, "problem": Problems.RATE_LIMITED.code}).encode()

_breaks_headers: Final = partial(Mutant, breaks=("rate-limit.headers",))
_breaks_refusal: Final = partial(Mutant, breaks=("rate-limit.refusal",))

MUTANTS: Final[Mapping[str, Mutant]] = {
    "no-rate-headers": _breaks_headers("No answer tells the rate.", without_step(responses.RATE_HEADERS)),
    "no-rate-headers-on-writes": _breaks_headers(
        "Answers to writes do not tell the rate.",
        change_headers(responses.RATE_HEADERS, lambda headers, context, _: headers if is_read(context) else ()),
        subtle=True,
    ),
    "no-rate-headers-on-refusals": _breaks_headers(
        "Refusals do not tell the rate.",
        change_headers(
            responses.RATE_HEADERS,
            lambda headers, context, decided: () if isinstance(decided, Problem) and context.allowance else headers,
        ),
        subtle=True,
    ),
    "rate-reset-in-seconds": _breaks_headers(
        "X-RateLimit-Reset is a number of seconds from now.",
        _write(lambda name, value, context: max(0, value - int(context.now)) if name == Header.RATE_RESET else value),
        subtle=True,
    ),
    "rate-remaining-beyond": _breaks_headers(
        "More requests are said to remain than the limit.",
        _write(lambda name, value, context: _limit(context) + 1 if name == Header.RATE_REMAINING else value),
    ),
    "rate-never-refused": _breaks_refusal(
        "Nothing is refused however often it comes.", without_rule(rules.WITHIN_RATE)
    ),
    "rate-of-writes-never-refused": _breaks_refusal(
        "Writes are not refused however often they come.", without_rule(rules.WITHIN_RATE, is_write), subtle=True
    ),
    "rate-refused-by-a-gateway": Mutant(
        "A 429 is JSON of two members, and has none of the headers that every answer has.",
        combine(
            write_as("application/json", _BARE, has_type(Problems.RATE_LIMITED)),
            *(change_headers(step, _keep_unless_limited) for step in (responses.VERSION_ECHO, responses.RATE_HEADERS)),
        ),
        breaks=("problem.members-everywhere", "problem.media-type", "version.echo", "rate-limit.headers"),
        may_break=("rate-limit.refusal",),
        subtle=True,
    ),
    "rate-is-503": _breaks_refusal(
        "What comes too often is refused with 503.", change_refusal(rules.WITHIN_RATE, status=503)
    ),
    "rate-is-conflict": _breaks_refusal(
        "What comes too often is refused with another code.", change_refusal(rules.WITHIN_RATE, type=Problems.CONFLICT)
    ),
    "no-retry-after": _breaks_refusal(
        "A 429 does not say how long to wait.", change_refusal(rules.WITHIN_RATE, headers=())
    ),
    "retry-after-as-date": _breaks_refusal(
        "A 429 says until when to wait, as a date.", _spell_wait(lambda _: formatdate(0, usegmt=True)), subtle=True
    ),
    "retry-after-in-fractions": _breaks_refusal(
        "A 429 says how long to wait in fractions of seconds.", _spell_wait(lambda seconds: f"{seconds}.5"), subtle=True
    ),
    "retry-after-too-short": _breaks_refusal(
        "A 429 says to wait for a second where a minute is needed.",
        combine(set_policy(rate_window_seconds=60.0), _spell_wait(lambda _: "1")),
        subtle=True,
    ),
    "rate-limit-understated": _breaks_refusal(
        "X-RateLimit-Limit is a third of the limit.",
        _write(lambda name, value, _: value if name == Header.RATE_RESET else value // 3),
        subtle=True,
    ),
}
