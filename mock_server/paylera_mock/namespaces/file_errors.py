"""What files and calls bring in from outside, as values: a flaw is named with its place, and how to mend it."""

from __future__ import annotations

import re
from typing import Any, Final, TypeVar

T = TypeVar("T")

SCHEMA: Final = 1
"""The version of the formats that are written and read."""

_PLACED: Final = re.compile(r"(?P<message>.*?) - at (?:`key` in )?`\$\.?(?P<place>.*)`", re.DOTALL)


class LoadError(ValueError):
    """A document that cannot be used: where its flaw is, as in `tokens[0].audience`, and what to do."""

    def __init__(self, place: str, message: str) -> None:
        super().__init__(f"{place}: {message}" if place else message)
        self.place = place
        self.message = message


def kind_of(data: Any) -> str:
    """What a document says it is. Raises `LoadError` where it does not, or is of a schema that is not known here."""
    if not isinstance(data, dict):
        raise LoadError("", 'this must be a JSON object with "schema" and "kind"')
    if data.get("schema") != SCHEMA:
        raise LoadError("schema", f"this must be {SCHEMA}; a file of a later schema needs a later paylera-mock")
    kind = data.get("kind")
    if not isinstance(kind, str):
        raise LoadError("kind", 'this must be "snapshot" or "seed"')
    return kind


def converted(data: Any, kind: type[T]) -> T:
    """Parsed JSON as a value of a type, whose bytes are base64. Raises `LoadError` for the first flaw."""
    # Imported when first needed: most fakes never load anything.
    import msgspec  # noqa: PLC0415

    try:
        return msgspec.convert(data, kind)
    except msgspec.ValidationError as error:
        found = _PLACED.fullmatch(str(error))
        place, message = (found["place"], found["message"]) if found else ("", str(error))
        raise LoadError(place, f"{message[0].lower()}{message[1:]}") from None
