"""Reading a request's body: JSON in the strict sense, then the schema of its operation."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from paylera_fixtures.api.operations import Operation
from paylera_fixtures.spelling import nearest
from paylera_mock.core import problems
from paylera_mock.core.problems import FieldError, Problem
from paylera_mock.core.strict_json import parse_json
from paylera_mock.core.typed_json import InvalidInputError

if TYPE_CHECKING:  # start-up time: it is loaded with the first body
    import jsonschema_rs

_MAX_ERRORS: Final = 20

# By the keyword of the schema that is violated. Never with the value: it may be a secret in the wrong place.
_MESSAGES: Final = {
    "required": ("member.missing", "A required member is missing."),
    "enum": ("member.value", "This is none of the values that are allowed."),
    "pattern": ("member.form", "This does not have the form it must have."),
    "format": ("member.form", "This does not have the form it must have."),
    "minLength": ("member.length", "This is too short."),
    "maxLength": ("member.length", "This is too long."),
    "minimum": ("member.range", "This is too small."),
    "maximum": ("member.range", "This is too large."),
    "minItems": ("member.length", "There are too few of these."),
    "maxItems": ("member.length", "There are too many of these."),
    "maxProperties": ("member.length", "There are too many members."),
}
_OTHERWISE: Final = ("member.invalid", "This is not acceptable.")
_CURRENCY: Final = ("currency.invalid", "A currency is an ISO 4217 code in capitals, as in USD.")


PLAIN_ENCODINGS: Final = frozenset({"", "identity"})
"""Values of `Content-Encoding`, in lower case, with which a body is sent as it is."""


def read_json(body: bytes, depth: int) -> dict[str, Any] | Problem:
    """Read a body as a JSON object; no body is an empty one.

    Refused: what is not UTF-8, names given twice, numbers that are none (`NaN`, `1e999`), more than `depth` levels.
    """
    if not body:
        return {}
    try:
        found = parse_json(body)
    except InvalidInputError as flaw:
        return problems.malformed(f"The body cannot be read: {flaw.message}.")
    if not isinstance(found, dict):
        return problems.malformed("The body must be a JSON object.")
    if not _fits(found, depth):
        return problems.malformed(f"The body may be nested at most {depth} levels deep.")
    return found


def _fits(value: Any, depth: int) -> bool:
    if not isinstance(value, dict | list):
        return True
    inner = value.values() if isinstance(value, dict) else value
    return depth > 0 and all(_fits(item, depth - 1) for item in inner)


def check(operation_id: str, payload: dict[str, Any]) -> Problem | None:
    """Compare a body with the schema of its operation (422 `validation.failed` with an entry for each flaw)."""
    validator = _validator(operation_id)
    if validator is None or validator.is_valid(payload):
        return None
    errors = islice(validator.iter_errors(payload), _MAX_ERRORS)
    return problems.validation_failed(*map(_field_error, errors))


def unknown_members(operation: Operation, payload: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """The members of a body that its operation does not name: each by its path, and what may be meant.

    A PATCH may send back whatever can be read of its object, though it changes a part of that only.
    """
    schema = _schema(operation.id)
    if schema is None:
        return iter(())
    found = _find_unknown(schema, payload, "")
    if operation.method != "PATCH":
        return found
    from paylera_fixtures.api.objects import OBJECTS  # noqa: PLC0415 - for the sake of start-up time

    readable = OBJECTS[operation.resource]["properties"]
    return ((name, near) for name, near in found if name not in readable)


def _find_unknown(schema: dict[str, Any], value: Any, path: str) -> Iterator[tuple[str, str]]:
    # A member that may be null has a second branch, which names nothing.
    known = next((each["properties"] for each in (schema, *schema.get("anyOf", ())) if "properties" in each), None)
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield from _find_unknown(schema.get("items", {}), item, f"{path}.{index}")
    elif known is not None and isinstance(value, dict):
        for name, inner in value.items():
            place = f"{path}.{name}".removeprefix(".")
            if name in known:
                yield from _find_unknown(known[name], inner, place)
            else:
                yield place, nearest(name, known)


def _schema(operation_id: str) -> dict[str, Any] | None:
    from paylera_fixtures.api.schemas import REQUEST_BODIES  # noqa: PLC0415 - for the sake of start-up time

    return REQUEST_BODIES.get(operation_id)


@cache
def _validator(operation_id: str) -> jsonschema_rs.Validator | None:
    # Imported at the first body, for the sake of start-up time.
    import jsonschema_rs  # noqa: PLC0415

    schema = _schema(operation_id)
    return None if schema is None else jsonschema_rs.validator_for(schema, validate_formats=True)


_TYPES: Final = {
    "string": "a string",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "array": "a list",
    "object": "an object",
    "null": "null",
}


def _types_of(error: jsonschema_rs.ValidationError) -> list[str]:
    """The types that are wanted, where this is an error of the type."""
    return list(getattr(error.kind, "types", ()))


def _name_types(types: Iterable[str]) -> str:
    return " or ".join(word for kind, word in _TYPES.items() if kind in set(types))


def _field_error(error: jsonschema_rs.ValidationError) -> FieldError:
    path = [str(part) for part in error.instance_path]
    keyword = error.kind.name
    if keyword == "required":
        path.append(str(getattr(error.kind, "property", "")).strip('"'))
    if path and path[-1] == "currency" and keyword != "required":
        code, message = _CURRENCY
    elif keyword == "type":
        code, message = "member.type", f"This has the wrong type: it must be {_name_types(_types_of(error))}."
    elif keyword == "anyOf":
        wanted = [kind for branch in getattr(error.kind, "context", ()) for each in branch for kind in _types_of(each)]
        code, message = _OTHERWISE if not wanted else ("member.type", f"This must be {_name_types(wanted)}.")
    else:
        code, message = _MESSAGES.get(keyword, _OTHERWISE)
    return FieldError(".".join(path), code, message)
