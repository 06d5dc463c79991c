"""How what a client sent is written in descriptions: short, printable and without a secret."""

from __future__ import annotations

from typing import Final

from paylera_mock.core.clock import DAY, MINUTE
from paylera_mock.pipeline.context import Context

_SHOWN: Final = 40
"""Characters of a client's text that are shown."""

_UNITS: Final = ((DAY, "day"), (60 * MINUTE, "h"), (MINUTE, "min"))


def shorten(text: str, length: int = _SHOWN) -> str:
    """A client's text as far as it is shown: printable, on one line, and not long."""
    printable = "".join(character if character.isprintable() else "?" for character in text[:length])
    return f"{printable}..." if len(text) > length else printable


def time_span(seconds: float) -> str:
    """A length of time in its largest unit, rounded down: `23 h`, `1 day`."""
    for size, unit in _UNITS:
        count = int(seconds // size)
        if count:
            return f"{count} days" if unit == "day" and count > 1 else f"{count} {unit}"
    return f"{seconds:.3g} s"


def operation_name(context: Context) -> str:
    """The operation that is called; method and path where it is none of the contract's."""
    operation = context.request.operation
    return str(operation) if operation else f"{shorten(context.request.method)} {shorten(context.request.path)}"
