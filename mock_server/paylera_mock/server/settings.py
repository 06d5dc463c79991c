"""What the program is told on the command line, as values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Final

from paylera_fixtures.vocabulary import Profile
from paylera_mock.core.policy import JOURNAL_SIZE

DEFAULT_HOST: Final = "127.0.0.1"
DEFAULT_PORT: Final = 4242
TLS_FOLDER_VARIABLE: Final = "PAYLERA_MOCK_TLS_DIR"
CONTROL_TOKEN_VARIABLE: Final = "PAYLERA_MOCK_CONTROL_TOKEN"  # noqa: S105 - the name of a variable, not a secret


class ServerKind(StrEnum):
    """The HTTP servers that the fake can sit on: granian is the fast one, werkzeug lets a fault reach the socket."""

    GRANIAN = "granian"
    WERKZEUG = "werkzeug"


class LogLevel(StrEnum):
    """How much the HTTP server says on stderr."""

    CRITICAL = "critical"
    ERROR = "error"
    WARNING = "warning"
    INFO = "info"
    DEBUG = "debug"


@dataclass(frozen=True)
class FakeSettings:
    """How the fake behaves, wherever it listens.

    - `readings`: the answers chosen on top of the profile's, by the name of the reading;
    - `rate_limits`: whether requests over the limit are refused (the headers are there either way);
    - `explain`: whether answers carry `Paylera-Mock-*` headers;
    - `control`: whether there is a control API;
    - `mutants`: the deliberate defects that it has;
    - `webhooks_anywhere`: whether webhooks are delivered beyond loopback;
    - `journal_size`: how many exchanges each journal remembers;
    - `seed`: what everything random follows from, and time stands still, so that runs are byte-identical;
    - `load`: the snapshot or seed file that the default namespace begins with;
    - `tls`: the folder of the authority that vouches for the fake, `None` for plain HTTP;
    - `control_token`: a reference to the secret that its callers must know (see `resolve`), `None` for an open one.
    """

    profile: Profile = Profile.GUIDE
    readings: Mapping[str, str] = field(default_factory=dict)
    rate_limits: bool = False
    explain: bool = True
    control: bool = True
    control_token: str | None = None
    mutants: tuple[str, ...] = ()
    webhooks_anywhere: bool = False
    journal_size: int = JOURNAL_SIZE
    seed: int | None = None
    load: Path | None = None
    tls: Path | None = None
    server: ServerKind = ServerKind.GRANIAN
    log_level: LogLevel = LogLevel.ERROR

    def arguments(self) -> list[str]:
        """The options of `paylera-mock serve` that ask for this behaviour."""
        flags = {
            "--no-explain": not self.explain,
            "--no-control": not self.control,
            "--webhooks-anywhere": self.webhooks_anywhere,
        }
        return [
            f"--profile={self.profile}",
            *(f"--reading={name}={value}" for name, value in self.readings.items()),
            f"--rate-limits={'on' if self.rate_limits else 'off'}",
            *(flag for flag, given in flags.items() if given),
            *(f"--mutant={name}" for name in self.mutants),
            f"--journal-size={self.journal_size}",
            *([] if self.seed is None else [f"--seed={self.seed}"]),
            *([] if self.load is None else [f"--load={self.load}"]),
            *([] if self.tls is None else ["--tls", f"--tls-dir={self.tls}"]),
            *([f"--control-token={self.control_token}"] if self.control_token else []),
            f"--server={self.server}",
            f"--log-level={self.log_level}",
        ]


@dataclass(frozen=True)
class Lifetime:
    """What marks the beginning of a served fake, and what ends it besides a signal.

    - `ready_file`: where the ready line is written too, and removed from at the end;
    - `max_seconds`: after how many seconds it stops by itself;
    - `exit_with_parent`: whether it stops when the process that started it is gone;
    - `banner`: whether people are greeted on stderr.
    """

    ready_file: Path | None = None
    max_seconds: float | None = None
    exit_with_parent: bool = False
    banner: bool = True
