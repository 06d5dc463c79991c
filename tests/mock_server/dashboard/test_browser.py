"""The dashboard in a real browser: by mouse, by keyboard, without script, in the dark, on a telephone."""

from __future__ import annotations

import re

import pytest

from helpers.dashboard_site import Site
from helpers.mock_program import Programs

pytest.importorskip("playwright.sync_api", reason="playwright is in the extra dev")
from playwright.sync_api import Browser, Locator, Page, expect


def rows(at: Page) -> Locator:
    """The requests that are shown, from above."""
    return at.locator("#rows tr")


def number_of(row: Locator) -> int:
    """The number of a request."""
    return int(row.get_attribute("data-number") or "")


def await_stream(site: Site, at: Page) -> None:
    """Wait until the page shows what happens."""
    before = rows(at).count()
    site.call()
    expect(rows(at)).to_have_count(before + 1)


# Live


def test_request_is_shown_as_it_happens(site: Site) -> None:
    """Above the others, with its answer."""
    at = site.open("requests")
    expect(at.get_by_text("No request yet")).to_be_visible()
    site.call()
    expect(rows(at)).to_have_count(1)
    site.call("POST", by="servicenoscope", key="k", json={})
    expect(rows(at).first).to_contain_text("auth.scope_required")
    expect(rows(at).first).to_contain_text("401")
    expect(at.get_by_text("No request yet")).to_be_hidden()


def test_burst_keeps_a_window(site: Site) -> None:
    """The newest are shown, so many; the older ones are got on demand, none twice."""
    at = site.open("requests")
    await_stream(site, at)
    for _ in range(700):
        site.call()
    expect(rows(at).first).to_have_attribute("data-number", "701")
    assert 100 <= rows(at).count() <= 300
    last = number_of(rows(at).last)
    at.get_by_role("link", name="Older").click()
    expect(rows(at).first).to_have_attribute("data-number", str(last - 1))
    at.get_by_role("link", name="Back to the newest").click()
    expect(rows(at).first).to_have_attribute("data-number", "701")


def test_paused_list_stays_as_it_is(site: Site) -> None:
    """Until one goes on; what came meanwhile is there then."""
    at = site.open("requests")
    await_stream(site, at)
    at.get_by_role("link", name="Pause").click()
    site.call()
    expect(at.get_by_text("paused")).to_be_visible()
    assert rows(at).count() == 1
    at.get_by_role("link", name="Go on").click()
    expect(rows(at)).to_have_count(2)
    await_stream(site, at)


def test_cleared_list_is_empty_everywhere(site: Site) -> None:
    """Also on a page that is open elsewhere, once its stream says so."""
    at, other = site.open("requests"), site.open("requests")
    await_stream(site, at)
    expect(rows(other)).to_have_count(1)
    at.get_by_role("button", name="Clear").click()
    expect(rows(at)).to_have_count(0)
    expect(rows(other)).to_have_count(0)


def test_list_goes_on_once_the_fake_is_started_anew(browser: Browser, programs: Programs) -> None:
    """What is shown is then what the new one was asked; until then the page says that it is not connected."""
    first = programs.serve()
    site = Site(browser, first.ready())
    at = site.open("requests")
    for _ in range(3):
        await_stream(site, at)
    first.stop()
    expect(at.get_by_text("not connected", exact=True).first).to_be_visible()
    again = Site(browser, programs.serve(f"--port={site.url.split(':')[2].partition('/')[0]}").ready())
    again.call("POST", by="servicenoscope", key="k", json={})
    expect(rows(at)).to_have_count(1)
    expect(rows(at)).to_contain_text("auth.scope_required")
    expect(at.locator("#live")).to_have_text("live")
    again.close()
    site.complaints.clear()  # the browser notes each try itself
    site.close()


