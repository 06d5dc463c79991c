"""One line for each request that a served fake has answered, as text or as JSON. No secret is in it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import click
import msgspec
from msgspec import Struct

from paylera_fixtures.redaction import redact
from paylera_mock.core.problems import Problem
from paylera_mock.core.request_target import quote_path
from paylera_mock.http.environ import BEGAN_AT
from paylera_mock.http.handler import ExchangeSteps
from paylera_mock.journal.recorder import JournalEntry
from paylera_mock.journal.view import credential_label

if TYPE_CHECKING:  # the stubs of the type checker alone have it
    from _typeshed.wsgi import WSGIEnvironment

_COLORS: Final = {2: "green", 3: "cyan", 4: "yellow", 5: "red"}
"""Of a status, by its first digit."""


class AnsweredRequest(Struct):
    """What is said of a request.

    - `status`: `None` where a fault ended it before there was one;
    - `rule`: what decided; `None` for what is no request to the API: the control API, a document, a preflight;
    - `token`: the name of the token, never its secret;
    - `ms`: milliseconds from the head of the request to its answer, its body and pauses of faults included;
    - `faults`: what was done to it on purpose;
    - `advice`: what is wrong with it, where it was refused.
    """

    method: str
    path: str
    status: int | None
    ms: float
    problem: str | None = None
    rule: str | None = None
    token: str | None = None
    journal: int | None = None
    faults: list[str] = []
    advice: str | None = None


@dataclass(frozen=True)
class RequestLog:
    """Writes a line for each request. `write` gets it without its end; `as_json`, `colored`: how it looks."""

    write: Callable[[str], None]
    as_json: bool = False
    colored: bool = False

    def log_steps(self, steps: ExchangeSteps, environ: WSGIEnvironment) -> ExchangeSteps:
        """An exchange whose line is written at its end."""
        began_at = _began_at(environ)
        transmission = yield from steps
        if transmission.entry is None:
            self.log_other(environ, transmission.answer.status)
        else:
            self._log_exchange(transmission.entry, _ms_since(began_at))
        return transmission

    def _log_exchange(self, entry: JournalEntry, ms: float) -> None:
        request = entry.request
        problem = entry.decision if isinstance(entry.decision, Problem) and entry.status else None
        self._log(
            AnsweredRequest(
                request.sent_method,
                quote_path(request.instance),
                entry.status,
                ms,
                problem.type.code if problem else None,
                entry.rule.name,
                credential_label(entry.context),
                entry.number,
                [fault.header_text for fault in entry.faults],
                entry.hint or (problem.detail if problem else None),
            )
        )

    def log_other(self, environ: WSGIEnvironment, status: int) -> None:
        """Write the line of a request that is none to the API."""
        ms = _ms_since(_began_at(environ))
        self._log(AnsweredRequest(environ["REQUEST_METHOD"], quote_path(environ.get("PATH_INFO", "")), status, ms))

    def _log(self, answered: AnsweredRequest) -> None:
        self.write(redact(self._format_json(answered) if self.as_json else self._format_text(answered)))

    @staticmethod
    def _format_json(answered: AnsweredRequest) -> str:
        at = datetime.now(UTC).isoformat(timespec="milliseconds")
        return msgspec.json.encode({"at": at, **msgspec.structs.asdict(answered), "ms": round(answered.ms, 3)}).decode()

    def _format_text(self, answered: AnsweredRequest) -> str:
        status, rule = answered.status, answered.rule
        words = [
            answered.method,
            answered.path,
            self._style(str(status), _COLORS.get(status // 100, "")) if status else "no answer",
            *([answered.problem] if answered.problem else []),
            *([self._style(f"[{rule}]", "", dim=True)] if rule else []),
            *([answered.token] if answered.token else []),
            self._style(f"{answered.ms:.1f} ms", "", dim=True),
            *(f"fault {text}" for text in answered.faults),
        ]
        return " ".join(words) + (f": {answered.advice}" if answered.advice else "")

    def _style(self, text: str, color: str, *, dim: bool = False) -> str:
        return click.style(text, fg=color or None, dim=dim or None) if self.colored else text


def _began_at(environ: WSGIEnvironment) -> float:
    """When a request came; now, where no server of ours has noted it."""
    began_at: float = environ.get(BEGAN_AT) or time.perf_counter()
    return began_at


def _ms_since(began_at: float) -> float:
    return (time.perf_counter() - began_at) * 1000
