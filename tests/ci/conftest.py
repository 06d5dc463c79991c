"""A runner of the composite action, and the GitLab job."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from helpers.ci_job import Job, read_action, run_action
from helpers.paths import ROOT


@pytest.fixture
def job(tmp_path: Path) -> Job:
    """A fresh runner."""
    return Job(tmp_path)


@pytest.fixture
def action() -> dict[str, Any]:
    """The action as YAML."""
    return read_action()


@pytest.fixture
def act(job: Job) -> Callable[..., int]:
    """Runs the action on the job, with a URL; inputs by name, with underscores for hyphens. Gives the exit code."""
    url = "https://api.example"
    return lambda **inputs: run_action(
        job, {name.replace("_", "-"): value for name, value in {"url": url, **inputs}.items()}
    )


@pytest.fixture
def gitlab() -> dict[str, Any]:
    """The job that others extend."""
    template: dict[str, Any] = yaml.safe_load((ROOT / ".gitlab" / "paylera-conformance.yml").read_text("utf-8"))
    job: dict[str, Any] = template[".paylera-conformance"]
    return job


@pytest.fixture
def run_gitlab(job: Job, gitlab: dict[str, Any]) -> Callable[..., int]:
    """Runs its script but the installation, in one shell, with its variables and those that are given."""
    script = "\n".join(line for line in gitlab["script"] if not line.startswith("pip "))
    return lambda **variables: job.bash(script, {**gitlab["variables"], **variables})
