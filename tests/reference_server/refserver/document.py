"""The OpenAPI document of the API: little more than which operations there are, and which need AAL2."""

from __future__ import annotations

from typing import Final

from .messages import JSON
from .routes import OPERATIONS, Operation

_ROOT: Final = "/v1"
_PARAMETER: Final = "{name}"


def build(url: str) -> JSON:
    """The document; the server's URL ends with `/v1`, so that no path begins with it."""
    paths: dict[str, JSON] = {}
    for operation in OPERATIONS:
        path = operation.path.removeprefix(_ROOT).replace("*", _PARAMETER)
        paths.setdefault(path, {})[operation.method.lower()] = _operation(operation)
    return {
        "openapi": "3.1.0",
        "info": {"title": "The second server", "version": "2026-04-01"},
        "servers": [{"url": f"{url}{_ROOT}"}],
        "paths": paths,
        "security": [{"bearer": []}],
        "components": {"securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}}},
    }


def _operation(operation: Operation) -> JSON:
    described: JSON = {"responses": {"default": {"description": "whatever comes of it"}}}
    if "*" in operation.path:
        described["parameters"] = [{"in": "path", "name": "name", "required": True, "schema": {"type": "string"}}]
    if operation.method in {"POST", "PATCH"}:
        described["requestBody"] = {"content": {"application/json": {"schema": {"type": "object"}}}}
    # Said only where it is so: an extension that is absent says no.
    return {**described, "x-paylera-aal2": True} if operation.aal2 else described
