"""What `exec` says at its end: what the client did wrong, and how much of the contract its tests have covered."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from paylera_fixtures.terminal import Line
from paylera_mock.cli.control_client import call_control
from paylera_mock.server.ready import Ready

_STYLES: Final = {"error": "red", "warning": "yellow", "hint": "cyan"}
"""Of each severity, the worst first."""


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
    """The findings and the coverage of a run, as the control API shows them, beside what was demanded of it."""

    findings: list[dict[str, Any]]
    coverage: dict[str, Any]
    demands: Demands

    @property
    def is_met(self) -> bool:
        """Whether all that was demanded holds."""
        errors = {finding["id"] for finding in self.findings if finding["severity"] == "error"} - self.demands.allowed
        return not (self.demands.no_errors and errors) and not self._is_coverage_short

    @property
    def _is_coverage_short(self) -> bool:
        return self.demands.coverage is not None and self.coverage["percent"] < self.demands.coverage

    def lines(self) -> Iterator[Line]:
        """The text for people; nothing where there are no findings and no coverage was demanded."""
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


def summarise_run(ready: Ready, demands: Demands, control_token: str | None) -> ExecSummary | None:
    """Ask a fake what came of a run; `None` where it has no control API. Raises `ControlClientError`."""
    if ready.control_url is None:
        return None
    context = None if ready.ca_file is None else ssl.create_default_context(cafile=ready.ca_file)
    findings, coverage = (
        call_control(
            "GET", f"{ready.control_url}/{name}?scope=all", member=member, control_token=control_token, context=context
        )
        for name, member in (("findings", "data"), ("coverage", "clauses"))
    )
    return ExecSummary(findings["data"], coverage, demands)
