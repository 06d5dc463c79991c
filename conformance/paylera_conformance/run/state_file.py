"""The state of a run that waits: sealed, so that the secrets in it are of no use to whoever finds the file.

The file is a line of JSON that says what it is, and a Fernet token (authenticated encryption, from the `cryptography`
library) under a key that scrypt derives from a passphrase. The passphrase comes from the environment.
"""

from __future__ import annotations

import json
import os
import secrets
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import msgspec
from msgspec import Struct

from paylera_conformance.model.case_results import CaseResult
from paylera_conformance.target.config_file import STATE_KEY
from paylera_conformance.target.settings import ConfigError, Settings, read_file
from paylera_conformance.version import VERSION

SCHEMA: Final = 2
_FORMAT: Final = "paylera-conformance state"
_SCRYPT: Final = {"n": 2**14, "r": 8, "p": 1}
_MIN_PASSPHRASE: Final = 16


class _Head(Struct, frozen=True):
    format: str
    schema: int
    salt: bytes


class PausedCase(Struct, frozen=True):
    """A case that waits: the entries of its recording, and when it is due."""

    case: str
    due: str
    entries: list[dict[str, Any]]


class RunState(Struct, frozen=True):
    """A run that is not over: what it is about, what has come of its cases so far, and the cases that wait.

    - `suite_sha256`: the digest of the suite's files in the sessions until now, empty where they were not the same;
    - `seed`: every session draws from the same;
    - `followed`: the recordings of what several cases look at together, by its name;
    - `spent`: digests of the tokens that were handed out to be used up.
    """

    target: str
    profile: str
    suite: str
    run_id: str
    cases: list[CaseResult] = []
    waiting: list[PausedCase] = []
    started_at: str = ""
    readings: Mapping[str, str] = {}
    suite_sha256: str = ""
    seed: int | None = None
    followed: dict[str, list[dict[str, Any]]] = {}
    spent: list[str] = []

    def check(self, settings: Settings) -> None:
        """Raise `ConfigError` where this is the state of another run."""
        for name, mine, given in (
            ("target", self.target, settings.url),
            ("profile", self.profile, settings.profile.value),
            ("version of the suite", self.suite, VERSION),
            ("set of readings", _list_readings(self.readings), _list_readings(settings.readings)),
        ):
            if mine != given:
                raise ConfigError(f"the state file is of another {name}: {mine}, and this run has {given}")


def _list_readings(readings: Mapping[str, str]) -> str:
    return ", ".join(f"{name}={value}" for name, value in sorted(readings.items())) or "none"


def passphrase() -> str:
    """The passphrase of state files. Raises `ConfigError` where there is none, or one that is easily guessed."""
    phrase = os.environ.get(STATE_KEY, "")
    if len(phrase) < _MIN_PASSPHRASE:
        raise ConfigError(
            f"a state file is sealed with ${STATE_KEY}: set it to a secret of at least {_MIN_PASSPHRASE} characters"
        )
    return phrase


def write_state(path: Path, state: RunState, phrase: str) -> None:
    """Seal a state into a file that only its owner can read, all at once or not at all."""
    salt = secrets.token_bytes(16)
    sealed = _fernet(phrase, salt).encrypt(msgspec.json.encode(state))
    head = {"format": _FORMAT, "schema": SCHEMA, "salt": b64encode(salt).decode("ascii")}
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    path.parent.mkdir(parents=True, exist_ok=True)
    draft.touch(mode=0o600)
    draft.write_bytes(json.dumps(head).encode() + b"\n" + sealed + b"\n")
    draft.replace(path)


def read_state(path: Path, phrase: str | None = None) -> RunState:
    """Open a sealed state, by the passphrase of the environment unless another is given.

    Raises `ConfigError` where it is none, was altered, or was sealed with another key.
    """
    from cryptography.fernet import InvalidToken  # noqa: PLC0415 - only runs that wait need the library

    first, _, sealed = read_file(path, "name the file that `run --state` wrote").partition(b"\n")
    try:
        head = msgspec.json.decode(first, type=_Head)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise ConfigError(f"{path} is no state file of this suite") from None
    # The file first: without one, nobody need look for a passphrase.
    phrase = passphrase() if phrase is None else phrase
    try:
        if (head.format, head.schema) == (_FORMAT, SCHEMA):
            return msgspec.json.decode(_fernet(phrase, head.salt).decrypt(sealed.strip()), type=RunState)
    except InvalidToken:
        raise ConfigError(f"{path} was altered, or sealed with another ${STATE_KEY}") from None
    except msgspec.MsgspecError:
        pass  # sealed by this suite, of another shape
    raise ConfigError(f"{path} was written by another version of the suite: begin a new run")


def _fernet(phrase: str, salt: bytes) -> Any:
    from cryptography.fernet import Fernet  # noqa: PLC0415 - as above
    from cryptography.hazmat.primitives.kdf.scrypt import Scrypt  # noqa: PLC0415 - as above

    key = Scrypt(salt=salt, length=32, **_SCRYPT).derive(phrase.encode())
    return Fernet(urlsafe_b64encode(key))
