"""Amounts are sent as the target's own document wants them."""

from __future__ import annotations

from typing import Any

import pytest

from paylera_conformance.probe.amounts import fit_amounts, in_minor_units
from paylera_conformance.target.openapi import Document

DOCUMENT = Document(
    {
        "components": {
            "schemas": {"Amount": {"type": "integer", "minimum": 1}, "Loop": {"$ref": "#/components/schemas/Loop"}}
        }
    },
    published=True,
)

# The schema of the member, the contract's value, and what is sent.
FITTED: dict[str, tuple[dict[str, Any], str, object]] = {
    "string": ({"type": "string"}, "29.00", "29.00"),
    "either": ({"type": ["string", "integer"]}, "29.00", "29.00"),
    "minor-units": ({"type": "integer"}, "29.00", 2900),
    "whole-units": ({"type": "integer", "maximum": 100}, "29.00", 29),
    "no-fraction": ({"type": "integer"}, "7", 7),
    "number": ({"type": "number"}, "0.50", 0.5),
    "referred-to": ({"$ref": "#/components/schemas/Amount"}, "1.00", 100),
    "composed": ({"allOf": [{"$ref": "#/components/schemas/Amount"}]}, "1.00", 100),
    "circle": ({"$ref": "#/components/schemas/Loop"}, "1.00", "1.00"),
    "no-number": ({"type": "integer"}, "order_change", "order_change"),
}


@pytest.mark.parametrize(("schema", "value", "sent"), FITTED.values(), ids=FITTED)
def test_an_amount_is_what_its_schema_says(schema: dict[str, Any], value: str, sent: object) -> None:
    """A string stays one unless the document wants a number."""
    body = {"properties": {"lines": {"type": "array", "items": {"properties": {"amount": schema}}}}}
    assert fit_amounts({"lines": [{"amount": value}]}, body, DOCUMENT) == {"lines": [{"amount": sent}]}


@pytest.mark.parametrize(
    ("value", "sent"), [("29.00", 2900), ("7", "7"), ("order", "order")], ids=["cents", "count", "word"]
)
def test_an_amount_of_which_nothing_is_said_is_what_was_found_out(value: str, sent: object) -> None:
    """With cents it is one; a number without may be a count of something."""
    assert fit_amounts({"lines": [{"a": value}]}, None, DOCUMENT, unsaid=in_minor_units) == {"lines": [{"a": sent}]}
