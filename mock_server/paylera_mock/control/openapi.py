"""The OpenAPI 3.1 document of the control API, built from the table of calls and the types of their handlers."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from http import HTTPStatus
from types import NoneType
from typing import Any, Final

import msgspec

from paylera_fixtures.api.components import component_schemas
from paylera_fixtures.api.shapes import JSONSchema
from paylera_fixtures.vocabulary import CONTROL_PROTOCOL, PROBLEM_MEDIA_TYPE
from paylera_mock.control import protocol
from paylera_mock.control.call import Call

_SCHEMAS: Final = "#/components/schemas/"
_JSON: Final = "application/json"

_REFUSALS: Final[Mapping[HTTPStatus, str]] = {
    HTTPStatus.BAD_REQUEST: "The body is no JSON object.",
    HTTPStatus.UNAUTHORIZED: "The fake was started with `--control-token`, and the token is missing or another one.",
    HTTPStatus.FORBIDDEN: "A web page of another origin calls.",
    HTTPStatus.NOT_FOUND: "The namespace, or what the path names in it, does not exist or does not any more.",
    HTTPStatus.CONFLICT: "What is asked for is not possible under this server: `detail` says what makes it so.",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "The body is too large.",
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: "The body is compressed.",
    HTTPStatus.MISDIRECTED_REQUEST: "The name in `Host` is not the fake's own.",
    HTTPStatus.UNPROCESSABLE_ENTITY: "A member of the body or of the query cannot be used: `errors` names it.",
    HTTPStatus.INTERNAL_SERVER_ERROR: "The fake failed.",
}
"""Why a call is refused, by the status."""

_TAGS: Final = {
    "protocol": "The test-support protocol, which other servers may offer too.",
    "mock": "What is the fake's own.",
}


def build(calls: Mapping[str, Mapping[str, Call]], version: str) -> dict[str, Any]:
    """Build the document of a table of calls, but for `servers`: a fresh one at each call, and always the same."""
    described = [(path, method, call) for path, row in calls.items() for method, call in row.items()]
    kinds = {kind for _, _, call in described for name in call.annotations for kind in _kind(call, name)}
    refer, schemas = _schemas_of(sorted(kinds, key=repr))
    results = [refer[kind] for _, _, call in described for kind in _kind(call, "return")]
    bodies = [refer[kind] for _, _, call in described for name in ("body", "query") for kind in _kind(call, name)]
    _require_what_is_always_there(schemas, _reached(schemas, results) - _reached(schemas, bodies))
    paths: dict[str, dict[str, Any]] = {}
    for path, method, call in described:
        paths.setdefault(f"/{path}", {})[method.lower()] = _operation(path, method, call, refer, schemas)
    for query in {refer[kind]["$ref"] for _, _, call in described for kind in _kind(call, "query")}:
        del schemas[query.removeprefix(_SCHEMAS)]  # its members stand in the parameters
    shared = component_schemas()
    schemas |= {name: shared[name] for name in _reached(shared, [{"$ref": f"{_SCHEMAS}problem"}])}
    document = {
        "openapi": "3.1.0",
        "info": {
            "title": "Control API of paylera-mock",
            "version": version,
            "description": f"The test-support protocol, version {CONTROL_PROTOCOL}, and what is the fake's own.",
            "contact": {"name": "The Paylera testkit developers"},
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        # Most fakes are started without a token.
        "security": [{}, {"control_token": []}],
        "tags": [{"name": name, "description": said} for name, said in _TAGS.items()],
        "paths": paths,
        "components": {
            "schemas": dict(sorted(schemas.items())),
            "responses": {_response_name(status): _refusal(said) for status, said in _REFUSALS.items()},
            "securitySchemes": {
                "control_token": {"type": "http", "scheme": "bearer", "description": "What `--control-token` gave."}
            },
        },
    }
    # Through JSON and back: nothing is shared with the tables, and no tuple is left.
    unshared: dict[str, Any] = json.loads(json.dumps(document))
    return unshared


def _kind(call: Call, name: str) -> Iterator[Any]:
    """The type of a call's `body`, `query` or result (`return`), if it has one."""
    kind = call.annotations.get(name, NoneType)
    if name in {"body", "query", "return"} and kind is not NoneType:
        yield kind


