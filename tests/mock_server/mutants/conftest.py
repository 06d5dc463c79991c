"""A fake with deliberate defects."""

from __future__ import annotations

import pytest

from helpers.defects import Lab
from paylera_mock.app import create_app


@pytest.fixture
def lab() -> Lab:
    """A fake that keeps the contract, so far."""
    return Lab(create_app())
