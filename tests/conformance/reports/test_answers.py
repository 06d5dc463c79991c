"""Two runs were answered alike where status, code and shape of the answers are the same, whatever their values."""

from __future__ import annotations

import json
from typing import Any, TypeAlias

import pytest

from paylera_conformance.model.case_results import CaseResult
from paylera_conformance.model.messages import AnswerRecord, ExchangeRecord
from paylera_conformance.model.outcomes import Outcome
from paylera_conformance.reports.answers import answers_of, different_answers

CLAUSE = "revocation.immediate"


Cases: TypeAlias = list[CaseResult]


def run(
    status: int, body: Any = None, *, url: str = "https://a.example/v1/customers", role: str | None = "‹admin #12ab›"
) -> Cases:
    """A run of one case with one exchange."""
    text = "" if body is None else json.dumps(body)
    answer = AnswerRecord(status, (("Content-Type", "application/json; charset=utf-8"),), text)
    exchange = ExchangeRecord(
        method="GET", url=url, role=role, headers=(), body=None, answer=answer, at="", seconds=0.0
    )
    return [CaseResult(CLAUSE, "test_it", Outcome.PASS, exchanges=(exchange,))]


def differences(first: Cases, second: Cases) -> list[tuple[str, str]]:
    """What the two were answered otherwise."""
    a, b = (answers_of(each)[CLAUSE] for each in (first, second))
    return [(one, other) for _, one, other in different_answers(a, b)]


ALIKE: dict[str, tuple[Cases, Cases]] = {
    "values": (run(200, {"id": "cus_1", "n": 1}), run(200, {"id": "cus_2", "n": 2.5})),
    "null": (run(200, {"next_cursor": None}), run(200, {"next_cursor": "x"})),
    "empty-list": (run(200, {"data": []}), run(200, {"data": [{"id": "cus_1"}]})),
    "entries-together": (run(200, [{"a": 1}, {"b": "x"}]), run(200, [{"b": "y", "a": None}])),
    "host-and-namespace": (run(200, {}), run(200, {}, url="http://b.example/ns/17/v1/customers")),
    "ids": (
        run(200, {}, url="https://a.example/v1/customers/cus_1"),
        run(200, {}, url="https://a.example/v1/customers/cus_2"),
    ),
    "fingerprint": (run(200, {}), run(200, {}, role="‹admin #98fe›")),
    # It follows from another difference that only one of them was asked so.
    "another-request": (run(200, {}), run(404, {}, role=None)),
}


@pytest.mark.parametrize(("first", "second"), ALIKE.values(), ids=ALIKE)
def test_what_is_by_chance_is_no_difference(first: Cases, second: Cases) -> None:
    """Two runs against one target do not share it either."""
    assert differences(first, second) == differences(second, first) == []


DIFFERENT: dict[str, tuple[Cases, Cases, tuple[str, str]]] = {
    "status": (run(204), run(200, {}), ("204 application/json", "200 application/json")),
    "refusal": (
        run(401, {"problem": "auth.scope_required"}),
        run(403, {"problem": "auth.scope_required"}),
        ("401 auth.scope_required {problem: string}", "403 auth.scope_required {problem: string}"),
    ),
    "code": (
        run(401, {"problem": "auth.missing_token"}),
        run(401, {"problem": "auth.invalid_token"}),
        ("401 auth.missing_token {problem: string}", "401 auth.invalid_token {problem: string}"),
    ),
    "member": (
        run(200, {"id": "x"}),
        run(200, {"id": "x", "name": "y"}),
        ("200 {id: string}", "200 {id: string, name: string}"),
    ),
    "type": (run(200, {"n": 1}), run(200, {"n": "1"}), ("200 {n: number}", "200 {n: string}")),
    "within": (
        run(200, {"data": [{"id": "x"}]}),
        run(200, {"data": [{"key": "x"}]}),
        ("200 {data: [{id: string}]}", "200 {data: [{key: string}]}"),
    ),
}


@pytest.mark.parametrize(("first", "second", "texts"), DIFFERENT.values(), ids=DIFFERENT)
def test_answer_that_differs_is_a_difference(first: Cases, second: Cases, texts: tuple[str, str]) -> None:
    """In status, code or shape, whatever the outcome of the case; each side in its own words."""
    assert differences(first, second) == [texts]
