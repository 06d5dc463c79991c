"""One conformance run inside pytest: settles the settings, gives probes out, notes outcomes, ends with the verdict."""

from __future__ import annotations

import secrets
import time
from collections import Counter
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import Any, Final

import pytest

from paylera_conformance.client import Client, ClientSettings, Pace
from paylera_conformance.control import ControlApi, ControlProvisioner, describe
from paylera_conformance.covers import mode_of
from paylera_conformance.document import Document, fetch
from paylera_conformance.evidence import explain, headline
from paylera_conformance.exchange import Request
from paylera_conformance.kinds import Kind
from paylera_conformance.outcomes import Absent, CaseEnd, ExitCode, NotRun, Outcome, Verdict, Violation, judge
from paylera_conformance.plugin import MARKER
from paylera_conformance.probe import Probe
from paylera_conformance.provision import Provisioner, StaticProvisioner
from paylera_conformance.report import RunReport, write_report
from paylera_conformance.scoreboard import CaseResult, Scoreboard, level_of
from paylera_conformance.settings import ConfigError, Mode, Settings, load
from paylera_conformance.summary import print_summary
from paylera_fixtures.clauses import BY_ID
from paylera_fixtures.operations import Operation
from paylera_fixtures.redaction import Redactor

_OUTCOME_LETTERS: Final = {
    Outcome.PASS: ".",
    Outcome.FAIL: "F",
    Outcome.WARN: "w",
    Outcome.ERROR: "E",
    Outcome.BLOCKED: "b",
}
_VERDICT_EXITS: Final = frozenset(
    {pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED, pytest.ExitCode.NO_TESTS_COLLECTED}
)
"""pytest's own exit codes that the verdict's take the place of; the others say that the run itself went wrong."""


def begin(config: pytest.Config) -> ConformanceRun:
    """Begin a run with what options, environment and file say. Raises `pytest.UsageError` in one line."""
    try:
        return ConformanceRun(config, load(_options(config)))
    except ConfigError as error:
        raise pytest.UsageError(str(error)) from None


def _options(config: pytest.Config) -> dict[str, Any]:
    values = {
        name.removeprefix("paylera_"): value
        for name, value in vars(config.option).items()
        if name.startswith("paylera_")
    }
    values["readings"] = values.pop("reading", None)
    return values