def test_list_of_a_deleted_namespace_stays_and_says_so(site: Site) -> None:
    """It can still be looked at; nothing more comes."""
    site.control("POST", "namespaces")
    namespace = site.read("namespaces")["data"][0]["id"]
    at = site.open(f"ns/{namespace}/requests")
    site.call(path=f"/ns/{namespace}/v1/customers", by="sk_sandbox_nobody")
    expect(rows(at)).to_have_count(1)
    site.control("DELETE", f"namespaces/{namespace}")
    expect(at.locator("#live")).to_have_text("namespace deleted")
    assert rows(at).count() == 1
    site.complaints.clear()  # the browser notes each 404 itself


def test_filters_are_in_the_address(site: Site) -> None:
    """A choice filters at once, a text by Enter; the stream is filtered too, and what is empty is left out."""
    site.fill()
    at = site.open("requests")
    at.get_by_role("combobox", name="Method", exact=True).select_option("GET")
    expect(rows(at)).to_have_count(2)
    at.get_by_role("combobox", name="Status").fill("2xx")
    at.keyboard.press("Enter")
    expect(rows(at)).to_have_count(1)
    assert at.url == f"{site.url}/requests?method=GET&status=2xx"
    site.call("GET", "/v1/nothing")
    site.call("GET", "/v1/customers?limit=1")
    expect(rows(at)).to_have_count(2)
    expect(rows(at).first).to_have_attribute("data-number", "7")
    at.get_by_role("link", name="Reset").click()
    expect(rows(at)).to_have_count(7)


def test_retry_leads_to_what_it_tries_again(site: Site) -> None:
    """By one click."""
    site.fill()
    at = site.open("requests")
    at.get_by_role("row").filter(has_text="attempt 2").get_by_role("link", name="#3").click()
    expect(at.get_by_role("complementary")).to_contain_text("Request 3")


# One request


def test_request_opens_beside_the_list(site: Site) -> None:
    """Which stays live; Escape closes it, and leads back to where one was."""
    site.fill()
    at = site.open("requests")
    row = at.locator("tr[data-number='2']")
    row.get_by_role("link").click()
    panel = at.get_by_role("complementary")
    expect(panel).to_contain_text("Refused by scope-granted")
    expect(panel.get_by_role("heading", level=2)).to_be_focused()
    expect(row).to_have_class(re.compile("chosen"))
    await_stream(site, at)
    expect(row).to_have_class(re.compile("chosen"))
    at.keyboard.press("Escape")
    expect(panel).to_be_hidden()
    expect(row.get_by_role("link")).to_be_focused()


def test_request_is_a_page_where_there_is_no_room(site: Site) -> None:
    """On a telephone; and its address can be handed on."""
    site.fill()
    at = site.open("requests", width=390)
    at.locator("tr[data-number='2']").get_by_role("link").click()
    at.wait_for_url("**/requests/2")
    expect(at.get_by_role("heading", name="Refused by scope-granted")).to_be_visible()


def test_request_is_copied_as_code(site: Site) -> None:
    """Whole, and without a secret."""
    site.fill()
    at = site.open("requests/4", permissions=["clipboard-read", "clipboard-write"])
    at.get_by_text("curl", exact=True).click()
    at.get_by_role("button", name="Copy as curl").click()
    expect(at.get_by_role("status")).to_have_text("Copied")
    copied = at.evaluate("navigator.clipboard.readText()")
    assert copied.startswith(f"curl {site.ready['url']}/v1/customers")
    assert '-H "Authorization: Bearer $PAYLERA_TOKEN"' in copied


def test_request_is_asked_about_again_in_place(site: Site) -> None:
    """With another token: what would be decided stands below the form, and nothing else is loaded."""
    site.fill()
    at = site.open("requests")
    at.locator("tr[data-number='2']").get_by_role("link").click()
    panel = at.get_by_role("complementary")
    panel.get_by_role("combobox", name="Token").select_option("tok_serviceall")
    panel.get_by_role("button", name="Ask", exact=True).click()
    expect(at.locator("#asked")).to_contain_text("The operation would happen")
    panel.get_by_label("Path").fill("no path")
    panel.get_by_role("button", name="Ask", exact=True).click()
    expect(at.locator("#asked").get_by_role("alert")).to_be_visible()
    assert at.url == f"{site.url}/requests"
    # The browser notes the 422 itself.
    assert [text for text in site.complaints if "422" not in text] == []
    site.complaints.clear()


