"""A deployment as its owner has one: tokens in a file, no control API that the suite knows of, time that passes.

It is the fake; this process, not the suite, mints the tokens and moves the clock.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import httpx

from helpers.suite import Run, run_suite
from helpers.waiting import PATIENCE_SECONDS
from paylera_fixtures.vocabulary import GUIDE_SCOPES, WILDCARD

PASSPHRASE: Final = "a passphrase that only the tests know"  # noqa: S105 - seals nothing of worth
SCOPES: Final = [scope for scope in GUIDE_SCOPES if scope != WILDCARD]
EVERYTHING: Final = [WILDCARD]
NEW_VERSION: Final = "2026-10-01"


@dataclass
class Deployment:
    """A target whose clock stands still, and the folder of whoever certifies it, whose clock goes with the target's."""

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
        answer = httpx.post(self.control_url + path, json=body or {}, timeout=PATIENCE_SECONDS)
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

    def suite(self, *arguments: str, report: str = "out") -> Run:
        """Run the program to its end."""
        now = httpx.get(f"{self.control_url}/clock", timeout=PATIENCE_SECONDS).json()["now"]
        return run_suite(self.folder, *arguments, env=self.env, now=datetime.fromisoformat(now), report=report)

    def run(self, *arguments: str) -> Run:
        """`run --state`."""
        return self.suite("run", "--state", str(self.state), "--report", "out", *arguments)

    def resume(self, *arguments: str) -> Run:
        """`resume`."""
        report = f"resumed-{self.hours:g}"
        return self.suite("resume", str(self.state), "--report", report, *arguments, report=report)
