"""Races made certain: those who send one key at the same moment are made to meet before any of them is judged."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from paylera_mock.core.messages import Request

_WAIT: Final = 0.04
"""Seconds that the first to come waits for a second. Every keyed write waits so long, so that it is short."""

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

    def queued(self, request: Request) -> bool:
        """In place of `decisions.queued`: the same answer, after a bounded wait for another request with the key."""
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
