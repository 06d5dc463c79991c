"""A deployment as its owner has one: tokens in a file, no control API that the suite knows of, time that passes.

It is the fake; this process, not the suite, mints the tokens and moves the clock.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import httpx

from paylera_fixtures.vocabulary import GUIDE_SCOPES, WILDCARD

RUN_SECONDS: Final = 300.0
PASSPHRASE: Final = "a passphrase that only the tests know"  # noqa: S105 - seals nothing of worth
SCOPES: Final = [scope for scope in GUIDE_SCOPES if scope != WILDCARD]
EVERYTHING: Final = [WILDCARD]
NEW_VERSION: Final = "2026-10-01"

# The suite runs with its own wall clock this many hours ahead; the target's is moved by this process.
AHEAD: Final = """
import datetime, sys
import paylera_conformance.probe.recording as tape
real = tape.wall_clock
hours = float(sys.argv.pop(1))
tape.wall_clock = lambda: real() + datetime.timedelta(hours=hours)
from paylera_conformance.cli import main
main(prog_name="paylera-conformance")
"""


@dataclass(frozen=True)
class Ended:
    """One run of the program, ended: its exit code, what it printed, and its `results.json` (empty where none)."""

    code: int
    output: str
    report: Mapping[str, Any]

    def having(self, *outcomes: str) -> set[str]:
        """The clauses that came to one of these outcomes."""
        return {clause["id"] for clause in self.report.get("clauses", ()) if clause["outcome"] in outcomes}

    def clause(self, name: str) -> Mapping[str, Any]:
        """What the report says of a clause."""
        found: Mapping[str, Any] = next(clause for clause in self.report["clauses"] if clause["id"] == name)
        return found


@dataclass
class Deployment:
    """A target and the folder of whoever certifies it."""

    folder: Path
    url: str
    live_url: str
    control_url: str
    env: dict[str, str] = field(default_factory=dict)
    hours: float = 0.0
    lines: list[str] = field(default_factory=list)

    @property
    def state(self) -> Path:
        """The sealed file between two sessions."""
        return self.folder / "state.json"

    def call(self, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """A call of the control API, by the target's owner."""
        answer = httpx.post(self.control_url + path, json=body or {})
        answer.raise_for_status()
        found: dict[str, Any] = answer.json() if answer.content else {}
        return found

    def pass_time(self, hours: float) -> None:
        """Let time pass, for the target and for whoever watches it."""
        self.call("/clock/advance", {"seconds": hours * 3600})
        self.hours += hours

    def mint(self, name: str, audience: str, scopes: list[str], says: str = "", **grants: Any) -> dict[str, Any]:
        """Mint a token and list it in the file; `says` is what else the file has of it."""
        token = self.call("/tokens", {"audience": audience, "scopes": scopes, **grants})
        variable = "T_" + re.sub(r"\W", "_", name.upper())
        self.env[variable] = token["secret"]
        members = {key: token[key] for key in ("id", "audience", "scopes", "aal", "default_version", "environment")}
        self.lines.append(f'[tokens."{name}"]\ntoken = "${{{variable}}}"')
        self.lines += [f"{key} = {json.dumps(value)}" for key, value in members.items()]
        self.lines += [says] if says else []
        return token

    def configure(self, *lines: str) -> None:
        """Write the configuration file that the program finds."""
        (self.folder / "paylera-conformance.toml").write_text("\n".join([*lines, *self.lines]), "utf-8")

    def suite(self, *arguments: str, report: str = "out") -> Ended:
        """Run the program to its end, its clock as far ahead as the target's."""
        return suite(self.folder, *arguments, env=self.env, hours=self.hours, report=report)

    def run(self, *arguments: str) -> Ended:
        """`run --state`."""
        return self.suite("run", "--state", str(self.state), "--report", "out", *arguments)

    def resume(self, *arguments: str) -> Ended:
        """`resume`."""
        report = f"resumed-{self.hours:g}"
        return self.suite("resume", str(self.state), "--report", report, *arguments, report=report)


def suite(folder: Path, *arguments: str, env: Mapping[str, str], hours: float = 0.0, report: str = "out") -> Ended:
    """Run the program to its end, cut off from the settings of whoever runs the tests."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("PAYLERA_", "PYTEST_"))}
    done = subprocess.run(
        [sys.executable, "-c", AHEAD, str(hours), *arguments], cwd=folder, env={**inherited, **env}, text=True,
        capture_output=True, timeout=RUN_SECONDS, check=False, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    results = folder / report / "results.json"
    found = json.loads(results.read_text("utf-8")) if results.is_file() else {}
    return Ended(done.returncode, done.stdout + done.stderr, found)


@contextmanager
def fake(*options: str) -> Iterator[str]:
    """The fake as a program; gives its control URL."""
    command = [sys.executable, "-m", "paylera_mock", "serve", "--port", "0", "--no-banner", "--exit-with-parent"]
    with subprocess.Popen([*command, *options], stdout=subprocess.PIPE, text=True) as process:
        try:
            line = process.stdout.readline() if process.stdout else ""
            yield json.loads(line)["control_url"]
        finally:
            process.terminate()
