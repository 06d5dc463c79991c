"""Whether amounts are integers is found out by an object that has some, where no document says it."""

from __future__ import annotations

import json
from collections.abc import Callable

import httpx
import pytest

from paylera_conformance.probe.amount_trial import takes_whole_amounts
from paylera_conformance.probe.probe import Probe

PLANS, INVOICES = "/v1/plans", "/v1/invoices"
REFUSED = httpx.Response(422, json={"status": 422, "problem": "validation.failed"})


def server(form: type, *, lacks: str = "") -> Callable[[httpx.Request], httpx.Response]:
    """A server that takes amounts of one form, and lacks a kind of object."""

    def answer(request: httpx.Request) -> httpx.Response:
        body = json.loads(request.content)
        if request.url.path == lacks:
            return httpx.Response(404, json={"status": 404})
        rows = [*body.get("components", ()), *body.get("lines", ())]
        amounts = [row.get("amount", row.get("unit_amount")) for row in rows]
        return httpx.Response(201, json={"id": "obj_1"}) if all(isinstance(a, form) for a in amounts) else REFUSED

    return answer


@pytest.mark.parametrize(
    ("handler", "whole"),
    [
        (server(int), True),
        (server(str), False),
        (server(int, lacks=PLANS), True),
        (server(int, lacks="/v1/products"), True),
        (server(str, lacks=PLANS), False),
        (server(float), False),
    ],
    ids=["integers", "strings", "integers-without-plans", "without-products", "strings-without-plans", "neither"],
)
def test_what_is_taken_is_found_out(
    probe_on: Callable[..., Probe],
    handler: Callable[[httpx.Request], httpx.Response],
    whole: bool,  # noqa: FBT001 - a column of the table
) -> None:
    """By a plan, or else by an invoice; where neither form is taken it is the contract's that is asked for."""
    assert takes_whole_amounts(probe_on(handler)) is whole
