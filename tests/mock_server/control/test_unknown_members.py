"""A member that a call of the control API does not take is told, with the one that may be meant."""

from __future__ import annotations

from typing import Any, Final

import pytest

from helpers.fake import Fake
from paylera_mock.testing import ControlCallError, Paylera

_TOKEN: Final = {"audience": "service", "scopes": ["*"]}
MISSPELT: Final[tuple[tuple[str, dict[str, Any], str], ...]] = (
    ("tokens", {"audiense": "service", "scopes": ["*"]}, "audience"),
    ("tokens", {**_TOKEN, "enviroment": "live"}, "environment"),
    ("tokens", {**_TOKEN, "customer": "cus_ada"}, "customer_id"),
    ("namespaces", {"profil": "reference"}, "profile"),
    ("actors", {"tenant": "ten_1"}, "tenant_id"),
    ("customers", {"tennant_id": "ten_1"}, "tenant_id"),
    ("objects", {"kind": "payment", "state": "succeeded"}, "status"),
    ("payment-actions/pay_1", {"outcom": "failed"}, "outcome"),
    ("clock", {"running": True, "ofset_ms": 5}, "offset_ms"),
    ("clock/advance", {"seconds": 1, "second": 1}, "seconds"),
    ("versions", {"version": "2099-01-01", "versoin": "2099-01-01"}, "version"),
    ("rate-limits", {"enforced": True, "enforce": True}, "enforced"),
    ("mutants", {"ids": [], "id": "no-challenge"}, "ids"),
    ("faults", {"action": "drop", "rute": "/v1/customers"}, "route"),
    ("explain", {"path": "/v1/customers", "metod": "GET"}, "method"),
    ("verify", {"method": "GET", "tymes": 1}, "times"),
    ("webhooks/flush", {"timeout": 1}, "timeout_seconds"),
    ("webhooks/redeliver", {"delivery": "del_1", "delivery_id": "del_1"}, "delivery_id"),
)


@pytest.mark.parametrize(("path", "body", "meant"), MISSPELT, ids=[f"{path} {meant}" for path, _, meant in MISSPELT])
def test_member_that_is_misspelt_is_refused(fake: Fake, path: str, body: dict[str, Any], meant: str) -> None:
    """It was passed over, and the test that sent it looked at something else than it meant."""
    answer = fake.control("POST", path, **body)
    [error] = (answer.json or {})["errors"]
    assert (answer.status_code, error["field"] in body) == (422, True)
    assert error["message"].startswith("There is no such member")
    assert error["message"].endswith(f"Did you mean {meant}?")


@pytest.mark.parametrize("path", ["tenants", "reset"])
def test_call_without_body_takes_no_member(fake: Fake, path: str) -> None:
    """Whatever it is called."""
    answer = fake.control("POST", path, name="Ada")
    assert (answer.status_code, (answer.json or {})["errors"][0]["field"]) == (422, "name")


def test_handle_of_python_says_so_too(paylera: Paylera) -> None:
    """Its keywords are the members of the call."""
    with pytest.raises(ControlCallError, match=r"POST tokens is refused: enviroment: .* Did you mean environment\?"):
        paylera.token("*", enviroment="live")
