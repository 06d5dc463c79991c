"""What ends a served fake."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable
from typing import Final, TypeAlias

Stop: TypeAlias = Callable[[], None]
"""Ends the fake, from any thread."""

SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)


def stop_signals() -> tuple[signal.Signals, ...]:
    """What ends the fake: a closed terminal too, unless `nohup` or the like has it ignored."""
    if sys.platform == "win32" or signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
        return SIGNALS
    return (*SIGNALS, signal.SIGHUP)
