"""What the program is asked for on the command line, as values."""

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
DEFAULT_URL: Final = f"http://{DEFAULT_HOST}:{DEFAULT_PORT}"
BODY_SECONDS: Final = 30.0
"""How long a client may take to send a body."""

TLS_FOLDER_VARIABLE: Final = "PAYLERA_MOCK_TLS_DIR"
CONTROL_TOKEN_VARIABLE: Final = "PAYLERA_MOCK_CONTROL_TOKEN"  # noqa: S105 - the name of a variable, not a secret


class LogLevel(StrEnum):
    """How much the HTTP server logs on stderr."""

    CRITICAL = "critical"
    ERROR = "error"
    WARNING = "warning"
    INFO = "info"
    DEBUG = "debug"


class LogFormat(StrEnum):
    """How the line of a request looks."""

    TEXT = "text"
    JSON = "json"


@dataclass(frozen=True)
class FakeSettings:
    """How the fake behaves, wherever it listens. Each field is the value of the option of the same name.

    - `readings`: the answers chosen on top of the profile's, by the name of the reading;
    - `rate_limits`: whether requests over the limit are refused (the headers are there either way);
    - `strict_bodies`: whether members and parameters that the contract does not name are refused;
    - `explain`: whether answers carry `Paylera-Mock-*` headers;
    - `control`: whether there is a control API;
    - `dashboard`: whether there is a dashboard, which needs the control API;
    - `control_token`: a reference to the secret that its callers must send (see `resolve_secret`), `None` for none;
    - `allow_host`: names, besides its own, under which the fake answers;
    - `mutants`: the deliberate defects that it has;
    - `webhooks_anywhere`: whether webhooks are delivered beyond loopback;
    - `journal_size`: how many exchanges each journal keeps;
    - `seed`: what everything random follows from, and time stands still, so that runs are byte-identical;
    - `load`: the snapshot or seed file that the default namespace begins with;
    - `cors`: the origins whose web pages may call the API, `*` for every one;
    - `tls`: the folder of the certificate authority that vouches for the fake, `None` for plain HTTP;
    - `body_seconds`: how long a client may take to send a body.
    """

    profile: Profile = Profile.GUIDE
    readings: Mapping[str, str] = field(default_factory=dict)
    rate_limits: bool = False
    strict_bodies: bool = False
    explain: bool = True
    control: bool = True
    dashboard: bool = True
    control_token: str | None = None
    allow_host: tuple[str, ...] = ()
    mutants: tuple[str, ...] = ()
    webhooks_anywhere: bool = False
    journal_size: int = JOURNAL_SIZE
    seed: int | None = None
    load: Path | None = None
    cors: tuple[str, ...] = ()
    tls: Path | None = None
    body_seconds: float = BODY_SECONDS
    log_level: LogLevel = LogLevel.ERROR