class ConformanceRun:
    """The run in one process: the only one, a worker of xdist, or the controller that hears from the workers."""

    def __init__(self, config: pytest.Config, settings: Settings) -> None:
        self.config = config
        self.settings = settings
        self.run_id = config.getoption("paylera_run_id") or f"run{secrets.token_hex(4)}"
        self.client = Client(
            ClientSettings(run_id=self.run_id, timeout=settings.timeout, deadline=2 * settings.timeout),
            pace=Pace(None if settings.is_loopback else settings.rps),
        )
        self.scoreboard = Scoreboard(settings.profile)
        self.trouble = ""
        self._trouble_exit: int | None = None
        self._planned: Counter[str] = Counter()
        self._root: Provisioner | None = None
        self._document: Document | None = None
        self._started = time.monotonic()
        self._is_worker = hasattr(config, "workerinput")

    # Giving probes out

    def plan(self, items: list[pytest.Item]) -> None:
        """Count the cases of each clause before any is deselected."""
        self._planned.update(_mark(item).args[0] for item in items)

    @contextmanager
    def probe_for(self, item: pytest.Item) -> Iterator[Probe]:
        """A probe in a world of its own. Raises `NotRun` where the case lies beyond the mode."""
        mode = _mode_needed(item)
        if mode > self.settings.mode:
            raise NotRun(f"needs mode {mode}, and this run is in mode {self.settings.mode}")
        world = self.root().isolate()
        probe = Probe(self.client, world, self.settings, run_id=self.run_id, document=self.document)
        item.stash[_PROBE] = probe
        try:
            yield probe
        finally:
            world.close()

    def point_at(self, settings: Settings) -> None:
        """Go on against another target, or another world of it, with everything noted so far put aside."""
        self.settings = settings
        self.scoreboard = Scoreboard(settings.profile)
        self._root = None
        self._document = None

    def document(self) -> Document:
        """The target's OpenAPI document, fetched once for each process."""
        if self._document is None:
            self._document = fetch(self.client, self.settings.url, self.settings.profile)
        return self._document

    def root(self) -> Provisioner:
        """The provisioner of the run's driver. Raises `ConfigError`."""
        if self._root is None:
            self._root = self._provisioner()
        return self._root

    def _provisioner(self) -> Provisioner:
        if self.settings.driver == "control":
            api = ControlApi(self.client, str(self.settings.control_url), self.settings.control_token)
            return ControlProvisioner(api, describe(api), self.settings)
        return StaticProvisioner(self.settings)

    # Before anything is judged

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_finish(self) -> None:
        """Look whether the target answers at all, before a hundred cases find out one by one."""
        if not self._is_worker:
            self._check_reachable()

    def _check_reachable(self) -> None:
        try:
            self.client.send(Request("GET", "/v1/customers"), self.settings.url, patient=False)
            self.root()
        except CaseEnd as trouble:
            self.trouble = f"the target cannot be reached: {trouble.reason}"
            pytest.exit(self.trouble, ExitCode.UNREACHABLE)
        except ConfigError as error:
            self.trouble = str(error)
            pytest.exit(self.trouble, ExitCode.USAGE)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Say that a file of the suite itself could not be read: that is no finding about the target."""
        if report.failed and not self.trouble:
            last = str(report.longrepr).strip().splitlines()[-1]
            self.trouble = f"the suite itself is broken: {report.nodeid} cannot be collected: {last}"
            self._trouble_exit = ExitCode.INTERNAL

    # Noting outcomes

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Turn what ended a case into an outcome, and that into what pytest understands."""
        report = yield
        if item.get_closest_marker(MARKER) is not None and (call.when == "call" or call.excinfo is not None):
            self._classify(item, call, report)
        return report

    def _classify(self, item: pytest.Item, call: pytest.CallInfo[None], report: pytest.TestReport) -> None:
        mark = _mark(item)
        clause = BY_ID[mark.args[0]]
        level = clause.level(self.settings.profile)
        end = self._end(item, call)
        outcome = Outcome.PASS if end is None else level_of(end.outcome, level)
        probe = item.stash.get(_PROBE, None)
        redactor = probe.redactor() if probe else Redactor(self.settings.secrets)
        result = CaseResult(
            clause=clause.id,
            case=item.nodeid.rpartition("::")[2],
            outcome=outcome,
            headline="" if end is None else headline(end, redactor),
            message="" if end is None else explain(end, clause, level, redactor),
            dropped=isinstance(end, Absent) or (outcome is Outcome.INAPPLICABLE and mark.kwargs["each_operation"]),
            planned=self._planned[clause.id],
            partial=any("::" in str(argument) for argument in self.config.args),
            requests=len(probe.log) if probe else 0,
        )
        vars(report)["paylera"] = result.to_json()
        _translate(report, result)

    def _end(self, item: pytest.Item, call: pytest.CallInfo[None]) -> CaseEnd | None:
        """What ended a case; a case that passed without having proven anything has not passed."""
        if call.excinfo is None:
            probe = item.stash.get(_PROBE, None)
            return None if probe is not None and probe.proofs else _Trouble("the test asserted nothing that was proven")
        error = call.excinfo.value
        if isinstance(error, CaseEnd) and not (isinstance(error, Violation) and call.when != "call"):
            return error
        if isinstance(error, AssertionError) and call.when == "call":
            return Violation("what the test asserts", str(error))
        return _Trouble(f"{type(error).__name__}: {error}")

    def note(self, report: pytest.TestReport) -> None:
        """Note a case, in the process that reports."""
        if not self._is_worker:
            self.scoreboard.add(CaseResult.from_json(vars(report)["paylera"]))

    def pytest_report_teststatus(self, report: pytest.TestReport) -> tuple[str, str, str] | None:
        """The letter and the word that pytest shows for a case."""
        data = getattr(report, "paylera", None)
        if data is None:
            return None
        outcome = Outcome(data["outcome"])
        category = {Outcome.PASS: "passed", Outcome.FAIL: "failed", Outcome.ERROR: "error"}.get(outcome, outcome.value)
        return category, _OUTCOME_LETTERS.get(outcome, "-"), outcome.value.upper()

    # The end

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        """Settle the verdict, write the report, and make the exit code the verdict's."""
        self.client.close()
        if self._is_worker:
            return
        results = list(self.scoreboard.results())
        verdict, code = judge(results, strict=self.settings.strict)
        if exitstatus not in _VERDICT_EXITS:
            verdict, code = (Verdict.NO_VERDICT if self.trouble else verdict), self._trouble_exit or int(exitstatus)
        self.report = RunReport(
            settings=self.settings, run_id=self.run_id, verdict=verdict, exit_code=code, results=results,
            scoreboard=self.scoreboard, seconds=time.monotonic() - self._started, trouble=self.trouble,
        )  # fmt: skip
        if self.settings.report:
            write_report(self.report, self.settings.report)
        session.exitstatus = code

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Print the summary, whatever else pytest prints."""
        if not self._is_worker:
            print_summary(self.report, terminalreporter)


class _Trouble(CaseEnd):
    """The suite itself, or the way to the target, failed."""

    outcome = Outcome.ERROR


_PROBE: Final = pytest.StashKey[Probe]()


def _mark(item: pytest.Item) -> pytest.Mark:
    mark = item.get_closest_marker(MARKER)
    assert mark is not None  # noqa: S101 - only marked items get here
    return mark


def _mode_needed(item: pytest.Item) -> Mode:
    """The least mode of a case: its mark's, or what its operation or its kind of refusal takes, where that is more."""
    modes: list[Mode] = [_mark(item).kwargs["mode"]]
    for value in item.callspec.params.values() if hasattr(item, "callspec") else ():
        if isinstance(value, Operation):
            modes.append(mode_of(value))
        elif isinstance(value, Kind):
            modes.append(value.mode)
    return max(modes)


def _translate(report: pytest.TestReport, result: CaseResult) -> None:
    """Say the outcome in pytest's three words, so that `-x`, `--lf` and junit.xml do what their users expect."""
    if result.outcome is Outcome.PASS:
        return
    if result.outcome in {Outcome.FAIL, Outcome.ERROR}:
        report.outcome = "failed"
        report.longrepr = result.message
        return
    report.outcome = "skipped"
    report.longrepr = (str(report.fspath), report.location[1] or 0, f"{result.outcome}: {result.headline}")
    if result.outcome is Outcome.WARN:
        report.longrepr = result.message
        report.wasxfail = f"{result.clause}: {result.headline}"
