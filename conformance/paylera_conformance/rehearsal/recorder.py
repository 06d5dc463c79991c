"""A rehearsal: the suite's own cases against a stand-in, which shows what they would ask of the target and send to it.

The stand-in is the fake, started for the purpose, with tokens that claim what the listed ones claim. Nothing is sent to
the target. Where it answers otherwise than the fake, the real run will send other requests than the rehearsal did.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Generator, Sequence
from contextlib import ExitStack, closing, redirect_stdout
from dataclasses import dataclass, field
from io import StringIO
from typing import Any, TypeAlias, cast

import msgspec
import pytest

from paylera_conformance.http.client import Client, ClientSettings
from paylera_conformance.http.request_budget import Limits
from paylera_conformance.model.case_results import CaseResult
from paylera_conformance.model.messages import Exchange
from paylera_conformance.model.outcomes import Blocked, Outcome
from paylera_conformance.model.tokens import Credential, TokenState
from paylera_conformance.probe.marks import PROBE
from paylera_conformance.probe.probe import Probe
from paylera_conformance.rehearsal.stand_in import generous_stand_in, static_stand_in
from paylera_conformance.run.interrupts import Interrupts
from paylera_conformance.run.launch import pytest_arguments
from paylera_conformance.run.plan import suite_environment
from paylera_conformance.run.progress import RunProgress
from paylera_conformance.run.session import REHEARSAL
from paylera_conformance.target.local_mock import LocalMock, embedded_mock
from paylera_conformance.target.provisioner import Need, Provisioner
from paylera_conformance.target.settings import ConfigError, Mode, Settings

StandInMaker: TypeAlias = Callable[[Settings, Client, LocalMock], tuple[Settings, Provisioner]]
"""Makes the stand-in of a rehearsal: the settings that are about it, and its provisioner."""


@dataclass
class RehearsedCase:
    """What one case asked for and did.

    - `result`: what came of it;
    - `used`: the roles of the tokens that it was given;
    - `needs`: every token that it asked for, `missing` those that were not to be had;
    - `rests_on`: those that it takes, whichever case asked for them;
    - `spent`: the roles of those that it may rotate or revoke;
    - `lent`: what it was given to use up; `returned`: those of it that serve the next case, and those of them that it
      had rotated;
    - `waits`: it looks at something that happens later, so that in a run that waits it keeps what it has;
    - `changes`: the ids of the operations by which it changed something, and how often.
    """

    result: CaseResult = field(default_factory=lambda: CaseResult("", "", Outcome.NOT_RUN))
    used: list[str] = field(default_factory=list)
    needs: list[Need] = field(default_factory=list)
    missing: list[Need] = field(default_factory=list)
    rests_on: list[Need] = field(default_factory=list)
    spent: list[str] = field(default_factory=list)
    lent: list[Need] = field(default_factory=list)
    returned: list[Need] = field(default_factory=list)
    rotated: list[Need] = field(default_factory=list)
    waits: bool = False
    changes: Counter[str] = field(default_factory=Counter)


class Rehearsal:
    """The pytest plugin of a rehearsal: gives the run its settings and its provisioner, and records each case."""

    __name__ = REHEARSAL  # what pytest registers it as

    def __init__(self, settings: Settings, provisioner: Provisioner, limits: Limits) -> None:
        self.settings = settings
        self.limits = limits
        self.cases: list[RehearsedCase] = []
        self._counted: dict[int, Exchange] = {}
        self.root = cast("Provisioner", _RecordingProvisioner(provisioner, self.cases))

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self) -> None:
        """Begin the record of the next case."""
        self.cases.append(RehearsedCase())

    @pytest.hookimpl(wrapper=True, tryfirst=True)  # around what the run itself makes of the report
    def pytest_runtest_makereport(self, item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Record what came of the case, and what it changed."""
        report = yield
        if hasattr(report, "paylera"):
            case = self.cases[-1]
            case.result = msgspec.convert(report.paylera, CaseResult)
            probe = item.stash.get(PROBE, None)
            case.rests_on = case.needs
            case.waits = bool(probe and probe.clock.evidence and not probe.cell)
            if probe and probe.cell:
                self._attribute(case, probe)
            # What several cells share is sent once.
            for exchange in probe.log if probe else ():
                operation = exchange.request.operation
                is_new = id(exchange) not in self._counted
                if operation and operation.method != "GET" and exchange.response.ok and is_new:
                    case.changes[operation.id] += 1
                    self._counted[id(exchange)] = exchange
        return report

    @staticmethod
    def _attribute(case: RehearsedCase, probe: Probe) -> None:
        """Note of a cell what it takes itself: the first one of an operation asks on behalf of all."""
        case.rests_on = probe.rests_on
        case.missing = []  # what is, the outcome of the cell says
        cell = str(probe.cell.operation) if probe.cell else ""
        tokens = [log.request.token for log in probe.log if str(log.request.operation) == cell]
        case.used = list(dict.fromkeys(token.secret.role for token in tokens if token and token.issued))


