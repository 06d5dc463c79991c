"""Generated examples: many, different, and the same again for the same seed."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from paylera_conformance.settings import Settings

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

_Example = TypeVar("_Example")


def for_each(
    settings: Settings, examples: int, strategy: SearchStrategy[_Example], check: Callable[[_Example], None]
) -> None:
    """Call `check` with examples of a Hypothesis strategy; the first that raises ends it, unshrunk.

    Nothing is shrunk, since every further example would be a further request to somebody's server.
    """
    from hypothesis import HealthCheck, Phase, given, seed  # noqa: PLC0415 - costs 100 ms where nothing is generated
    from hypothesis import settings as hypothesis_settings  # noqa: PLC0415 - as above

    configured = hypothesis_settings(
        max_examples=examples,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    seed(settings.seed or 0)(configured(given(strategy)(check)))()
