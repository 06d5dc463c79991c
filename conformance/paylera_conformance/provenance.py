"""What a certificate rests on: the suite's own files and the contract's table, as digests, and where they come from."""

from __future__ import annotations

import base64
import csv
import hashlib
import json
from collections.abc import Iterator
from enum import StrEnum
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Any, Final

import paylera_fixtures
from paylera_fixtures.clauses import CLAUSES
from paylera_fixtures.vocabulary import Profile

PACKAGES: Final = {
    "paylera_conformance": Path(__file__).parent,
    "paylera_fixtures": Path(paylera_fixtures.__file__).parent,
}
"""The packages that decide a verdict. The fake is none of them: it is a target like any other."""

_DISTRIBUTION: Final = "paylera-testkit"


class Origin(StrEnum):
    """Where the suite's files come from."""

    WHEEL = "wheel"
    """Installed, and each file is the one that its list of digests names."""
    CHECKOUT = "checkout"
    """A working tree: no list says what its files should be."""


class ChangedSuiteError(Exception):
    """An installed file of the suite is not the one that was released; the text names it."""


def canonical(value: Any) -> bytes:
    """A JSON value as the one sequence of bytes that stands for it."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False).encode("ascii")


def digest(value: Any) -> str:
    """The SHA-256 of a JSON value, in hexadecimal."""
    return hashlib.sha256(canonical(value)).hexdigest()


def suite_digest() -> str:
    """The SHA-256 over the name and the content of every file of the suite, in hexadecimal."""
    return digest({name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in _files()})


def contract_digest() -> str:
    """The SHA-256 of the table of clauses: ids, sources, sentences and levels."""
    return digest(
        [
            {
                "id": clause.id,
                "source": clause.source.value,
                "section": clause.section,
                "says": clause.says,
                "levels": {profile.value: clause.level(profile).value for profile in Profile},
            }
            for clause in CLAUSES
        ]
    )


def origin() -> Origin:
    """Where the installed suite comes from. Raises `ChangedSuiteError` where a file was changed, added or removed."""
    released = _released_digests()
    if not released:
        return Origin.CHECKOUT
    found = {name: hashlib.sha256(path.read_bytes()).digest() for name, path in _files()}
    changed = sorted(name for name in found.keys() | released.keys() if found.get(name) != released.get(name))
    if changed:
        raise ChangedSuiteError(f"{changed[0]} is not as it was released, nor are {len(changed) - 1} others")
    return Origin.WHEEL


def _files() -> Iterator[tuple[str, Path]]:
    """Every file of the suite by a name that is the same on every machine."""
    for package, folder in PACKAGES.items():
        for path in sorted(folder.rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                yield f"{package}/{path.relative_to(folder).as_posix()}", path


def _released_digests() -> dict[str, bytes]:
    """The digests that the installed distribution lists for the suite's files; none where it was installed editable."""
    # Not `files`: since Python 3.12 it leaves out those that were removed.
    try:
        record = distribution(_DISTRIBUTION).read_text("RECORD") or ""
    except PackageNotFoundError:
        return {}
    return {
        name: base64.urlsafe_b64decode(listed.removeprefix("sha256=") + "=")
        for name, listed, _ in csv.reader(record.splitlines())
        if name.split("/")[0] in PACKAGES and "__pycache__" not in name and listed
    }