class _RecordingProvisioner:
    """A provisioner that records for what tokens the case that runs asks it."""

    def __init__(self, inner: Provisioner, cases: list[RehearsedCase]) -> None:
        self._inner = inner
        self._cases = cases

    def token(self, need: Need) -> Credential:
        case = self._cases[-1]
        case.needs.append(need)
        try:
            token = self._inner.token(need)
        except Blocked:
            case.missing.append(need)
            raise
        case.used.append(token.secret.role)
        case.spent += [token.secret.role] if need.disposable else []
        case.lent += [need] if need.disposable else []
        return token

    def take_back(self, token: Credential, as_it_is: Credential | None) -> None:
        need = next(need for lent, need in self._inner.lent if lent is token)
        self._inner.take_back(token, as_it_is)
        if as_it_is is not None and as_it_is.state is TokenState.ACTIVE:
            self._cases[-1].returned.append(need)
            self._cases[-1].rotated += [need] if as_it_is.secret != token.secret else []

    def isolate(self) -> Provisioner:
        return cast("Provisioner", _RecordingProvisioner(self._inner.isolate(), self._cases))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


def rehearse(
    settings: Settings,
    *,
    selection: Sequence[str] = (),
    make: StandInMaker | None = None,
) -> Rehearsal:
    """Run the suite against a stand-in for the target, and give what was recorded.

    - `selection`: pytest's arguments by which cases are left out;
    - `make`: makes the stand-in, where it is to be another than the driver's.

    Raises `ConfigError` where the fake does not start, or the suite does not run.
    """
    output = StringIO()
    with ExitStack() as stack:
        mock = stack.enter_context(embedded_mock(settings.profile.value, settings.readings))
        client = stack.enter_context(closing(Client(ClientSettings(run_id="rehearsal"))))
        make = make or (static_stand_in if settings.driver == "static" else generous_stand_in)
        own, provisioner = make(settings, client, mock)
        limits = Limits(reads_only=own.mode is Mode.OBSERVE, most=own.max_requests)
        rehearsal = Rehearsal(own, provisioner, limits)
        stack.enter_context(redirect_stdout(output))
        interrupts = Interrupts()
        stack.enter_context(interrupts.handle_signals())
        stack.enter_context(suite_environment())
        progress = RunProgress("rehearsing against the fake", "cases rehearsed against the fake", counts_requests=False)
        arguments = pytest_arguments({"url": own.url}, pytest_args=selection)
        pytest.main(arguments, plugins=[rehearsal, progress, interrupts])
    if interrupts.was_interrupted:
        raise KeyboardInterrupt  # which pytest keeps to itself: half a rehearsal shows nothing
    if not rehearsal.cases:
        printed = output.getvalue().strip()[-500:]
        raise ConfigError(f"the rehearsal did not run: {printed or 'no case was selected'}")
    return rehearsal
