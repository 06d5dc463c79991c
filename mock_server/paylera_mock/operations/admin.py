"""The registry of actors and the audit log."""

from __future__ import annotations

from http import HTTPStatus

from paylera_fixtures.api.operations import Resource
from paylera_mock.core import problems
from paylera_mock.core.messages import Outcome, Reply
from paylera_mock.operations.common import list_of
from paylera_mock.pipeline.context import Context
from paylera_mock.state.actors import actor_object


def list_actors(context: Context) -> Outcome:
    """The actors of the tenant's registry."""
    return list_of(context, reversed(list(context.state.actors.of(context.tenant_id).values())))


def create_actor(context: Context) -> Outcome:
    """Enter an actor into the tenant's registry."""
    given = context.payload
    actor = actor_object(
        context.state.new_id(Resource.ACTOR),
        context.text(),
        name=given.get("name", ""),
        email=given.get("email"),
        role=given.get("role", ""),
    )
    context.state.actors.add(context.tenant_id, actor)
    return Reply(HTTPStatus.CREATED, actor, actor["id"])


def delete_actor(context: Context) -> Outcome:
    """Strike an actor out of the tenant's registry."""
    if not context.state.actors.remove(context.tenant_id, context.identifier):
        return problems.not_found(Resource.ACTOR.value)
    return Reply(HTTPStatus.NO_CONTENT, object_id=context.identifier)
