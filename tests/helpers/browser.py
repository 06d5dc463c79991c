"""A Chromium that is there, for the tests of pages.

`PAYLERA_TESTS_BROWSER` is its path; without it the usual places are looked at. Where there is none those tests are
skipped, unless `PAYLERA_TESTS_NEED_BROWSER` is set.
"""

from __future__ import annotations

import os
import shutil
from typing import Final, NoReturn

import pytest

from helpers.waiting import PATIENCE_SECONDS

FLAGS: Final = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # The list below the address bar, which nobody sees here, is a page of its own behind each page: a second of the
    # processor for each. The switch takes the place of playwright's; the last is one of that.
    "--disable-features=WebUIOmniboxPopup,WebUIOmniboxAimPopup,PaintHolding",
)
PATIENCE_MS: Final = PATIENCE_SECONDS * 1000
AXE_LOOKS: Final = [
    pytest.param(width, scheme, marks=() if is_in_ci else pytest.mark.extended)
    for width, scheme, is_in_ci in (
        (390, "dark", True),
        (1280, "light", True),
        (390, "light", False),
        (1280, "dark", False),
    )
]
"""How axe looks at a page: what it sees at a width is the same in each scheme, and its colours at each width."""

_NAMES: Final = ("chromium", "chromium-browser", "google-chrome")


def find_browser() -> str:
    """The path of a browser; where there is none, the test is skipped, or fails where a browser was promised."""
    named = os.environ.get("PAYLERA_TESTS_BROWSER")
    return named or next((path for name in _NAMES if (path := shutil.which(name))), None) or _no_browser()


def _no_browser() -> NoReturn:
    end = pytest.fail if os.environ.get("PAYLERA_TESTS_NEED_BROWSER") else pytest.skip
    end("there is no chromium on the PATH: name one in PAYLERA_TESTS_BROWSER")
