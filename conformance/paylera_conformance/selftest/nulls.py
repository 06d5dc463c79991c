"""Runs the suite, as its users do, against servers that keep no contract at all: nothing may pass."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from paylera_conformance.model.outcomes import Outcome
from paylera_conformance.reports.results import RESULTS_NAME
from paylera_conformance.selftest.null_servers import BEHAVIOURS, null_server
from paylera_fixtures.tokens import new_secret
from paylera_fixtures.vocabulary import Environment

BOUND_SECONDS: Final = 600.0
"""How long one run may take before it counts as one that does not end."""

_TIMEOUT: Final = "2"
_CONFIG: Final = """
[target]
mode = "full"
[tokens.service]
token = "${SERVICE}"
id = "tok_1"
disposable = true
[tokens.admin]
token = "${ADMIN}"
audience = "admin"
aal = 2
[tokens.customer]
token = "${CUSTOMER}"
audience = "customer"
customer_id = "cus_1"
[versions]
supported = ["2025-10-01", "2026-04-01"]
current = "2026-04-01"
[actors]
known = "actor_1"
foreign = "actor_2"
[operations]
aal2 = "POST /v1/payments/{id}/cancel"
"""


@dataclass(frozen=True)
class NullResult:
    """A run against one null server: `passed` names the clauses that it fooled the suite about."""

    name: str
    exit_code: int
    verdict: str
    passed: tuple[str, ...]
    first_line: str
    seconds: float

    @property
    def fooled(self) -> bool:
        """Whether the server got anything past the suite: a clause, a green exit, or all the time in the world."""
        return bool(self.passed) or self.exit_code == 0 or self.verdict == "did not end"

    def to_json(self) -> dict[str, Any]:
        """As `kill-matrix.json` has it."""
        return {**vars(self), "passed": list(self.passed), "fooled": self.fooled}


def run_nulls(tell: Callable[[NullResult], None]) -> list[NullResult]:
    """Run the suite against each null server in turn; `tell` hears of each."""
    results = []
    for name, behave in BEHAVIOURS.items():
        with null_server(behave) as url:
            result = _run(name, url)
        tell(result)
        results.append(result)
    return results


def _run(name: str, url: str) -> NullResult:
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder, "null.toml")
        config.write_text(_CONFIG, "utf-8")
        command = [sys.executable, "-m", "paylera_conformance", "run", url, "--config", str(config)]
        command += ["--timeout", _TIMEOUT, "--report", folder]
        secrets = {role: new_secret(Environment.SANDBOX) for role in ("SERVICE", "ADMIN", "CUSTOMER")}
        started = time.monotonic()
        try:
            ended = subprocess.run(  # noqa: S603 - our own program
                command,
                env={**os.environ, **secrets},
                capture_output=True,
                text=True,
                timeout=BOUND_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return NullResult(name, -1, "did not end", (), "", BOUND_SECONDS)
        seconds = round(time.monotonic() - started, 1)
        report = _report(Path(folder, RESULTS_NAME))
        passed = tuple(row["id"] for row in report.get("clauses", ()) if row["outcome"] == Outcome.PASS)
        said = next((line.strip() for line in (ended.stdout + ended.stderr).splitlines() if line.strip(". ")), "")
        return NullResult(name, ended.returncode, str(report.get("verdict", "none")), passed, said, seconds)


def _report(path: Path) -> dict[str, Any]:
    return dict(json.loads(path.read_text("utf-8"))) if path.is_file() else {}
