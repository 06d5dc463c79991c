"""Every page of the dashboard in a real browser: what axe finds, and at which widths it runs out of the window."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Final

import pytest

from helpers.browser import AXE_LOOKS
from helpers.dashboard_site import Site

axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe and playwright are in the extra dev")
from playwright.sync_api import Page, expect  # noqa: E402 - only where it is installed

PAGES: Final = (
    "requests",
    "requests?status=4xx&rule=scope-granted",
    "requests/2",
    "requests/4",
    "requests/99",
    "requests?scope=all",
    "findings",
    "findings?scope=all",
    "findings/coverage",
    "reference",
    "tokens",
    "tokens/endpoint?operation=cancel_payment",
    "tokens/matrix",
    "clock",
    "faults",
    "objects?kind=audit_record",
    "objects/cus_ada",
    "objects/inv_ada",
    "webhooks",
    "webhooks?state=failed",
    "namespaces",
)
"""A page of each kind."""

WIDTHS: Final = (320, 390, 768, 1280, 2560)


def fill_webhooks(site: Site) -> list[str]:
    """Have a delivery that is tried again and one that is never sent: the pages of both."""
    for url in ("http://127.0.0.1:1/", "https://example.com/"):
        body = {"url": url, "events": ["customer.created"]}
        site.call("POST", "/v1/admin/webhook-endpoints", by="adminaal2", key=url, json=body)
    site.call("POST", key="sub-create:grace", json={"email": "grace@example.com"})
    site.control("POST", "webhooks/flush")
    return [f"webhooks/{each['id']}" for each in site.read("webhooks/deliveries")["data"]]


def resize(at: Page, width: int) -> None:
    """Give the window another width."""
    at.set_viewport_size({"width": width, "height": 900})


def too_wide_at(at: Page, widths: Sequence[int]) -> list[int]:
    """Those of some widths of the window that a page runs out of."""

    def runs_out(width: int) -> bool:
        resize(at, width)
        return bool(at.evaluate("document.documentElement.scrollWidth") > width)

    return [width for width in widths if runs_out(width)]


@pytest.mark.parametrize(("width", "scheme"), AXE_LOOKS)
def test_axe_finds_nothing(site: Site, width: int, scheme: str) -> None:
    """On no page, with what is folded open: names, contrast, landmarks, order of headings."""
    site.fill()
    at = site.open("requests", width=width, color_scheme=scheme)
    found: dict[str, list[str]] = {}
    for page in (*PAGES, *fill_webhooks(site)):
        at.goto(f"{site.url}/{page}")
        at.locator("details").evaluate_all("all => all.forEach(each => { each.open = true; })")
        response = axe.Axe().run(at).response
        found[page] = [f"{row['id']}: {json.dumps(row['nodes'][0]['target'])}" for row in response["violations"]]
    assert {page: violations for page, violations in found.items() if violations} == {}
    site.complaints.clear()  # the browser notes the 404 itself


def test_nothing_runs_out_of_the_window(site: Site) -> None:
    """From the smallest telephone to the widest screen; with a request beside the list too."""
    site.fill()
    at = site.open("requests")
    wide: dict[str, list[int]] = {}
    for page in (*PAGES, *fill_webhooks(site)):
        at.goto(f"{site.url}/{page}")
        wide[page] = too_wide_at(at, WIDTHS)
    for width in WIDTHS:
        resize(at, width)
        at.goto(f"{site.url}/requests")
        at.locator("#rows tr").first.get_by_role("link").click()
        expect(at.get_by_role("heading", name="What decided").or_(at.get_by_text("by effect"))).to_be_visible()
        wide[f"a request that is picked at {width}"] = too_wide_at(at, [width])
    assert {page: widths for page, widths in wide.items() if widths} == {}
    site.complaints.clear()  # the browser notes the 404 itself
