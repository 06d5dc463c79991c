"""A run in which every outcome occurs, and a browser that shows its page."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace

from helpers.browser import FLAGS, PATIENCE_MS, find_browser
from helpers.report_cases import EVIL, FACTS, SPECIAL, case_of
from paylera_conformance.model.case_results import CaseResult
from paylera_conformance.model.outcomes import Outcome
from paylera_conformance.reports.model import RunReport, report_on
from paylera_conformance.reports.page import page
from paylera_conformance.reports.repeat import repeat_scripts
from paylera_fixtures.clauses import clauses_of
from paylera_fixtures.vocabulary import Profile

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page


@pytest.fixture(scope="session")
def make_report() -> Callable[..., RunReport]:
    """Makes reports of cases; further arguments replace facts of the run."""

    def make(cases: Sequence[CaseResult] = (), **facts: Any) -> RunReport:
        return report_on(replace(FACTS, **facts), cases)

    return make


@pytest.fixture(scope="session")
def make_case() -> Callable[..., CaseResult]:
    """Makes cases."""
    return case_of


@pytest.fixture(scope="session")
def special() -> Mapping[str, Outcome]:
    """What became of the clauses that did not pass in `mixed`."""
    return SPECIAL


@pytest.fixture(scope="session")
def evil() -> str:
    """What the hostile target writes."""
    return EVIL


@pytest.fixture(scope="session")
def mixed(make_report: Callable[..., RunReport]) -> RunReport:
    """A run in which every outcome occurs."""
    cases = [case_of(row.id, SPECIAL.get(row.id, Outcome.PASS)) for row in clauses_of(Profile.GUIDE)]
    dropped = case_of("scope.granted", Outcome.INAPPLICABLE, "test_it[dropped]", dropped=True)
    left = case_of("scope.granted", Outcome.PASS, "test_it[left]", left_behind=("customer cus_1",))
    return make_report([*cases, dropped, left])


@pytest.fixture(scope="session")
def green(make_report: Callable[..., RunReport]) -> RunReport:
    """A run in which everything passes."""
    cases = [case_of(row.id, Outcome.PASS) for row in clauses_of(Profile.GUIDE)]
    return make_report(cases, known=(), selection=(), findings=())


@pytest.fixture(scope="session")
def read_json() -> Callable[[Path], Any]:
    """Reads a file of JSON."""
    return lambda path: json.loads(path.read_text("utf-8"))


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One browser for the tests of a file; each context has a profile of its own."""
    # While it is there, a loop of asyncio runs, beside which no other test can have one.
    from playwright.sync_api import expect, sync_playwright  # noqa: PLC0415 - an optional extra

    path = find_browser()
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=path, args=FLAGS, timeout=PATIENCE_MS)
        yield started
        started.close()


@pytest.fixture(scope="session")
def address(mixed: RunReport, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Where the page of the run in which every outcome occurs lies."""
    path = tmp_path_factory.mktemp("page") / "report.html"
    path.write_text(page(mixed, repeat_scripts(mixed)), "utf-8", errors="backslashreplace")
    return path.as_uri()


@pytest.fixture
def opened(browser: Browser, address: str) -> Iterator[Callable[..., Page]]:
    """Opens the page; every complaint of the browser's, a refused script too, fails the test."""
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def complain(what: object) -> None:
        complaints.append(str(what))

    def open_page(fragment: str = "", *, url: str = address, width: int = 1280, **options: Any) -> Page:
        contexts.append(browser.new_context(viewport={"width": width, "height": 900}, **options))
        contexts[-1].set_default_timeout(PATIENCE_MS)
        made = contexts[-1].new_page()
        made.on("console", complain)
        made.on("pageerror", complain)
        made.on("dialog", complain)
        made.on("request", lambda request: complain(request.url) if not request.url.startswith(url) else None)
        made.goto(url + fragment)
        return made

    yield open_page
    for context in contexts:
        context.close()
    assert complaints == []
