"""JSON from outside as values of a type: files that are loaded, bodies and queries of the control API.

What is wrong is named by its place, with what the type wants there, and never with the value: that may be a secret.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final, TypeVar

import msgspec
from msgspec import inspect

from paylera_fixtures.spelling import nearest

T = TypeVar("T")

# How msgspec words a flaw; a name in it is the client's, and may hold anything.
_FLAW: Final = re.compile(
    r"(?:Object (?:contains unknown|missing required) field `(?P<member>.*?)`|.*?)(?: - at [^$]*\$(?P<place>.*)`)?",
    re.DOTALL,
)
_STEP: Final = re.compile(r"\.(?P<name>[^.\[]+)|\[[^\]]*\]")

_WORDS: Final[Mapping[type[inspect.Type], str]] = {
    inspect.StrType: "a string",
    inspect.BoolType: "true or false",
    inspect.BytesType: "base64",
    inspect.ListType: "a list",
    inspect.VarTupleType: "a list",
    inspect.TupleType: "a list",
}


class InvalidInputError(ValueError):
    """Input that cannot be used: the place of the flaw, as in `tokens[0].audience`, and what must be there.

    `message` begins in lower case and ends without a full stop, so that it can follow the place.
    """

    def __init__(self, place: str, message: str) -> None:
        super().__init__(f"{place}: {message}" if place else message)
        self.place = place
        self.message = message


def convert_json(data: Any, kind: type[T], *, strict: bool = True) -> T:
    """Parsed JSON as a value of a type; bytes are base64. Raises `InvalidInputError` for the first flaw.

    Without `strict`, a string is read as the number that the type wants, as in the query of a URL.
    """
    try:
        return msgspec.convert(data, kind, strict=strict)
    except msgspec.ValidationError as error:
        raise _describe_flaw(str(error), inspect.type_info(kind)) from None


def check_members(data: Any, kind: type) -> None:
    """Raise `InvalidInputError` for the first member that a type does not name, where converting passes over it."""
    _check_members(data, inspect.type_info(kind), "")


def _check_members(data: Any, kind: inspect.Type, place: str) -> None:
    if isinstance(data, list):
        for number, each in enumerate(data):
            _check_members(each, _step_into(kind, None), f"{place}[{number}]")
    elif isinstance(data, dict) and not isinstance(kind, inspect.AnyType):
        known = _members(kind)
        for name, each in data.items():
            inner = f"{place}.{name}".removeprefix(".")
            if known and name not in known:
                raise _unknown_member(inner, name, known)
            _check_members(each, _step_into(kind, name), inner)


def _describe_flaw(text: str, wanted: inspect.Type) -> InvalidInputError:
    flaw = _FLAW.fullmatch(text)
    member, place = flaw["member"] if flaw else None, ""
    for step in _STEP.finditer((flaw and flaw["place"]) or ""):
        inner = _step_into(wanted, step["name"])
        # A list of strings is described as a whole.
        if isinstance(inner, inspect.StrType) and not step["name"]:
            break
        wanted, place = inner, f"{place}{step[0]}".removeprefix(".")
    if member is None:
        return InvalidInputError(place, f"this must be {_describe(wanted)}")
    known = _members(wanted)
    place = f"{place}.{member}" if place else member
    if member in known:
        return InvalidInputError(place, f"this is missing: it must be {_describe(known[member])}")
    return _unknown_member(place, member, known)


def _unknown_member(place: str, member: str, known: Iterable[str]) -> InvalidInputError:
    names, near = list(known), nearest(member, known)
    known_text = f"there {'is' if len(names) == 1 else 'are'} {', '.join(names) or 'none'}"
    return InvalidInputError(place, f"there is no such member: {known_text}{f'. Did you mean {near}?' if near else ''}")


def _members(kind: inspect.Type) -> dict[str, inspect.Type]:
    """The members of an object by their names in JSON; of a union, those of the object in it."""
    match kind:
        case inspect.Metadata():
            return _members(kind.type)
        case inspect.UnionType():
            return {name: member for each in kind.types for name, member in _members(each).items()}
        case inspect.StructType() | inspect.DataclassType():
            return {each.encode_name: each.type for each in kind.fields}
    return {}


def _step_into(kind: inspect.Type, name: str | None) -> inspect.Type:
    """The type of a member, or of an element where no name is given."""
    match kind:
        case inspect.Metadata():
            return _step_into(kind.type, name)
        case inspect.ListType() | inspect.VarTupleType():
            return kind.item_type
        case inspect.DictType():
            return kind.value_type
    return _members(kind).get(name or "", inspect.AnyType())


def _describe(kind: inspect.Type) -> str:
    """What a value must be: the description that the type was given, or else what is known of it."""
    match kind:
        case inspect.Metadata(extra_json_schema={"description": str(text)}):
            return text
        case inspect.Metadata():
            return _describe(kind.type)
        case inspect.UnionType():
            return " or ".join(_describe(each) for each in kind.types if not isinstance(each, inspect.NoneType))
        case inspect.EnumType(cls=values) | inspect.LiteralType(values=values):
            return one_of(values)
        case inspect.IntType() | inspect.FloatType():
            is_whole = isinstance(kind, inspect.IntType) or kind.multiple_of == 1
            low = "" if kind.ge is None else f" from {kind.ge:.0f}"
            high = "" if kind.le is None else f" to {kind.le:.0f}"
            return f"a {'whole ' if is_whole else ''}number{low}{high}"
        case inspect.ListType(item_type=inspect.StrType()) | inspect.VarTupleType(item_type=inspect.StrType()):
            return "a list of strings"
        case inspect.DictType(key_type=inspect.EnumType(cls=names)):
            return f"an object with members out of {', '.join(names)}"
    return _WORDS.get(type(kind), "an object")


def one_of(values: Iterable[object]) -> str:
    """The values that are possible, to follow "this must be"."""
    words = [str(value) for value in values]
    return f"one of {', '.join(words)}" if len(words) > 1 else words[0]
