"""What every test run of this repository shares."""

from __future__ import annotations

import pytest
from hypothesis import settings

# Before the first import of a helper: a failed assertion in one shows its values.
pytest.register_assert_rewrite("helpers")
pytest_plugins = ["pytester", "helpers.program_fixtures"]

# A red run must be red again: the examples depend on the test alone, and a slow machine is no failure.
settings.register_profile("repository", derandomize=True, deadline=None, database=None)
settings.load_profile("repository")
