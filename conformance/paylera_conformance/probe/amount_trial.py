"""Finds out whether a target takes amounts as integers, where no document of its own says so."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Any, Final

from paylera_conformance.model.messages import FRESH_KEY, Exchange, Request
from paylera_conformance.model.outcomes import CaseEnd
from paylera_conformance.probe.amounts import fit_amounts, in_minor_units
from paylera_conformance.probe.answers import find_id
from paylera_conformance.probe.refusals import is_about_request
from paylera_conformance.probe.sender import Sender
from paylera_conformance.target.openapi import Document
from paylera_fixtures.api.examples import example
from paylera_fixtures.api.operations import BY_ID, Resource

_SILENT: Final = Document({}, published=False)


def takes_whole_amounts(sender: Sender) -> bool:
    """Whether an object is made with amounts in minor units that is refused with decimal strings.

    False where nothing is made with either, so that the contract's own form is asked for.
    """
    for operation_id, body in _bodies(sender):
        with suppress(CaseEnd):  # another kind of object may be to be had
            refused = _create(sender, operation_id, body)
            if refused.response.ok:
                return False
            if is_about_request(refused.response):
                whole = fit_amounts(body, None, _SILENT, unsaid=in_minor_units)
                return _create(sender, operation_id, whole).response.ok
    return False


def _bodies(sender: Sender) -> Iterator[tuple[str, dict[str, Any]]]:
    """Objects that have amounts, the first that the target can make, with what they refer to."""
    with suppress(CaseEnd):
        product = example("create_product", suffix=f"-{sender.variation.name()}")
        if _create(sender, "create_product", product).response.ok:
            suffix = f"-{sender.variation.name()}"
            yield "create_plan", example("create_plan", suffix=suffix, product_code=product["code"])
    with suppress(CaseEnd):
        made = _create(sender, "create_customer", example("create_customer", suffix=f"-{sender.variation.name()}"))
        customer = find_id(made.response.json, Resource.CUSTOMER)
        if made.response.ok and customer is not None:
            yield "create_invoice", example("create_invoice", customer_id=customer)


def _create(sender: Sender, operation_id: str, body: dict[str, Any]) -> Exchange:
    operation = BY_ID[operation_id]
    request = Request("POST", operation.path, sender.tokens.for_operation(operation), key=FRESH_KEY)
    return sender.send(request.with_json(body))
