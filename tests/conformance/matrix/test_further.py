"""When the matrix has requests drawn from a document: where that may have more operations than the contract."""

from __future__ import annotations

from typing import Any

import pytest

from paylera_conformance.matrix.further import declares_further
from paylera_conformance.target.openapi import Document
from paylera_fixtures.api.openapi import build
from paylera_fixtures.vocabulary import Profile

CONTRACT = build(Profile.GUIDE)
PATHS: dict[str, Any] = CONTRACT["paths"]
CUSTOMERS: dict[str, Any] = PATHS["/v1/customers"]
BELOW_V1 = {path.removeprefix("/v1"): item for path, item in PATHS.items()}


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(CONTRACT, id="the contract"),
        pytest.param({"paths": {"/v1/customers": {"get": CUSTOMERS["get"]}}}, id="a part of it"),
        pytest.param({"paths": {"/v1/customers/{customer}": {"get": {}}}}, id="other names of parameters"),
        pytest.param(
            {"paths": {"/v1/customers": CUSTOMERS | {"parameters": [], "options": {}}}}, id="more than methods"
        ),
        pytest.param({"servers": [{"url": "https://api.test/v1"}], "paths": BELOW_V1}, id="a server at /v1"),
    ],
)
def test_a_document_of_the_contracts_operations_has_no_more(content: dict[str, Any]) -> None:
    """Whatever else it says of them; so a run of some cells does not wait until requests were drawn."""
    assert not declares_further(Document(content, published=True))


@pytest.mark.parametrize(
    "content",
    [
        pytest.param({"paths": {**PATHS, "/v1/customers/{id}/notes": {"patch": {}}}}, id="a path"),
        pytest.param({"paths": {**PATHS, "/v1/customers": {"delete": {}}}}, id="a method"),
        pytest.param({"paths": {"/v1/customers/{customer}": {"post": {}}, **PATHS}}, id="a path that is there twice"),
        pytest.param({"paths": {**PATHS, "/v1/customers": {"$ref": "#/elsewhere"}}}, id="a reference"),
        pytest.param({"servers": [{"url": "https://api.test/v1/beta"}], "paths": PATHS}, id="a server below /v1"),
        pytest.param({"servers": [{"url": "https://api.test/v1/a/v1"}], "paths": BELOW_V1}, id="a server twice at /v1"),
    ],
)
def test_a_document_with_another_operation_has_more(content: dict[str, Any]) -> None:
    """And is drawn from, to look at that too."""
    assert declares_further(Document(content, published=True))


def test_a_document_that_the_target_did_not_publish_says_nothing_of_it() -> None:
    """It is the contract's."""
    assert not declares_further(Document({"paths": {"/v1/notes": {"get": {}}}}, published=False))
