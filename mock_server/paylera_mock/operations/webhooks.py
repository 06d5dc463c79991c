"""Webhook endpoints. Their secret is shown when it is made, and never again (reference, Webhook endpoints)."""

from __future__ import annotations

from http import HTTPStatus
from typing import Final

from paylera_fixtures.api.operations import Resource
from paylera_mock.core.messages import Object, Outcome, Reply
from paylera_mock.core.problems import Problem
from paylera_mock.operations.common import change, changed, created, framed, move, named
from paylera_mock.operations.emit_events import emit
from paylera_mock.pipeline.context import Context

_MEMBERS: Final = ("url", "events", "description", "status")
_SECRET_LENGTH: Final = 32


def create_webhook_endpoint(context: Context) -> Outcome:
    """Register an endpoint, pinned to the default version of today."""
    given = context.payload
    secret = _new_secret(context)
    endpoint = framed(
        context,
        Resource.WEBHOOK_ENDPOINT,
        url=given["url"],
        events=given["events"],
        description=given.get("description"),
        status="enabled",
        api_version=context.state.versions.current,
        secret_last4=secret[-4:],
    )
    context.state.webhooks.signing_secrets.add(endpoint["id"], secret, context.now)
    created(context, Resource.WEBHOOK_ENDPOINT, endpoint)
    return _with_secret(HTTPStatus.CREATED, endpoint, secret)


def update_webhook_endpoint(context: Context) -> Outcome:
    """Change members of an endpoint."""
    endpoint = named(context)
    if isinstance(endpoint, Problem):
        return endpoint
    given = {member: context.payload[member] for member in _MEMBERS if member in context.payload}
    was = endpoint["status"]
    answer = changed(context, endpoint, **given)
    emit(context, endpoint, "updated")
    if endpoint["status"] != was:
        _switched(context, endpoint)
    return answer


def _switched(context: Context, endpoint: Object) -> None:
    """An endpoint was disabled, or enabled again: what waited for it is dropped, and its failures are forgotten."""
    context.state.webhooks.drop(endpoint["id"], "the endpoint was disabled")
    if endpoint["status"] != "enabled":
        emit(context, endpoint, "disabled")


def endpoint_rejects(context: Context, endpoint: Object) -> None:
    """An endpoint has answered with a 4xx too often: nothing is sent to it until it is enabled again."""
    if endpoint["status"] == "enabled":
        move(context, endpoint, "auto_disabled")


def delivery_failed(context: Context, endpoint: Object) -> None:
    """A delivery was given up."""
    emit(context, endpoint, "delivery_failed")


def delete_webhook_endpoint(context: Context) -> Outcome:
    """Remove an endpoint."""
    endpoint = named(context)
    if isinstance(endpoint, Problem):
        return endpoint
    context.objects.remove(Resource.WEBHOOK_ENDPOINT, endpoint["id"])
    context.state.webhooks.remove(endpoint["id"])
    return Reply(HTTPStatus.NO_CONTENT, object_id=endpoint["id"])


def rotate_secret_webhook_endpoint(context: Context) -> Outcome:
    """Give an endpoint a new secret; the one before it signs too for a day."""
    endpoint = named(context)
    if isinstance(endpoint, Problem):
        return endpoint
    secret = _new_secret(context)
    context.state.webhooks.signing_secrets.add(endpoint["id"], secret, context.now)
    change(context, endpoint, secret_last4=secret[-4:])
    emit(context, endpoint, "updated")
    return _with_secret(HTTPStatus.OK, endpoint, secret)


def _new_secret(context: Context) -> str:
    return f"whsec_{context.state.randomness.word(_SECRET_LENGTH)}"


def _with_secret(status: int, endpoint: Object, secret: str) -> Reply:
    return Reply(status, endpoint | {"secret": secret}, endpoint["id"], issues_secret=True)
