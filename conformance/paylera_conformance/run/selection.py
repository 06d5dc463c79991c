"""By what words of the command line cases were left out of a run."""

from __future__ import annotations

import pytest


def selection_of(config: pytest.Config) -> tuple[str, ...]:
    """The options and arguments that leave cases out, as they would be typed; empty for a whole run."""
    option = config.option
    words = [word for name in option.paylera_clause or () for word in ("--clause", name)]
    for name, value in (("-k", option.keyword), ("-m", option.markexpr)):
        if value:
            words += [name, value]
    words += [f"--deselect={value}" for value in option.deselect or ()]
    words += [f"--ignore={value}" for value in option.ignore or ()]
    if option.maxfail:
        words.append(f"--maxfail={option.maxfail}")
    return (*words, *(str(argument) for argument in config.args if _names_part_of_suite(str(argument))))


def _names_part_of_suite(argument: str) -> bool:
    """Whether an argument names a file or a case of the suite rather than all of it."""
    return "::" in argument or "test_" in argument.rpartition("/")[2]
