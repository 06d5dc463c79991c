"""The page in a real browser: what its reader does with it, by mouse, by keyboard, in the dark and on paper."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest

from paylera_conformance.model.outcomes import Outcome
from paylera_conformance.reports.model import RunReport
from paylera_conformance.reports.page import page
from paylera_conformance.reports.repeat import Scripts

pytest.importorskip("playwright", reason="playwright, which drives the browser, is missing: it is in the extra dev")
from playwright.sync_api import Locator, Page, expect

pytestmark = pytest.mark.slow

FAILED: Final = "scope.required"
WIDTHS: Final = {"wide": 1280, "narrow": 400}


def shown(at: Page) -> list[str]:
    """The clauses that are shown, in order."""
    ids: list[str] = at.locator("details.clause:visible").evaluate_all("all => all.map(each => each.id)")
    return ids


def chip(at: Page, name: str, value: str) -> Locator:
    """The check box of a filter."""
    return at.locator(f"input[name={name}][value={value}]")


# Filters


def test_everything_is_shown_at_first(opened: Callable[..., Page], mixed: RunReport) -> None:
    """And counted."""
    at = opened()
    assert set(shown(at)) == {result.id for result in mixed.results}
    expect(at.get_by_role("status")).to_have_text(f"{len(mixed.results)} of {len(mixed.results)} clauses")


def test_outcomes_are_filtered(opened: Callable[..., Page]) -> None:
    """Several together show either."""
    at = opened()
    chip(at, "outcome", "fail").check()
    assert shown(at) == [FAILED]
    chip(at, "outcome", "pending").check()
    assert set(shown(at)) == {FAILED, "rotation.grace-ends"}


def test_levels_are_filtered(opened: Callable[..., Page], mixed: RunReport) -> None:
    """`must` alone is what the verdict rests on."""
    at = opened()
    chip(at, "level", "must").check()
    assert set(shown(at)) == {result.id for result in mixed.results if result.level == "must"}


def test_groups_are_filtered(opened: Callable[..., Page]) -> None:
    """The others' headings go too."""
    at = opened()
    at.get_by_label("Group").select_option("revocation")
    assert {clause.partition(".")[0] for clause in shown(at)} == {"revocation"}
    expect(at.get_by_role("heading", level=2).filter(visible=True)).to_have_count(1)


def test_text_is_searched(opened: Callable[..., Page]) -> None:
    """In the clause's name, sentence, message and cases; all words must be there."""
    at = opened()
    at.get_by_label("Text").fill("SCOPE wildcard")
    assert shown(at) == ["scope.wildcard"]


def test_filters_work_together(opened: Callable[..., Page]) -> None:
    """Nothing that one of them leaves out is shown; where nothing is left, that is said."""
    at = opened()
    chip(at, "outcome", "fail").check()
    at.get_by_label("Group").select_option("revocation")
    assert shown(at) == []
    expect(at.get_by_text("No clause is like that.")).to_be_visible()


def test_filters_are_reset(opened: Callable[..., Page], mixed: RunReport) -> None:
    """By one button."""
    at = opened()
    chip(at, "outcome", "fail").check()
    at.get_by_label("Text").fill("x")
    at.get_by_role("button", name="Reset").click()
    assert len(shown(at)) == len(mixed.results)


# Evidence


def test_evidence_stands_side_by_side(opened: Callable[..., Page]) -> None:
    """What was sent, wanted and got, at one height, from left to right."""
    at = opened(f"#{FAILED}")
    boxes = [at.get_by_role("heading", name=name, exact=True).bounding_box() for name in ("Sent", "Wanted", "Got")]
    tops, lefts = ([box[side] for box in boxes if box] for side in ("y", "x"))
    assert len(set(tops)) == 1
    assert lefts == sorted(lefts)


def test_violation_is_told(opened: Callable[..., Page]) -> None:
    """The one change, what was to come, what came, and the hint."""
    at = opened(f"#{FAILED}").locator(".case .sides").first
    for text in ("no header", "401 auth.missing_token", "look again", "Bearer ‹everything #3f9c›"):
        expect(at).to_contain_text(text)


def test_hostile_text_is_shown_as_text(opened: Callable[..., Page]) -> None:
    """Its control characters are spelled out, and nothing of it runs; see also what `opened` holds against a page."""
    at = opened(f"#{FAILED}")
    got = at.locator(".case .sides").first
    expect(got).to_contain_text("</script><script>evil()")
    expect(got).to_contain_text("\\u{202e}gnp")
    assert at.evaluate("document.images.length") == 0


