"""Runs the suite under pytest, isolated from the user's own pytest settings and plugins."""

from __future__ import annotations

import os
import re
from collections.abc import Generator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

import pytest
from msgspec.structs import asdict

from paylera_conformance.model.outcomes import ExitCode, Verdict
from paylera_conformance.reports.model import RunReport
from paylera_conformance.run.interrupts import Interrupts
from paylera_conformance.run.plan import SUITE_ARGUMENTS, suite_environment
from paylera_conformance.run.processes import count_processors
from paylera_conformance.run.progress import RunProgress
from paylera_conformance.run.session import REPORT, UNALTERED
from paylera_conformance.run.state_file import read_state
from paylera_conformance.target.config_file import ENVIRONMENT_PREFIX
from paylera_conformance.target.local_mock import embedded_mock
from paylera_conformance.target.settings import CONFIG_NAME, ConfigError, Mode, Settings, load, make_folder
from paylera_conformance.verdict.known_failures import read_known
from paylera_fixtures.terminal import drop_output

_NO_TARGET: Final = "http://127.0.0.1"
_OF_A_TARGET: Final = ("control_url", "control_token", "live_url", "also", "adapter", "driver", "environment")
"""Options that say something of the target that is judged, which the embedded fake would not heed."""

_HARMLESS: Final = frozenset({"-x", "-v", "-vv", "-q", "-s"})
"""Arguments of pytest's that leave the collection as it is."""

_PYTEST_ERROR: Final = re.compile(r"error: (.+)")
"""What matters of what pytest says to who called it wrongly."""


class Unaltered:
    """The plugin by which a run knows that what it collects is the suite as it is: nobody's arguments came in."""

    __name__ = UNALTERED  # what pytest registers it as


class Ending:
    """The pytest plugin that keeps the report of a run."""

    def __init__(self) -> None:
        self.report: RunReport | None = None

    @pytest.hookimpl(wrapper=True)
    def pytest_cmdline_parse(self) -> Generator[None, object, object]:
        """Raise `ConfigError` for an argument that pytest does not take, without pytest's usage and our ini file."""
        try:
            return (yield)
        except pytest.UsageError as error:
            said = _PYTEST_ERROR.search(str(error))
            raise ConfigError(f"pytest does not take what stands behind --: {said[1] if said else error}") from None

    def pytest_unconfigure(self, config: pytest.Config) -> None:
        """Keep the report, before the run is gone."""
        self.report = config.stash.get(REPORT, None)

    def exit_code(self, of_pytest: int) -> int:
        """What to exit with: the report's code, whoever changed pytest's since; without verdict never 0."""
        code = of_pytest if self.report is None else self.report.exit_code
        without = self.report is None or self.report.verdict is Verdict.NO_VERDICT
        return ExitCode.NOTHING_RAN if without and code == ExitCode.CONFORMANT else code


def run_suite(
    url: str | None, options: Mapping[str, Any], *, workers: str | None = None, pytest_args: Sequence[str] = ()
) -> int:
    """Run the suite and give its exit code.

    - `url`: the target; where nothing names one, the fake is started for the run;
    - `options`: those of `paylera_conformance.run.options`, with underscores, `None` or empty where not given;
    - `workers`: processes that run it; by default two where that is sooner done, for all of it against the fake.

    Raises `ConfigError`.
    """
    _check_workers(workers)
    given = _drop_empty({**options, "url": url})
    ending, interrupts = Ending(), Interrupts()
    with ExitStack() as stack:
        stack.enter_context(interrupts.handle_signals())
        if not _names_target(given):
            if "state" in given:
                raise ConfigError(
                    "the embedded fake needs no state file: give the URL of a target, or leave --state out"
                )
            settings = load({**given, "url": _NO_TARGET, "driver": "static"})
            mock = stack.enter_context(embedded_mock(settings.profile.value, settings.readings))
            given |= {**asdict(mock), "driver": "control", "embedded": True}
        # Loaded here too, so that a mistake is said before pytest starts, and a parallel run knows its target at once.
        settings = load(given)
        given["url"] = settings.url
        if given.get("embedded"):
            workers = workers or usual_workers(settings, pytest_args)
        if settings.known_failures:
            read_known(settings.known_failures)
        if settings.report:
            make_folder(Path(settings.report))
        stack.enter_context(suite_environment())
        plugins: list[object] = [
            ending,
            interrupts,
            RunProgress(),
            *([Unaltered()] if leaves_collection(pytest_args) else []),
        ]
        try:
            code = int(pytest.main(pytest_arguments(given, workers, pytest_args), plugins=plugins))
        except BrokenPipeError:  # nobody reads what is printed any more: the verdict is the same
            drop_output()
            code = ExitCode.INTERRUPTED
        return ending.exit_code(code)


