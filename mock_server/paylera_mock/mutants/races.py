"""Races made certain: requests that send one key at the same moment wait for each other before any is judged."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from paylera_fixtures.vocabulary import ProblemType
from paylera_mock.core.messages import Decision, Request
from paylera_mock.core.problems import Problem
from paylera_mock.mutants.builders import Mutation, Note
from paylera_mock.pipeline import decisions, rules
from paylera_mock.pipeline.context import Behaviour, Context, Rule

_WAIT: Final = 0.04
"""Seconds that the first to come waits for a second. Every keyed write waits so long, so that it is short."""

_IN_PROGRESS: Final = ProblemType("idempotency.in_progress", "Request in progress", documented=False)
_DETAIL: Final = "The first request with this key is not answered yet. Ask again later."
_Meeting: TypeAlias = tuple[str, str, str | None]


@dataclass
class _Race:
    """Who runs, in the order of arrival, and how many have been judged."""

    runners: list[Request] = field(default_factory=list)
    judged: int = 0


class Races:
    """The races that are being run in one namespace. `wait_seconds`: how long the first to come waits for a second."""

    def __init__(self, wait_seconds: float = _WAIT) -> None:
        self.wait_seconds = wait_seconds
        self._changed = threading.Condition()
        self._races: dict[_Meeting, _Race] = {}

    def must_queue(self, request: Request) -> bool:
        """In place of `decisions.must_queue`: the same, after a bounded wait for another request with the key."""
        if request.method == "GET":
            return False
        if request.idempotency_key is not None:
            self._line_up(request)
        return True

    def _line_up(self, request: Request) -> None:
        meeting = _meeting(request)
        with self._changed:
            race = self._races.setdefault(meeting, _Race())
            race.runners.append(request)
            if len(race.runners) > 1:
                self._changed.notify_all()
            elif not self._changed.wait_for(lambda: len(race.runners) > 1, self.wait_seconds):
                del self._races[meeting]

    def is_second(self, request: Request) -> bool:
        """Whether a request runs against another that was judged before it. To be asked once for each request."""
        meeting = _meeting(request)
        with self._changed:
            race = self._races.get(meeting)
            if race is None or not any(runner is request for runner in race.runners):
                return False
            race.judged += 1
            if race.judged == len(race.runners):
                del self._races[meeting]
            return race.judged > 1


def _meeting(request: Request) -> _Meeting:
    return (request.method, request.path, request.idempotency_key)


def lose_race(
    status: int | None, *, remembered: bool = False, when: Callable[[Request], bool] = lambda _: True
) -> Mutation:
    """Who comes second in a race fares otherwise than by a replay of the first.

    - `status`: with which it is refused; `None`: it acts as well, as if the first had not yet taken the key;
    - `remembered`: whether the refusal is what the key is remembered by;
    - `when`: of which requests that is so.
    """

    def mutate(behaviour: Behaviour, note: Note) -> Behaviour:
        races = Races()

        def check(context: Context) -> Decision | None:
            if not when(context.request) or not races.is_second(context.request):
                return None
            note()
            if not remembered:
                context.record_key = None
            if status is None:
                return None
            return Problem(_IN_PROGRESS, status, _DETAIL)

        def must_queue(request: Request) -> bool:
            return races.must_queue(request) if when(request) else decisions.must_queue(request)

        lost = Rule("race-lost", "idempotency.concurrent", check)
        pipeline = behaviour.pipeline.with_decision(decisions.must_queue, must_queue).with_rule_before(
            rules.REPLAYED, lost
        )
        return behaviour.but(pipeline=pipeline, may_block=True)

    return mutate
