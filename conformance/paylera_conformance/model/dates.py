"""Instants as servers write them in bodies."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import Meta

Instant = Annotated[datetime, Meta(tz=True)]
"""A date and time as RFC 3339 writes it, its offset included."""


def read_instant(text: object) -> datetime:
    """An instant of a JSON body, as RFC 3339 writes it. Raises `ValueError`, also where it has no offset."""
    return msgspec.convert(text, Instant)
