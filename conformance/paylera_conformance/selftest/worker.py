"""One process of the selftest: runs the share of mutants that stdin has as JSON, and writes a JSON line for each."""

from __future__ import annotations

import os
import sys
from contextlib import redirect_stdout
from io import StringIO
from typing import Final

import msgspec
import pytest

from paylera_conformance.run.launch import Unaltered, pytest_arguments
from paylera_conformance.run.plan import suite_environment
from paylera_conformance.selftest.loop import MutantLoop
from paylera_conformance.selftest.verdicts import MutantResult, Share
from paylera_conformance.target.local_mock import embedded_mock
from paylera_fixtures.vocabulary import Profile

_SEED: Final = 1
"""The mutants declare what they may break in what this seed draws."""


def main() -> int:
    """Run the share that stdin has. Gives pytest's exit code."""
    share = msgspec.json.decode(sys.stdin.buffer.read(), type=Share)
    # pytest writes to stdout, and captures it while tests run: the results are written to a copy of it.
    own = os.fdopen(os.dup(sys.stdout.fileno()), "wb", buffering=0)

    def emit(result: MutantResult) -> None:
        own.write(msgspec.json.encode(result) + b"\n")

    with own, redirect_stdout(StringIO()), embedded_mock(Profile.GUIDE, {}) as mock, suite_environment():
        urls = {"url": mock.url, "live_url": mock.live_url, "control_url": mock.control_url}
        given = {**urls, "driver": "control", "seed": _SEED}
        loop = MutantLoop(share.mutants, emit, breadth=share.breadth)
        return int(pytest.main(pytest_arguments(given), plugins=[loop, Unaltered()]))


if __name__ == "__main__":
    sys.exit(main())
