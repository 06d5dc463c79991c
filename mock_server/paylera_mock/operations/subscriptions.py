"""Subscriptions (reference, Status: the states and what leads from one to another)."""

from __future__ import annotations

from paylera_fixtures.api.operations import Resource
from paylera_mock.core.clock import DAY, format_time
from paylera_mock.core.messages import Object, Reply
from paylera_mock.operations.common import create, new_object, operation, referenced_object, set_status, transition
from paylera_mock.operations.emit_events import emit
from paylera_mock.pipeline.context import Context
from paylera_mock.state.schedule import ScheduledEffect


@operation
def create_subscription(context: Context) -> Reply:
    """Subscribe a customer to a plan."""
    referenced_object(context, Resource.CUSTOMER, "customer_id")
    plan = referenced_object(context, Resource.PLAN, "plan_code", "code")
    subscription = subscription_object(context, plan, context.payload)
    _schedule_trial_end(context, subscription)
    return create(context, Resource.SUBSCRIPTION, subscription)


def subscription_object(context: Context, plan: Object, given: Object) -> Object:
    """A new subscription: trialing where there is a trial, else active. The call's trial goes before the plan's."""
    trial_days = int(given["trial_days"] if "trial_days" in given else plan["trial_days"])
    trial_end = format_time(context.now + trial_days * DAY) if trial_days else None
    return new_object(
        context,
        Resource.SUBSCRIPTION,
        customer_id=given["customer_id"],
        plan_code=plan["code"],
        status="trialing" if trial_days else "active",
        trial_days=trial_days,
        trial_end=trial_end,
        default_payment_method_id=given.get("default_payment_method_id"),
        quantities=given.get("quantities", {}),
        coupons=given.get("coupons", []),
        metadata=given.get("metadata", {}),
    )


def _schedule_trial_end(context: Context, subscription: Object) -> None:
    """Let the trial end by the clock, and announce its end some days before, where it is longer than that."""
    days, notice = subscription["trial_days"], context.policy.trial_notice_days
    if days > notice:
        context.schedule(ScheduledEffect.TRIAL_WILL_END, subscription, (days - notice) * DAY)
    if days:
        context.schedule(ScheduledEffect.TRIAL_END, subscription, days * DAY)


def announce_trial_end(context: Context, subscription: Object) -> None:
    """Tell that a trial is about to end, if it still goes on."""
    if subscription["status"] == "trialing":
        emit(context, subscription, "trial_will_end")


def end_trial(context: Context, subscription: Object) -> None:
    """A trial is over: the subscription is active, if nothing became of it before."""
    if subscription["status"] == "trialing":
        set_status(context, subscription, "active")


@operation
def cancel_subscription(context: Context) -> Reply:
    """End a subscription."""
    return transition(context, "cancel", "canceled")


@operation
def pause_subscription(context: Context) -> Reply:
    """Pause a subscription."""
    return transition(context, "pause", "paused")
