"""The registry of actors and the audit log."""

from __future__ import annotations

from http import HTTPStatus

from paylera_fixtures.api.operations import Resource
from paylera_mock.core import problems
from paylera_mock.core.messages import Reply
from paylera_mock.core.problems import RefusedError
from paylera_mock.operations.common import operation, reply_with_page
from paylera_mock.pipeline.context import Context
from paylera_mock.state.actors import actor_object


@operation
def list_actors(context: Context) -> Reply:
    """The actors of the tenant's registry."""
    actors, tenant_id = context.state.actors, context.tenant_id
    return reply_with_page(context, lambda before: actors.newest_first(tenant_id, before=before))


@operation
def create_actor(context: Context) -> Reply:
    """Enter an actor into the tenant's registry."""
    given = context.payload
    actor = actor_object(
        context.state.new_id(Resource.ACTOR),
        context.format_now(),
        name=given.get("name", ""),
        email=given.get("email"),
        role=given.get("role", ""),
    )
    context.state.actors.add(context.tenant_id, actor)
    return Reply(HTTPStatus.CREATED, actor, actor["id"])


@operation
def delete_actor(context: Context) -> Reply:
    """Strike an actor out of the tenant's registry.

    Raises `RefusedError` where the registry has no such actor.
    """
    if not context.state.actors.remove(context.tenant_id, context.identifier):
        raise RefusedError(problems.not_found(Resource.ACTOR.value))
    return Reply(HTTPStatus.NO_CONTENT, object_id=context.identifier)
