"""The page in a real browser: a changed request beside the accepted ones, and when what was sent."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest

from helpers.browser import AXE_LOOKS
from helpers.compared_cases import mismatched_case, rotated_case, sent
from helpers.report_cases import case_of
from paylera_conformance.model.case_results import CellNote
from paylera_conformance.model.outcomes import Outcome
from paylera_conformance.reports.model import RunReport
from paylera_conformance.reports.page import page
from paylera_conformance.reports.repeat import repeat_scripts

axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe and playwright are in the extra dev")
from playwright.sync_api import Locator, Page, expect  # noqa: E402 - only where it is installed

pytestmark = pytest.mark.slow

MOVED: Final = "rotation.grace-ends"
MISMATCHED: Final = "idempotency.body-mismatch"
MISSING: Final = "credential.missing"
COLUMNS: Final = ["Accepted before", "Changed", "Accepted after"]


@pytest.fixture(scope="module")
def compared(make_report: Callable[..., RunReport], tmp_path_factory: pytest.TempPathFactory) -> str:
    """Where the page of a run lies in which requests are compared and time is moved."""
    passed = (sent(1), sent(2, 401, by=None), sent(3))
    cell = CellNote("no-token", "POST /v1/customers")
    report = make_report(
        [rotated_case(), mismatched_case(), case_of(MISSING, Outcome.PASS, exchanges=passed, cell=cell)]
    )
    path = tmp_path_factory.mktemp("compared") / "report.html"
    path.write_text(page(report, repeat_scripts(report)), "utf-8", errors="backslashreplace")
    return path.as_uri()


@pytest.fixture
def open_at(opened: Callable[..., Page], compared: str) -> Callable[..., Page]:
    """Opens that page at a clause."""
    return lambda clause, **options: opened(f"#{clause}", url=compared, **options)


def headings(at: Page) -> Locator:
    """Those above the requests that are compared."""
    return at.locator(".columns").get_by_role("heading", level=3)


# The changed request beside the accepted ones


def test_changed_request_stands_between_the_accepted_ones(open_at: Callable[..., Page]) -> None:
    """At one height, in the order in which they were sent."""
    at = open_at(MOVED)
    expect(headings(at)).to_have_text(COLUMNS)
    boxes = [box for heading in headings(at).all() if (box := heading.bounding_box())]
    assert len({box["y"] for box in boxes}) == 1
    assert [box["x"] for box in boxes] == sorted({box["x"] for box in boxes})


def test_requests_begin_and_end_at_one_height(open_at: Callable[..., Page]) -> None:
    """So that lines can be compared."""
    at = open_at(MOVED)
    boxes = [box for each in at.locator(".columns > .block > pre").all() if (box := each.bounding_box())]
    assert len(boxes) == 3
    assert len({(round(box["y"]), round(box["height"])) for box in boxes}) == 1


def test_they_stand_below_each_other_on_a_telephone(open_at: Callable[..., Page]) -> None:
    """In the same order."""
    at = open_at(MOVED, width=390)
    boxes = [box for heading in headings(at).all() if (box := heading.bounding_box())]
    assert len({box["x"] for box in boxes}) == 1
    assert [box["y"] for box in boxes] == sorted({box["y"] for box in boxes})


def test_difference_is_marked(open_at: Callable[..., Page]) -> None:
    """The header that differs, in each of the requests, and nothing else."""
    at = open_at(MOVED)
    expect(at.get_by_text("The one difference: header Authorization.")).to_be_visible()
    expect(at.locator("mark")).to_have_text(
        [f"Authorization: Bearer ‹{token}›" for token in ("new #3333", "old #2222", "new #3333")]
    )


def test_mark_is_more_than_a_colour(open_at: Callable[..., Page]) -> None:
    """There is a sign, read aloud as a word, and the letters are bold."""
    style = "([each]) => [getComputedStyle(each, '::before').content, getComputedStyle(each).fontWeight]"
    sign, weight = open_at(MOVED).locator("mark").evaluate_all(style)
    assert ("≠" in sign, "differs" in sign, weight) == (True, True, "700")


def test_member_of_a_body_is_marked(open_at: Callable[..., Page]) -> None:
    """Where it stands in the body."""
    at = open_at(MISMATCHED)
    expect(headings(at)).to_have_text(COLUMNS[:2])
    expect(at.locator("mark")).to_have_text(['"name": "Ada",', '"name": "ada",'])


def test_part_that_is_missing_is_marked(open_at: Callable[..., Page]) -> None:
    """A passed case shows what it compared, too."""
    at = open_at(MISSING)
    at.locator(f"[id='{MISSING}'] .case > summary").click()
    expect(headings(at)).to_have_text(COLUMNS)
    expect(at.locator("mark")).to_have_text(
        ["Authorization: Bearer ‹good #1111›", "(no header Authorization)", "Authorization: Bearer ‹good #1111›"]
    )


def test_answers_can_be_read(open_at: Callable[..., Page]) -> None:
    """That of the changed request at once, the others by a click; what was wanted stands above."""
    at = open_at(MOVED)
    expect(at.locator(".judged > .sides")).to_contain_text("401 auth.missing_token")
    answers = at.locator(".answer")
    expect(answers.nth(1).locator("pre")).to_be_visible()
    expect(answers.nth(0).locator("pre")).to_be_hidden()
    answers.nth(0).locator("summary").click()
    expect(answers.nth(0).locator("pre")).to_contain_text("</script><script>evil()")


def test_text_of_the_target_is_text_there_too(open_at: Callable[..., Page]) -> None:
    """In the compared requests and on the timeline; see also what `opened` holds against a page."""
    at = open_at(MOVED)
    for place in (at.locator(".columns pre").nth(1), at.locator(".timeline")):
        expect(place).to_contain_text("</script><script>evil()")
        expect(place).to_contain_text("\\u{202e}gnp")
    assert at.evaluate("document.images.length") == 0


def test_long_header_is_cut(opened: Callable[..., Page], make_report: Callable[..., RunReport], tmp_path: Path) -> None:
    """The request with all of it is among the exchanges."""
    changed = sent(2, 500, headers={"Authorization": "x" * 65536}, deciding=True)
    case = rotated_case(exchanges=(sent(1), changed, sent(3)))
    path = tmp_path / "long.html"
    path.write_text(page(make_report([case]), repeat_scripts(make_report())), "utf-8")
    at = opened(f"#{MOVED}", url=path.as_uri())
    expect(at.locator("mark").nth(1)).to_contain_text("characters more: see the exchange)")
    assert len(at.locator("mark").nth(1).inner_text()) < 600


# Where time was moved


def test_timeline_has_both_clocks(open_at: Callable[..., Page]) -> None:
    """At each stop, and how much has passed by either since the first."""
    stops = open_at(MOVED).locator(".timeline .stop")
    expect(stops.nth(0)).to_contain_text("Target 2026-11-24 10:00:01.000")
    expect(stops.nth(0)).to_contain_text("Wall 2026-11-24 10:00:01.000")
    expect(stops.nth(1)).to_contain_text("Target 2026-11-25 10:00:02.000 (+ 1 d 1 s)")
    expect(stops.nth(1)).to_contain_text("Wall 2026-11-24 10:00:03.000 (+ 2 s)")


def test_moves_stand_between_the_stops(open_at: Callable[..., Page]) -> None:
    """With what was sent, in order, and what decided."""
    steps = open_at(MOVED).locator(".timeline > li")
    expect(steps.nth(0)).to_contain_text("‹old #2222›")
    expect(steps.nth(1)).to_have_text("The target's clock was moved on by 1 d 1 s")
    expect(steps.nth(2).get_by_role("listitem")).to_have_count(3)
    expect(steps.nth(2).get_by_role("listitem").nth(1)).to_contain_text("decided")


def test_case_without_a_move_has_no_timeline(open_at: Callable[..., Page]) -> None:
    """There is one time of it only."""
    expect(open_at(MISMATCHED).locator(".timeline")).to_have_count(0)


def test_credentials_are_described(open_at: Callable[..., Page]) -> None:
    """What each of those that were sent is said to be."""
    at = open_at(MOVED)
    at.get_by_text("All 4 exchanges and 1 calls of the control API, in order").click()
    expect(at.get_by_text("‹old #2222›: service, scopes customers:read, aal 1, sandbox, active")).to_be_visible()


# All of it


@pytest.mark.parametrize("width", [320, 390, 1280, 2560])
def test_nothing_runs_out_of_the_window(open_at: Callable[..., Page], width: int) -> None:
    """With everything open; what does would be cut at the edge of its box."""
    at = open_at(MOVED, width=width)
    at.get_by_role("button", name="Open all").click()
    for drawn in (".timeline", ".exchange > summary", ".exchange pre"):
        expect(at.locator(drawn).first).to_be_attached()
        at.locator("details").evaluate_all("all => all.forEach(each => { each.open = true; })")
    right = "all => Math.max(...all.map(each => each.getBoundingClientRect().right))"
    assert at.locator("main *:not(.matrix *, .unseen)").evaluate_all(right) <= width


@pytest.mark.parametrize(("width", "scheme"), AXE_LOOKS)
def test_axe_finds_nothing(open_at: Callable[..., Page], width: int, scheme: str) -> None:
    """With everything open: names, contrast, landmarks, order of headings."""
    at = open_at(MOVED, width=width, color_scheme=scheme)
    at.get_by_role("button", name="Open all").click()
    expect(at.locator(".timeline")).to_be_visible()
    for drawn in (".exchange > summary", ".exchange pre"):
        at.locator("details").evaluate_all("all => all.forEach(each => { each.open = true; })")
        expect(at.locator(drawn).first).to_be_visible()
    found = axe.Axe().run(at).response["violations"]
    assert [f"{row['id']}: {row['nodes'][0]['target']}" for row in found] == []


def test_both_are_printed(open_at: Callable[..., Page]) -> None:
    """The compared requests, and the timeline."""
    at = open_at(MOVED)
    at.emulate_media(media="print")
    expect(at.locator(".columns")).to_be_visible()
    expect(at.locator(".timeline")).to_be_visible()
