"""Products and plans."""

from __future__ import annotations

from http import HTTPStatus

from paylera_fixtures.api.operations import Resource
from paylera_mock.core import problems
from paylera_mock.core.messages import Object, Reply
from paylera_mock.core.problems import RefusedError
from paylera_mock.operations.common import check_unique, create, new_object, operation, referenced_object
from paylera_mock.operations.money import read_currency
from paylera_mock.pipeline.context import Context


@operation
def create_product(context: Context) -> Reply:
    """Add a product to the catalog."""
    check_unique(context, Resource.PRODUCT, "code")
    return create(context, Resource.PRODUCT, product_object(context, context.payload))


def product_object(context: Context, given: Object) -> Object:
    """A new product."""
    return new_object(
        context,
        Resource.PRODUCT,
        code=given["code"],
        name=given["name"],
        description=given.get("description"),
        tax_code=given.get("tax_code"),
    )


@operation
def create_plan(context: Context) -> Reply:
    """Add a plan of a product to the catalog."""
    read_currency(context.payload)
    check_unique(context, Resource.PLAN, "code")
    referenced_object(context, Resource.PRODUCT, "product_code", "code")
    return create(context, Resource.PLAN, plan_object(context, context.payload))


def plan_object(context: Context, given: Object) -> Object:
    """A new plan, of one period and without trial where nothing else is said."""
    return new_object(
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


@operation
def get_plan(context: Context) -> Reply:
    """Read a plan: plans are addressed by their code; the id is taken too.

    Raises `RefusedError` where there is no such plan.
    """
    objects, name = context.objects, context.identifier
    plan = objects.find(Resource.PLAN, code=name) or objects.get(Resource.PLAN, name)
    if plan is None:
        raise RefusedError(problems.not_found(Resource.PLAN.value))
    return Reply(HTTPStatus.OK, plan, plan["id"])
