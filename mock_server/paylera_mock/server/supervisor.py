"""What runs beside a served fake: it announces that the fake is ready, and stops it when its time limit is over."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from paylera_mock.server.output_file import CannotWriteError, FileKind, open_output_file
from paylera_mock.server.ready import NotServingError, Ready, wait_until_served
from paylera_mock.server.shutdown import Stop

_BETWEEN_LOOKS_SECONDS: Final = 0.1


@dataclass
class Supervisor:
    """Watches one served fake.

    - `max_seconds`: after how many seconds it is stopped, `None` for never;
    - `parent`: the process with whose end it is stopped, `None` for none;
    - `failure`: why it was stopped, where it never answered, or its ready file could not be written.
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
                try:
                    announce()
                except CannotWriteError as error:
                    self.failure = str(error)
                    stop()

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

    Raises `CannotWriteError` where it cannot be written.
    """
    if path is None:
        yield lambda _line: None
        return
    written: list[str] = []
    with open_output_file(path, _READY_FILE) as file:

        def write(line: str) -> None:
            file.write(f"{line}\n")
            written.append(f"{line}\n")

        try:
            yield write
        finally:
            for text in written:
                file.remove(text)


def _is_ready_line(beginning: str) -> bool:
    try:
        Ready.from_line(beginning)
    except ValueError:
        return False
    return True


_READY_FILE: Final = FileKind("ready file", "--ready-file", _is_ready_line)
