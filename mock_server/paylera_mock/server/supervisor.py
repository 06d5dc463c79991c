"""What runs beside a served fake: it announces that the fake is ready, and stops it when its time limit is over."""

from __future__ import annotations

import contextlib
import os
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from paylera_mock.server.ready import NotServingError, Ready, wait_until_served
from paylera_mock.server.shutdown import Stop

_BETWEEN_LOOKS_SECONDS: Final = 0.1
_READY_LINE_AT_MOST: Final = 64 * 1024


@dataclass
class Supervisor:
    """Watches one served fake.

    - `max_seconds`: after how many seconds it is stopped, `None` for never;
    - `parent`: the process with whose end it is stopped, `None` for none;
    - `failure`: why it was stopped, where it never answered.
    """

    max_seconds: float | None = None
    parent: int | None = None
    failure: str | None = None

    def watch(
        self, ready: Ready, announce: Callable[[], None], *, control_token: str | None, ready_secret: str, stop: Stop
    ) -> None:
        """Watch from now on, in threads that hold up no exit; `announce` is called once the fake answers."""

        def announce_when_served() -> None:
            try:
                wait_until_served(ready, control_token=control_token, ready_secret=ready_secret)
            except NotServingError as error:
                self.failure = str(error)
                stop()
                return
            # Whoever started the fake may have stopped listening; the fake serves on.
            with contextlib.suppress(BrokenPipeError):
                announce()

        def stop_with_parent() -> None:
            # An orphan is given another parent. Nothing can be waited for here: only a parent may wait.
            while os.getppid() == self.parent:
                time.sleep(_BETWEEN_LOOKS_SECONDS)
            stop()

        threads = [threading.Thread(target=announce_when_served)]
        if self.max_seconds is not None:
            threads.append(threading.Timer(self.max_seconds, stop))
        if self.parent is not None:
            threads.append(threading.Thread(target=stop_with_parent))
        for thread in threads:
            thread.daemon = True
            thread.start()


@contextlib.contextmanager
def open_ready_file(path: Path | None) -> Iterator[Callable[[str], None]]:
    """Give a function that writes the ready line to a file; the file is there only while the fake is.

    It appears whole or not at all, in the place of the ready file of an earlier fake and of nothing else.
    Raises `OSError` where it cannot be written.
    """
    if path is None:
        yield lambda _line: None
        return
    _refuse_other_file(path)
    path.unlink(missing_ok=True)
    draft = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    draft.touch(exist_ok=False)  # fails now rather than when nobody looks
    written: list[str] = []

    def write(line: str) -> None:
        _refuse_other_file(path)
        draft.write_text(line + "\n", encoding="utf-8")
        draft.replace(path)
        written.append(line + "\n")

    try:
        yield write
    finally:
        # Another fake may have its own there by now.
        if written and _read_beginning(path) == written[0]:
            path.unlink(missing_ok=True)
        draft.unlink(missing_ok=True)


def _refuse_other_file(path: Path) -> None:
    """Raise `FileExistsError` where something is there that is no ready file; an empty one is nothing (`mktemp`)."""
    if not os.path.lexists(path):
        return
    beginning = _read_beginning(path)
    if beginning == "":
        return
    try:
        Ready.from_line(beginning or "")
    except ValueError:
        flaw = "exists, and is no ready file: remove it, or choose another with --ready-file"
        raise FileExistsError(f"{path} {flaw}") from None


def _read_beginning(path: Path) -> str | None:
    """A file as far as a ready line may go; `None` where there is none that can be read. Nothing is waited for."""
    if path.is_symlink() or not path.is_file():
        return None
    with contextlib.suppress(OSError, UnicodeDecodeError), path.open(encoding="utf-8") as file:
        return file.read(_READY_LINE_AT_MOST)
    return None