def test_every_exchange_can_be_read(opened: Callable[..., Page]) -> None:
    """In order, the one that decided marked."""
    at = opened(f"#{FAILED}")
    at.get_by_text("All 3 exchanges, in order").click()
    rows = at.locator(f"[id='{FAILED}'] .exchange")
    expect(rows).to_have_text([re.compile("^200"), re.compile("^401.*decided$"), re.compile("^500")])
    rows.last.locator("summary").click()
    expect(rows.last).to_contain_text('"data": []')


def test_script_that_repeats_a_violation_is_copied_whole(opened: Callable[..., Page]) -> None:
    """The page may be all that somebody was sent."""
    at = opened(f"#{FAILED}", permissions=["clipboard-read", "clipboard-write"])
    expect(at.get_by_text("python3 repeat/scope.required-it-scope.required.py")).to_be_visible()
    at.get_by_role("button", name="Copy the script").click()
    expect(at.get_by_role("button", name="Copied")).to_be_visible()
    copied = at.evaluate("navigator.clipboard.readText()")
    assert copied.startswith("#!/usr/bin/env python3")
    assert copied.endswith("start(CASE)\n")


def test_evidence_is_drawn_when_asked_for(opened: Callable[..., Page]) -> None:
    """A closed clause has none of it in the document."""
    at = opened()
    expect(at.locator(".case")).to_have_count(0)
    at.locator(f"[id='{FAILED}'] > summary").click()
    expect(at.locator(".case")).to_have_count(1)


def test_all_can_be_opened_and_closed(opened: Callable[..., Page], mixed: RunReport) -> None:
    """Of what is shown."""
    at = opened()
    at.get_by_role("button", name="Open all").click()
    expect(at.locator("details.clause[open]")).to_have_count(len(mixed.results))
    at.get_by_role("button", name="Close all").click()
    expect(at.locator("details.clause[open]")).to_have_count(0)


# Without a mouse, and without sight


def test_slash_goes_to_the_search(opened: Callable[..., Page]) -> None:
    """And Escape empties it."""
    at = opened()
    at.keyboard.press("/")
    at.keyboard.type("wildcard")
    assert shown(at) == ["scope.wildcard"]
    at.keyboard.press("Escape")
    assert len(shown(at)) > 1


def test_page_is_used_by_keyboard_alone(opened: Callable[..., Page]) -> None:
    """Tab to a filter, Space to choose it, Tab on to the clause, Enter to open it."""
    at = opened()
    chip(at, "outcome", "fail").focus()
    at.keyboard.press("Space")
    at.get_by_role("button", name="Reset").focus()
    at.keyboard.press("Tab")
    at.keyboard.press("Enter")
    expect(at.locator(f"[id='{FAILED}']")).to_have_attribute("open", "")


def test_first_stop_skips_to_the_clauses(opened: Callable[..., Page]) -> None:
    """Nobody has to go through the filters."""
    at = opened()
    at.keyboard.press("Tab")
    expect(at.get_by_role("link", name="Skip to the clauses")).to_be_focused()
    at.keyboard.press("Enter")
    expect(at.get_by_role("main")).to_be_focused()


def test_focus_is_seen(opened: Callable[..., Page]) -> None:
    """On a filter, whose check box itself is not."""
    at = opened()
    at.keyboard.press("Tab")
    at.keyboard.press("Tab")
    style = at.locator(".chip span").first.evaluate("each => getComputedStyle(each).outlineStyle")
    assert style == "solid"


def test_landmarks_are_named(opened: Callable[..., Page]) -> None:
    """A screen reader lists banner, search and main, and a region for each group."""
    at = opened()
    for role in ("banner", "search", "main"):
        expect(at.get_by_role(role)).to_have_count(1)
    expect(at.get_by_role("region", name=re.compile("^rotation"))).to_have_count(1)


def test_every_control_has_a_name(opened: Callable[..., Page]) -> None:
    """Whatever can be operated is announced."""
    at = opened(f"#{FAILED}")
    nameless = at.locator("button, input, select, summary").evaluate_all(
        "all => all.filter(each => !(each.ariaLabel || (each.labels?.[0] || each).textContent).trim()).length"
    )
    assert nameless == 0


