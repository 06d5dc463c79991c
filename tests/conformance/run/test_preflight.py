"""What is said of a target before anything is judged."""

from __future__ import annotations

import json

import pytest

from paylera_conformance.model.messages import Response
from paylera_conformance.run.preflight import advise_on_bare, check_url


@pytest.mark.parametrize(("status", "problem"), [(403, "auth.missing_token"), (401, "auth.invalid_token")])
def test_url_is_not_blamed_where_the_api_answers(status: int, problem: str) -> None:
    """Whoever answers with a code of the contract stands behind the right URL."""
    assert "url" not in advise_on_bare(Response(status, (), json.dumps({"problem": problem}).encode()))


@pytest.mark.parametrize("body", [b"", b"<html>", b'{"problem": "not_found"}'])
def test_url_is_to_be_checked_where_something_else_answers(body: bytes) -> None:
    """A website has no code of the contract."""
    assert "base URL" in advise_on_bare(Response(404, (), body))


@pytest.mark.parametrize("url", ["http://target.test/v1", "http://target.test/v1/"])
def test_url_that_ends_in_v1_is_told(url: str) -> None:
    """Where the API asks for a token first, every path looks right without one."""
    [finding] = check_url(url)
    assert (finding.label, "give http://target.test, unless" in finding.text, finding.exit_code) == (
        "CONFIG",
        True,
        None,
    )


@pytest.mark.parametrize("url", ["http://target.test", "http://target.test/api", "http://target.test/v10"])
def test_other_urls_are_not_blamed(url: str) -> None:
    """A prefix is nobody's mistake."""
    assert [*check_url(url)] == []
