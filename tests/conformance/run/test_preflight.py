"""What is said of a target before anything is judged."""

from __future__ import annotations

import json

import pytest

from paylera_conformance.model.messages import Response
from paylera_conformance.run.preflight import advise_on_bare


@pytest.mark.parametrize(("status", "problem"), [(403, "auth.missing_token"), (401, "auth.invalid_token")])
def test_url_is_not_blamed_where_the_api_answers(status: int, problem: str) -> None:
    """Whoever answers with a code of the contract stands behind the right URL."""
    assert "url" not in advise_on_bare(Response(status, (), json.dumps({"problem": problem}).encode()))


@pytest.mark.parametrize("body", [b"", b"<html>", b'{"problem": "not_found"}'])
def test_url_is_to_be_checked_where_something_else_answers(body: bytes) -> None:
    """A website has no code of the contract."""
    assert "base URL" in advise_on_bare(Response(404, (), body))
