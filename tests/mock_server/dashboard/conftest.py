"""A fake with some requests in its journal, and somebody who looks at its dashboard."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

import pytest

from helpers.browser import FLAGS, PATIENCE_MS, find_browser
from helpers.dashboard import Reader
from helpers.dashboard_site import Site
from helpers.fake import Fake
from helpers.mock_program import Programs
from paylera_fixtures.tokens import WELL_KNOWN

if TYPE_CHECKING:
    from playwright.sync_api import Browser

SECRETS: Final = {token.token_id: token.secret for token in WELL_KNOWN}


@pytest.fixture
def reader(default: Fake) -> Reader:
    """Looks at a fake of the test's own, whose journal has an accepted, a refused, and a repeated request."""
    everything, nothing = SECRETS["tok_serviceall"], SECRETS["tok_servicenoscope"]
    default.call("GET", "/v1/customers", everything)
    default.call("GET", "/v1/customers?limit=2", nothing)
    for _ in range(2):
        default.call("POST", "/v1/customers", everything, key="sub-create:ada", json={"email": "ada@example.com"})
    return Reader(default.client)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One browser for the tests of a file, as playwright runs once at a time; each context has a profile of its own."""
    playwright_api = pytest.importorskip("playwright.sync_api", reason="playwright is in the extra dev")
    path = find_browser()
    playwright_api.expect.set_options(timeout=PATIENCE_MS)
    with playwright_api.sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=path, args=FLAGS, timeout=PATIENCE_MS)
        yield started
        started.close()


@pytest.fixture
def site(browser: Browser, programs: Programs) -> Iterator[Site]:
    """A fake as a program of its own, and its dashboard in the browser."""
    made = Site(browser, programs.serve("--journal-size=2000").ready())
    yield made
    made.close()
