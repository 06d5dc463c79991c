"""JSON that does not fit its type is refused with its place and with what belongs there."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, Literal

import pytest
from msgspec import Meta, Struct

from paylera_mock.core.typed_json import InvalidInputError, convert_json


class Colour(StrEnum):
    """Something out of a few."""

    RED = "red"
    BLUE = "blue"


class Leaf(Struct, forbid_unknown_fields=True):
    """What a list holds."""

    name: str
    size: Annotated[int, Meta(ge=1, le=9)] = 1


class Tree(Struct, kw_only=True, forbid_unknown_fields=True):
    """A member of each kind."""

    colour: Colour = Colour.RED
    kind: Literal["tree"] = "tree"
    leaves: list[Leaf] = []
    names: tuple[str, ...] = ()
    height: Annotated[float, Meta(multiple_of=1)] | None = None
    is_old: bool = False
    digest: bytes = b""
    pair: tuple[int, int] = (0, 0)
    counts: dict[Colour, list[int]] = {}
    route: Annotated[str, Meta(pattern="^/", description="a path, as in /v1")] = "/"
    times: int | Leaf = 1


FLAWS: tuple[tuple[Any, str], ...] = (
    ([], "this must be an object"),
    ({"colour": "green"}, "colour: this must be one of red, blue"),
    ({"kind": "bush"}, "kind: this must be tree"),
    ({"leaves": {}}, "leaves: this must be a list"),
    ({"leaves": [{}]}, "leaves[0].name: this is missing: it must be a string"),
    ({"leaves": [{"name": "a"}, {"nmae": "b"}]}, "leaves[1].nmae: there is no such member: there are name, size"),
    ({"leaves": [{"name": "a", "size": 10}]}, "leaves[0].size: this must be a whole number from 1 to 9"),
    ({"names": [1]}, "names: this must be a list of strings"),
    ({"height": 1.5}, "height: this must be a whole number"),
    ({"is_old": 1}, "is_old: this must be true or false"),
    ({"digest": "?"}, "digest: this must be base64"),
    ({"pair": [1]}, "pair: this must be a list"),
    ({"counts": {"green": []}}, "counts: this must be an object with members out of red, blue"),
    ({"counts": {"red": ["a"]}}, "counts[...][0]: this must be a whole number"),
    ({"route": "v1"}, "route: this must be a path, as in /v1"),
    ({"times": "often"}, "times: this must be a whole number or an object"),
    ({"times": {"size": 1}}, "times.name: this is missing: it must be a string"),
    ({"a` - at `$.leaves": 1}, "no such member"),
)
"""What is read as a tree, and what is said of it."""


@pytest.mark.parametrize(("data", "complaint"), FLAWS, ids=str)
def test_a_flaw_is_named_with_what_belongs_there(data: Any, complaint: str) -> None:
    """By its place in the document."""
    with pytest.raises(InvalidInputError) as raised:
        convert_json(data, Tree)
    assert complaint in str(raised.value)


def test_a_wrong_value_is_not_repeated() -> None:
    """It may be a secret in the wrong place."""
    with pytest.raises(InvalidInputError) as raised:
        convert_json({"colour": "sk_sandbox_secret"}, Tree)
    assert "secret" not in str(raised.value)


def test_numbers_of_a_query_are_read_from_their_text() -> None:
    """A URL has no other."""
    assert convert_json({"name": "a", "size": "7"}, Leaf, strict=False) == Leaf("a", 7)


def test_numbers_of_a_body_are_no_strings() -> None:
    """JSON tells them apart."""
    with pytest.raises(InvalidInputError, match="size: this must be a whole number from 1 to 9"):
        convert_json({"name": "a", "size": "7"}, Leaf)
