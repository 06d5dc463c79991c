"""Generated examples: many, different, and the same again for the same seed."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:  # costs 100 ms
    from hypothesis.strategies import SearchStrategy

_Example = TypeVar("_Example")


def check_examples(
    strategy: SearchStrategy[_Example], count: int, seed: int, check: Callable[[_Example], None]
) -> None:
    """Call `check` with examples of a Hypothesis strategy; the first for which it raises ends it.

    Nothing is shrunk, since every further example would be a further request to somebody's server.
    """
    import hypothesis  # noqa: PLC0415 - costs 100 ms

    # Hypothesis keeps tables of Unicode on disk: not in the working directory of whoever runs this.
    hypothesis.configuration.set_hypothesis_home_dir(Path(tempfile.gettempdir()) / "paylera-conformance-hypothesis")
    settings = hypothesis.settings(
        max_examples=count,
        database=None,
        deadline=None,
        phases=[hypothesis.Phase.generate],
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    hypothesis.seed(seed)(settings(hypothesis.given(strategy)(check)))()
