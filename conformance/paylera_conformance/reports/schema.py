"""The JSON Schema of `results.json`, made from the words that the suite itself uses."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from paylera_conformance.model.outcomes import Outcome, Verdict
from paylera_conformance.reports.model import NO_EVIDENCE
from paylera_conformance.reports.results import SCHEMA
from paylera_conformance.verdict.known_failures import Standing
from paylera_fixtures.clauses import CLAUSES, Level
from paylera_fixtures.vocabulary import READINGS, Environment, Profile, Source

_TEXT: Final[Mapping[str, Any]] = {"type": "string"}
_COUNT: Final[Mapping[str, Any]] = {"type": "integer", "minimum": 0}
_SECONDS: Final[Mapping[str, Any]] = {"type": "number", "minimum": 0}
_MOMENT: Final[Mapping[str, Any]] = {"type": "string", "format": "date-time"}


def results_schema() -> dict[str, Any]:
    """JSON Schema, draft 2020-12. Members may be added to `results.json`; those required here stay."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:paylera-testkit:results:{SCHEMA}",
        "title": "results.json of paylera-conformance",
        "type": "object",
        "required": [
            "schema", "suite_version", "contract_version", "verdict", "exit_code", "profile", "readings", "target",
            "environment", "mode", "driver", "strict", "run_id", "started_at", "ended_at", "clauses",
        ],
        "properties": {**_about_the_run(), "clauses": {"type": "array", "items": _clause()}},
    }  # fmt: skip


def _about_the_run() -> dict[str, Any]:
    return {
        "schema": {"const": SCHEMA},
        "suite_version": _TEXT,
        "contract_version": _TEXT,
        "run_id": _TEXT,
        "started_at": _MOMENT,
        "ended_at": _MOMENT,
        "verdict": _one_of(Verdict),
        "exit_code": {"type": "integer", "minimum": 0, "maximum": 255},
        "trouble": {**_TEXT, "description": "why there is no verdict; empty where there is one"},
        "findings": _list_of({"label": _one_of(("CONFIG", "TARGET")), "text": _TEXT}),
        "left_behind": {"type": "array", "items": _TEXT},
        "profile": _one_of(Profile),
        "readings": {
            "type": "object",
            "properties": {name: _one_of(reading.values) for name, reading in READINGS.items()},
        },
        "mode": _one_of(("observe", "sandbox", "full")),
        "strict": {"type": "boolean"},
        "driver": _TEXT,
        "target": {**_TEXT, "format": "uri"},
        "environment": _one_of(Environment),
        "selection": {"type": "array", "items": _TEXT, "description": "what left cases out; empty for a whole run"},
        "seed": {"type": ["integer", "null"]},
        "requests": _COUNT,
        "seconds": _SECONDS,
        "known_failures": _list_of({"clause": _TEXT, "reason": _TEXT, "issue": _TEXT, "standing": _one_of(Standing)}),
    }


def _clause() -> dict[str, Any]:
    return {
        "type": "object",
        "required": ["id", "outcome", "level", "message"],
        "properties": {
            "id": _one_of(clause.id for clause in CLAUSES),
            "outcome": _one_of(Outcome),
            "level": _one_of((Level.MUST, Level.SHOULD)),
            "message": {**_TEXT, "description": "of the case that decided, in one line; empty for a pass"},
            "source": _one_of(Source),
            "section": _TEXT,
            "says": _TEXT,
            "time_evidence": {
                **_one_of(("wall clock", "moved clock", NO_EVIDENCE)),
                "description": "how time passed for what was seen; only of clauses that need it to pass",
            },
            "cases": {"type": "array", "items": _case()},
        },
    }


def _case() -> dict[str, Any]:
    members = {"case": _TEXT, "outcome": _one_of(Outcome), "message": _TEXT, "requests": _COUNT}
    optional = {"seconds": _SECONDS, "dropped": {"const": True}}
    return {"type": "object", "required": list(members), "properties": {**members, **optional}}


def _one_of(values: Iterable[str]) -> dict[str, Any]:
    return {"enum": [str(value) for value in values]}


def _list_of(members: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": {"type": "object", "required": list(members), "properties": dict(members)}}
