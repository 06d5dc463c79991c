"""The composite action: never green without a report, and nothing that is typed is run."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable
from typing import Any

import pytest
import yaml

from helpers.ci_job import WITHOUT_REPORT, Job
from helpers.paths import ROOT
from paylera_conformance.run.options import OPTIONS

Act = Callable[..., int]


def test_conformant_run_is_green(act: Act, job: Job) -> None:
    """Exit 0, the verdict as an output, the summary on the page."""
    assert act(url="https://api.example") == 0
    assert job.outputs["report"]["verdict"] == "CONFORMANT"
    assert job.summary == "## summary\n"


@pytest.mark.parametrize("code", [1, 2, 3, 4, 5, 10, 11, 12, 13])
def test_every_other_end_is_red_with_its_own_code(act: Act, job: Job, code: int) -> None:
    """And the report is read before."""
    job.suite(code=code, verdict="SOME VERDICT")
    assert act() == code
    assert f"::error title=Paylera conformance::SOME VERDICT (exit {code})" in job.output


@pytest.mark.parametrize(("code", "ended"), WITHOUT_REPORT.items())
def test_run_without_report_is_red(act: Act, job: Job, code: int, ended: int) -> None:
    """Whatever the program ended with: nothing was shown."""
    job.suite(code=code, report="")
    assert act(allow_pending="true") == ended
    assert "there is no paylera-report/results.json: nothing was shown" in job.output


def test_report_of_an_earlier_run_is_not_taken_for_this_ones(act: Act, job: Job) -> None:
    """A self-hosted runner may have one lying about."""
    (job.workspace / "paylera-report").mkdir()
    (job.workspace / "paylera-report" / "results.json").write_text('{"verdict": "CONFORMANT"}', "utf-8")
    job.suite(code=0, report="")
    assert act() == 3


def test_empty_report_is_red(act: Act, job: Job) -> None:
    """A disk that is full leaves an empty file."""
    job.suite(code=0, report="elsewhere")
    (job.workspace / "paylera-report").mkdir()
    (job.workspace / "paylera-report" / "summary.md").touch()
    assert act() == 3


def test_report_that_is_no_json_is_red(act: Act, job: Job) -> None:
    """A verdict that cannot be read is none."""
    job.suite(code=0, verdict='"')
    assert act() != 0


def test_suite_that_is_not_there_is_red(act: Act, job: Job) -> None:
    """With what the shell says of it."""
    job.program.unlink()
    job.env["PATH"] = f"{job.folder / 'bin'}:/usr/bin:/bin"
    assert act() == 127


def test_run_that_left_no_exit_code_is_red(act: Act) -> None:
    """As where the step ends before the suite."""
    assert act(report="") == 3


@pytest.mark.parametrize(("allowed", "code"), [("true", 0), ("false", 11)])
def test_pending_run_is_green_only_where_that_is_asked_for(act: Act, job: Job, allowed: str, code: int) -> None:
    """A run that waits has not shown everything."""
    job.suite(code=11, verdict="PENDING")
    assert act(allow_pending=allowed) == code


def test_inputs_become_options(act: Act, job: Job) -> None:
    """Each in its place."""
    job.suite(code=0, report="here")
    given = {"config": "c.toml", "mode": "full", "control_url": "http://c", "known_failures": "k.toml"}
    assert act(url="http://t", strict="true", report="here", profile="reference", arguments="-k rotation", **given) == 0
    wanted = ["run", "http://t", "--report", "here", "--profile", "reference", "--config", "c.toml", "--mode", "full"]
    wanted += ["--control-url", "http://c", "--known-failures", "k.toml", "--strict", "-k", "rotation"]
    assert job.called_with == wanted


def test_inputs_that_are_not_given_are_left_to_the_configuration(act: Act, job: Job) -> None:
    """An empty option would not be."""
    (job.workspace / "paylera-conformance.toml").touch()
    act(url="")
    assert job.called_with == ["run", "--report", "paylera-report", "--profile", "guide"]


def test_empty_url_is_not_the_fake(act: Act, job: Job) -> None:
    """A variable of the job that is not set gives one, and a certified fake would look like a certified target."""
    act(url="")
    assert job.called_with[:2] == ["run", ""]


def test_fake_is_certified_where_that_is_asked_for(act: Act, job: Job) -> None:
    """By a word of its own."""
    act(url="", embedded="true")
    assert job.called_with == ["run", "--report", "paylera-report", "--profile", "guide"]


def test_arguments_may_stand_on_several_lines(act: Act, job: Job) -> None:
    """As YAML invites to."""
    act(arguments="-k\n  rotation\n")
    assert job.called_with[-2:] == ["-k", "rotation"]


def test_sealed_state_is_begun(act: Act, job: Job) -> None:
    """Where there is none yet."""
    act(state="paylera.state")
    assert (job.called_with[0], job.called_with[-2:]) == ("run", ["--state", "paylera.state"])


def test_sealed_state_is_resumed(act: Act, job: Job) -> None:
    """Where there is one, which knows its target."""
    (job.workspace / "paylera.state").touch()
    act(state="paylera.state", url="http://t")
    assert job.called_with == ["resume", "paylera.state", "--report", "paylera-report", "--profile", "guide"]


INPUTS = ("url", "config", "mode", "control_url", "known_failures", "arguments", "profile", "state")


@pytest.mark.parametrize("name", INPUTS)
def test_nothing_that_is_typed_is_run(act: Act, job: Job, name: str) -> None:
    """An input may come from whoever opened a pull request."""
    act(**{name: '$(touch pwned) `touch pwned` "; touch pwned; #'})
    assert not list(job.folder.rglob("pwned"))


def test_no_script_holds_an_expression(action: dict[str, Any]) -> None:
    """GitHub would put its value into the script before the shell reads it; through `env` it stays a value."""
    assert [step["name"] for step in action["runs"]["steps"] if "${{" in step.get("run", "")] == []


def test_report_is_kept_whatever_happened(action: dict[str, Any]) -> None:
    """And a missing one is an error there too."""
    step = next(step for step in action["runs"]["steps"] if "uses" in step)
    assert step["if"] == "always() && inputs.artifact != ''"
    assert step["with"] == {
        "name": "${{ inputs.artifact }}",
        "path": "${{ inputs.report }}",
        "if-no-files-found": "error",
    }


def test_every_option_that_the_action_names_exists(action: dict[str, Any]) -> None:
    """A renamed one would be noticed by users only."""
    scripts = action["runs"]["steps"][1]["run"]
    assert set(re.findall(r"--([a-z-]+)", scripts.partition("words=")[2])) <= {name for name, _ in OPTIONS}


def test_installation_takes_the_suite_from_the_action_itself(job: Job, action: dict[str, Any]) -> None:
    """So that a tag of the action is a version of the suite."""
    pip = job.program.with_name("python")
    python = job.folder / "bin" / "some-python"
    python.write_text(f'#!/bin/bash\nmkdir -p "$(dirname {pip})"; cp {job.program} {pip}\n', "utf-8")
    python.chmod(0o755)
    code = job.bash(action["runs"]["steps"][0]["run"], {"INPUT_PYTHON": "some-python", "ACTION_PATH": "/the/action"})
    assert (code, job.called_with[-1]) == (0, "/the/action[suite]")
    assert (job.folder / "GITHUB_PATH").read_text("utf-8") == "", "a later step would run what is found there"


def test_documentation_names_every_input(action: dict[str, Any]) -> None:
    """With its default."""
    table = re.findall(r"^\| `([a-z-]+)` \|", (ROOT / "docs" / "how-to" / "ci.md").read_text("utf-8"), re.MULTILINE)
    assert table == list(action["inputs"])


def test_documented_workflows_are_yaml_and_name_inputs_that_exist(action: dict[str, Any]) -> None:
    """What is copied from the page works."""
    blocks = re.findall(r"```yaml\n(.*?)```", (ROOT / "docs" / "how-to" / "ci.md").read_text("utf-8"), re.DOTALL)
    jobs = [job for block in blocks for job in yaml.safe_load(block).get("jobs", {}).values()]
    used = [step["with"] for job in jobs for step in job["steps"] if "paylera-testkit" in step.get("uses", "")]
    assert len(used) == 2
    assert {name for inputs in used for name in inputs} <= set(action["inputs"])


@pytest.mark.slow
def test_real_suite_in_the_action(act: Act, job: Job) -> None:
    """Against the fake: a part of the suite is not green, and leaves its report."""
    job.program.write_text(f'#!/bin/bash\nexec "{sys.executable}" -m paylera_conformance "$@"\n', "utf-8")
    job.env |= {name: value for name, value in os.environ.items() if name in {"PYTHONPATH", "HOME"}}
    assert act(url="", embedded="true", arguments="-k scheme_is_found") == 10
    assert job.outputs["report"]["verdict"] == "NOT FULLY VERIFIED"
    assert "NOT FULLY VERIFIED" in job.summary
