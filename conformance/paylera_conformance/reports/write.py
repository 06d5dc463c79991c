"""Writes the folder of a run: the raw run first, then every report that is made from it."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from paylera_conformance.reports.badge import BADGE_NAME, badge
from paylera_conformance.reports.har import HAR_NAME, har
from paylera_conformance.reports.junit import JUNIT_NAME, junit_xml
from paylera_conformance.reports.markdown import SUMMARY_NAME, summary_markdown
from paylera_conformance.reports.model import PAGE_NAME, RunReport
from paylera_conformance.reports.page import page
from paylera_conformance.reports.raw import RAW_NAME, raw_run
from paylera_conformance.reports.repeat import REPEAT_FOLDER, repeat_scripts
from paylera_conformance.reports.results import RESULTS_NAME, results_json


def _as_json(make: Callable[[RunReport], Mapping[str, Any]], indent: int | None = None) -> Callable[[RunReport], str]:
    return lambda report: json.dumps(make(report), indent=indent, ensure_ascii=False) + "\n"


ARTEFACTS: Final[Mapping[str, Callable[[RunReport], str]]] = {
    # In this order, so that what programs rely on is there even where a later one cannot be made.
    RAW_NAME: _as_json(raw_run),
    RESULTS_NAME: _as_json(results_json, indent=2),
    JUNIT_NAME: junit_xml,
    SUMMARY_NAME: summary_markdown,
    PAGE_NAME: page,
    BADGE_NAME: _as_json(badge, indent=2),
    HAR_NAME: har,
}
"""Every file of a run's folder, and what makes its text."""


def write_report(report: RunReport, directory: str | Path) -> Path:
    """Write every artefact into a folder, made if need be, each all at once or not at all; gives the folder."""
    folder = Path(directory)
    folder.mkdir(parents=True, exist_ok=True)
    for name, make in ARTEFACTS.items():
        _write(folder / name, make(report))
    scripts = folder / REPEAT_FOLDER
    for old in scripts.glob("*.py"):
        old.unlink()
    for script in repeat_scripts(report).values():
        scripts.mkdir(exist_ok=True)
        _write(folder / script.name, script.text)
        (folder / script.name).chmod(0o755)
    return folder


def _write(path: Path, text: str) -> None:
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.write_text(text, "utf-8", errors="backslashreplace")
    draft.replace(path)