def test_hostile_request_is_text(site: Site) -> None:
    """Nothing of it runs or turns; see also what `Site` holds against a page."""
    site.fill()
    at = site.open("requests/5")
    expect(at.get_by_role("heading", level=2)).to_have_text(
        "GET /v1/customers/\\u{202e}<img src=x onerror=alert(1)>\\u{1b}[31m"
    )
    assert at.evaluate("document.images.length") == 0


# API tokens


def test_token_is_minted_and_shown_once(site: Site) -> None:
    """It works, it can be copied, and it is gone with the page."""
    at = site.open("tokens", permissions=["clipboard-read", "clipboard-write"])
    at.get_by_text("Mint a token").click()
    at.get_by_role("textbox", name="Name", exact=True).fill("crm")
    at.get_by_label("customers:read").check()
    at.get_by_role("button", name="Mint", exact=True).click()
    secret = at.locator("#secret").inner_text()
    at.get_by_role("button", name="Copy the secret").click()
    expect(at.get_by_role("status")).to_have_text("Copied")
    assert at.evaluate("navigator.clipboard.readText()") == secret
    assert (site.call(by=secret), site.call("GET", "/v1/invoices", by=secret)) == (200, 401)
    at.goto(f"{site.url}/tokens")
    expect(at.get_by_role("heading", name="crm", exact=True)).to_be_visible()
    assert secret not in at.content()


def test_token_is_rotated_and_its_grace_runs_down(site: Site) -> None:
    """A bar shows it."""
    at = site.open("tokens")
    token = at.get_by_role("listitem").filter(has=at.get_by_role("heading", name="serviceread", exact=True))
    token.get_by_role("button", name="Rotate").click()
    expect(at.get_by_role("heading", name="The secret of serviceread")).to_be_visible()
    assert site.call(by=at.locator("#secret").inner_text()) == 200
    assert token.get_by_role("meter").evaluate("each => each.value / each.max") > 0.99
    site.control("POST", "clock/advance", seconds=43200)
    at.goto(f"{site.url}/tokens")
    assert 0.49 < token.get_by_role("meter").evaluate("each => each.value / each.max") < 0.51


@pytest.mark.parametrize(("answer", "status"), [("accept", 401), ("dismiss", 200)])
def test_token_is_revoked_if_one_is_sure(site: Site, answer: str, status: int) -> None:
    """It is asked first, since there is no way back."""
    at = site.open("tokens")
    at.on("dialog", lambda dialog: getattr(dialog, answer)())
    at.get_by_role("button", name="Revoke serviceall").click()
    expect(at.get_by_role("heading", name="API tokens")).to_be_visible()
    assert site.call() == status


def test_endpoint_is_picked(site: Site) -> None:
    """What it requires is shown at once."""
    at = site.open("tokens/endpoint")
    at.get_by_role("combobox", name="Endpoint").select_option("refund_payment")
    expect(at.get_by_role("region", name="/v1/payments/{id}/refunds")).to_contain_text("payments:refund")
    expect(at.get_by_role("row").filter(has_text="serviceread")).to_contain_text("auth.scope_required")


# Findings


def test_finding_leads_into_the_trace(site: Site) -> None:
    """Of the request that shows it; there stands what to do."""
    site.call()
    site.call("POST", json={"email": "ada@example.com"})
    at = site.open("findings")
    finding = at.get_by_role("listitem").filter(has_text="key-missing")
    expect(finding).to_contain_text("Send an Idempotency-Key of its own with each such POST")
    finding.get_by_role("link", name="#2").click()
    expect(at.get_by_role("heading", name="Refused by key-present")).to_be_visible()


def test_coverage_grows_with_what_is_tried(site: Site) -> None:
    """What was missing is met then."""
    at = site.open("findings/coverage")
    missing, met = at.get_by_role("region", name="Not met yet"), at.get_by_role("region", name="Met", exact=False)
    expect(missing).to_contain_text("To meet it: Send a request without Authorization.")
    site.call("GET", "/v1/nothing")
    at.reload()
    expect(met.filter(has_text="problem.unknown-route")).to_be_visible()


