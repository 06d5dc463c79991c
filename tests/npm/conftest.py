"""The launcher of the npm package."""

from __future__ import annotations

from pathlib import Path

import pytest

from helpers.launcher import NODE, Launcher


@pytest.fixture
def launcher(tmp_path: Path) -> Launcher:
    """The launcher with an empty PATH."""
    if NODE is None:
        pytest.skip("there is no node on the PATH")
    return Launcher(tmp_path)
