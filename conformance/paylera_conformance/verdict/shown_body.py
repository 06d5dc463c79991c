"""A body as text in which a redactor finds every secret, however the body spells it."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator
from typing import Final
from urllib.parse import unquote

from paylera_fixtures.redaction import Redactor

_ESCAPE: Final = re.compile(r"\\u([0-9a-fA-F]{4})|\\x([0-9a-fA-F]{2})|\\(/)")
_WIDE: Final = ("utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be")


def shown_body(body: bytes, redactor: Redactor) -> str:
    """A body as it came, or as it reads, where only that shows that there is a secret in it."""
    text = body.decode("utf-8", "backslashreplace")
    # Where there is one, its spelling is given up.
    return next((reading for reading in _readings(body, text) if redactor.redact(reading) != reading), text)


def _readings(body: bytes, text: str) -> Iterator[str]:
    """What the body may mean; it may be none of it."""
    if "\\" in text:
        try:
            plain = json.dumps(json.loads(text), ensure_ascii=False)
        except (ValueError, RecursionError):
            plain = _ESCAPE.sub(lambda found: found[3] or chr(int(found[1] or found[2], 16)), text)
        yield plain.encode("utf-8", "backslashreplace").decode()
    if "&" in text:
        yield html.unescape(text)
    if "%" in text:
        yield unquote(text)
    if b"\0" in body:
        for encoding in _WIDE:
            yield body.decode(encoding, "ignore")
