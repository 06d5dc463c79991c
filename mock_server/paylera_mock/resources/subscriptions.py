"""Subscriptions (reference, Status: the states and what leads from one to another)."""

from __future__ import annotations

from typing import Final

from paylera_fixtures.operations import Resource
from paylera_mock.context import Context, Outcome
from paylera_mock.problems import Problem
from paylera_mock.resources.common import created, framed, moved, referred
from paylera_mock.store import Object

_CANCELABLE: Final = ("trialing", "active", "past_due", "paused")
_PAUSABLE: Final = ("active", "past_due")


def create_subscription(context: Context) -> Outcome:
    """Subscribe a customer to a plan."""
    customer = referred(context, Resource.CUSTOMER, "customer_id")
    if isinstance(customer, Problem):
        return customer
    plan = referred(context, Resource.PLAN, "plan_code", "code")
    if isinstance(plan, Problem):
        return plan
    return created(context, Resource.SUBSCRIPTION, subscription_object(context, plan, context.payload))


def subscription_object(context: Context, plan: Object, given: Object) -> Object:
    """A new subscription: trialing where there is a trial, else active. The call's trial goes before the plan's."""
    trial_days = int(given["trial_days"] if "trial_days" in given else plan["trial_days"])
    return framed(
        context,
        Resource.SUBSCRIPTION,
        customer_id=given["customer_id"],
        plan_code=plan["code"],
        status="trialing" if trial_days else "active",
        trial_days=trial_days,
        default_payment_method_id=given.get("default_payment_method_id"),
        quantities=given.get("quantities", {}),
        coupons=given.get("coupons", []),
        metadata=given.get("metadata", {}),
    )


def cancel_subscription(context: Context) -> Outcome:
    """End a subscription."""
    return moved(context, "cancel", _CANCELABLE, "canceled")


def pause_subscription(context: Context) -> Outcome:
    """Pause a subscription."""
    return moved(context, "pause", _PAUSABLE, "paused")
