"""A client whose mistakes are to be found."""

from __future__ import annotations

import pytest

from helpers.client_under_test import ClientUnderTest
from helpers.fake import Fake


@pytest.fixture
def client(fake: Fake) -> ClientUnderTest:
    """A client of a namespace of the test's own."""
    return ClientUnderTest(fake)
