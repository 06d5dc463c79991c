"""Files at a path that somebody names: written whole or not at all, and over nothing but a file of the same kind."""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_BEGINNING: Final = 1024 * 1024
"""Characters by which a file is known."""


class CannotWriteError(Exception):
    """A file cannot be written: the text is one line that names the option."""


@dataclass(frozen=True)
class FileKind:
    """A kind of file.

    - `name`: what one is called; `option`: by which its path is given;
    - `is_beginning`: whether one begins so.
    """

    name: str
    option: str
    is_beginning: Callable[[str], bool]


@dataclass(frozen=True)
class OutputFile:
    """A file that can be written at a path, in the place of an earlier one of its `kind` and of nothing else.

    What is written first stands in the file `draft` beside it.
    """

    path: Path
    kind: FileKind
    draft: Path

    def write(self, text: str) -> None:
        """Let the file appear. Raises `CannotWriteError`, also where another file has got in the way meanwhile."""
        _refuse_other(self.path, self.kind)
        with _explained(self.path, self.kind):
            self.draft.write_text(text, encoding="utf-8")
            self.draft.replace(self.path)

    def remove(self, text: str) -> None:
        """Remove the file if this still is what stands in it: another program may have its own there by now."""
        if _read_beginning(self.path) == text[:_BEGINNING]:
            self.path.unlink(missing_ok=True)


@contextlib.contextmanager
def open_output_file(path: Path, kind: FileKind) -> Iterator[OutputFile]:
    """Take an earlier file of the kind away, and see that one can be written.

    Raises `CannotWriteError` where it cannot: now rather than when nobody looks any more.
    """
    _refuse_other(path, kind)
    draft = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    with _explained(path, kind):
        path.unlink(missing_ok=True)
        draft.touch(exist_ok=False)
    try:
        yield OutputFile(path, kind, draft)
    finally:
        draft.unlink(missing_ok=True)


@contextlib.contextmanager
def _explained(path: Path, kind: FileKind) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise CannotWriteError(f"{path} cannot be written: {error.strerror}: see {kind.option}") from error


def _refuse_other(path: Path, kind: FileKind) -> None:
    """Raise `CannotWriteError` where something else is there; an empty file is nothing (`mktemp`)."""
    if not os.path.lexists(path):
        return
    if flaw := _describe_special(path):
        raise CannotWriteError(f"{path} is {flaw}: give the path of a file with {kind.option}")
    beginning = _read_beginning(path)
    if beginning != "" and not (beginning and kind.is_beginning(beginning)):
        flaw = f"exists, and is no {kind.name}: remove it, or choose another with {kind.option}"
        raise CannotWriteError(f"{path} {flaw}")


def _describe_special(path: Path) -> str:
    """What is there that is no file; empty for a file."""
    with contextlib.suppress(OSError):
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            return "a folder"
        if not stat.S_ISREG(mode):
            return "no file but a device or a pipe"
    return "a symbolic link, which is not followed" if path.is_symlink() else ""


def _read_beginning(path: Path) -> str | None:
    """What a file begins with; `None` where that cannot be read. Nothing is waited for."""
    if path.is_symlink() or not path.is_file():
        return None
    with contextlib.suppress(OSError, UnicodeDecodeError), path.open(encoding="utf-8") as file:
        return file.read(_BEGINNING)
    return None
