"""."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

_VARIABLE: Final = re.compile(r"\$\{(?P<name>\w+)\}")


_FILE: Final = "file:"


def resolve(reference: str, environ: Mapping[str, str] = os.environ) -> str:
    """The secret that `${NAME}` (a variable of the environment) or `file:PATH` refers to.

    Secrets are referred to and never given, because a command line can be read by every user of the machine.
    Raises `ValueError`, with the fix in its text, where it is no reference or refers to nothing.
    """
    secret = _referred(reference, environ).strip()
    if not secret or not secret.isascii() or not secret.isprintable() or " " in secret:
        raise ValueError(
            f"{reference} is empty or holds more than one word of visible ASCII: put the secret there alone"
        )
    return secret


def _referred(reference: str, environ: Mapping[str, str]) -> str:
    if variable := _VARIABLE.fullmatch(reference):
        if variable["name"] not in environ:
            raise ValueError(f"the variable {variable['name']} is not set: export it first")
        return environ[variable["name"]]
    if reference.startswith(_FILE):
        try:
            return Path(reference.removeprefix(_FILE)).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise ValueError(f"{reference} cannot be read: {error}") from error
    # The text itself is not repeated: it may be the secret.
    raise ValueError("a secret is given by reference: write '${NAME}' for a variable, or file:PATH")
