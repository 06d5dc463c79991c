"""Instants as servers write them: in headers, and in bodies."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Annotated

import msgspec
from msgspec import Meta

Instant = Annotated[datetime, Meta(tz=True)]
"""A date and time as RFC 3339 writes it, its offset included."""


def read_http_date(text: str | None) -> datetime:
    """The instant of a header such as `Date`, in any of its three forms (RFC 9110, section 5.6.7). Raises `ValueError`.

    It is in UTC, also where that is not said, as in the form of asctime.
    """
    instant = parsedate_to_datetime(text or "")
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)


def read_instant(text: object) -> datetime:
    """An instant of a JSON body, as RFC 3339 writes it. Raises `ValueError`, also where it has no offset."""
    return msgspec.convert(text, Instant)
