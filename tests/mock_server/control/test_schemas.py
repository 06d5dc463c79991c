"""The JSON Schemas of the control API, for programs in Python: each stands alone."""

from __future__ import annotations

from typing import Final

import jsonschema_rs
import pytest

from paylera_mock.control import CALLS, schemas

SCHEMAS: Final = schemas()


@pytest.mark.parametrize("name", SCHEMAS)
def test_every_schema_is_one(name: str) -> None:
    """Of a body, a query or a result."""
    assert set(SCHEMAS[name]) <= {"body", "query", "result"}
    for schema in SCHEMAS[name].values():
        jsonschema_rs.meta.validate({"$schema": "https://json-schema.org/draft/2020-12/schema", **schema})


def test_every_call_has_its_schemas() -> None:
    """By its name."""
    names = {f"{method} C/{path}".rstrip("/") for path, calls in CALLS.items() for method in calls}
    assert set(SCHEMAS) == names