def _check_workers(workers: str | None) -> None:
    """Raise `ConfigError` for what pytest-xdist does not take for a number of processes."""
    if workers is not None and not (workers.isascii() and workers.isdecimal()) and workers not in {"auto", "logical"}:
        raise ConfigError(f"-n must be a whole number of processes or auto, not {workers!r}: leave it out for one")


def usual_workers(settings: Settings, pytest_args: Sequence[str]) -> str:
    """Two processes for all of the suite, where there are two processors; less is not worth a second one."""
    is_all = not (pytest_args or settings.clauses or settings.max_requests or settings.max_seconds)
    return "2" if is_all and settings.mode is Mode.FULL and count_processors() > 1 else "1"


def _names_target(given: Mapping[str, Any]) -> bool:
    """Whether anything names a target, be it by an empty name.

    Raises `ConfigError` for what is said of a target that nothing names.
    """
    variables = {name: f"{ENVIRONMENT_PREFIX}{name.upper()}" for name in ("url", "config", *_OF_A_TARGET)}
    said = {name: f"${variable}" for name, variable in variables.items() if variable in os.environ}
    said |= {name: f"--{name.replace('_', '-')}" for name in variables if name in given}
    if "url" in said or "config" in said or Path(CONFIG_NAME).is_file():
        return True
    for place in said.values():
        raise ConfigError(f"{place} is of a target, and nothing names one: give its URL, or leave this out")
    return False


def settings_of(url: str | None, options: Mapping[str, Any]) -> Settings:
    """The settings of a run that names its target. Raises `ConfigError`, where it names none too."""
    return load(_drop_empty({**options, "url": url}))


def resume_suite(state: str, options: Mapping[str, Any], *, pytest_args: Sequence[str] = ()) -> int:
    """Go on with a run that had to wait, against the target and profile that it began with. Raises `ConfigError`."""
    begun = read_state(Path(state))
    given = {**options, "profile": options.get("profile") or begun.profile, "state": state, "resume": True}
    return run_suite(begun.target, given, pytest_args=pytest_args)


def _drop_empty(options: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in options.items() if value not in (None, (), False)}


def leaves_collection(pytest_args: Sequence[str]) -> bool:
    """Whether arguments of pytest's leave the collection of the suite as it is; `-k` deselects afterwards."""
    rest = list(pytest_args)
    while "-k" in rest:
        place = rest.index("-k")
        del rest[place : place + 2]
    return _HARMLESS.issuperset(rest)


def pytest_arguments(
    given: Mapping[str, Any], workers: str | None = None, pytest_args: Sequence[str] = ()
) -> list[str]:
    """Arguments of pytest: the suite's own ini file and plugins, the run's options, and whatever the user added.

    They are for use in `suite_environment`.
    """
    arguments = ["-p", "paylera_conformance.plugin", "-p", "no:cacheprovider"]
    arguments += ["-qq", "-rN", "--tb=no", "--no-header"]
    if workers is not None and workers not in {"0", "1"}:
        # The run itself says what belongs together (`run/processes.py`); this is the nearest that xdist has.
        arguments += ["-p", "xdist.plugin", "-n", workers, "--dist", "loadfile"]
    for name, value in given.items():
        option = f"--paylera-{name.replace('_', '-')}"
        values = value if isinstance(value, tuple | list) else [value]
        arguments += [option] if value is True else [f"{option}={item}" for item in values]
    return [*arguments, *pytest_args, *SUITE_ARGUMENTS]