def test_outcome_is_told_in_words(opened: Callable[..., Page], mixed: RunReport) -> None:
    """Beside its sign and its colour."""
    at = opened()
    badges = at.locator("details.clause > summary .badge").all_inner_texts()
    told = sorted(result.outcome.value for result in mixed.results)
    assert sorted(text.split()[-1] for text in badges) == told


# Light, dark, narrow, on paper


def luminance(colour: str) -> float:
    """Relative luminance of `rgb(r, g, b)` (WCAG 2.2)."""
    parts = [int(part) / 255 for part in re.findall(r"\d+", colour)[:3]]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


CONTRAST = """all => all.map(each => {
    let ground = each, colour;
    do { colour = getComputedStyle(ground).backgroundColor; ground = ground.parentElement; }
    while (ground && colour.startsWith("rgba(0, 0, 0, 0"));
    return [getComputedStyle(each).color, colour];
})"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_has_contrast(opened: Callable[..., Page], scheme: str) -> None:
    """At least 4.5 to 1, in the reader's own colour scheme."""
    at = opened(f"#{FAILED}", color_scheme=scheme)
    pairs = at.locator("h1, h2, .title, .tally span, .badge, .level, .told, .soft, dt, pre, .lead").evaluate_all(
        CONTRAST
    )
    ratios = [
        (max(light) + 0.05) / (min(light) + 0.05)
        for light in ([luminance(colour) for colour in pair] for pair in pairs)
    ]
    assert min(ratios) >= 4.5


def test_dark_is_dark(opened: Callable[..., Page]) -> None:
    """The page follows its reader's choice."""
    light, dark = (
        luminance(opened(color_scheme=scheme).evaluate("() => getComputedStyle(document.body).backgroundColor"))
        for scheme in ("light", "dark")
    )
    assert light > 0.8
    assert dark < 0.1


@pytest.mark.parametrize("width", WIDTHS.values(), ids=WIDTHS)
def test_nothing_runs_out_of_the_window(opened: Callable[..., Page], width: int) -> None:
    """On a telephone neither, with the evidence open."""
    at = opened(f"#{FAILED}", width=width)
    assert at.evaluate("document.documentElement.scrollWidth") <= width


def test_paper_has_what_is_shown_with_its_evidence(opened: Callable[..., Page]) -> None:
    """What did not pass is opened for it, and closed again; filters are not printed."""
    at = opened()
    chip(at, "outcome", "fail").check()
    at.emulate_media(media="print")
    at.evaluate("dispatchEvent(new Event('beforeprint'))")
    expect(at.get_by_role("heading", name="Wanted")).to_be_visible()
    expect(at.locator(".controls")).to_be_hidden()
    at.evaluate("dispatchEvent(new Event('afterprint'))")
    expect(at.locator("details.clause[open]")).to_have_count(0)


def test_dark_page_is_printed_on_white(opened: Callable[..., Page]) -> None:
    """Nobody's ink is spent on a colour scheme."""
    at = opened(color_scheme="dark")
    at.emulate_media(media="print", color_scheme="dark")
    assert at.locator("body").evaluate("each => getComputedStyle(each).backgroundColor") == "rgb(255, 255, 255)"


def test_without_script_the_messages_are_there(opened: Callable[..., Page]) -> None:
    """Clauses, outcomes and the evidence of what did not pass are in the page itself."""
    at = opened(java_script_enabled=False)
    at.locator(f"[id='{FAILED}'] > summary").click()
    expect(at.locator(f"[id='{FAILED}'] pre.message")).to_contain_text("got </script>")
    expect(at.locator(".controls")).to_be_hidden()


# Size


def test_three_thousand_exchanges_stay_quick(
    opened: Callable[..., Page], make_report: Callable[..., RunReport], make_case: Callable[..., Any], tmp_path: Path
) -> None:
    """The document is as small as ever, and a filter is no wait, even on a busy machine."""
    case = make_case(FAILED, Outcome.FAIL)
    cases = [
        make_case(FAILED, Outcome.FAIL, f"test_it[{number}]", exchanges=case.exchanges * 10) for number in range(100)
    ]
    path = tmp_path / "large.html"
    path.write_text(page(make_report(cases), Scripts()), "utf-8")
    at = opened(url=path.as_uri())
    assert at.evaluate("document.querySelectorAll('*').length") < 3000
    took = at.evaluate(
        "() => { const began = performance.now(); document.querySelector('[value=fail]').click();"
        " document.body.offsetHeight; return performance.now() - began; }"
    )
    assert took < 1000
