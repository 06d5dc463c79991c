"""One process of the selftest: each line of stdin has what is in one server, and each of stdout a result, as JSON."""

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
from paylera_conformance.selftest.batches import Batch
from paylera_conformance.selftest.loop import MutantLoop
from paylera_conformance.selftest.verdicts import Breadth, MutantResult
from paylera_conformance.target.local_mock import embedded_mock
from paylera_fixtures.vocabulary import Profile

_SEED: Final = 1
"""The mutants declare what they may break in what this seed draws."""


def main() -> int:
    """Run what stdin has, as broadly as the argument says. Gives pytest's exit code."""
    # pytest takes both for itself while tests run: copies of them are for the mutants and the results.
    given = os.fdopen(os.dup(sys.stdin.fileno()), "rb")
    own = os.fdopen(os.dup(sys.stdout.fileno()), "wb", buffering=0)
    batches = (msgspec.json.decode(line, type=Batch) for line in given)

    def emit(result: MutantResult) -> None:
        own.write(msgspec.json.encode(result) + b"\n")

    with given, own, redirect_stdout(StringIO()), embedded_mock(Profile.GUIDE, {}) as mock, suite_environment():
        urls = {"url": mock.url, "live_url": mock.live_url, "control_url": mock.control_url}
        loop = MutantLoop(batches, emit, breadth=Breadth(sys.argv[1]))
        arguments = pytest_arguments({**urls, "driver": "control", "seed": _SEED})
        return int(pytest.main(arguments, plugins=[loop, Unaltered()]))


if __name__ == "__main__":
    sys.exit(main())
