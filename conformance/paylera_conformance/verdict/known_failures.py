"""Known failures: a strict list of clauses that a target is known to violate, each with its reason, issue and expiry.

A listed violation does not fail the run, and is never hidden: it keeps its outcome, and the verdict names it. An entry
that is no longer needed is an error of its own, so that the list can only shrink.
"""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Iterable
from datetime import UTC, date, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final

import msgspec
from msgspec import Meta, Struct

from paylera_conformance.model.outcomes import ClauseResult, ExitCode, Outcome, Verdict, judge
from paylera_conformance.target.settings import ConfigError, read_file
from paylera_fixtures.clauses import BY_ID
from paylera_fixtures.spelling import advise

# Not `Meta(pattern=…)`, which msgspec 0.22 frees too early (issue 717 of msgspec): `__post_init__` checks it.
_NotBlank = Annotated[str, Meta(extra_json_schema={"pattern": r"\S"})]
_REPLACED_BY_STALE: Final = frozenset({ExitCode.CONFORMANT, ExitCode.NOT_FULLY_VERIFIED, ExitCode.PENDING})
"""Exit codes in whose place a stale entry's may stand: a failure that nobody listed is worse news, and goes first."""


class Standing(StrEnum):
    """How an entry stands in a run: `unproven` where its clause was neither kept nor violated."""

    MET = "met"
    PASSES = "passes"
    UNKNOWN = "unknown"
    EXPIRED = "expired"
    UNPROVEN = "unproven"

    @property
    def is_stale(self) -> bool:
        """Whether the entry is to be removed or renewed."""
        return self in {Standing.PASSES, Standing.UNKNOWN, Standing.EXPIRED}


class KnownFailure(Struct, frozen=True, forbid_unknown_fields=True):
    """One entry: `clause` is violated for a `reason`, which an `issue` tracks; the last day it counts is `expires`."""

    clause: _NotBlank
    reason: _NotBlank
    issue: _NotBlank
    expires: date

    def __post_init__(self) -> None:
        for name in ("clause", "reason", "issue"):
            if not getattr(self, name).strip():
                raise ValueError(f"Expected a text that is not empty - at `$.{name}`")


class JudgedFailure(KnownFailure, frozen=True, forbid_unknown_fields=False):
    """An entry with its standing; `message` says so in one line with what to do."""

    standing: Standing
    message: str = msgspec.field(name="told")


def read_known(path: str | Path) -> tuple[KnownFailure, ...]:
    """The entries of a file, an array of tables `[[known]]`. Raises `ConfigError` where it cannot be used."""
    content = read_file(path, "check the path given to --known-failures")
    try:
        document = tomllib.loads(content.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} is not valid TOML: {error}") from None
    rows = document.get("known", [])
    if set(document) - {"known"} or not isinstance(rows, list):
        raise ConfigError(f"{path} may hold entries [[known]] and nothing else")
    entries = tuple(_read_entry(row, f"{path}: entry {number}") for number, row in enumerate(rows, start=1))
    clauses = [entry.clause for entry in entries]
    twice = {clause for clause in clauses if clauses.count(clause) > 1}
    if twice:
        raise ConfigError(f"{path} lists {min(twice)} twice: one entry says it all")
    return entries


def _read_entry(row: object, where: str) -> KnownFailure:
    try:
        return msgspec.convert(row, KnownFailure, builtin_types=(date,))
    except msgspec.ValidationError as error:
        raise ConfigError(
            f"{where}: {error}; it must have exactly the members clause, reason and issue, each a text that is not"
            " empty, and expires, a date without quotes, as in expires = 2027-01-31"
        ) from None


def judge_known(
    entries: Iterable[KnownFailure], results: Iterable[ClauseResult], *, today: date | None = None
) -> list[JudgedFailure]:
    """The standing of each entry in a run with these results; `today` is the day in UTC."""
    outcomes = {result.id: result.outcome for result in results}
    now = today or datetime.now(UTC).date()
    judged = []
    for entry in entries:
        standing, reason = _judge_entry(entry, outcomes.get(entry.clause), now)
        message = f"known failure {entry.clause} ({entry.issue}): {reason}"
        judged.append(JudgedFailure(**msgspec.structs.asdict(entry), standing=standing, message=message))
    return judged


def _judge_entry(entry: KnownFailure, outcome: Outcome | None, today: date) -> tuple[Standing, str]:
    if outcome is None:
        advice = advise(entry.clause, BY_ID, "see `paylera-conformance list`")
        return Standing.UNKNOWN, f"the profile has no such clause: {advice}"
    if outcome is Outcome.PASS:
        return Standing.PASSES, "the clause passes: remove the entry"
    if today > entry.expires:
        return Standing.EXPIRED, f"expired on {entry.expires}: mend the target, or renew it"
    if outcome in {Outcome.FAIL, Outcome.WARN}:
        return Standing.MET, entry.reason
    return Standing.UNPROVEN, f"the clause is {outcome}, which shows no failure"


def judge_with_known(
    results: Collection[ClauseResult],
    known: Collection[JudgedFailure],
    *,
    strict: bool = False,
    barred: bool = False,
) -> tuple[Verdict, int]:
    """The verdict and the exit code of a run with a list of known failures; `barred` as `judge` has it.

    An expired entry excuses nothing in the verdict, but the exit code says that it is the list that has to be mended.
    """
    met = {item.clause for item in known if item.standing is Standing.MET}
    expired = {item.clause for item in known if item.standing is Standing.EXPIRED}
    verdict, _ = judge(results, strict=strict, known=met, barred=barred)
    _, code = judge(results, strict=strict, known=met | expired, barred=barred)
    stale = any(item.standing.is_stale for item in known)
    unproven = any(item.standing is Standing.UNPROVEN for item in known)
    if (stale and code in _REPLACED_BY_STALE) or (unproven and code == ExitCode.CONFORMANT):
        return verdict, ExitCode.STALE_KNOWN_FAILURE
    return verdict, code
