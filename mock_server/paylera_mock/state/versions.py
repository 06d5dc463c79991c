"""API versions: what is supported, what is the default, and how an older one is announced (reference, Versioning)."""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from email.utils import format_datetime
from typing import Final

from paylera_fixtures.vocabulary import Header
from paylera_mock.core.policy import Policy

_DATED: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_MONTHS_IN_YEAR: Final = 12


@dataclass(frozen=True)
class Release:
    """One version and the moment it became the default, in seconds since the epoch."""

    version: str
    shipped: float


class Versions:
    """The releases of one namespace, the oldest first; the newest is the default."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        midnights = {version: datetime.fromisoformat(version).replace(tzinfo=UTC) for version in policy.releases}
        self._releases = tuple(Release(version, midnight.timestamp()) for version, midnight in midnights.items())
        self._headers = self._version_headers(self._releases)

    def adopt(self, policy: Policy) -> None:
        """Announce old versions as another policy says; which there are stays."""
        self._policy = policy
        self._headers = self._version_headers(self._releases)

    @property
    def current(self) -> str:
        """The default of tokens made now."""
        return self._releases[-1].version

    @property
    def releases(self) -> tuple[Release, ...]:
        """Every version with the moment it became the default, the oldest first."""
        return self._releases

    def restore(self, releases: Iterable[Release]) -> None:
        """Have these releases, and no others."""
        self._releases = tuple(releases)
        self._headers = self._version_headers(self._releases)

    @property
    def supported(self) -> tuple[str, ...]:
        """Every version that a request may ask for, the oldest first."""
        return tuple(release.version for release in self._releases)

    def __contains__(self, version: str) -> bool:
        return version in self._headers

    def release(self, version: str, now: float) -> None:
        """Make a version the default. Raises `ValueError` where it is no date, or is there already."""
        if not is_dated(version):
            raise ValueError("a version is a date, as in 2027-01-01")
        if version in self:
            raise ValueError("this version was released before")
        releases = (*self._releases, Release(version, now))
        # In this order: who reads the default meanwhile finds its headers.
        self._headers = self._version_headers(releases)
        self._releases = releases

    def headers(self, version: str) -> tuple[tuple[str, str], ...]:
        """The headers of an answer processed against a version (clauses version.echo, version.old-announced)."""
        return self._headers[version]

    def _version_headers(self, releases: tuple[Release, ...]) -> dict[str, tuple[tuple[str, str], ...]]:
        newer: tuple[Release | None, ...] = (*releases[1:], None)
        return {
            release.version: ((Header.VERSION, release.version), *self._end_headers(successor))
            for release, successor in zip(releases, newer, strict=True)
        }

    def _end_headers(self, successor: Release | None) -> tuple[tuple[str, str], ...]:
        """`Deprecation` (RFC 9745) and `Sunset` (RFC 8594), both counted from when the next version shipped."""
        if successor is None:
            return ()
        sunset = _months_later(successor.shipped, self._policy.overlap_months)
        return (
            (Header.DEPRECATION, f"@{int(successor.shipped)}"),
            (Header.SUNSET, format_datetime(sunset, usegmt=True)),
        )


def is_dated(version: str) -> bool:
    """Whether a version has the form of one: a date that the calendar has."""
    if not _DATED.fullmatch(version):
        return False
    try:
        date.fromisoformat(version)
    except ValueError:
        return False
    return True


def _months_later(epoch: float, months: int) -> datetime:
    moment = datetime.fromtimestamp(epoch, tz=UTC)
    years, month = divmod(moment.month - 1 + months, _MONTHS_IN_YEAR)
    year = moment.year + years
    # The 31st of a month may not exist a year of months later.
    day = min(moment.day, monthrange(year, month + 1)[1])
    return moment.replace(year=year, month=month + 1, day=day)
