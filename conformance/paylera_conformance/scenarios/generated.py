"""Generated examples: many, different, and the same again for the same seed."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from paylera_conformance.target.settings import Settings

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

_Example = TypeVar("_Example")


def for_each(
    settings: Settings, examples: int, strategy: SearchStrategy[_Example], check: Callable[[_Example], None]
) -> None:
    """Call `check` with examples of a Hypothesis strategy; the first that raises ends it, unshrunk.

    Nothing is shrunk, since every further example would be a further request to somebody's server.
    """
    draw(strategy, examples, settings.seed or 0, check)


def draw(
    strategy: SearchStrategy[_Example], examples: int, seed_number: int, check: Callable[[_Example], None]
) -> None:
    """The same with the seed alone."""
    from hypothesis import HealthCheck, Phase, configuration, given, seed  # noqa: PLC0415 - costs 100 ms
    from hypothesis import settings as hypothesis_settings  # noqa: PLC0415 - as above

    # Hypothesis keeps tables of Unicode on disk: not in the working directory of whoever runs this.
    configuration.set_hypothesis_home_dir(Path(tempfile.gettempdir()) / "paylera-conformance-hypothesis")
    configured = hypothesis_settings(
        max_examples=examples,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    seed(seed_number)(configured(given(strategy)(check)))()
