"""The job for GitLab: never green without a target and a report, and it ends as the suite does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from helpers.ci_job import WITHOUT_REPORT, Job
from helpers.paths import DOCS
from paylera_mock.version import version

RunGitlab = Callable[..., int]

TARGET = {"PAYLERA_CONFORMANCE_URL": "https://api.example"}


@pytest.mark.parametrize("code", [0, 1, 4, 10, 11, 13])
def test_the_job_ends_as_the_suite_does(run_gitlab: RunGitlab, job: Job, code: int) -> None:
    """And shows the summary before."""
    job.suite(code=code)
    assert run_gitlab(**TARGET) == code
    assert "## summary" in job.output


@pytest.mark.parametrize(("code", "ended"), WITHOUT_REPORT.items())
def test_the_job_without_report_is_red(run_gitlab: RunGitlab, job: Job, code: int, ended: int) -> None:
    """Also where an earlier one lies about."""
    (job.workspace / "paylera-report").mkdir()
    (job.workspace / "paylera-report" / "results.json").write_text("{}", "utf-8")
    job.suite(code=code, report="")
    assert run_gitlab(**TARGET) == ended


@pytest.mark.parametrize("variables", [{}, {"PAYLERA_CONFORMANCE_URL": ""}])
def test_the_job_without_target_is_red(run_gitlab: RunGitlab, job: Job, variables: dict[str, str]) -> None:
    """The suite alone would certify its fake, which would look like a certified target."""
    assert run_gitlab(**variables) == 4
    assert not (job.folder / "notes").exists()
    assert "set PAYLERA_CONFORMANCE_URL" in job.output
    assert 'PAYLERA_CONFORMANCE_EMBEDDED: "true"' in job.output


@pytest.mark.parametrize(("name", "value"), [("CONFIG", "c.toml"), ("EMBEDDED", "true")])
def test_a_target_may_be_named_otherwise(run_gitlab: RunGitlab, job: Job, name: str, value: str) -> None:
    """By a configuration file, or the fake by a word of its own."""
    assert run_gitlab(**{f"PAYLERA_CONFORMANCE_{name}": value}) == 0
    assert job.called_with == ["run", "--report", "paylera-report"]


def test_the_configuration_file_may_name_the_target(run_gitlab: RunGitlab, job: Job) -> None:
    """Where the suite looks for it."""
    (job.workspace / "paylera-conformance.toml").touch()
    assert run_gitlab() == 0


def test_the_page_names_the_job(gitlab: dict[str, Any]) -> None:
    """And its own variables."""
    page = (DOCS / "how-to" / "ci.md").read_text("utf-8")
    assert "extends: .paylera-conformance\n" in page
    assert [name for name in gitlab["variables"] if f"`{name}" not in page] == []


def test_the_job_installs_the_version_that_it_belongs_to(gitlab: dict[str, Any]) -> None:
    """A tag of the template is a version of the suite."""
    assert gitlab["variables"]["PAYLERA_TESTKIT"] == f"paylera-testkit[suite]=={version()}"
