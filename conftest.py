"""What every test run of this repository shares."""

from __future__ import annotations

from hypothesis import settings

pytest_plugins = ["pytester"]

# A red run must be red again: the examples depend on the test alone, and a slow machine is no failure.
settings.register_profile("repository", derandomize=True, deadline=None, database=None)
settings.load_profile("repository")
