"""`run.json`: the raw run, from which every report is made, and made again. No secret is in it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields
from datetime import date
from pathlib import Path
from typing import Any, Final

from paylera_conformance.model.case_results import CaseResult
from paylera_conformance.model.outcomes import PreflightFinding
from paylera_conformance.reports.model import RunFacts, RunReport, report_on
from paylera_conformance.target.settings import ConfigError
from paylera_conformance.verdict.known_failures import KnownFailure
from paylera_fixtures.clauses import BY_ID, CONTRACT_VERSION
from paylera_fixtures.vocabulary import Environment, Profile

RAW_NAME: Final = "run.json"
FORMAT: Final = "paylera-conformance run"
SCHEMA: Final = 1


def raw_run(report: RunReport) -> dict[str, Any]:
    """A run as JSON values: its facts, and every case with its level and its exchanges."""
    facts = report.facts
    members = {entry.name: getattr(facts, entry.name) for entry in fields(facts)}
    return {
        "format": FORMAT,
        "schema": SCHEMA,
        **members,
        "environment": facts.environment.value,
        "profile": facts.profile.value,
        "readings": dict(facts.readings),
        "seconds": round(facts.seconds, 3),
        "selection": list(facts.selection),
        "findings": [dict(vars(finding)) for finding in facts.findings],
        "known": [{**vars(entry), "expires": entry.expires.isoformat()} for entry in facts.known],
        "cases": [
            {**case.to_json(), "level": BY_ID[case.clause].level(facts.profile).value}
            for case in report.scoreboard.all()
        ],
    }


def report_from(raw: Mapping[str, Any]) -> RunReport:
    """The inverse of `raw_run`: what came of each clause, and the verdict, are found anew.

    Raises `ConfigError` where it was written by another version of contract or suite, or is no raw run at all.
    """
    if raw.get("format") != FORMAT:
        raise ConfigError("this is no raw run of paylera-conformance")
    if raw.get("schema") != SCHEMA or raw.get("contract_version") != CONTRACT_VERSION:
        raise ConfigError(
            f"the run was made by suite {raw.get('suite_version')} for contract {raw.get('contract_version')}, and this"
            f" suite reads contract {CONTRACT_VERSION}: use the suite that made it"
        )
    try:
        return report_on(_facts(raw), [_case(case) for case in raw["cases"]])
    except (KeyError, TypeError, ValueError) as error:
        raise ConfigError(f"the raw run is damaged: {type(error).__name__}: {error}") from None


def read_run(path: Path) -> RunReport:
    """The report of a folder that holds `run.json`, or of that file itself. Raises `ConfigError`."""
    path = path / RAW_NAME if path.is_dir() else path
    try:
        raw = json.loads(path.read_text("utf-8"))
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}") from None
    except ValueError:
        raise ConfigError(f"{path} is not JSON: it was cut or altered") from None
    if not isinstance(raw, dict):
        raise ConfigError(f"{path} is no raw run of paylera-conformance")
    return report_from(raw)


def _facts(raw: Mapping[str, Any]) -> RunFacts:
    given = {entry.name: raw[entry.name] for entry in fields(RunFacts)}
    return RunFacts(
        **{
            **given,
            "environment": Environment(raw["environment"]),
            "profile": Profile(raw["profile"]),
            "selection": tuple(raw["selection"]),
            "findings": tuple(PreflightFinding(**finding) for finding in raw["findings"]),
            "known": tuple(
                KnownFailure(**{**entry, "expires": date.fromisoformat(entry["expires"])}) for entry in raw["known"]
            ),
        }
    )


def _case(case: Mapping[str, Any]) -> CaseResult:
    if case["clause"] not in BY_ID:
        raise ValueError(f"there is no clause {case['clause']!r}")
    return CaseResult.from_json({name: value for name, value in case.items() if name != "level"})