def _schemas_of(kinds: list[Any]) -> tuple[dict[Any, JSONSchema], dict[str, JSONSchema]]:
    """The schema of each type, which refers to one with a name; and these by their names."""
    found, named = msgspec.json.schema_components(kinds, ref_template=f"{_SCHEMAS}{{name}}")
    for each in _parts(named):
        # Generators and linters look at the type alone, and want the items of every list.
        if "enum" in each and "type" not in each:
            each["type"] = "integer" if all(isinstance(value, int) for value in each["enum"]) else "string"
        if each.get("items") is False:
            each["items"] = {}  # that there are no more says `maxItems`
    return dict(zip(kinds, found, strict=True)), named


def _require_what_is_always_there(schemas: dict[str, JSONSchema], names: Iterable[str]) -> None:
    """What a body may leave out, for it has a default, is always there in a result."""
    for name in names:
        members = schemas[name].get("properties", {})
        required = set(schemas[name].get("required", ()))
        schemas[name]["required"] = [each for each, said in members.items() if each in required or "default" in said]


def _parts(value: Any) -> Iterator[dict[str, Any]]:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for each in inner:
        yield from _parts(each)
    if isinstance(value, dict):
        yield value


def _reached(schemas: Mapping[str, JSONSchema], schema: Any) -> set[str]:
    """The names of the schemas that a schema refers to, and that these refer to."""
    found: set[str] = set()
    ahead = [schema]
    while ahead:
        names = {each["$ref"].removeprefix(_SCHEMAS) for each in _parts(ahead.pop()) if "$ref" in each} - found
        found |= names
        ahead += [schemas[name] for name in names]
    return found


def _operation(
    path: str, method: str, call: Call, refer: Mapping[Any, JSONSchema], schemas: Mapping[str, JSONSchema]
) -> dict[str, Any]:
    query = [schemas[refer[kind]["$ref"].removeprefix(_SCHEMAS)] for kind in _kind(call, "query")]
    described: dict[str, Any] = {
        "operationId": call.handler.__name__,
        "summary": call.handler.__name__.replace("_", " ").capitalize(),
        "description": "\n\n".join([call.description, *(each["description"] for each in query)]),
        "tags": ["protocol" if call.handler.__module__ == protocol.__name__ else "mock"],
    }
    parameters = [*_path_parameters(path), *(each for schema in query for each in _query_parameters(schema))]
    if parameters:
        described["parameters"] = parameters
    for kind in _kind(call, "body"):
        is_required = bool(schemas[refer[kind]["$ref"].removeprefix(_SCHEMAS)].get("required"))
        described["requestBody"] = {"required": is_required, "content": {_JSON: {"schema": refer[kind]}}}
    return described | {"responses": _responses(method, call, refer)}


def _path_parameters(path: str) -> list[dict[str, Any]]:
    return [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}
        for name in re.findall(r"{(\w+)}", path)
    ]


def _query_parameters(schema: JSONSchema) -> list[dict[str, Any]]:
    required = schema.get("required", ())
    return [
        {"name": name, "in": "query", "required": name in required, "schema": said}
        for name, said in schema["properties"].items()
    ]


def _responses(method: str, call: Call, refer: Mapping[Any, JSONSchema]) -> dict[str, Any]:
    results = [refer[kind] for kind in _kind(call, "return")]
    status = call.status if results else HTTPStatus.NO_CONTENT
    success: dict[str, Any] = {"description": status.phrase}
    for schema in results:
        success["content"] = {_JSON: {"schema": schema}}
    of_bodies = {HTTPStatus.BAD_REQUEST, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.UNSUPPORTED_MEDIA_TYPE}
    left_out = of_bodies if method in {"GET", "DELETE"} else set()
    takes_nothing = method == "GET" and "query" not in call.annotations
    left_out |= {HTTPStatus.UNPROCESSABLE_ENTITY} if takes_nothing else set()
    left_out |= set() if call.conflicts else {HTTPStatus.CONFLICT}
    return {str(int(status)): success} | {
        str(int(each)): {"$ref": f"#/components/responses/{_response_name(each)}"}
        for each in _REFUSALS
        if each not in left_out
    }


def _response_name(status: HTTPStatus) -> str:
    return f"Problem{int(status)}"


def _refusal(said: str) -> dict[str, Any]:
    return {"description": said, "content": {PROBLEM_MEDIA_TYPE: {"schema": {"$ref": f"{_SCHEMAS}problem"}}}}
