"""Instants in bodies, in every form that is right."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from paylera_conformance.model.dates import read_instant

WHEN = datetime(1994, 11, 6, 8, 49, 37, tzinfo=UTC)


@pytest.mark.parametrize(
    "text", ["1994-11-06T08:49:37Z", "1994-11-06t08:49:37z", "1994-11-06T08:49:37.000Z", "1994-11-06T09:49:37+01:00"]
)
def test_every_form_of_rfc_3339_is_read(text: str) -> None:
    """Letters of either case, fractions, offsets."""
    assert read_instant(text) == WHEN


@pytest.mark.parametrize("text", ["1994-11-06T08:49:37", "1994-11-06", "soon", None, 784111777])
def test_what_does_not_say_which_instant_is_refused(text: object) -> None:
    """A time without offset is another one elsewhere."""
    with pytest.raises(ValueError, match=r".*"):
        read_instant(text)
