"""A run against a stand-in: what would be asked for and sent, seen without a word to the target.

The stand-in is the fake, started for the purpose, with tokens that claim what the listed ones claim. The suite's own
cases run against it, so that nothing about them is told twice; what the real target answers otherwise, it will also be
asked otherwise.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator, Mapping, Sequence
from contextlib import ExitStack, closing, redirect_stdout
from dataclasses import dataclass, field
from io import StringIO
from typing import Any, cast

import pytest

from paylera_conformance.http.client import Client, ClientSettings
from paylera_conformance.http.request_budget import Limits
from paylera_conformance.model.messages import Exchange
from paylera_conformance.model.outcomes import Blocked, Outcome
from paylera_conformance.model.tokens import Credential
from paylera_conformance.probe.marks import PROBE
from paylera_conformance.rehearsal.stand_in import generous_stand_in, static_stand_in
from paylera_conformance.run.session import REHEARSAL
from paylera_conformance.target.local_mock import embedded_mock
from paylera_conformance.target.provisioner import Need, Provisioner
from paylera_conformance.target.settings import ConfigError, Mode, Settings
from paylera_fixtures.api.operations import match


@dataclass
class RehearsedCase:
    """What one case asked for and did.

    - `used`: the roles of the tokens that it was given;
    - `needs`: every token that it asked for, `missing` those that were not to be had;
    - `spent`: the roles of those that it may use up;
    - `deeds`: the accepted requests that changed something, by operation.
    """

    clause: str = ""
    outcome: Outcome = Outcome.NOT_RUN
    headline: str = ""
    used: dict[str, Credential] = field(default_factory=dict)
    needs: list[Need] = field(default_factory=list)
    missing: list[Need] = field(default_factory=list)
    spent: list[str] = field(default_factory=list)
    deeds: Counter[str] = field(default_factory=Counter)


class RequestCounter(Limits):
    """Counts requests by method."""

    def __init__(self, *, reads_only: bool, most: int | None) -> None:
        super().__init__(reads_only=reads_only, most=most)
        self.sent: Counter[str] = Counter()

    def admit(self, method: str) -> None:
        """Let one go out, and count it."""
        super().admit(method)
        self.sent[method.upper()] += 1


class Rehearsal:
    """The pytest plugin of a rehearsal: gives the run its settings and its world, and takes notes."""

    __name__ = REHEARSAL  # what pytest registers it as

    def __init__(self, settings: Settings, world: Provisioner, limits: RequestCounter) -> None:
        self.settings = settings
        self.limits = limits
        self.cases: list[RehearsedCase] = []
        self.root = cast("Provisioner", _Noting(world, self))

    @property
    def current(self) -> RehearsedCase:
        """The case that runs."""
        return self.cases[-1]

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self) -> None:
        """Begin a page for the next case."""
        self.cases.append(RehearsedCase())

    @pytest.hookimpl(wrapper=True, tryfirst=True)  # around what the run itself makes of the report
    def pytest_runtest_makereport(self, item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Note what came of the case."""
        report = yield
        said: Mapping[str, Any] | None = getattr(report, "paylera", None)
        if said is not None:
            page = self.current
            page.clause, page.outcome, page.headline = said["clause"], Outcome(said["outcome"]), said["headline"]
            probe = item.stash.get(PROBE, None)
            page.deeds.update(deed for exchange in (probe.log if probe else ()) for deed in _deeds(exchange))
        return report


def _deeds(exchange: Exchange) -> Sequence[str]:
    """The operation by which an exchange changed something, if it did."""
    request = exchange.request
    if request.method == "GET" or not exchange.response.ok:
        return ()
    found = match(request.path.partition("?")[0])
    operation = found.operations.get(request.method) if found else None
    return () if operation is None else (operation.id,)


class _Noting:
    """A provisioner that notes who asked it for what."""

    def __init__(self, inner: Provisioner, rehearsal: Rehearsal) -> None:
        self._inner = inner
        self._rehearsal = rehearsal

    def token(self, need: Need) -> Credential:
        page = self._rehearsal.current
        page.needs.append(need)
        try:
            token = self._inner.token(need)
        except Blocked:
            page.missing.append(need)
            raise
        page.used[token.secret.role] = token
        page.spent += [token.secret.role] if need.disposable else []
        return token

    def isolate(self) -> Provisioner:
        return cast("Provisioner", _Noting(self._inner.isolate(), self._rehearsal))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


def rehearse(settings: Settings, *, selection: Sequence[str] = (), all_to_be_had: bool = False) -> Rehearsal:
    """Run the suite against a stand-in for the target, and give the notes.

    - `selection`: pytest's words by which cases are left out;
    - `all_to_be_had`: every token asked for is given, whether one is listed or not.

    Raises `ConfigError` where the fake does not start, or the suite does not run.
    """
    with ExitStack() as stack:
        mock = stack.enter_context(embedded_mock(settings.profile.value, settings.readings))
        client = stack.enter_context(closing(Client(ClientSettings(run_id="rehearsal"))))
        make = static_stand_in if settings.driver == "static" and not all_to_be_had else generous_stand_in
        told, world = make(settings, client, mock)
        rehearsal = Rehearsal(told, world, RequestCounter(reads_only=told.mode is Mode.OBSERVE, most=told.max_requests))
        said = _run(rehearsal, selection)
    if not rehearsal.cases:
        raise ConfigError(f"the rehearsal did not run: {said[-500:] or 'no case was selected'}")
    return rehearsal


def _run(rehearsal: Rehearsal, selection: Sequence[str]) -> str:
    """Run the suite in this process, and give what it printed."""
    from paylera_conformance.run.launch import pytest_arguments  # noqa: PLC0415 - which imports this module

    said = StringIO()
    with redirect_stdout(said):
        pytest.main(pytest_arguments({"url": rehearsal.settings.url}, pytest_args=selection), plugins=[rehearsal])
    return said.getvalue().strip()
