"""What is said at the end of `exec`: what the client did wrong, and how much of the contract its tests have met."""

from __future__ import annotations

import ssl
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import click

from paylera_mock.cli.control_client import asked
from paylera_mock.server.ready import Ready

_COLUMNS: Final = 80
_COLORS: Final = {"error": "red", "warning": "yellow", "hint": "cyan"}


@dataclass(frozen=True)
class Demands:
    """What must hold for `exec` to succeed, besides its command.

    - `no_errors`: no finding of the severity error but of the kinds in `allowed`;
    - `coverage`: at least this percentage of the clauses that a client can meet; `None`: any.
    """

    no_errors: bool = False
    allowed: frozenset[str] = frozenset()
    coverage: float | None = None

    @property
    def any(self) -> bool:
        """Whether there is one."""
        return self.no_errors or self.coverage is not None


@dataclass(frozen=True)
class ExecSummary:
    """What a run came to: findings and coverage as the control API shows them."""

    findings: list[dict[str, Any]]
    coverage: dict[str, Any]

    def meets(self, demands: Demands) -> bool:
        """Whether all that was demanded holds."""
        errors = {found["id"] for found in self.findings if found["severity"] == "error"} - demands.allowed
        return not (demands.no_errors and errors) and not self.falls_short(demands)

    def falls_short(self, demands: Demands) -> bool:
        """Whether less was met than was demanded."""
        return demands.coverage is not None and self.coverage["percent"] < demands.coverage

    def lines(self, demands: Demands) -> Iterator[str]:
        """What people read, in 80 columns; `click.echo` takes the colours out where they are not wanted."""
        if self.findings:
            yield click.style(f"paylera-mock: {_counted(self.findings)} about the client", bold=True)
        for found in self.findings:
            yield from _finding(found, is_allowed=found["id"] in demands.allowed)
        if demands.coverage is not None:
            yield from self._coverage(demands.coverage, is_short=self.falls_short(demands))

    def _coverage(self, wanted: float, *, is_short: bool) -> Iterator[str]:
        met, of, percent = (self.coverage[name] for name in ("met", "of", "percent"))
        said = f"paylera-mock: met {met} of {of} clauses, {percent:g} %; wanted {wanted:g} %"
        yield click.style(said, bold=True, fg="red" if is_short else None)
        for row in self.coverage["clauses"] if is_short else ():
            if not row["met"]:
                yield f"  {click.style(row['clause'], bold=True)}"
                yield _wrapped(row["how"])


def _counted(findings: list[dict[str, Any]]) -> str:
    counts = [(name, sum(found["severity"] == name for found in findings)) for name in _COLORS]
    return ", ".join(f"{count} {name}{'s' if count != 1 else ''}" for name, count in counts if count)


def _finding(found: dict[str, Any], *, is_allowed: bool) -> Iterator[str]:
    severity = click.style(found["severity"], fg=_COLORS[found["severity"]])
    times = "once" if found["count"] == 1 else f"{found['count']} times"
    allowed = ", allowed" if is_allowed else ""
    yield f"  {severity} {click.style(found['id'], bold=True)}{allowed}"
    yield _wrapped(f"{found['route']}, {times}{_where(found)}")
    yield _wrapped(found["message"])
    yield _wrapped(f"Fix: {found['fix']}")


def _where(found: dict[str, Any]) -> str:
    by = f", by {found['token']}" if found["token"] else ""
    return f"{by}; journal {', '.join(map(str, found['exchanges']))}" if found["exchanges"] else by


def _wrapped(text: str) -> str:
    return textwrap.fill(text, _COLUMNS, initial_indent="    ", subsequent_indent="    ", break_on_hyphens=False)


def reckoned(ready: Ready, control_token: str | None) -> ExecSummary | None:
    """Ask a fake what a run came to; `None` where it has no control API. Raises `NoAnswerError`."""
    if ready.control_url is None:
        return None
    context = None if ready.ca_file is None else ssl.create_default_context(cafile=ready.ca_file)
    findings, coverage = (
        asked(f"{ready.control_url}/{what}?scope=all", context, control_token) for what in ("findings", "coverage")
    )
    return ExecSummary(findings["data"], coverage)
