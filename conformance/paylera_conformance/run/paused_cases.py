"""A run that waits: which cases have a recording, what becomes of them, and the sealed file between two sessions."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from paylera_conformance.model.case_results import CaseResult
from paylera_conformance.model.outcomes import Outcome
from paylera_conformance.probe.followed_provisioner import FollowedProvisioner, digest_of
from paylera_conformance.probe.marks import PROBE
from paylera_conformance.probe.recording import MissedError, Pending, Recording
from paylera_conformance.run.state_file import PausedCase, RunState, passphrase, read_state, write_state
from paylera_conformance.target.provisioner import Provisioner
from paylera_conformance.target.settings import ConfigError, Settings
from paylera_conformance.version import VERSION


class PausedCases:
    """The cases of a run whose time has not come, as a plugin of pytest.

    Raises `ConfigError` where the passphrase is missing, or where the state to go on from cannot be used.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._path = Path(str(settings.state))
        self._phrase = passphrase()
        self._waiting: dict[str, PausedCase] = {}
        self.resumed: RunState | None = None
        self._recordings: dict[str, Recording] = {}
        self._followed: dict[str, Recording] = {}
        self._spent: set[str] = set()
        if settings.resume:
            self.resumed = read_state(self._path, self._phrase)
            self.resumed.check(settings)
            self._recordings = {paused.case: Recording(paused.entries) for paused in self.resumed.waiting}
            self._followed = {name: Recording(entries) for name, entries in self.resumed.followed.items()}
            self._spent = set(self.resumed.spent)

    def earlier_results(self) -> Iterable[CaseResult]:
        """What has come of the cases that do not wait, in the sessions before."""
        return [case for case in self.resumed.cases if case.outcome is not Outcome.PENDING] if self.resumed else []

    def recording_of(self, item: pytest.Item) -> Recording:
        """The recording of a case: what it did before, or an empty one."""
        return self._recordings.setdefault(_name_of(item), Recording())

    def follow(self, name: str) -> Recording:
        """The recording of what several cases look at together."""
        return self._followed.setdefault(name, Recording())

    def settings(self, settings: Settings) -> Settings:
        """The settings of this session: every session of a run draws from the seed of the first."""
        return settings if self.resumed is None else replace(settings, seed=self.resumed.seed)

    def leave_out_spent(self, settings: Settings) -> Settings:
        """The settings without the tokens that the run itself has used up: that they work no longer is no finding."""
        unspent = tuple(token for token in settings.tokens if digest_of(token) not in self._spent)
        return replace(settings, tokens=unspent)

    def provisioner(self, inner: Provisioner) -> Provisioner:
        """A provisioner that hands out nothing twice, in no session."""
        return cast("Provisioner", FollowedProvisioner(inner, self._spent))

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        """Go on with the cases that wait, and with no other."""
        if self.resumed is None:
            return
        config.hook.pytest_deselected(items=[item for item in items if _name_of(item) not in self._recordings])
        items[:] = [item for item in items if _name_of(item) in self._recordings]

    @pytest.hookimpl(wrapper=True)
    def pytest_pyfunc_call(self, pyfuncitem: pytest.Function) -> Generator[None, object, object]:
        """Begin a case anew where the time for what follows was missed: being late is no finding."""
        try:
            return (yield)
        except MissedError:
            arguments: dict[str, Any] = {name: pyfuncitem.funcargs[name] for name in pyfuncitem._fixtureinfo.argnames}  # noqa: SLF001 - as pytest
            pyfuncitem.stash[PROBE].begin_anew()
            pyfuncitem.obj(**arguments)
            return True

    @pytest.hookimpl(wrapper=True, tryfirst=True)  # the run's own hides meanwhile what ended a case
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Keep the recording of a case that waits."""
        report = yield
        error = call.excinfo.value if call.excinfo else None
        if isinstance(error, Pending):
            name = _name_of(item)
            # A case that looks at what is followed with others has no recording of its own.
            entries = self._recordings[name].entries if name in self._recordings else []
            self._waiting[name] = PausedCase(name, error.due.isoformat(), entries)
        return report

    def close(self, run_id: str, cases: Iterable[CaseResult], *, started_at: str, suite_sha256: str) -> None:
        """Seal what is to be gone on with, or remove the file where nothing is."""
        if not self._waiting:
            self._path.unlink(missing_ok=True)
            return
        state = RunState(
            target=self._settings.url,
            profile=self._settings.profile.value,
            suite=VERSION,
            run_id=run_id,
            cases=list(cases),
            waiting=list(self._waiting.values()),
            started_at=started_at,
            readings=self._settings.readings,
            suite_sha256=suite_sha256,
            seed=self._settings.seed if self.resumed is None else self.resumed.seed,
            followed={name: recording.entries for name, recording in self._followed.items()},
            spent=sorted(self._spent),
        )
        write_state(self._path, state, self._phrase)


def open_paused_cases(settings: Settings, config: pytest.Config) -> PausedCases | None:
    """The paused cases of a run that was given a state file; `None` for others. Raises `ConfigError`."""
    if settings.state is None:
        return None
    if settings.driver == "control":
        raise ConfigError(
            "a state file is for targets whose clock nobody can move: leave --state out with a control API"
        )
    if getattr(config.option, "numprocesses", None):
        raise ConfigError("a run with a state file has one process: leave -n out")
    return PausedCases(settings)


def _name_of(item: pytest.Item) -> str:
    """The name of a case across sessions: its file and what follows."""
    return item.nodeid.rpartition("/")[2]
