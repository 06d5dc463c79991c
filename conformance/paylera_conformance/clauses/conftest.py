"""What the tests of the clauses share: `probe` for short."""

from __future__ import annotations

import pytest

from paylera_conformance.probe.probe import Probe


@pytest.fixture
def probe(paylera_probe: Probe) -> Probe:
    """One test's access to the target, in a namespace of its own where the target has such."""
    return paylera_probe
