"""What was found: one finding for each kind, token and route, however often it was seen."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from msgspec import Struct, structs

from paylera_mock.core.clock import format_time
from paylera_mock.findings.catalog import KINDS, FindingKind, Severity
from paylera_mock.findings.refusals import Refusal, RefusalTable

_MOST: Final = 500
"""Findings of one namespace that keep their token apart; further ones are kept by kind and route alone."""

_EXCHANGES_NAMED: Final = 10
_RANK: Final = {kind: rank for rank, kind in enumerate(KINDS)}


@dataclass(frozen=True)
class Observation:
    """One occasion: in which exchange, when in the namespace's time, by which token (its label) and on which route.

    `habit`: what it would be a habit of, where it is no finding for a client that was seen to do otherwise; `what`: of
    several things of a kind on one route, which.
    """

    kind: FindingKind
    token: str | None
    route: str
    number: int
    at: float
    habit: Hashable = None
    what: str = ""


class FindingView(FindingKind, frozen=True, kw_only=True):
    """A finding as JSON shows it."""

    token: str | None
    route: str
    namespace: str | None
    count: int
    exchanges: list[int]
    first_at: str


@dataclass
class ClientFinding:
    """One kind of occasion, with the first exchanges in which it was seen, and since when."""

    kind: FindingKind
    token: str | None
    route: str
    first_at: float
    namespace: str | None = None
    count: int = 0
    exchanges: list[int] = field(default_factory=list)
    what: str = ""

    def view(self) -> FindingView:
        """The finding as JSON shows it."""
        said = f"{self.kind.message} Here: {self.what}" if self.what else self.kind.message
        return FindingView(
            **structs.asdict(structs.replace(self.kind, message=said)),
            token=self.token,
            route=self.route,
            namespace=self.namespace,
            count=self.count,
            exchanges=self.exchanges,
            first_at=format_time(self.first_at),
        )


def worst_first(findings: Iterable[ClientFinding]) -> list[ClientFinding]:
    """Copies of findings in the order of `KINDS`."""
    copies = [replace(finding, exchanges=list(finding.exchanges)) for finding in findings]
    return sorted(copies, key=lambda finding: _RANK[finding.kind])


class FindingTable:
    """The findings of one namespace. Bounded; not thread-safe by itself."""

    def __init__(self, namespace: str | None = None, most: int = _MOST) -> None:
        self._namespace = namespace
        self._most = most
        self._findings: dict[Hashable, tuple[ClientFinding, Hashable]] = {}

    def add(self, seen: Observation) -> None:
        """Count an occasion."""
        key: Hashable = (seen.kind, seen.token, seen.route, seen.habit, seen.what)
        token, what = seen.token, seen.what
        if key not in self._findings and len(self._findings) >= self._most:
            if seen.habit is not None:
                return
            # Beyond the bound only what does not grow with the number of clients is kept apart.
            key, token, what = (seen.kind, None, seen.route), None, ""
        if key not in self._findings:
            self._findings[key] = (
                ClientFinding(seen.kind, token, seen.route, seen.at, self._namespace, what=what),
                seen.habit,
            )
        finding, _ = self._findings[key]
        finding.count += 1
        if len(finding.exchanges) < _EXCHANGES_NAMED:
            finding.exchanges.append(seen.number)

    def clear(self) -> None:
        """Forget what was found."""
        self._findings.clear()

    def forget_exchanges(self) -> None:
        """Name the exchanges no more in which it was found: the journal numbers from 1 again."""
        for finding, _ in self._findings.values():
            finding.exchanges.clear()

    def findings(self, is_excused: Callable[[Hashable], bool]) -> list[ClientFinding]:
        """Copies of what was found, the worst first, but for habits that the client turned out not to have."""
        return worst_first(
            finding for finding, habit in self._findings.values() if habit is None or not is_excused(habit)
        )


class FindingHistory:
    """What clients did in namespaces that are no more, or that were reset. Thread-safe.

    It is kept by kind and route, and so does not grow with the number of namespaces.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._findings: dict[tuple[FindingKind, str], ClientFinding] = {}
        self._covered: Counter[str] = Counter()
        self._refusals = RefusalTable()
        self.requests = 0

    def add_requests(self, count: int, refusals: Iterable[tuple[Refusal, int]]) -> None:
        """Take over how many requests there were, and what was refused."""
        with self._lock:
            self.requests += count
            self._refusals.merge(refusals)

    def refusals(self) -> list[tuple[Refusal, int]]:
        """What was refused, each with how often, the latest last."""
        with self._lock:
            return self._refusals.items()

    def add(self, findings: Iterable[ClientFinding], covered: Mapping[str, int]) -> None:
        """Take over what was found, and how often each clause was covered."""
        with self._lock:
            self._covered.update(covered)
            for finding in findings:
                # Their journal is gone, or numbers from 1 again: no number leads to an exchange any more.
                bygone = replace(finding, count=0, exchanges=[])
                kept = self._findings.setdefault((finding.kind, finding.route), bygone)
                kept.count += finding.count
                kept.first_at = min(kept.first_at, finding.first_at)
                # Of several tokens or namespaces none is named.
                kept.token = finding.token if finding.token == kept.token else None
                kept.what = finding.what if finding.what == kept.what else ""
                if finding.namespace != kept.namespace:
                    kept.namespace = None

    def findings(self) -> list[ClientFinding]:
        """What was found, the worst first."""
        with self._lock:
            return worst_first(self._findings.values())

    def clause_counts(self) -> Counter[str]:
        """How often each clause was covered."""
        with self._lock:
            return self._covered.copy()

    def clear_findings(self) -> None:
        """Forget what was found."""
        with self._lock:
            self._findings.clear()


class FindingReport(Struct):
    """Findings, the worst first, and how many there are of each severity."""

    data: list[FindingView]
    errors: int
    warnings: int
    hints: int


def report_findings(findings: Iterable[ClientFinding]) -> FindingReport:
    """All findings counted, and the worst of them listed."""
    ordered = worst_first(findings)
    count = Counter(finding.kind.severity for finding in ordered)
    data = [finding.view() for finding in ordered[:_MOST]]
    return FindingReport(data, count[Severity.ERROR], count[Severity.WARNING], count[Severity.HINT])
