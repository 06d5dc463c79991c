"""One conformance run inside pytest: reads the settings, makes probes, collects results, ends with the verdict."""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Generator, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Final, Protocol

import msgspec
import pytest

from paylera_conformance.http.request_budget import Limits
from paylera_conformance.marker import MARKER
from paylera_conformance.matrix.further import declares_further
from paylera_conformance.model.case_results import CaseResult
from paylera_conformance.model.outcomes import CONFIG, CaseEnd, ExitCode, PreflightFinding
from paylera_conformance.probe.marks import PROBE, mark_of
from paylera_conformance.provenance import suite_digest
from paylera_conformance.reports.model import RunFacts, RunReport, report_on
from paylera_conformance.reports.terminal import print_summary
from paylera_conformance.run.classify import classify, judge_evidence, pytest_status, translate_report
from paylera_conformance.run.contradictions import Contradictions
from paylera_conformance.run.interrupts import end_worker_at_signals
from paylera_conformance.run.options import OPTIMIZED
from paylera_conformance.run.order import shuffle
from paylera_conformance.run.paused_cases import PausedCases, open_paused_cases
from paylera_conformance.run.plan import CaseCount, PlanError
from paylera_conformance.run.preflight import examine
from paylera_conformance.run.probes import Probes
from paylera_conformance.run.processes import (
    ONE_ONLY,
    count_parts,
    count_workers,
    is_worker,
    must_be_alone,
    schedule,
    start_no_workers,
)
from paylera_conformance.run.returned_tokens import return_tokens
from paylera_conformance.run.selection import selection_of
from paylera_conformance.run.token_locks import lock_tokens
from paylera_conformance.scenarios.openapi_requests import GROUP as DRAWN_GROUP
from paylera_conformance.scenarios.openapi_requests import begin_drawing
from paylera_conformance.target.provisioner import Provisioner
from paylera_conformance.target.settings import ConfigError, Mode, Settings, load
from paylera_conformance.verdict.known_failures import KnownFailure, read_known
from paylera_conformance.version import VERSION
from paylera_fixtures.clauses import CONTRACT_VERSION

_SILENT: Final = -2
"""The verbosity of -qq."""

REHEARSAL: Final = "paylera_rehearsal"
"""The name under which pytest knows the plugin of a rehearsal."""

UNALTERED: Final = "paylera_unaltered"
"""The name of the plugin that says that nobody's arguments, settings or plugins can have narrowed the collection."""

RUN: Final = pytest.StashKey["ConformanceRun"]()
"""Where it keeps the run itself, once there is one."""

REPORT: Final = pytest.StashKey[RunReport]()
"""Where pytest's configuration keeps the report of a run that has ended."""


class StandIn(Protocol):
    """What a rehearsal gives a run in the place of a target of its own."""

    settings: Settings
    limits: Limits
    root: Provisioner


def begin(config: pytest.Config) -> ConformanceRun:
    """Begin a run with what options, environment and file say. Raises `pytest.UsageError` in one line."""
    rehearsal: StandIn | None = config.pluginmanager.get_plugin(REHEARSAL)
    if rehearsal is not None:
        return ConformanceRun(config, rehearsal.settings, rehearsal=rehearsal)
    if sys.flags.optimize:
        raise pytest.UsageError(OPTIMIZED)
    prefix = "paylera_"
    try:
        options = vars(config.option).items()
        settings = load({name.removeprefix(prefix): value for name, value in options if name.startswith(prefix)})
        known = read_known(settings.known_failures) if settings.known_failures else ()
        paused = open_paused_cases(settings, config)
        if is_worker(config):
            end_worker_at_signals(config)
        else:  # the processes of one run share its tokens out among them
            config.add_cleanup(lock_tokens(settings).close)
    except ConfigError as error:
        raise pytest.UsageError(str(error)) from None
    if settings.max_requests and getattr(config.option, "numprocesses", None):
        raise pytest.UsageError("a run with --max-requests has one process, which counts: leave -n out")
    run = ConformanceRun(config, settings, paused=paused, known=known)
    run.keep_to_one_process()
    return run


