"""What is asked of an error's members."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import nullcontext

import pytest

from helpers.suite import Target
from paylera_conformance.model.messages import Exchange, Request, Response
from paylera_conformance.model.outcomes import Violation
from paylera_conformance.probe.probe import Probe
from paylera_conformance.scenarios.problem_checks import expect_occurrence

URL = "https://proxy.test/api/ns/one/v1/customers?limit=1"


@pytest.mark.parametrize(
    ("instance", "is_right"),
    [
        ("/v1/customers", True),
        ("/ns/one/v1/customers", True),
        ("/api/ns/one/v1/customers", True),
        ("ns/one/v1/customers", False),
        ("/one/customers", False),
        ("/customers", False),
        ("/v1/customers?limit=1", False),
        ("/other/v1/customers", False),
        ("", False),
        (None, False),
    ],
)
def test_instance_is_the_path_as_the_target_or_its_client_sees_it(
    probe_on: Callable[..., Probe],
    target: Target,
    instance: str | None,
    is_right: bool,  # noqa: FBT001 - a case
) -> None:
    """A proxy may have taken some of the prefix away, and the rest be the target's own."""
    body = json.dumps({"detail": "There is none.", "trace_id": "01", "instance": instance}).encode()
    response = Response(404, (("Content-Type", "application/problem+json"),), body)
    error = Exchange(Request("GET", "/v1/customers?limit=1"), URL, (), response)
    with nullcontext() if is_right else pytest.raises(Violation, match="instance"):
        expect_occurrence(probe_on(target), error)
