"""The whole way: a red test of an SDK, the live view, the trace, the fix, a green test."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from helpers.dashboard_site import Site
from helpers.lean_pytest import LEAN
from helpers.mock_program import Programs
from helpers.waiting import PATIENCE_SECONDS, await_that
from paylera_fixtures.tokens import WELL_KNOWN

pytest.importorskip("axe_playwright_python", reason="playwright is in the extra dev")
from playwright.sync_api import expect

if TYPE_CHECKING:
    from playwright.sync_api import Browser

SDK: Final = '''
import json, os, urllib.request, uuid

def create_customer(email):
    """Create a customer."""
    headers = {
        "Authorization": "Bearer " + os.environ["PAYLERA_KEY"],
        "Content-Type": "application/json",
        "Paylera-Version": "2026-04-01",
    }
    url, body = os.environ["PAYLERA_BASE_URL"] + "/v1/customers", json.dumps({"email": email}).encode()
    with urllib.request.urlopen(urllib.request.Request(url, body, headers)) as response:
        return json.load(response)
'''
FIX: Final = ('"Paylera-Version"', '"Idempotency-Key": str(uuid.uuid4()),\n        "Paylera-Version"')
TESTS: Final = """
import sdk

def test_customer_is_created():
    assert sdk.create_customer("ada@example.com")["email"] == "ada@example.com"
"""


@pytest.mark.slow
def test_red_test_of_an_sdk_is_made_green(browser: Browser, programs: Programs, tmp_path: Path) -> None:
    """The dashboard of `exec` says which request was wrong and what to do; it shows the tests turn green."""
    sdk = tmp_path / "sdk.py"
    sdk.write_text(SDK)
    (tmp_path / "test_sdk.py").write_text(TESTS)
    run_tests = [sys.executable, "-m", "pytest", "-q", *LEAN, str(tmp_path / "test_sdk.py")]

    # Red: the fake stays, with the page that its last line names.
    red = programs.start("exec", "--dashboard", "--", *run_tests)
    assert await_that(lambda: "/_mock/ui" in red.errors.read_text())
    (url,) = set(re.findall(r"(http://\S+)/_mock/ui", red.errors.read_text()))
    tokens = {token.name: token.secret for token in reversed(WELL_KNOWN)}
    site = Site(browser, {"url": url, "dashboard_url": f"{url}/_mock/ui", "tokens": tokens})

    # What did the SDK do wrong, and what is to be done?
    at = site.open()
    row = at.locator("#rows tr")
    expect(row).to_contain_text("idempotency.required")
    row.get_by_role("link").click()
    panel = at.get_by_role("complementary")
    expect(panel).to_contain_text("Refused by key-present")
    expect(panel.get_by_text("What to do")).to_be_visible()
    panel.get_by_label("Idempotency-Key").fill("my-key")
    panel.get_by_role("button", name="Ask", exact=True).click()
    expect(at.locator("#asked")).to_contain_text("The operation would happen")
    at.get_by_role("link", name="Findings", exact=True).click()
    expect(at.get_by_role("listitem").filter(has_text="key-missing")).to_contain_text("Send an Idempotency-Key")
    at.get_by_role("link", name="Live requests").click()

    # Done; the page that is open shows it, as it happens.
    sdk.write_text(SDK.replace(*FIX))
    variables = {**os.environ, "PAYLERA_BASE_URL": url, "PAYLERA_KEY": tokens["serviceall"]}
    again = subprocess.run(run_tests, env=variables, timeout=PATIENCE_SECONDS, check=False, capture_output=True)
    assert again.returncode == 0, again.stdout
    expect(at.locator("#rows tr").first).to_contain_text("201")
    site.close()
    assert red.stop(signal.SIGINT) == 1

    green = programs.start("exec", "--fail-on-findings", "--", *run_tests)
    assert green.status() == 0, green.rest_of_stdout()
