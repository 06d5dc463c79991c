"""Runs the suite under pytest, isolated from the user's own pytest settings and plugins."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

import pytest
from msgspec.structs import asdict

from paylera_conformance.run.state_file import passphrase, read_state
from paylera_conformance.target.config_file import ENVIRONMENT_PREFIX
from paylera_conformance.target.local_mock import embedded_mock
from paylera_conformance.target.settings import CONFIG_NAME, Settings, load

_PACKAGE: Final = Path(__file__).parents[1]
SUITE_ARGUMENTS: Final = ("-c", str(_PACKAGE / "pytest.ini"), "--rootdir", str(_PACKAGE), str(_PACKAGE / "clauses"))
"""Arguments by which pytest collects the suite, under the suite's own ini file."""

_EMBEDDED_WORKERS: Final = 2
_NO_TARGET: Final = "http://127.0.0.1"


def run_suite(
    url: str | None, options: Mapping[str, Any], *, workers: str | None = None, pytest_args: Sequence[str] = ()
) -> int:
    """Run the suite and give its exit code.

    - `url`: the target; where nothing names one, the fake is started for the run;
    - `options`: those of `paylera_conformance.run.options`, with underscores, `None` or empty where not given.

    Raises `ConfigError`.
    """
    given = _drop_empty({**options, "url": url})
    named_elsewhere = given.get("config") or os.environ.get(ENVIRONMENT_PREFIX + "URL") or Path(CONFIG_NAME).is_file()
    with ExitStack() as stack:
        if url is None and not named_elsewhere:
            settings = load({**given, "url": _NO_TARGET, "driver": "static"})
            mock = stack.enter_context(embedded_mock(settings.profile.value, settings.readings))
            given |= {**asdict(mock), "driver": "control"}
            most = 1 if settings.max_requests else _EMBEDDED_WORKERS
            workers = workers or str(min(most, os.cpu_count() or 1))
        # Loaded here too, so that a mistake is said before pytest starts, and a parallel run knows its target at once.
        given["url"] = load(given).url
        return int(pytest.main(pytest_arguments(given, workers, pytest_args)))


def settings_of(url: str | None, options: Mapping[str, Any]) -> Settings:
    """The settings of a run that names its target. Raises `ConfigError`, where it names none too."""
    return load(_drop_empty({**options, "url": url}))


def resume_suite(state: str, options: Mapping[str, Any], *, pytest_args: Sequence[str] = ()) -> int:
    """Go on with a run that had to wait, against the target and profile that it began with. Raises `ConfigError`."""
    begun = read_state(Path(state), passphrase())
    given = {**options, "profile": options.get("profile") or begun.profile, "state": state, "resume": True}
    return run_suite(begun.target, given, pytest_args=pytest_args)


def _drop_empty(options: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in options.items() if value not in (None, (), False)}


def pytest_arguments(
    given: Mapping[str, Any], workers: str | None = None, pytest_args: Sequence[str] = ()
) -> list[str]:
    """Arguments of pytest: the suite's own ini file and plugins, the run's options, and whatever the user added."""
    # Loading every plugin that happens to be installed costs seconds, and lets any of them change the run.
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    arguments = [*SUITE_ARGUMENTS, "-p", "paylera_conformance.plugin", "-p", "no:cacheprovider"]
    arguments += ["-qq", "-rN", "--tb=no", "--no-header"]
    if workers is not None and workers not in {"0", "1"}:
        arguments += ["-p", "xdist.plugin", "-n", workers, "--dist", "loadgroup"]
    for name, value in given.items():
        option = f"--paylera-{name.replace('_', '-')}"
        values = value if isinstance(value, tuple | list) else [value]
        arguments += [option] if value is True else [f"{option}={item}" for item in values]
    return [*arguments, *pytest_args]
