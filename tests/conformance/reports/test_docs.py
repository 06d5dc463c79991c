"""What `docs/reference/reports.md` says of a report's folder is what is written."""

from __future__ import annotations

import pytest

from helpers.paths import DOCS
from paylera_conformance.reports.model import RunReport
from paylera_conformance.reports.raw import RawCase, raw_run
from paylera_conformance.reports.write import ARTEFACTS

PAGE = (DOCS / "reference" / "reports.md").read_text("utf-8")


@pytest.mark.parametrize("artefact", ARTEFACTS)
def test_artefact_is_documented(artefact: str) -> None:
    """In the table of files."""
    assert f"\n| `{artefact}` | " in PAGE


def test_every_member_of_the_raw_run_is_documented(mixed: RunReport) -> None:
    """Those of the run, of its cases and of their exchanges."""
    raw = raw_run(mixed)
    case = set(RawCase.__struct_fields__)
    members = {*raw, *case, *raw["exchanges"][0], *raw["exchanges"][0]["answer"]}
    assert [name for name in sorted(members) if f"`{name}`" not in PAGE] == []
