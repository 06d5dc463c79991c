"""The views by which a fake is steered, in a real browser: the clock, faults, objects, webhooks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from helpers.dashboard_site import Site
from helpers.waiting import PATIENCE_SECONDS, await_that
from helpers.webhooks import ENDPOINTS, Receiver

pytest.importorskip("playwright.sync_api", reason="playwright is in the extra dev")
from playwright.sync_api import Page, expect


def press(at: Page, name: str, *, exact: bool = True) -> None:
    """Press a button by its name, and wait for the page that it leads to."""
    with at.expect_navigation():
        at.get_by_role("button", name=name, exact=exact).click()


# The clock


def test_running_clock_runs_on_the_page(site: Site) -> None:
    """Where there is script; a frozen one stands still."""
    at = site.open("clock")
    shown = at.locator(".now time")
    before = shown.inner_text()
    expect(shown).not_to_have_text(before)
    press(at, "Freeze")
    expect(at.get_by_text("stands still")).to_be_visible()
    assert shown.get_attribute("data-runs") is None
    press(at, "Run")
    expect(at.get_by_text("running")).to_be_visible()


def test_old_secret_ends_by_a_jump(site: Site) -> None:
    """Just before, it works; at the instant it does no more."""
    at = site.open("clock")
    row = at.get_by_role("listitem").filter(has_text="rotatedold")
    row.get_by_role("button", name=re.compile("Freeze just before")).click()
    expect(at.get_by_text("stands still")).to_be_visible()
    before = site.call(by="rotatedold")
    row.get_by_role("button", name=re.compile("Jump")).click()
    expect(row).to_have_count(0)
    assert (before, site.call(by="rotatedold")) == (200, 401)


def test_clock_is_moved_by_keyboard_without_script(site: Site) -> None:
    """By a step, and by a jump."""
    site.control("POST", "clock", to="2099-01-01T00:00:00Z", running=False)
    at = site.open("clock", java_script_enabled=False)
    at.get_by_label("Step forward by").fill("")
    at.keyboard.type("90")
    at.keyboard.press("Tab")
    at.keyboard.type("minutes")
    at.keyboard.press("Tab")
    at.keyboard.press("Enter")
    expect(at.locator(".now time")).to_have_text("2099-01-01 01:30:00")
    at.get_by_label("Jump to an instant").fill("2099-02-01T00:00:00Z")
    at.keyboard.press("Enter")
    expect(at.locator(".now time")).to_have_text("2099-02-01 00:00:00")


def test_line_says_in_words_what_it_shows(site: Site) -> None:
    """To who does not see it; each of its marks is a number of the list."""
    site.control("POST", "clock/advance", seconds=60)
    at = site.open("clock")
    expect(at.get_by_role("img", name="1 instant on a line")).to_be_visible()
    assert at.locator(".timeline rect").count() == 1


# Faults


def test_fault_is_armed_and_strikes(site: Site) -> None:
    """What it did stands there afterwards; disarmed, all is as before."""
    at = site.open("faults")
    expect(at.get_by_text("Nothing is armed")).to_be_visible()
    at.get_by_role("radio", name="foreign-error").check()
    at.get_by_label("Route").fill("/v1/customers")
    press(at, "Arm")
    row = at.get_by_role("listitem").filter(has_text="flt_1")
    expect(row).to_contain_text("the next matching request")
    assert [site.call() for _ in range(2)] == [500, 200]
    at.reload()
    expect(row).to_contain_text("1 of 1 time")
    expect(row).to_contain_text("spent")
    press(at, "Disarm flt_1")
    expect(at.get_by_text("Nothing is armed")).to_be_visible()


def has_struck(at: Page) -> bool:
    """Whether the fault has, which is shown once the page is loaded anew."""
    at.reload()
    return "1 of 1 time" in at.get_by_role("main").inner_text()


def test_delayed_request_goes_on_when_its_fault_is_disarmed(site: Site) -> None:
    """By keyboard, without script."""
    at = site.open("faults", java_script_enabled=False)
    at.get_by_role("radio", name="delay").press("Space")
    at.get_by_text("Details of it").press("Enter")
    at.get_by_label("Seconds, of a delay").fill("60")
    at.keyboard.press("Enter")
    expect(at.get_by_text("armed", exact=True)).to_be_visible()
    with ThreadPoolExecutor() as pool:
        waiting = pool.submit(site.call)
        assert await_that(lambda: has_struck(at))
        at.get_by_role("button", name="Disarm all").press("Enter")
        assert waiting.result(PATIENCE_SECONDS) == 200


# Objects


def test_object_leads_to_what_belongs_to_it(site: Site) -> None:
    """From the list to a customer, to its payments, to one of them, to the requests for that."""
    at = site.open("objects")
    at.get_by_role("link", name="cus_ada").click()
    at.get_by_role("link", name="2 payments").click()
    expect(at.get_by_role("row")).to_have_count(3)
    at.get_by_role("link", name="pay_ada", exact=True).click()
    expect(at.get_by_role("heading", level=1)).to_have_text("pay_ada")
    site.call("GET", "/v1/payments/pay_ada")
    at.get_by_role("link", name="Requests for it").click()
    expect(at.locator("#rows tr")).to_have_count(1)


def test_list_of_objects_is_chosen_without_script(site: Site) -> None:
    """By kind, tenant and environment; and one is found by its id."""
    at = site.open("objects", java_script_enabled=False)
    at.get_by_role("link", name="Actor").click()
    expect(at.get_by_role("row").last).to_contain_text("Ada Lovelace")
    at.get_by_label("Tenant").select_option("ten_other")
    at.get_by_role("button", name="Show").click()
    expect(at.get_by_role("row").last).to_contain_text("Grace Hopper")
    at.get_by_label("Id of an object").fill("inv_ada")
    at.keyboard.press("Enter")
    expect(at.get_by_role("heading", level=1)).to_have_text("inv_ada")


def test_open_view_is_in_sight_on_a_telephone(site: Site) -> None:
    """The views run out of the window there, and so do the kinds."""
    at = site.open("objects?kind=audit_record", width=320)
    for nav in ("Views", "Kinds"):
        expect(at.get_by_role("navigation", name=nav).locator("[aria-current]")).to_be_in_viewport(ratio=1)


# Webhooks


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A receiver of the test's own, whose first answer is a 500."""
    made = Receiver()
    made.answers = [500]
    yield made
    made.close()


