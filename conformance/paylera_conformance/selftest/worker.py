"""One process of the selftest: starts a fake, runs its share of the variants, writes a JSON line for each."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from contextlib import redirect_stdout
from functools import partial
from io import StringIO
from typing import TextIO

import pytest

from paylera_conformance.run.launch import pytest_arguments
from paylera_conformance.selftest.loop import VariantLoop
from paylera_conformance.selftest.verdicts import Breadth, VariantResult
from paylera_conformance.target.local_mock import embedded_mock
from paylera_fixtures.mutants import BY_ID
from paylera_fixtures.vocabulary import Profile


def main(words: Sequence[str]) -> int:
    """Run the variants named in `words`, after the breadth. Gives pytest's exit code."""
    breadth, *names = words
    variants = [BY_ID[name] for name in names]
    # pytest writes on stdout as it likes, and takes it away while tests run: the results go past it.
    own = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    with own as results, redirect_stdout(StringIO()), embedded_mock(Profile.GUIDE, {}) as mock:
        given = {"url": mock.url, "live_url": mock.live_url, "control_url": mock.control_url, "driver": "control"}
        loop = VariantLoop(variants, partial(_emit, results), breadth=Breadth(breadth))
        return int(pytest.main(pytest_arguments(given), plugins=[loop]))


def _emit(results: TextIO, result: VariantResult) -> None:
    results.write(json.dumps(result.to_json()) + "\n")
    results.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
