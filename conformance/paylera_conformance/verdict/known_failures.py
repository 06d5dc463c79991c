"""Known failures: a strict list of clauses that a target is known to violate, each with its reason, issue and expiry.

A listed violation does not fail the run, and is never hidden: it keeps its outcome, and the verdict names it. An entry
that is no longer needed is an error of its own, so that the list can only shrink.
"""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from paylera_conformance.model.outcomes import ClauseResult, ExitCode, Outcome, Verdict, judge
from paylera_conformance.target.settings import ConfigError
from paylera_fixtures.clauses import BY_ID

_MEMBERS: Final = ("clause", "reason", "issue", "expires")
_VIOLATED: Final = frozenset({Outcome.FAIL, Outcome.WARN})
_CALLED_STALE: Final = frozenset({ExitCode.CONFORMANT, ExitCode.NOT_FULLY_VERIFIED, ExitCode.PENDING})
"""Exit codes in whose place a stale entry's may stand: a failure that nobody listed is worse news, and goes first."""


class Standing(StrEnum):
    """What an entry is worth in the run at hand."""

    MET = "met"
    PASSES = "passes"
    UNKNOWN = "unknown"
    EXPIRED = "expired"
    UNPROVEN = "unproven"
    """Its clause was neither kept nor violated, which satisfies no entry."""

    @property
    def is_stale(self) -> bool:
        """Whether the entry is to be removed or renewed."""
        return self in {Standing.PASSES, Standing.UNKNOWN, Standing.EXPIRED}


@dataclass(frozen=True)
class KnownFailure:
    """One entry: `clause` is violated for a `reason`, which an `issue` tracks; the last day it counts is `expires`."""

    clause: str
    reason: str
    issue: str
    expires: date


@dataclass(frozen=True)
class Judged:
    """An entry and what it is worth; `told` says so in one line with what to do."""

    entry: KnownFailure
    standing: Standing
    told: str

    def to_json(self) -> dict[str, str]:
        """The entry as JSON values, with its standing."""
        return {
            **vars(self.entry), "expires": self.entry.expires.isoformat(), "standing": self.standing.value,
            "told": self.told,
        }  # fmt: skip


def read_known(path: str | Path) -> tuple[KnownFailure, ...]:
    """The entries of a file, an array of tables `[[known]]`. Raises `ConfigError` where it cannot be used."""
    try:
        document = tomllib.loads(Path(path).read_text("utf-8"))
    except OSError as error:
        raise ConfigError(f"the known failures {path} cannot be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} is not valid TOML: {error}") from None
    rows = document.get("known", [])
    if set(document) - {"known"} or not isinstance(rows, list):
        raise ConfigError(f"{path} may hold entries [[known]] and nothing else")
    entries = tuple(_entry(row, f"{path}: entry {number}") for number, row in enumerate(rows, start=1))
    twice = {entry.clause for entry in entries if sum(other.clause == entry.clause for other in entries) > 1}
    if twice:
        raise ConfigError(f"{path} lists {min(twice)} twice: one entry says it all")
    return entries


def _entry(row: object, where: str) -> KnownFailure:
    if not isinstance(row, dict) or set(row) != set(_MEMBERS):
        raise ConfigError(f"{where} must have exactly the members {', '.join(_MEMBERS)}")
    if type(row["expires"]) is not date:
        raise ConfigError(f"{where}: expires must be a date without quotes, as in expires = 2027-01-31")
    for name in ("clause", "reason", "issue"):
        if not isinstance(row[name], str) or not row[name].strip():
            raise ConfigError(f"{where}: {name} must be a text that is not empty")
    return KnownFailure(**row)


def judge_known(
    entries: Iterable[KnownFailure], results: Iterable[ClauseResult], *, today: date | None = None
) -> list[Judged]:
    """What each entry is worth against the results of a run; `today` is the day in UTC."""
    outcomes = {result.id: result.outcome for result in results}
    now = today or datetime.now(UTC).date()
    return [_judged(entry, outcomes, now) for entry in entries]


def _judged(entry: KnownFailure, outcomes: Mapping[str, Outcome], today: date) -> Judged:
    named = f"known failure {entry.clause} ({entry.issue})"
    if entry.clause not in outcomes:
        near = difflib.get_close_matches(entry.clause, BY_ID, n=1)
        advice = f"did you mean {near[0]}?" if near else "see `paylera-conformance list`"
        return Judged(entry, Standing.UNKNOWN, f"{named}: the profile has no such clause: {advice}")
    outcome = outcomes[entry.clause]
    if outcome is Outcome.PASS:
        return Judged(entry, Standing.PASSES, f"{named}: the clause passes: remove the entry")
    if today > entry.expires:
        return Judged(entry, Standing.EXPIRED, f"{named}: expired on {entry.expires}: mend the target, or renew it")
    if outcome in _VIOLATED:
        return Judged(entry, Standing.MET, f"{named}: {entry.reason}")
    return Judged(entry, Standing.UNPROVEN, f"{named}: the clause is {outcome}, which shows no failure")


def judge_with_known(
    results: Iterable[ClauseResult], known: Iterable[Judged], *, strict: bool = False
) -> tuple[Verdict, int]:
    """The verdict and the exit code of a run with a list of known failures.

    An expired entry excuses nothing in the verdict, but the exit code says that it is the list that has to be mended.
    """
    results, known = list(results), list(known)
    met = frozenset(item.entry.clause for item in known if item.standing is Standing.MET)
    listed = met | {item.entry.clause for item in known if item.standing is Standing.EXPIRED}
    verdict, _ = judge(results, strict=strict, known=met)
    _, code = judge(results, strict=strict, known=listed)
    stale = any(item.standing.is_stale for item in known)
    unproven = any(item.standing is Standing.UNPROVEN for item in known)
    if (stale and code in _CALLED_STALE) or (unproven and code == ExitCode.CONFORMANT):
        return verdict, ExitCode.STALE_KNOWN_FAILURE
    return verdict, code


def known_to_json(known: Iterable[Judged]) -> list[dict[str, Any]]:
    """The list as `results.json` has it."""
    return [item.to_json() for item in known]
