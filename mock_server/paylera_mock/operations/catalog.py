"""Products and plans."""

from __future__ import annotations

from http import HTTPStatus

from paylera_fixtures.api.operations import Resource
from paylera_mock.core import problems
from paylera_mock.core.messages import Object, Outcome, Reply
from paylera_mock.core.problems import Problem
from paylera_mock.operations.common import created, framed, referred, taken
from paylera_mock.operations.money import unknown_currency
from paylera_mock.pipeline.context import Context


def create_product(context: Context) -> Outcome:
    """Add a product to the catalog."""
    conflict = taken(context, Resource.PRODUCT, "code")
    if conflict:
        return conflict
    return created(context, Resource.PRODUCT, product_object(context, context.payload))


def product_object(context: Context, given: Object) -> Object:
    """A new product."""
    return framed(
        context,
        Resource.PRODUCT,
        code=given["code"],
        name=given["name"],
        description=given.get("description"),
        tax_code=given.get("tax_code"),
    )


def create_plan(context: Context) -> Outcome:
    """Add a plan of a product to the catalog."""
    refusal = unknown_currency(context.payload["currency"]) or taken(context, Resource.PLAN, "code")
    if refusal:
        return refusal
    product = referred(context, Resource.PRODUCT, "product_code", "code")
    if isinstance(product, Problem):
        return product
    return created(context, Resource.PLAN, plan_object(context, context.payload))


def plan_object(context: Context, given: Object) -> Object:
    """A new plan, of one period and without trial where nothing else is said."""
    return framed(
        context,
        Resource.PLAN,
        product_code=given["product_code"],
        code=given["code"],
        currency=given["currency"],
        interval=given["interval"],
        interval_count=int(given.get("interval_count", 1)),
        trial_days=int(given.get("trial_days", 0)),
        components=given.get("components", []),
    )


def get_plan(context: Context) -> Outcome:
    """Read a plan: plans are addressed by their code; the id is taken too."""
    objects, name = context.objects, context.identifier
    found = objects.find(Resource.PLAN, code=name) or objects.get(Resource.PLAN, name)
    return Reply(HTTPStatus.OK, found, found["id"]) if found else problems.not_found(Resource.PLAN.value)
