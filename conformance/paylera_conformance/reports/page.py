"""`report.html`: one page without network, for people."""

from __future__ import annotations

from typing import Final

PAGE_NAME: Final = "report.html"
