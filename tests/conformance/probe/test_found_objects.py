"""Objects that a target lists, where nobody can make one for a case."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest

from paylera_conformance.model.outcomes import Blocked
from paylera_conformance.probe.probe import Probe
from paylera_fixtures.api.operations import Resource

WAITING = "requires_action"


def lists(*statuses: str | None) -> Callable[[httpx.Request], httpx.Response]:
    """A target with payments of these statuses."""
    entries = [{"id": f"pay_{place}", "status": status} for place, status in enumerate(statuses)]
    return lambda _: httpx.Response(200, json={"data": entries, "has_more": False, "next_cursor": None})


def test_each_request_has_an_object_of_its_own(probe_on: Callable[..., Probe]) -> None:
    """What the first one cancels, the second cannot; where there is no other, it is tried all the same."""
    factory = probe_on(lists(WAITING, "succeeded", WAITING)).factory
    found = [factory.object_id(Resource.PAYMENT, WAITING) for _ in range(3)]
    assert found == ["pay_0", "pay_2", "pay_0"]


def test_payment_of_which_a_part_was_given_back_will_do(probe_on: Callable[..., Probe]) -> None:
    """More of it can be: a target that lists few payments is asked for no more of them."""
    factory = probe_on(lists("partially_refunded", "refunded", "succeeded")).factory
    found = [factory.object_id(Resource.PAYMENT, "succeeded") for _ in range(3)]
    assert found == ["pay_2", "pay_0", "pay_2"]


@pytest.mark.parametrize("other", [{"status": {"is": WAITING}}, {"status": None}, {}], ids=["object", "null", "none"])
def test_status_that_is_no_text_is_not_the_one_looked_for(
    probe_on: Callable[..., Probe], other: dict[str, object]
) -> None:
    """Nor does it stop the run."""
    entries = [{"id": "pay_0", **other}, {"id": "pay_1", "status": WAITING}]
    factory = probe_on(lambda _: httpx.Response(200, json=entries)).factory
    assert factory.object_id(Resource.PAYMENT, WAITING) == "pay_1"


def test_object_that_is_not_listed_is_asked_for(probe_on: Callable[..., Probe]) -> None:
    """By its status."""
    factory = probe_on(lists("succeeded", None)).factory
    with pytest.raises(Blocked, match="the target lists no payment that is requires action: create one"):
        factory.object_id(Resource.PAYMENT, WAITING)