def test_webhook_is_delivered_again(site: Site, receiver: Receiver) -> None:
    """After its receiver was mended: with its signature, which can be copied."""
    site.control("POST", "clock", to="2099-01-01T00:00:00Z", running=False)
    site.call("POST", ENDPOINTS, by="adminaal2", key="we", json={"url": receiver.url, "events": ["customer.created"]})
    site.call("POST", key="c", json={"email": "ada@example.com"})
    assert receiver.wait_for_count(1)
    site.control("POST", "webhooks/flush")
    at = site.open("webhooks", permissions=["clipboard-read", "clipboard-write"])
    at.get_by_role("link", name="customer.created").click()
    expect(at.get_by_role("main")).to_contain_text("pending")
    expect(at.get_by_role("main").get_by_role("listitem")).to_contain_text("500")
    at.get_by_role("link", name="move the clock").click()
    at.get_by_role("listitem").filter(has_text="A webhook is due").get_by_role("button", name="Jump").click()
    assert receiver.wait_for_count(2)
    site.control("POST", "webhooks/flush")
    at.goto(f"{site.url}/webhooks?state=delivered")
    press(at, "Deliver again", exact=False)
    expect(at.get_by_role("main")).to_contain_text("delivered")
    at.get_by_role("button", name="Copy signature 1").click()
    expect(at.get_by_role("status")).to_have_text("Copied")
    assert at.evaluate("navigator.clipboard.readText()") == receiver.received[2][1]["Paylera-Signature"]
