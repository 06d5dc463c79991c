"""The trace of a request: every check in its order, what it expected and what it got, up to the one that decided.

It is worked out when somebody asks, from what the checks left in the context: judging a request costs no more for it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from paylera_fixtures.clauses import BY_ID
from paylera_fixtures.redaction import redact
from paylera_fixtures.vocabulary import Source
from paylera_mock.core.messages import Decision
from paylera_mock.core.problems import Problem
from paylera_mock.journal.recorder import JournalEntry
from paylera_mock.pipeline.context import Context, Rule

DOCUMENTED: Final = "documented"
CHOSEN: Final = "chosen"


class CheckOutcome(StrEnum):
    """How a check ended.

    `decided` is an acceptance or a replay; `not-applicable` is a check that had nothing to look at in this request.
    """

    PASSED = "passed"
    REFUSED = "refused"
    DECIDED = "decided"
    NOT_REACHED = "not-reached"
    NOT_APPLICABLE = "not-applicable"


@dataclass(frozen=True, slots=True)
class TracedCheck:
    """One check of a trace.

    - `expected`, `got`: short sentences without a secret, empty where the check was not reached;
    - `hint`: what to do, where it refused;
    - `source`: `documented` where a page says so, `chosen` where this project decided it.
    """

    check: str
    clause: str
    outcome: CheckOutcome
    expected: str = ""
    got: str = ""
    hint: str = ""
    source: str = DOCUMENTED


def trace_checks(context: Context, rule: Rule, decision: Decision | None, hint: str = "") -> list[TracedCheck]:
    """The checks of the pipeline that judged, in order.

    What decided without being one of its rules (a fault) stands where the rules stopped. `context` holds a request
    without secrets. `hint`: one that was worked out while the credential was still there.
    """
    rules = context.pipeline.rules
    place = next((number for number, each in enumerate(rules) if each is rule), None)
    if place is None:
        passed, not_reached = rules[: context.place], rules[context.place :]
    else:
        passed, not_reached = rules[:place], rules[place + 1 :]
    return [
        *(_trace_passed(context, each) for each in passed),
        _trace_decided(context, rule, decision, hint),
        *(TracedCheck(each.name, each.clause, CheckOutcome.NOT_REACHED, source=_source(each)) for each in not_reached),
    ]


def trace_entry(entry: JournalEntry) -> list[TracedCheck]:
    """The trace of an exchange in the journal."""
    return trace_checks(entry.context, entry.rule, entry.decision, entry.hint)


def _trace_passed(context: Context, rule: Rule) -> TracedCheck:
    result = rule.describe(context)
    outcome = CheckOutcome.PASSED if result.applies else CheckOutcome.NOT_APPLICABLE
    expected, got = redact(result.expected), redact(result.got)
    return TracedCheck(rule.name, rule.clause, outcome, expected, got, source=_source(rule))


def _trace_decided(context: Context, rule: Rule, decision: Decision | None, hint: str) -> TracedCheck:
    result = rule.describe(context)
    outcome, got, advised = CheckOutcome.DECIDED, result.got, ""
    if isinstance(decision, Problem):
        outcome, got = CheckOutcome.REFUSED, result.got or decision.detail
        errors = " ".join(f"{error.field}: {error.message}" for error in decision.errors)
        advised = hint or rule.advise(context) or errors or decision.detail
    expected, got, advised = redact(result.expected), redact(got), redact(advised)
    return TracedCheck(rule.name, rule.clause, outcome, expected, got, advised, _source(rule, decision))


def _source(rule: Rule, decision: Decision | None = None) -> str:
    """Whether a page is behind a check, and behind the problem that it refused with."""
    clause = BY_ID.get(rule.clause)
    if clause is None or clause.source is Source.CHOSEN:
        return CHOSEN
    return CHOSEN if isinstance(decision, Problem) and not decision.type.documented else DOCUMENTED
