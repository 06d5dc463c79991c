"""Answers as values: what is read of their bodies."""

from __future__ import annotations

import json

import pytest

from paylera_conformance.model.messages import Response, read_json


@pytest.mark.parametrize("depth", [100, 101, 500])
@pytest.mark.parametrize(("opening", "closing"), [(b"[", b"]"), (b'{"a":', b"}")])
def test_what_is_too_deep_is_left_empty(depth: int, opening: bytes, closing: bytes) -> None:
    """Whoever walks through it would run out of stack; the members beside it are read."""
    body = b'{"problem": "deep", "x": ' + opening * depth + b'"far"' + closing * depth + b"}"
    response = Response(400, (), body)
    assert (response.problem, "far" in json.dumps(response.json)) == ("deep", False)


@pytest.mark.parametrize("opening", ["[", '{"a":'])
def test_body_of_three_thousand_levels_ends_nothing(opening: str) -> None:
    """Some versions of Python read so far, and others give it up: what is far down is known in none."""
    closing = {"[": "]"}.get(opening, "}")
    response = Response(400, (), f'{{"x": {opening * 3000}"far"{closing * 3000}}}'.encode())
    assert "far" not in json.dumps(response.json)


def test_body_beyond_every_depth_is_none() -> None:
    """As JSON's own reader has it."""
    assert read_json("[" * 200_000 + "]" * 200_000) is None


def test_body_of_a_usual_depth_is_read() -> None:
    """However wide it is."""
    body = b"[" + b",".join([b'{"a": [[1]]}'] * 1000) + b"]"
    assert (len(read_json(body)), read_json("[" * 99 + "]" * 99) is None) == (1000, False)
