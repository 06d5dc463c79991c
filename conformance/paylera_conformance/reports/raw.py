"""`run.json`: the raw run, from which every report is made, and made again. No secret is in it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import msgspec
from msgspec.structs import asdict

from paylera_conformance.model.case_results import CaseResult
from paylera_conformance.reports.model import RunFacts, RunReport, report_on
from paylera_conformance.target.settings import ConfigError, read_file
from paylera_conformance.verdict.evidence import printable
from paylera_fixtures.clauses import BY_ID, CONTRACT_VERSION, Level

RAW_NAME: Final = "run.json"
FORMAT: Final = "paylera-conformance run"
SCHEMA: Final = 1


class RawCase(CaseResult, frozen=True, kw_only=True):
    """A case with its level, so that whoever reads the file need not know the contract."""

    level: Level

    def __post_init__(self) -> None:
        if self.clause not in BY_ID:
            raise ValueError(f"there is no clause {self.clause!r}")


class RawRun(RunFacts, frozen=True, kw_only=True, tag_field="format", tag=FORMAT):
    """The file: the facts of a run, and every case with its exchanges."""

    schema: int
    cases: tuple[RawCase, ...]


def raw_run(report: RunReport) -> dict[str, Any]:
    """A run as JSON values, in the shape of `RawRun`."""
    profile = report.facts.profile
    cases = tuple(RawCase(**asdict(case), level=BY_ID[case.clause].level(profile)) for case in report.cases)
    raw: dict[str, Any] = msgspec.to_builtins(RawRun(**asdict(report.facts), schema=SCHEMA, cases=cases))
    return raw


def report_from(raw: Mapping[str, Any]) -> RunReport:
    """The inverse of `raw_run`: what came of each clause, and the verdict, are found anew.

    Raises `ConfigError` where it was written by another version of contract or suite, or is no raw run at all.
    """
    if raw.get("format") != FORMAT:
        raise ConfigError("this is no raw run of paylera-conformance")
    if raw.get("schema") != SCHEMA or raw.get("contract_version") != CONTRACT_VERSION:
        maker = printable(f"suite {raw.get('suite_version')} for contract {raw.get('contract_version')}")
        raise ConfigError(
            f"the run was made by {maker}, and this suite reads contract {CONTRACT_VERSION}: use the suite that made it"
        )
    missing = set(RawRun.__struct_fields__) - raw.keys()
    if missing:
        raise ConfigError(f"the raw run is damaged: it has no {min(missing)}")
    try:
        run = msgspec.convert(raw, RawRun)
    except msgspec.ValidationError as error:
        raise ConfigError(f"the raw run is damaged: {printable(str(error))}") from None
    facts = msgspec.convert(run, RunFacts, from_attributes=True)
    return report_on(facts, msgspec.convert(run.cases, tuple[CaseResult, ...], from_attributes=True))


def read_run(path: Path) -> RunReport:
    """The report of a folder that holds `run.json`, or of that file itself. Raises `ConfigError`."""
    path = path / RAW_NAME if path.is_dir() else path
    content = read_file(path)
    try:
        raw = json.loads(content.decode())
    except ValueError:
        raise ConfigError(f"{path} is not JSON: it was cut or altered") from None
    if not isinstance(raw, dict):
        raise ConfigError(f"{path} is no raw run of paylera-conformance")
    return report_from(raw)
