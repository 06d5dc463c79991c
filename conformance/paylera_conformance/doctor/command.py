"""The command `doctor`: every check, then which clauses can be proven with the credentials that are there."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from paylera_conformance.doctor.checks import CHECKS, ReadOnlyTarget
from paylera_conformance.http.client import Client, ClientSettings, Pace
from paylera_conformance.http.request_budget import Limits
from paylera_conformance.model.outcomes import TARGET, CaseEnd, ExitCode, Outcome, PreflightFinding
from paylera_conformance.rehearsal.recorder import RehearsedCase, rehearse
from paylera_conformance.run.launch import settings_of
from paylera_conformance.target.settings import Settings
from paylera_fixtures.clauses import clauses_of

_WIDTH: Final = 110
_NEEDS_SHOWN: Final = 3
_OPEN: Final = frozenset({Outcome.BLOCKED, Outcome.PENDING, Outcome.NOT_RUN, Outcome.ERROR})

_BASIS: Final = """\
By a rehearsal against the fake, with tokens that claim what yours claim; nothing of it was sent to the target. A clause
with ✓ can be proven with what is there; ? says what some of its cases lack."""


class DoctorVisit:
    """One visit to the doctor. `lines` are to be printed as they come; `exit_code` is known after the last."""

    def __init__(self, url: str | None, options: Mapping[str, Any]) -> None:
        """Raises `ConfigError`."""
        self._settings = settings_of(url, options)
        self._findings: list[PreflightFinding] = []

    @property
    def exit_code(self) -> int:
        """0 where nothing is to be mended, else 13."""
        return ExitCode.UNREACHABLE if self._findings else ExitCode.CONFORMANT

    def lines(self) -> Iterator[str]:
        """What was seen. Raises `ConfigError` where the rehearsal cannot be held."""
        settings = self._settings
        yield f"{settings.url}, {settings.environment}, profile {settings.profile}, driver {settings.driver}"
        pace = Pace(None if settings.is_loopback else settings.rps)
        run = ClientSettings(run_id="doctor", timeout=settings.timeout, deadline=2 * settings.timeout)
        client = Client(run, pace=pace, limits=Limits(reads_only=True))
        try:
            yield from self._checks(ReadOnlyTarget(client, settings))
        finally:
            client.close()
        if not any(finding.exit_code for finding in self._findings):
            yield ""
            yield "Clause by credential"
            yield _BASIS
            yield from matrix(settings, rehearse(settings).cases)
        yield ""
        yield _sum(self._findings)

    def _checks(self, patient: ReadOnlyTarget) -> Iterator[str]:
        for title, check in CHECKS:
            yield ""
            yield title.capitalize()
            try:
                for said in check(patient):
                    yield from self._told(said)
            except CaseEnd as trouble:
                yield from self._told(
                    PreflightFinding(TARGET, f"no answer came: {trouble.reason}; try again, then look there")
                )
            if any(finding.exit_code for finding in self._findings):
                return

    def _told(self, said: object) -> Iterator[str]:
        if isinstance(said, PreflightFinding):
            self._findings.append(said)
            yield _wrapped(f"{said.label}: {said.text}", "  ✗ ")
        else:
            yield _wrapped(str(getattr(said, "text", "")), "  ✓ ")


def matrix(settings: Settings, cases: Sequence[RehearsedCase]) -> Iterator[str]:
    """For each clause whether it can be proven, by which tokens, and what is missing."""
    provable = 0
    wanted = clauses_of(settings.profile)
    for clause in wanted:
        pages = [case for case in cases if case.clause == clause.id]
        still_open = [page for page in pages if page.outcome in _OPEN]
        provable += bool(pages) and not still_open
        roles = dict.fromkeys(role for page in pages for role in page.used)
        yield _wrapped(
            f"{clause.id:<36}{', '.join(roles) or 'no token'}", f"  {'?' if still_open or not pages else '✓'} ", 40
        )
        for lack in _lacks(still_open):
            yield _wrapped(lack, "      missing: ", 15)
    yield f"{provable} of {len(wanted)} clauses can be proven with what is there"


def _lacks(pages: Sequence[RehearsedCase]) -> Iterator[str]:
    needs = dict.fromkeys(need.describe() for page in pages for need in page.missing)
    others = dict.fromkeys(page.headline for page in pages if not page.missing)
    lacks = [*needs, *others]
    yield from lacks[:_NEEDS_SHOWN]
    if len(lacks) > _NEEDS_SHOWN:
        yield f"and {len(lacks) - _NEEDS_SHOWN} more of that kind (`init` lists every token)"


def _sum(findings: Sequence[PreflightFinding]) -> str:
    if not findings:
        return "Nothing to mend."
    counts = {label: sum(finding.label == label for finding in findings) for label in ("CONFIG", "TARGET")}
    return f"To mend: {counts['CONFIG']} CONFIG (yours), {counts['TARGET']} TARGET (the server's). Exit 13."


def _wrapped(text: str, first: str, indent: int = 4) -> str:
    return textwrap.fill(
        text, _WIDTH, initial_indent=first, subsequent_indent=" " * indent, break_on_hyphens=False,
        break_long_words=False,
    )  # fmt: skip
