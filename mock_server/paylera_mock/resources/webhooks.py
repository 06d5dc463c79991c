"""Webhook endpoints. Their secret is shown when it is made, and never again (reference, Webhook endpoints)."""

from __future__ import annotations

from http import HTTPStatus
from typing import Final

from paylera_fixtures.operations import Resource
from paylera_mock.context import Context, Outcome, Reply
from paylera_mock.problems import Problem
from paylera_mock.resources.common import change, changed, framed, named
from paylera_mock.store import Object

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
        api_version=context.world.versions.current,
        secret_last4=secret[-4:],
    )
    context.shelf.add(Resource.WEBHOOK_ENDPOINT, endpoint)
    return _with_secret(HTTPStatus.CREATED, endpoint, secret)


def update_webhook_endpoint(context: Context) -> Outcome:
    """Change members of an endpoint."""
    endpoint = named(context)
    if isinstance(endpoint, Problem):
        return endpoint
    given = {member: context.payload[member] for member in _MEMBERS if member in context.payload}
    return changed(context, endpoint, **given)


def delete_webhook_endpoint(context: Context) -> Outcome:
    """Remove an endpoint."""
    endpoint = named(context)
    if isinstance(endpoint, Problem):
        return endpoint
    context.shelf.remove(Resource.WEBHOOK_ENDPOINT, endpoint["id"])
    return Reply(HTTPStatus.NO_CONTENT, object_id=endpoint["id"])


def rotate_secret_webhook_endpoint(context: Context) -> Outcome:
    """Give an endpoint a new secret."""
    endpoint = named(context)
    if isinstance(endpoint, Problem):
        return endpoint
    secret = _new_secret(context)
    change(context, endpoint, secret_last4=secret[-4:])
    return _with_secret(HTTPStatus.OK, endpoint, secret)


def _new_secret(context: Context) -> str:
    return f"whsec_{context.world.entropy.word(_SECRET_LENGTH)}"


def _with_secret(status: int, endpoint: Object, secret: str) -> Reply:
    return Reply(status, endpoint | {"secret": secret}, endpoint["id"], issues_secret=True)
