"""What runs beside a served fake: it says when the fake is ready, and stops it when its time has come."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from paylera_mock.server.ready import NotServingError, Ready, wait_until_served
from paylera_mock.server.settings import Lifetime

_PARENT_EVERY_SECONDS: Final = 0.1


@dataclass
class Supervisor:
    """Watches one served fake.

    - `say`: is given the `Ready` once the fake has answered a request to itself;
    - `failure`: why the fake was stopped, where it never answered.

    Create it first of all: what started this process may be gone a moment later.
    """

    lifetime: Lifetime
    say: Callable[[Ready], None]
    failure: str | None = None
    _parent: int = field(default_factory=os.getppid)

    def begin(self, ready: Ready, *, control_token: str | None, stop: Callable[[], None]) -> None:
        """Watch from now on, in threads that hold up no exit. `stop` ends the fake from any of them."""
        _in_background(lambda: self._announce(ready, control_token=control_token, stop=stop))
        if self.lifetime.max_seconds is not None:
            timer = threading.Timer(self.lifetime.max_seconds, stop)
            timer.daemon = True
            timer.start()
        if self.lifetime.exit_with_parent:
            _in_background(lambda: self._stop_with_parent(stop))

    def _announce(self, ready: Ready, *, control_token: str | None, stop: Callable[[], None]) -> None:
        try:
            wait_until_served(ready, control_token=control_token)
        except NotServingError as error:
            self.failure = str(error)
            stop()
            return
        # Whoever started the fake may have stopped listening; the fake serves on.
        with contextlib.suppress(BrokenPipeError):
            self.say(ready)

    def _stop_with_parent(self, stop: Callable[[], None]) -> None:
        # An orphan is given another parent. Nothing can be waited for here: only a parent may wait.
        while os.getppid() == self._parent:
            time.sleep(_PARENT_EVERY_SECONDS)
        stop()


@contextlib.contextmanager
def ready_file(path: Path | None) -> Iterator[Callable[[str], None]]:
    """Give a function that puts the ready line into a file; the file is there only while the fake is.

    It appears whole or not at all. Raises `OSError` where the file cannot be written.
    """
    if path is None:
        yield lambda _line: None
        return
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    path.unlink(missing_ok=True)
    draft.touch()  # fails now rather than when nobody looks

    def write(line: str) -> None:
        draft.write_text(line + "\n", encoding="utf-8")
        draft.replace(path)

    try:
        yield write
    finally:
        path.unlink(missing_ok=True)
        draft.unlink(missing_ok=True)


def _in_background(run: Callable[[], None]) -> None:
    threading.Thread(target=run, daemon=True).start()
