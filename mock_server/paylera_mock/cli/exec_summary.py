"""What `exec` says at its end: what was refused, what the client did wrong, and how much its tests have covered."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from paylera_fixtures.terminal import Line
from paylera_mock.cli.control_client import call_control
from paylera_mock.server.ready import Ready

_REFUSALS_SHOWN: Final = 8

_NO_REQUEST: Final = (
    "The command has to call the URL in PAYLERA_BASE_URL: look where it takes its base URL from, and whether its tests"
    " were run at all."
)

_STYLES: Final = {"error": "red", "warning": "yellow", "hint": "cyan"}
"""Of each severity, the worst first."""


@dataclass(frozen=True)
class Demands:
    """What must hold for `exec` to succeed, besides its command.

    - `no_errors`: no finding of the severity error but of the kinds in `allowed`, and at least one request;
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
    """What the control API shows of a run, beside what was demanded of it.

    `has_failed`: whether the command did: then the refused calls are told, and otherwise they are what it expects.
    """

    findings: list[dict[str, Any]]
    coverage: dict[str, Any]
    refusals: dict[str, Any]
    never_struck: list[str]
    demands: Demands
    has_failed: bool

    @property
    def is_met(self) -> bool:
        """Whether all that was demanded holds."""
        errors = {finding["id"] for finding in self.findings if finding["severity"] == "error"} - self.demands.allowed
        is_wrong = self.demands.no_errors and (errors or not self.refusals["requests"])
        return not is_wrong and not self._is_coverage_short

    @property
    def _is_coverage_short(self) -> bool:
        return self.demands.coverage is not None and self.coverage["percent"] < self.demands.coverage

    def lines(self) -> Iterator[Line]:
        """The text for people; nothing where there is nothing to be told."""
        if not self.refusals["requests"]:
            yield Line("paylera-mock: no request reached the fake", style="bold red")
            yield Line(_NO_REQUEST, first="    ")
        yield from self._refusal_lines()
        if self.never_struck:
            yield Line("paylera-mock: faults that never happened to any request", style="bold yellow")
            yield from (Line(text, first="  ") for text in self.never_struck)
        if self.findings:
            counts = {name: sum(finding["severity"] == name for finding in self.findings) for name in _STYLES}
            text = ", ".join(f"{count} {name}{'s' * (count != 1)}" for name, count in counts.items() if count)
            yield Line(f"paylera-mock: {text} about the client", style="bold")
        for finding in self.findings:
            severity, kind = finding["severity"], finding["id"]
            allowed = ", allowed" if kind in self.demands.allowed else ""
            times = "once" if finding["count"] == 1 else f"{finding['count']} times"
            token = f", by {finding['token']}" if finding["token"] else ""
            journal = f"; journal {', '.join(map(str, finding['exchanges']))}" if finding["exchanges"] else ""
            yield Line(first=[(f"  {severity} ", _STYLES[severity]), (kind, "bold"), (allowed, "")])
            where = f"{finding['route']}, {times}{token}{journal}"
            yield from (Line(text, first="    ") for text in (where, finding["message"], f"Fix: {finding['fix']}"))
        if self.demands.coverage is not None:
            met, of, percent = (self.coverage[name] for name in ("met", "of", "percent"))
            text = f"paylera-mock: met {met} of {of} clauses, {percent:g} %; wanted {self.demands.coverage:g} %"
            yield Line(text, style="bold red" if self._is_coverage_short else "bold")
        for row in self.coverage["clauses"] if self._is_coverage_short else ():
            if not row["met"]:
                yield Line(row["clause"], first="  ", style="bold")
                yield Line(row["how"], first="    ")

    def _refusal_lines(self) -> Iterator[Line]:
        """The refused calls of a command that has failed, the latest last."""
        kinds = self.refusals["data"] if self.has_failed else ()
        if kinds:
            calls = sum(refusal["count"] for refusal in kinds)
            yield Line(f"paylera-mock: {'1 call was' if calls == 1 else f'{calls} calls were'} refused", style="bold")
        if self.refusals["kinds"] > len(kinds) > 0:
            yield Line(f"{self.refusals['kinds'] - len(kinds)} kinds before these", first="  ", style="dim")
        for refusal in kinds:
            times = "once" if refusal["count"] == 1 else f"{refusal['count']} times"
            token = f", by {refusal['token']}" if refusal["token"] else ""
            what = f"{refusal['status']} {refusal['problem']}"
            yield Line(first=[(f"  {what} ", "red"), (f"{refusal['method']} {refusal['route']}, {times}{token}", "")])
            yield Line(refusal["hint"], first="    ")


def summarise_run(ready: Ready, demands: Demands, control_token: str | None, *, has_failed: bool) -> ExecSummary | None:
    """Ask a fake what came of a run; `None` where it has no control API. Raises `ControlClientError`."""
    if ready.control_url is None:
        return None
    findings, coverage, refusals, faults = (
        _ask(ready, f"{name}?scope=all{more}", member, control_token)
        for name, member, more in (
            ("findings", "data", ""),
            ("coverage", "clauses", ""),
            ("refusals", "requests", f"&limit={_REFUSALS_SHOWN}"),
            ("faults", "never_struck", ""),
        )
    )
    return ExecSummary(
        findings["data"], coverage, refusals, faults["never_struck"], demands=demands, has_failed=has_failed
    )


def read_journal(ready: Ready, control_token: str | None) -> list[dict[str, Any]]:
    """Every exchange that the journals of a fake hold, where it has a control API. Raises `ControlClientError`."""
    if ready.control_url is None:
        return []
    exchanges: list[dict[str, Any]] = _ask(ready, "journal?scope=all&limit=1000000", "data", control_token)["data"]
    return exchanges


def _ask(ready: Ready, path: str, member: str, control_token: str | None) -> dict[str, Any]:
    context = None if ready.ca_file is None else ssl.create_default_context(cafile=ready.ca_file)
    url = f"{ready.control_url}/{path}"
    return call_control("GET", url, member=member, control_token=control_token, context=context)
