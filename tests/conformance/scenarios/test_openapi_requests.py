"""Requests drawn from an OpenAPI document."""

from __future__ import annotations

import pytest

from paylera_conformance.scenarios.openapi_requests import generate_requests
from paylera_conformance.target.openapi import Document
from paylera_fixtures.api.examples import path_example
from paylera_fixtures.api.openapi import build
from paylera_fixtures.api.operations import OPERATIONS
from paylera_fixtures.vocabulary import Profile

DOCUMENT = Document(build(Profile.GUIDE), published=True)
EXAMPLES = {path_example(operation) for operation in OPERATIONS if operation.has_parameter}


@pytest.mark.parametrize("valid", [True, False])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_no_drawn_request_names_an_object_that_the_document_does(seed: int, valid: bool) -> None:  # noqa: FBT001
    """An example may be somebody's object, and a request that is wrong in one place may be let through."""
    drawn = generate_requests(DOCUMENT, "", seed, valid=valid)
    segments = {segment for each in drawn for segment in each.request.path.partition("?")[0].split("/")}
    assert segments & EXAMPLES == set()
