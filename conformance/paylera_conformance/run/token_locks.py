"""Keeps two full runs at once from using up each other's tokens: each locks those that it may rotate and revoke."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from getpass import getuser
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from filelock import FileLock, Timeout

from paylera_conformance.model.tokens import Credential
from paylera_conformance.target.settings import ConfigError, Mode, Settings
from paylera_fixtures.hosts import origin_of

_FOLDER: Final = "paylera-conformance"
_MOST_NAMED: Final = 3


def lock_tokens(settings: Settings) -> ExitStack:
    """Lock the disposable tokens that are listed, until what is returned is closed, or the process has ended.

    Nothing is locked where none is used up: in other modes, and where a control API mints them. A lock is a file in the
    user's own temporary folder, named by a digest of the target and of the token's id. Raises `ConfigError` where
    another run has one of the tokens.
    """
    with ExitStack() as locked:
        taken = [token for token, path in _locks(settings) if not _lock(path, locked)]
        if taken:
            named = ", ".join(str(token) for token in taken[:_MOST_NAMED])
            more = f" and {len(taken) - _MOST_NAMED} more" if len(taken) > _MOST_NAMED else ""
            raise ConfigError(
                f"another full run on {settings.url} uses the disposable tokens {named}{more}: wait until it has ended,"
                " or list other tokens"
            )
        return locked.pop_all()


def _lock(path: Path, locked: ExitStack) -> bool:
    try:
        locked.enter_context(FileLock(path, timeout=0))
    except Timeout:
        return False
    except OSError as error:
        raise ConfigError(f"{path} cannot be locked: {error.strerror}; set TMPDIR to a folder of your own") from None
    return True


def _locks(settings: Settings) -> Iterator[tuple[Credential, Path]]:
    """Each token that the run may use up, and its lock, in an order that every run has."""
    used_up = [token for token in settings.tokens if token.disposable and token.id is not None]
    if not used_up or settings.mode is not Mode.FULL or settings.driver == "control":
        return
    parts = urlsplit(settings.url)
    # This machine has several names, and one server at a port.
    origin = f"this machine:{parts.port}" if settings.is_loopback else origin_of(settings.url)
    target = origin + parts.path
    # In a container the number may be all that there is of a user; Windows has the name alone.
    folder = Path(tempfile.gettempdir()) / f"{_FOLDER}-{getattr(os, 'getuid', getuser)()}"
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"{folder} cannot be made: {error.strerror}; set TMPDIR to a folder of your own") from None
    for token in sorted(used_up, key=lambda token: str(token.id)):
        digest = hashlib.sha256(f"{target}\n{token.id}".encode()).hexdigest()
        yield token, folder / f"{digest}.lock"
