"""The version of the suite, as reports and the `User-Agent` give it."""

from __future__ import annotations

from importlib.metadata import version
from typing import Final

VERSION: Final = version("paylera-testkit")