def test_requests_of_all_namespaces_are_live(site: Site) -> None:
    """Each opens beside the list, wherever it was sent."""
    site.control("POST", "namespaces")
    at = site.open("requests?scope=all")
    site.call()
    expect(rows(at)).to_have_count(1)
    at.get_by_label("Namespace", exact=True).select_option(index=1)
    at.wait_for_url("**/ns/*/requests")
    site.call("GET", f"/ns/{at.url.split('/')[-2]}/v1/plans")
    at.goto(f"{site.url}/requests?scope=all")
    expect(rows(at)).to_have_count(2)
    site.call()
    expect(rows(at)).to_have_count(3)
    at.get_by_role("link", name="/v1/plans").click()
    expect(at.get_by_role("complementary")).to_contain_text("namespace")


# Around it


def test_browser_is_led_from_the_base_url(site: Site) -> None:
    """People type what the banner says."""
    at = site.open()
    at.goto(site.ready["url"])
    assert at.url == f"{site.url}/requests"


def test_namespace_is_picked_in_the_header(site: Site) -> None:
    """The same view opens there."""
    site.fill()
    at = site.open("tokens")
    at.get_by_label("Namespace").select_option(index=1)
    at.wait_for_url("**/ns/*/tokens")
    expect(at.get_by_role("heading", name="API tokens")).to_be_visible()


def test_page_is_used_by_keyboard_alone(site: Site) -> None:
    """The first stop skips to the content, a request is opened by Enter, and focus is seen."""
    site.fill()
    at = site.open("requests")
    at.keyboard.press("Tab")
    expect(at.get_by_role("link", name="Skip to the content")).to_be_focused()
    at.keyboard.press("Enter")
    expect(at.get_by_role("main")).to_be_focused()
    rows(at).first.get_by_role("link").focus()
    at.keyboard.press("Enter")
    expect(at.get_by_role("complementary")).to_contain_text("Request 5")
    at.keyboard.press("Tab")
    assert at.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"


def test_pages_work_without_script(site: Site) -> None:
    """Links and forms do all, but for what is live."""
    site.fill()
    at = site.open("requests", java_script_enabled=False)
    at.get_by_role("combobox", name="Method", exact=True).select_option("POST")
    at.get_by_role("button", name="Filter").click()
    expect(rows(at)).to_have_count(3)
    rows(at).last.get_by_role("link").click()
    at.get_by_role("combobox", name="Token").select_option("tok_serviceall")
    at.get_by_role("button", name="Ask", exact=True).click()
    expect(at.locator("#asked")).to_contain_text("The operation would happen")
    at.goto(f"{site.url}/tokens/endpoint")
    at.get_by_role("combobox", name="Endpoint").select_option("refund_payment")
    at.get_by_role("button", name="Show").click()
    expect(at.get_by_role("region", name="/v1/payments/{id}/refunds")).to_be_visible()


def test_control_token_is_typed_in_once(browser: Browser, programs: Programs) -> None:
    """By keyboard; what is open then stays so."""
    ready = programs.serve("--control-token=${CT}", CT="a-control-token-of-this-fake").ready()
    guarded = Site(browser, ready)
    at = guarded.open("tokens")
    expect(at.get_by_label("Control token")).to_be_focused()
    at.keyboard.type("wrong")
    at.keyboard.press("Enter")
    expect(at.get_by_role("alert")).to_be_visible()
    at.get_by_label("Control token").fill("a-control-token-of-this-fake")
    at.keyboard.press("Enter")
    at.wait_for_url("**/tokens")
    at.goto(f"{guarded.url}/requests")
    guarded.call()
    expect(rows(at)).to_have_count(1)
    # The browser notes each 401 itself.
    guarded.complaints[:] = [text for text in guarded.complaints if "401" not in text]
    guarded.close()