class ConformanceRun:
    """The run in one process: the only one, a worker of xdist, or the controller that gets the workers' results."""

    def __init__(
        self,
        config: pytest.Config,
        settings: Settings,
        *,
        paused: PausedCases | None = None,
        known: Sequence[KnownFailure] = (),
        rehearsal: StandIn | None = None,
    ) -> None:
        self.config = config
        self._known = known
        self._paused = paused
        resumed = paused.resumed if paused else None
        self.run_id: str = resumed.run_id if resumed else config.getoption("paylera_run_id")
        limits = Limits(
            reads_only=settings.mode is Mode.OBSERVE, most=settings.max_requests, seconds=settings.max_seconds
        )
        self.probes = Probes(
            config,
            paused.settings(settings) if paused else settings,
            run_id=self.run_id,
            paused=paused,
            limits=rehearsal.limits if rehearsal else limits,
            root=rehearsal.root if rehearsal else None,
        )
        self.cases: list[CaseResult] = []
        if paused:
            config.pluginmanager.register(paused)
            self.cases.extend(paused.earlier_results())
        self._contradictions = Contradictions()
        self.findings: list[PreflightFinding] = []
        self.trouble = ""
        self._trouble_exit: int | None = None
        self._cut_short = False
        self._planned: Counter[str] = Counter()
        self._count: CaseCount | None = None
        self._is_rehearsal = rehearsal is not None
        self._started = time.monotonic()
        self.started_at = (resumed.started_at if resumed else "") or _now()
        self._is_worker = is_worker(config)
        config.stash[RUN] = self

    @property
    def settings(self) -> Settings:
        """Those of the target that is judged now."""
        return self.probes.settings

    @property
    def requests(self) -> int:
        """How many requests were sent so far. This process knows its own at once, those of workers by their results."""
        return max(self.probes.client.limits.count(), sum(case.new_requests for case in self.cases))

    def keep_to_one_process(self) -> None:
        """Have no workers started where they would move each other's clock; a finding says so."""
        try:
            is_alone = count_workers(self.config) > 0 and not self._is_worker and must_be_alone(self.probes.root())
        except ConfigError:
            return  # it is told before anything is judged, as without workers
        if is_alone:
            start_no_workers(self.config)
            self.findings.append(PreflightFinding(CONFIG, ONE_ONLY))

    @property
    def parts(self) -> int:
        """In how many parts the operations are looked at, each by one process."""
        return count_parts(self.config, self.probes.root())

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_make_scheduler(self, config: pytest.Config, log: object) -> object:
        """Give each process what belongs together, where the cases of a file were to go to one."""
        return schedule(config, log, self.parts) if config.getvalue("dist") == "loadfile" else None

    def plan(self, items: Sequence[pytest.Item]) -> list[pytest.Item]:
        """Count the cases of each clause, and give those that are to run, in the order of the run."""
        self._planned.update(mark_of(item).args[0] for item in items)
        wanted = self.settings.clauses
        kept: list[pytest.Item] = []
        left_out: list[pytest.Item] = []
        for item in items:
            (kept if not wanted or mark_of(item).args[0] in wanted else left_out).append(item)
        if left_out:
            self.config.hook.pytest_deselected(items=left_out)
        return shuffle(kept, self.settings.seed or 0)

    def point_at(self, settings: Settings) -> None:
        """Go on against another target, or another namespace of it, without the results so far."""
        self.probes.point_at(settings)
        self.cases = []

    # Before anything is judged

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool | None:
        """Examine the target before any case runs; where nothing can be judged, none does."""
        if self._is_worker or self._is_rehearsal or session.testsfailed:
            return None
        try:
            settings = self._paused.leave_out_spent(self.settings) if self._paused else self.settings
            self.findings += examine(self.probes.client, settings, self.probes.root())
        except ConfigError as error:
            self.findings.append(PreflightFinding(CONFIG, str(error), ExitCode.USAGE))
        fatal = next((finding for finding in self.findings if finding.exit_code is not None), None)
        if fatal is None:
            if not self.config.pluginmanager.has_plugin(UNALTERED):
                self._count = CaseCount()
            self._begin_drawing(session.items)
            return None
        self.trouble, self._trouble_exit = fatal.text, fatal.exit_code
        return True

    def _begin_drawing(self, items: Sequence[pytest.Item]) -> None:
        """Begin to draw from the target's document, where cases of this process will want that."""
        own = [item for item in items if item.get_closest_marker(MARKER)]
        cases = [item for item in own for mark in item.iter_markers("xdist_group") if mark.args[0] == DRAWN_GROUP]
        of_matrix = all(mark_of(case).kwargs["each_operation"] for case in cases)
        if cases and not count_workers(self.config):
            with suppress(CaseEnd):
                # The matrix wants it where there is an operation that the contract does not have.
                if not of_matrix or declares_further(self.probes.document()):
                    begin_drawing(self.probes.document(), self.settings.seed or 0)

    def _refuse(self, reason: str, exit_code: int) -> None:
        """Give no verdict, for the first such reason."""
        if not self.trouble:
            self.trouble, self._trouble_exit = reason, exit_code

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Keep that a file of the suite itself could not be read: that is no finding about the target."""
        if report.failed:
            last = str(report.longrepr).strip().splitlines()[-1]
            self._refuse(f"the suite itself is broken: {report.nodeid} cannot be collected: {last}", ExitCode.INTERNAL)

    # Collecting results

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Turn what ended a case into an outcome, and that into what pytest understands."""
        if item.get_closest_marker(MARKER) is None:
            return (yield)
        # pytest would write out a traceback, which takes longer than a case that is not run, and which nobody sees.
        ended, call.excinfo = call.excinfo, None
        report = yield
        call.excinfo = ended
        if call.when == "call" or call.excinfo is not None:
            result = classify(item, call, self.settings, planned=self._planned[mark_of(item).args[0]])
            probe = item.stash.get(PROBE, None)
            # A case that waits needs what it created.
            if probe and not probe.provisioner.vanishes and not (probe.recording and probe.recording.waits):
                result = msgspec.structs.replace(result, left_behind=tuple(probe.remove_created()))
                return_tokens(probe, result.outcome)
            if probe and self.probes.shared:  # the other tokens that cases share are in use to the end
                return_tokens(self.probes.shared, result.outcome, acted_on=True)
            vars(report)["paylera"] = self._encode_results(result)
            error = call.excinfo.value if call.excinfo else None
            if isinstance(error, ConfigError):
                vars(report)["paylera_mistake"] = str(error)
                # A worker that stops by itself counts as one that broke: its other cases end as this one did.
                item.session.shouldstop = not self._is_worker and "the configuration cannot be used"
            probe = item.stash.get(PROBE, None)
            if probe is not None:
                found = [*self._contradictions.find(probe.log), *probe.seen]
                if must_be_alone(probe.provisioner):  # what a case moved is put back, and ids may begin anew
                    self._contradictions.forget_revocations()
                seen = judge_evidence(found, result, probe, self.settings) if found else []
                vars(report)["paylera_seen"] = self._encode_results(seen)
            translate_report(report, result)
        return report

    def _encode_results(self, results: object) -> object:
        """Results as a report of pytest's has them: as they are, or as JSON values where it goes to another process."""
        return msgspec.to_builtins(results) if self._is_worker else results

    def add_result(self, report: pytest.TestReport) -> None:
        """Keep what came of a case, in the process that reports."""
        if not self._is_worker:
            result = vars(report)["paylera"] = msgspec.convert(vars(report)["paylera"], CaseResult)
            self.cases.append(result)
            self.cases += msgspec.convert(vars(report).get("paylera_seen", ()), list[CaseResult])
            if "paylera_mistake" in vars(report):
                self._refuse(vars(report)["paylera_mistake"], ExitCode.USAGE)

    def pytest_report_teststatus(self, report: pytest.TestReport) -> tuple[str, str, str] | None:
        """The letter and the word that pytest shows for a case."""
        if not hasattr(report, "paylera"):
            return None
        category, letter, word = pytest_status(msgspec.convert(report.paylera, CaseResult).outcome)
        # Under -qq, as the program runs it, the summary says it all.
        return (category, letter, word) if self.config.get_verbosity() > _SILENT else (category, "", "")

    # The end

    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        """Tell Ctrl-C from the way in which xdist stops at `--maxfail`, which ends a run as `-x` does."""
        self._cut_short = type(excinfo.value).__module__.startswith("xdist.")

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        """Judge the run, write the report, and make the exit code the verdict's."""
        self.probes.close()
        if self._is_worker:
            return
        self._count_cases()
        facts = self._facts(exitstatus)
        if self._paused:
            self._paused.close(facts.run_id, self.cases, started_at=facts.started_at, suite_sha256=facts.suite_sha256)
        self.report = self.config.stash[REPORT] = report_on(facts, self.cases)
        if self.settings.report:
            from paylera_conformance.reports.write import write_report  # noqa: PLC0415 - runs without a report start sooner

            write_report(self.report, self.settings.report)
        session.exitstatus = self.report.exit_code

    def _count_cases(self) -> None:
        """Note of each case how many its clause has, where others may have kept some from being collected."""
        if self._count is None:
            return
        try:
            planned = self._count.wait()
        except PlanError as error:
            self._refuse(str(error), ExitCode.INTERNAL)
            return
        self.cases = [
            msgspec.structs.replace(case, planned=planned.get(case.clause, 0)) if case.planned else case
            for case in self.cases
        ]

    def _facts(self, exitstatus: int) -> RunFacts:
        settings, digest = self.settings, suite_digest()
        resumed = self._paused.resumed if self._paused else None
        return RunFacts(
            run_id=self.run_id,
            target=settings.url,
            embedded=settings.embedded,
            environment=settings.environment,
            profile=settings.profile,
            readings=settings.readings,
            mode=str(settings.mode),
            driver=settings.driver,
            control_url=settings.control_url or "",
            origins=tuple(sorted(settings.origins)),
            strict=settings.strict,
            seed=settings.seed,
            suite_version=VERSION,
            # Empty where an earlier session of the run was made by other files.
            suite_sha256=digest if resumed is None or resumed.suite_sha256 == digest else "",
            contract_version=CONTRACT_VERSION,
            started_at=self.started_at,
            ended_at=_now(),
            seconds=round(time.monotonic() - self._started, 3),
            selection=selection_of(self.config),
            findings=tuple(self.findings),
            trouble=self.trouble,
            trouble_exit=self._trouble_exit,
            pytest_exit=int(exitstatus),
            cut_short=self._cut_short,
            known=tuple(self._known),
        )

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Print the summary, whatever else pytest prints."""
        if not self._is_worker:
            print_summary(self.report, terminalreporter, folder=self.settings.report)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
