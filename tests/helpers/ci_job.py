"""Runs the steps of the composite action, and the script of the GitLab job, as the two services do."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import yaml

from helpers.paths import ROOT

_EXPRESSION: Final = re.compile(r"\$\{\{\s*(.*?)\s*\}\}")

STUB: Final = """#!/bin/bash
# Plays the suite: notes how it was called, writes a report where it is told to, ends as it is told to.
printf '%s\\n' "$@" > "$NOTES"
if [[ -n $STUB_REPORT ]]; then
  mkdir -p "$STUB_REPORT"
  echo '{"verdict": "'"$STUB_VERDICT"'"}' > "$STUB_REPORT/results.json"
  echo '## summary' > "$STUB_REPORT/summary.md"
fi
exit "$STUB_CODE"
"""

WITHOUT_REPORT: Final = {0: 3, 1: 1, 4: 4, 11: 3, 13: 13}
"""What a job ends with where the suite wrote no report, by what the suite ended with."""


@dataclass
class Job:
    """One job on a runner: a workspace, the files by which steps speak to the service, and a stub of the suite."""

    folder: Path
    env: dict[str, str] = field(default_factory=dict)
    output: str = ""
    outputs: dict[str, dict[str, str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        (self.folder / "bin").mkdir()
        self.program.parent.mkdir(parents=True)
        self.program.write_text(STUB, "utf-8")
        self.program.chmod(0o755)
        for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY", "GITHUB_PATH"):
            (self.folder / name).touch()
            self.env[name] = str(self.folder / name)
        (self.folder / "workspace").mkdir()
        self.env |= {"RUNNER_TEMP": str(self.folder), "NOTES": str(self.folder / "notes")}
        self.env["PATH"] = f"{self.folder / 'bin'}:{self.program.parent}:{os.environ['PATH']}"
        self.suite(code=0)

    @property
    def program(self) -> Path:
        """The suite, where the action installs it."""
        return self.folder / "paylera-venv" / "bin" / "paylera-conformance"

    @property
    def workspace(self) -> Path:
        """Where the steps run."""
        return self.folder / "workspace"

    @property
    def called_with(self) -> list[str]:
        """The arguments of the suite."""
        return (self.folder / "notes").read_text("utf-8").splitlines()

    @property
    def summary(self) -> str:
        """What the page of the job shows."""
        return (self.folder / "GITHUB_STEP_SUMMARY").read_text("utf-8")

    def suite(self, *, code: int, report: str = "paylera-report", verdict: str = "CONFORMANT") -> None:
        """Tell the stub how to end, and where to write a report (`""`: nowhere)."""
        self.env |= {"STUB_CODE": str(code), "STUB_REPORT": report, "STUB_VERDICT": verdict}

    def bash(self, script: str, env: Mapping[str, str]) -> int:
        """Run a script as GitHub's `shell: bash` does; gives its exit code."""
        command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script]
        ended = subprocess.run(
            command,
            cwd=self.workspace,
            env={**self.env, **env},
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
        self.output += ended.stdout
        return ended.returncode


def read_action() -> dict[str, Any]:
    """The action as YAML."""
    action: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text("utf-8"))
    return action


def run_action(job: Job, inputs: Mapping[str, str]) -> int:
    """Run the shell steps of the action but the installation: a step that fails ends those that are not `always()`."""
    action = read_action()
    known = {name: str(entry.get("default", "")) for name, entry in action["inputs"].items()}
    values = {f"inputs.{name}": value for name, value in {**known, **inputs}.items()}
    code = 0
    for step in action["runs"]["steps"][1:]:
        if "run" not in step or (code and "always()" not in step.get("if", "")):
            continue
        env = {name: _filled(text, values, job) for name, text in step["env"].items()}
        code = job.bash(step["run"], env) or code
        job.outputs[step.get("id", "")] = _outputs(job)
    return code


def _filled(text: str, values: Mapping[str, str], job: Job) -> str:
    """The text with each expression's value; one that has none is empty, as on GitHub."""

    def value(found: re.Match[str]) -> str:
        kind, _, rest = found[1].partition(".")
        step, _, name = rest.partition(".outputs.")
        return job.outputs.get(step, {}).get(name, "") if kind == "steps" else values[found[1]]

    return _EXPRESSION.sub(value, text)


def _outputs(job: Job) -> dict[str, str]:
    lines = (job.folder / "GITHUB_OUTPUT").read_text("utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines)
