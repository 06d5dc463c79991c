"""A folder in which every command has been run with canaries for tokens, and all that they said or left there."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import httpx

from paylera_fixtures.vocabulary import Environment

PASSPHRASE: Final = "canary passphrase, sung by nobody"  # noqa: S105 - a canary
GHOST: Final = "_".join(("sk", Environment.LIVE, "GhostCanaryGhostCanary".ljust(32, "7")))
ODD: Final = "hunter2/of+no-known-form=="
SELECTED: Final = "credential or rotation or revocation or disclosed or secret or environments"
SECONDS: Final = 400.0

# The suite with its own wall clock a day ahead, so that what waits is due.
A_DAY_LATER: Final = """
import datetime
import paylera_conformance.probe.recording as tape
real = tape.wall_clock
tape.wall_clock = lambda: real() + datetime.timedelta(hours=49.5)
from paylera_conformance.cli import main
main(prog_name="paylera-conformance")
"""


@dataclass
class Scene:
    """The folder, its target, the secrets by name, and what each command said and ended with."""

    folder: Path
    url: str
    control_url: str
    secrets: dict[str, str] = field(default_factory=dict)
    said: dict[str, str] = field(default_factory=dict)
    codes: dict[str, int] = field(default_factory=dict)

    def mint(self, name: str, **grants: Any) -> None:
        """Mint a token of the target's: a canary that is accepted."""
        answer = httpx.post(f"{self.control_url}/tokens", json=grants)
        answer.raise_for_status()
        self.secrets[name] = answer.json()["secret"]

    def play(self, name: str, *arguments: str, script: str = "") -> None:
        """Run the program to its end."""
        inherited = {key: value for key, value in os.environ.items() if not key.startswith(("PAYLERA_", "PYTEST_"))}
        start = ["-c", script] if script else ["-m", "paylera_conformance"]
        ended = subprocess.run(
            [sys.executable, *start, *arguments], cwd=self.folder, env={**inherited, **self.environment}, text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=SECONDS, check=False,
        )  # fmt: skip
        self.said[name], self.codes[name] = ended.stdout, ended.returncode

    @property
    def environment(self) -> Mapping[str, str]:
        """The variables that the file refers to. A narrow terminal wraps what it shows."""
        return {**self.secrets, "PAYLERA_CONFORMANCE_STATE_KEY": PASSPHRASE, "COLUMNS": "40"}

    def written(self) -> dict[str, str]:
        """What every command said, and every file that any of them wrote, as text."""
        files = {str(path.relative_to(self.folder)): path for path in self.folder.rglob("*") if path.is_file()}
        kept = {name: path for name, path in files.items() if path.name not in {"key.pem", "odd.txt"}}
        texts = {name: path.read_text("utf-8", "backslashreplace") for name, path in kept.items()}
        certificate = json.loads(texts["parallel/certificate.json"])
        return (
            self.said
            | texts
            | {"parallel/certificate.json, decoded": base64.b64decode(certificate["payload"]).decode()}
        )


@contextmanager
def fake() -> Iterator[dict[str, str]]:
    """The fake as a program; gives its ready line."""
    command = [sys.executable, "-m", "paylera_mock", "serve", "--port", "0", "--no-banner", "--exit-with-parent"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield json.loads(process.stdout.readline() if process.stdout else "")
        finally:
            process.terminate()


def configuration(scene: Scene) -> str:
    """A file of tokens: good ones, one that nobody issued, and one of no known form."""
    return f"""
[target]
url = "{scene.url}"
mode = "full"
[tokens.everything]
token = "${{EVERYTHING}}"
[tokens.spare]
token = "${{SPARE}}"
id = "tok_unknown"
disposable = true
[tokens.operator]
token = "${{OPERATOR}}"
audience = "admin"
aal = 2
[tokens.ghost]
token = "${{GHOST}}"
environment = "live"
may_cross = true
[tokens.odd]
token = "file:odd.txt"
scopes = ["customers:read"]
"""


def act(scene: Scene) -> None:
    """Run every command that touches a secret."""
    later = {"script": A_DAY_LATER}
    both = ("--config-a", "paylera-conformance.toml", "--config-b", "paylera-conformance.toml")
    control = ("--control-url", scene.control_url)
    scene.play("doctor", "doctor")
    scene.play("dry-run", "run", "--dry-run", "-k", "rotation")
    scene.play("run", "run", "-k", SELECTED, "--state", "state", "--report", "out", "--junitxml", "junit.xml")
    scene.play("verbose", "run", "-k", "credential", "-vv", "--tb=long", "-rA")
    scene.play("resume", "resume", "state", "--report", "later", **later)
    scene.play("report", "report", "out")
    scene.play("parallel", "run", scene.url, *control, "-n", "2", "--report", "parallel")
    scene.play("certify", "certify", "parallel", "--key", "key.pem")
    scene.play("verify", "verify", "parallel/certificate.json")
    scene.play("barred", "certify", "out", "--key", "key.pem")
    scene.play("diff", "diff", scene.url, scene.url, *both, "-k", "scheme_is_found", "--report", "diff")
    scene.play("selftest", "selftest", "token-in-query", "-n", "1", "--report", "selftest")
    scene.play("unreachable", "run", "http://127.0.0.1:9", "--report", "nowhere")
