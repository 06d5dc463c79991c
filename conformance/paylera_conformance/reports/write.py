"""Writes the folder of a run: the raw run first, then every report that is made from it."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, TypeAlias

from paylera_conformance.reports.badge import BADGE_NAME, badge
from paylera_conformance.reports.har import HAR_NAME, har
from paylera_conformance.reports.junit import JUNIT_NAME, junit_xml
from paylera_conformance.reports.markdown import SUMMARY_NAME, summary_markdown
from paylera_conformance.reports.model import PAGE_NAME, RunReport
from paylera_conformance.reports.page import page
from paylera_conformance.reports.raw import RAW_NAME, raw_json
from paylera_conformance.reports.repeat import REPEAT_FOLDER, Scripts, repeat_scripts
from paylera_conformance.reports.results import RESULTS_NAME, results_json

Make: TypeAlias = Callable[[RunReport, Scripts], str]


def _alone(make: Callable[[RunReport], str]) -> Make:
    return lambda report, _: make(report)


def _as_json(make: Callable[[RunReport, Scripts], Mapping[str, Any]]) -> Make:
    return lambda report, scripts: json.dumps(make(report, scripts), indent=2, ensure_ascii=False) + "\n"


ARTEFACTS: Final[Mapping[str, Make]] = {
    # In this order, so that what programs rely on is there even where a later one cannot be made.
    RAW_NAME: _alone(raw_json),
    RESULTS_NAME: _as_json(results_json),
    JUNIT_NAME: _alone(junit_xml),
    SUMMARY_NAME: _alone(summary_markdown),
    PAGE_NAME: page,
    BADGE_NAME: _as_json(lambda report, _: badge(report)),
    HAR_NAME: _alone(har),
}
"""Every file of a run's folder, and what makes its text of the report and of the scripts that repeat violations."""


def write_report(report: RunReport, directory: str | Path) -> Path:
    """Write every artefact into a folder, made if need be, each all at once or not at all; gives the folder."""
    folder = Path(directory)
    folder.mkdir(parents=True, exist_ok=True)
    repeats = repeat_scripts(report)
    for name, make in ARTEFACTS.items():
        _write(folder / name, make(report, repeats))
    scripts = folder / REPEAT_FOLDER
    for old in scripts.glob("*.py"):
        old.unlink()
    for script in repeats.values():
        scripts.mkdir(exist_ok=True)
        _write(folder / script.name, script.text)
        (folder / script.name).chmod(0o755)
    return folder


def _write(path: Path, text: str) -> None:
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.write_text(text, "utf-8", errors="backslashreplace")
    draft.replace(path)
