"""The name and the version of this program."""

from __future__ import annotations

from typing import Final

DISTRIBUTION: Final = "paylera-testkit"


def version() -> str:
    """The version that is installed."""
    import importlib.metadata  # noqa: PLC0415 - slow, and seldom asked for

    return importlib.metadata.version(DISTRIBUTION)
