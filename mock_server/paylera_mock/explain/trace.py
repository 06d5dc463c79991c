"""The ladder of a request: every check in its order, what it expected and what it got, up to the one that decided.

It is worked out when somebody asks, from what the rules had found out; the judgement itself pays nothing for it.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from paylera_fixtures.clauses import BY_ID
from paylera_fixtures.redaction import redact
from paylera_fixtures.vocabulary import Source
from paylera_mock.core.messages import Decision
from paylera_mock.core.problems import Problem
from paylera_mock.pipeline.advice import advice
from paylera_mock.pipeline.context import Context, Rule
from paylera_mock.pipeline.descriptions import seen_by

if TYPE_CHECKING:
    from paylera_mock.journal.recorder import JournalEntry

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
    """One check of the ladder.

    - `expected`, `got`: short sentences without a secret, empty where the check was not reached;
    - `hint`: what to do, where it refused;
    - `source`: whether a page says so, or this project chose it.
    """

    check: str
    clause: str
    outcome: CheckOutcome
    expected: str = ""
    got: str = ""
    hint: str = ""
    source: str = DOCUMENTED


def trace_checks(context: Context, rule: Rule, decision: Decision | None, hint: str = "") -> list[TracedCheck]:
    """The rungs, one for each rule of the pipeline that judged, in order.

    What decided without being a rule (a fault) stands first, and no rule was reached then. `context` holds facts
    without secrets. `hint`: one that was worked out when the credential was still there.
    """
    rules = context.pipeline.rules
    place = next((number for number, each in enumerate(rules) if each is rule), None)
    if place is None:
        place = next((number for number, each in enumerate(rules) if each.name == rule.name), None)
    if place is None:
        return [_decided(context, rule, decision, hint), *map(_not_reached, rules)]
    passed = [_passed(context, each, rule) for each in rules[:place]]
    return [*passed, _decided(context, rule, decision, hint), *map(_not_reached, rules[place + 1 :])]


def steps_json(exchange: JournalEntry) -> list[dict[str, Any]]:
    """The ladder of a remembered exchange as JSON shows it: a list of objects with the members of `TracedCheck`."""
    return as_json(trace_checks(exchange.context, exchange.rule, exchange.decision, exchange.hint))


def as_json(rungs: list[TracedCheck]) -> list[dict[str, Any]]:
    """Rungs as JSON shows them."""
    return [{**asdict(rung), "outcome": rung.outcome.value} for rung in rungs]


def _passed(context: Context, rule: Rule, decider: Rule) -> TracedCheck:
    seen = seen_by(rule.name, context, decider.name)
    outcome = CheckOutcome.PASSED if seen.applies else CheckOutcome.NOT_APPLICABLE
    return TracedCheck(rule.name, rule.clause, outcome, redact(seen.expected), redact(seen.got), source=source_of(rule))


def _decided(context: Context, rule: Rule, decision: Decision | None, hint: str) -> TracedCheck:
    seen = seen_by(rule.name, context, rule.name)
    if not isinstance(decision, Problem):
        outcome, got, advised = CheckOutcome.DECIDED, seen.got, ""
    else:
        outcome, got = CheckOutcome.REFUSED, seen.got or decision.detail
        advised = hint or advice(context, rule, decision) or _errors(decision) or decision.detail
    return TracedCheck(
        rule.name, rule.clause, outcome, redact(seen.expected), redact(got), redact(advised), source_of(rule, decision)
    )


def _errors(problem: Problem) -> str:
    """Which members are not acceptable."""
    return " ".join(f"{error.field}: {error.message}" for error in problem.errors)


def _not_reached(rule: Rule) -> TracedCheck:
    return TracedCheck(rule.name, rule.clause, CheckOutcome.NOT_REACHED, source=source_of(rule))


def source_of(rule: Rule, decision: Decision | None = None) -> str:
    """Whether a page is behind a check, and behind the problem that it refused with."""
    clause = BY_ID.get(rule.clause)
    if clause is None or clause.source is Source.CHOSEN:
        return CHOSEN
    return CHOSEN if isinstance(decision, Problem) and not decision.type.documented else DOCUMENTED
