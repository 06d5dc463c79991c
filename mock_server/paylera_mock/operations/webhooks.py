"""Webhook endpoints. Their secret is shown when it is made, and never again (reference, Webhook endpoints)."""

from __future__ import annotations

from http import HTTPStatus
from typing import Final

from paylera_fixtures.api.operations import Resource
from paylera_mock.core.messages import Object, Reply
from paylera_mock.operations.common import (
    create,
    new_object,
    object_in_path,
    operation,
    refuse_member,
    set_status,
    update,
)
from paylera_mock.operations.emit_events import emit
from paylera_mock.pipeline.context import Context

_MEMBERS: Final = ("url", "events", "description", "status")
_SECRET_LENGTH: Final = 32


@operation
def create_webhook_endpoint(context: Context) -> Reply:
    """Register an endpoint, pinned to the default version of today."""
    secret = _new_secret(context)
    context.state.webhooks.distribute()
    endpoint = endpoint_object(context, context.payload, secret_last4=secret[-4:])
    _sign_with(context, endpoint, secret)
    create(context, Resource.WEBHOOK_ENDPOINT, endpoint)
    return _with_secret(HTTPStatus.CREATED, endpoint, secret)


def endpoint_object(context: Context, given: Object, *, secret_last4: str) -> Object:
    """A new endpoint."""
    return new_object(
        context,
        Resource.WEBHOOK_ENDPOINT,
        url=given["url"],
        events=given["events"],
        description=given.get("description"),
        status="enabled",
        api_version=context.state.versions.current,
        secret_last4=secret_last4,
    )


@operation
def update_webhook_endpoint(context: Context) -> Reply:
    """Change members of an endpoint. Where its status changes, deliveries that wait for it are dropped."""
    endpoint = object_in_path(context)
    status = endpoint["status"]
    context.state.webhooks.distribute()
    if context.payload.get("status") == "auto_disabled" != status:
        raise refuse_member("status", "member.value", "An endpoint can be made enabled or disabled.")
    update(context, endpoint, **{member: context.payload[member] for member in _MEMBERS if member in context.payload})
    emit(context, endpoint, "updated")
    if endpoint["status"] != status:
        # Its failures so far are forgotten with them.
        context.state.webhooks.drop(endpoint["id"], "the endpoint was disabled")
        if endpoint["status"] != "enabled":
            emit(context, endpoint, "disabled")
    return Reply(HTTPStatus.OK, endpoint, endpoint["id"])


def disable_endpoint(context: Context, endpoint: Object) -> None:
    """An endpoint has answered with a 4xx too often: nothing is sent to it until it is enabled again."""
    if endpoint["status"] == "enabled":
        context.state.webhooks.distribute()
        set_status(context, endpoint, "auto_disabled")


def announce_failed_delivery(context: Context, endpoint: Object) -> None:
    """A delivery was given up."""
    emit(context, endpoint, "delivery_failed")


@operation
def delete_webhook_endpoint(context: Context) -> Reply:
    """Remove an endpoint."""
    endpoint = object_in_path(context)
    context.state.webhooks.distribute()
    context.objects.remove(Resource.WEBHOOK_ENDPOINT, endpoint["id"])
    context.state.webhooks.remove(endpoint["id"])
    return Reply(HTTPStatus.NO_CONTENT, object_id=endpoint["id"])


@operation
def rotate_secret_webhook_endpoint(context: Context) -> Reply:
    """Give an endpoint a new secret; the one before it signs too for a day."""
    endpoint = object_in_path(context)
    secret = _new_secret(context)
    context.state.webhooks.distribute()
    _sign_with(context, endpoint, secret)
    update(context, endpoint, secret_last4=secret[-4:])
    emit(context, endpoint, "updated")
    return _with_secret(HTTPStatus.OK, endpoint, secret)


def _new_secret(context: Context) -> str:
    return f"whsec_{context.state.randomness.word(_SECRET_LENGTH)}"


def _sign_with(context: Context, endpoint: Object, secret: str) -> None:
    signing_secrets, grace_seconds = context.state.webhooks.signing_secrets, context.policy.grace_seconds
    signing_secrets.add(endpoint["id"], secret, context.now, grace_seconds=grace_seconds)


def _with_secret(status: int, endpoint: Object, secret: str) -> Reply:
    return Reply(status, endpoint | {"secret": secret}, endpoint["id"], issues_secret=True)
