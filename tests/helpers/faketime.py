"""Programs whose wall clock is moved by libfaketime (Debian's package faketime)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

_LIBRARIES: Final = (Path("/usr/lib"), Path("/usr/local/lib"))
_NAME: Final = "**/faketime/libfaketime.so.1"


@dataclass(frozen=True)
class MovedWallClock:
    """A file that says how far the wall clock of each program is ahead, and the variables by which programs heed it."""

    file: Path
    library: Path

    @property
    def env(self) -> dict[str, str]:
        """What a program needs in its environment. Time that is measured goes on as it does."""
        return {
            "LD_PRELOAD": str(self.library),
            "FAKETIME_TIMESTAMP_FILE": str(self.file),
            "FAKETIME_NO_CACHE": "1",
            "DONT_FAKE_MONOTONIC": "1",
        }

    def set_ahead(self, hours: float) -> None:
        """Have every program see a time so far ahead of the real one."""
        self.file.write_text(f"+{hours:g}h\n", "utf-8")


def moved_wall_clock(folder: Path) -> MovedWallClock:
    """A wall clock to move; skips the test where libfaketime is not installed."""
    found = [path for root in _LIBRARIES if root.is_dir() for path in root.glob(_NAME)]
    if not found:
        pytest.skip("libfaketime is not installed: apt-get install faketime")
    clock = MovedWallClock(folder / "faketime", found[0])
    clock.set_ahead(0)
    return clock
