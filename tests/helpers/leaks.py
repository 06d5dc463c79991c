"""A folder in which every command has been run with canaries for tokens, and all that they said or left there."""

from __future__ import annotations

import base64
import json
import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from helpers.http_client import http_client
from helpers.suite import run_suite
from paylera_fixtures.vocabulary import Environment

PASSPHRASE: Final = "canary passphrase, sung by nobody"  # noqa: S105 - a canary
GHOST: Final = "_".join(("sk", Environment.LIVE, "GhostCanaryGhostCanary".ljust(32, "7")))
ODD: Final = "hunter2/of+no-known-form=="
SELECTED: Final = "credential or rotation or revocation or disclosed or secret or environments"


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
        with http_client() as client:
            answer = client.post(f"{self.control_url}/tokens", json=grants)
        answer.raise_for_status()
        self.secrets[name] = answer.json()["secret"]

    def play(self, name: str, *arguments: str, now: datetime | None = None) -> None:
        """Run the program to its end."""
        run = run_suite(self.folder, *arguments, env=self.environment, now=now)
        self.said[name], self.codes[name] = run.output, run.code

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
            | {f"{name}, evidence": evidence_of(texts[name]) for name in texts if name.endswith("report.html")}
            | {"parallel/certificate.json, decoded": base64.b64decode(certificate["payload"]).decode()}
        )


def evidence_of(page: str) -> str:
    """The exchanges that a page keeps as deflated JSON in base64, as text."""
    found = re.search(r'<script type="text/plain" id="evidence">([^<]*)</script>', page)
    assert found is not None
    return zlib.decompress(base64.b64decode(found[1])).decode()


def configuration(scene: Scene) -> str:
    """A file of tokens: good ones, one that nobody issued, and one of no known form.

    That one is said to be revoked: a token listed as working and refused ends a run before its first case.
    """
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
state = "revoked"
"""


def act(scene: Scene) -> None:
    """Run every command that touches a secret."""
    two_days_later = datetime.now(UTC) + timedelta(hours=49.5)  # so that what waits is due
    both = ("--config-a", "paylera-conformance.toml", "--config-b", "paylera-conformance.toml")
    control = ("--control-url", scene.control_url)
    scene.play("doctor", "doctor")
    scene.play("dry-run", "run", "--dry-run", "-k", "rotation")
    scene.play("run", "run", "-k", SELECTED, "--state", "state", "--report", "out", "--", "--junitxml", "junit.xml")
    as_working = (scene.folder / "paylera-conformance.toml").read_text("utf-8").replace('state = "revoked"', "")
    (scene.folder / "as-working.toml").write_text(as_working, "utf-8")
    scene.play("refused", "run", "--config", "as-working.toml", "--report", "refused")
    scene.play("verbose", "run", "-k", "credential", "--", "-vv", "--tb=long", "-rA")
    scene.play("resume", "resume", "state", "--report", "later", now=two_days_later)
    scene.play("report", "report", "out")
    scene.play("parallel", "run", scene.url, *control, "-n", "2", "--report", "parallel")
    scene.play("certify", "certify", "parallel", "--key", "key.pem")
    scene.play("verify", "verify", "parallel/certificate.json")
    scene.play("barred", "certify", "out", "--key", "key.pem")
    scene.play("diff", "diff", scene.url, scene.url, *both, "-k", "scheme_is_found", "--report", "diff")
    scene.play("selftest", "selftest", "token-in-query", "--fast", "-n", "1", "--report", "selftest")
    scene.play("unreachable", "run", "http://127.0.0.1:9", "--report", "nowhere")
