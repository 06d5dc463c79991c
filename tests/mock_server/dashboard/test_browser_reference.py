"""The API reference in a real browser: an operation is tried against the fake, under the policy of every page."""

from __future__ import annotations

import json

import pytest

from helpers.browser import AXE_LOOKS
from helpers.dashboard_site import Site

axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe and playwright are in the extra dev")
from playwright.sync_api import Locator, Page, expect  # noqa: E402 - only where it is installed


def open_operation(at: Page, name: str) -> Locator:
    """Open an operation by its method and path."""
    at.get_by_role("button", name=name, exact=True).click()
    return at.locator(".opblock.is-open")


def violations(at: Page) -> list[str]:
    """What axe finds."""
    found = axe.Axe().run(at).response["violations"]
    return [f"{row['id']}: {json.dumps(row['nodes'][0]['target'])}" for row in found]


def test_operation_is_tried_with_a_token_of_the_list(site: Site) -> None:
    """It is a request like any other: its trace says why it was answered as it was. The token is changed in place."""
    at = site.open("reference")
    operation = open_operation(at, "POST /v1/customers Create a customer")
    at.get_by_label("Send with the token").select_option("serviceread")
    expect(at.locator("#secret")).to_contain_text("sk_sandbox_serviceread")
    operation.get_by_role("button", name="Execute").click()
    expect(operation.locator(".live-responses-table")).to_contain_text("auth.scope_required")
    at.get_by_label("Send with the token").select_option("serviceall")
    expect(at.locator("#secret")).to_contain_text("sk_sandbox_serviceall")
    operation.get_by_role("button", name="Execute").click()
    expect(operation.locator(".live-responses-table tbody .response-col_status").first).to_contain_text("201")
    at.get_by_role("link", name="Live requests").first.click()
    expect(at.locator("#rows tr")).to_have_count(2)
    # The browser notes the 401 itself.
    site.complaints[:] = [text for text in site.complaints if "401" not in text]


def test_token_of_a_namespace_is_minted_and_tried(site: Site) -> None:
    """The document names the base URL of that namespace."""
    site.control("POST", "namespaces")
    at = site.open("reference")
    at.get_by_label("Namespace", exact=True).select_option(index=1)
    at.wait_for_url("**/ns/*/reference")
    at.get_by_label("Send with the token").select_option("mint-service")
    expect(at.locator("#secret")).to_be_visible()
    operation = open_operation(at, "GET /v1/customers List customers")
    operation.get_by_role("button", name="Execute").click()
    expect(operation.locator(".live-responses-table tbody .response-col_status").first).to_contain_text("200")
    expect(operation.locator(".request-url")).to_contain_text(f"/ns/{at.url.split('/')[-2]}/v1/customers")


def test_operation_is_tried_without_a_token_and_by_keyboard_alone(site: Site) -> None:
    """Also after a token was picked. It is opened by Enter, and focus is seen."""
    at = site.open("reference")
    at.get_by_label("Send with the token").select_option("serviceall")
    expect(at.locator("#secret")).to_be_visible()
    at.get_by_label("Send with the token").select_option("none")
    expect(at.locator("#secret")).to_be_hidden()
    at.get_by_role("button", name="GET /v1/plans List plans", exact=True).focus()
    at.keyboard.press("Enter")
    at.keyboard.press("Tab")
    assert at.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none"
    at.get_by_role("button", name="Execute").focus()
    at.keyboard.press("Enter")
    expect(at.locator(".live-responses-table")).to_contain_text("auth.missing_token")
    site.complaints[:] = [text for text in site.complaints if "401" not in text]


@pytest.mark.parametrize(("width", "scheme"), AXE_LOOKS)
def test_axe_finds_nothing_in_the_reference(site: Site, width: int, scheme: str) -> None:
    """With an operation tried, with a schema open, with the dialog for a token; and nothing runs out of the window."""
    at = site.open("reference", width=width, color_scheme=scheme)
    at.get_by_label("Send with the token").select_option("serviceall")
    operation = open_operation(at, "POST /v1/customers Create a customer")
    operation.get_by_role("button", name="Execute").click()
    expect(operation.locator(".live-responses-table")).to_be_visible()
    assert violations(at) == []
    assert at.evaluate("document.documentElement.scrollWidth") <= width
    open_operation(at, "POST /v1/customers Create a customer")
    at.locator(".models-control").click()
    at.locator(".models .json-schema-2020-12-accordion").first.click()
    assert violations(at) == []
    at.get_by_role("button", name="Authorize").first.click()
    expect(at.get_by_role("button", name="Close").first).to_be_visible()
    assert violations(at) == []
