"""Amounts as the target has them: the contract's strings, or numbers where its document or its answers say so."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from typing import Any, Final, TypeAlias

from paylera_conformance.target.openapi import Document

_DECIMAL: Final = re.compile(r"[0-9]{1,12}(\.[0-9]{1,8})?", re.ASCII)
_MINOR_UNITS: Final = 100
"""Of the currencies that requests are made in."""

_DEEPEST: Final = 10
_PARTS: Final = ("allOf", "anyOf", "oneOf")


Amount: TypeAlias = str | int | float


def fit_amounts(
    value: Any, schema: object, document: Document, *, unsaid: Callable[[str], Amount] = str, depth: int = 0
) -> Any:
    """A JSON value in which every decimal string that a schema wants to be a number is one.

    An integer is in minor units, or in whole ones where the bounds of its schema leave out the other.

    - `unsaid`: what an amount with cents is where no schema says what it is.
    """
    parts = list(_parts_of(schema, document))
    if depth > _DEEPEST:
        return value
    if isinstance(value, dict):
        members = {name: member for part in reversed(parts) for name, member in _mapping(part, "properties").items()}
        return {
            name: fit_amounts(member, members.get(name), document, unsaid=unsaid, depth=depth + 1)
            for name, member in value.items()
        }
    if isinstance(value, list):
        items = next((part["items"] for part in parts if "items" in part), None)
        return [fit_amounts(item, items, document, unsaid=unsaid, depth=depth + 1) for item in value]
    if not isinstance(value, str) or not _DECIMAL.fullmatch(value):
        return value
    if "." in value and not any(map(_types_of, parts)):
        return unsaid(value)
    return _fit_one(value, parts)


def in_minor_units(text: str) -> int:
    """An amount as a number of minor units."""
    return int(Decimal(text) * _MINOR_UNITS)


def _parts_of(schema: object, document: Document, depth: int = 0) -> Iterator[Mapping[str, Any]]:
    """A schema, and those that it is composed of."""
    found = document.resolve(schema)
    if found and depth <= _DEEPEST:
        yield found
        for name in _PARTS:
            rows = found.get(name)
            for row in rows if isinstance(rows, list) else ():
                yield from _parts_of(row, document, depth + 1)


def _mapping(part: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = part.get(name)
    return found if isinstance(found, Mapping) else {}


def _fit_one(text: str, parts: list[Mapping[str, Any]]) -> Amount:
    types = {name for part in parts for name in _types_of(part)}
    amount = Decimal(text)
    if "string" in types or not types & {"integer", "number"}:
        return text
    if "integer" not in types:
        return float(amount)
    numbers = [in_minor_units(text), int(amount)] if "." in text else [int(amount)]
    return next((number for number in numbers if all(_allows(part, number) for part in parts)), numbers[0])


def _types_of(part: Mapping[str, Any]) -> list[str]:
    given = part.get("type")
    return [given] if isinstance(given, str) else given if isinstance(given, list) else []


def _allows(part: Mapping[str, Any], number: int) -> bool:
    """Whether the bounds of a schema allow a number; what is no number bounds nothing."""
    bounds = {name: bound for name, bound in part.items() if isinstance(bound, int | float) and bound is not True}
    allowed = part.get("enum")
    return (
        bounds.get("minimum", number) <= number <= bounds.get("maximum", number)
        and bounds.get("exclusiveMinimum", number - 1) < number < bounds.get("exclusiveMaximum", number + 1)
        and not number % (bounds.get("multipleOf") or 1)
        and (not isinstance(allowed, list) or number in allowed)
    )
