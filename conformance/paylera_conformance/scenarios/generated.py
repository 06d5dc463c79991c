"""Generated examples: many, different, and the same again for the same seed."""

from __future__ import annotations

import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:  # costs 100 ms
    from hypothesis.strategies import SearchStrategy

_Example = TypeVar("_Example")


def draw_examples(strategy: SearchStrategy[_Example], count: int, seed: int) -> list[_Example]:
    """Up to `count` examples of a Hypothesis strategy; none where there is none.

    They are drawn before any is used: what Hypothesis calls it calls again where that raises, and a target that errs
    once in a hundred times would be a flaw of the suite's.
    """
    import hypothesis  # noqa: PLC0415 - costs 100 ms

    drawn: list[_Example] = []

    def keep(example: _Example) -> None:  # Hypothesis takes no built-in method
        drawn.append(example)

    # Hypothesis keeps tables of Unicode on disk: not in the working directory of whoever runs this.
    hypothesis.configuration.set_hypothesis_home_dir(Path(tempfile.gettempdir()) / "paylera-conformance-hypothesis")
    settings = hypothesis.settings(
        max_examples=count,
        database=None,
        deadline=None,
        phases=[hypothesis.Phase.generate],
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    with suppress(hypothesis.errors.HypothesisException):
        hypothesis.seed(seed)(settings(hypothesis.given(strategy)(keep)))()
    return drawn
