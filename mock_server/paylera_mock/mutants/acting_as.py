"""Mutants of acting for an operator: who is known, and what the audit log says."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Final

from paylera_fixtures.api.operations import Resource
from paylera_mock.core.messages import Object
from paylera_mock.mutants.builders import (
    Mutation,
    add_effect,
    change_decision,
    change_writer,
    combine,
    decide_late,
    per_namespace,
    relent,
)
from paylera_mock.mutants.model import Mutant
from paylera_mock.pipeline import decisions, responses, rules
from paylera_mock.pipeline.context import Context


def _know(which: Callable[[Context, str], bool]) -> Mutation:
    return change_decision(decisions.actor_known, lambda right, context, actor: right or which(context, actor))


def _registry(context: Context) -> tuple[str, ...]:
    return tuple(entry.value["id"] for entry in context.state.actors.oldest_first(context.tenant_id))


def _record(change: Callable[[Object, Context], Object]) -> Mutation:
    """The audit log says something else of an accepted write: `change` gives members of the record."""
    return change_decision(decisions.audit_record, lambda right, context, _: right | change(right, context))


def _carry_actor_over() -> Mutation:
    """The actor is kept in a variable that nobody clears."""
    last: list[str | None] = [None]

    def change(_record: Object, context: Context) -> Object:
        last[0] = context.request.acting_as or last[0]
        return {"actor_id": last[0]}

    return _record(change)


def _forget(member: str) -> Callable[[Context], None]:
    """Records refer to what they name, and lose it with that: `member` is that of the id."""

    def act(context: Context) -> None:
        for entry in context.objects.oldest_first(Resource.AUDIT_RECORD):
            if entry.value[member] == context.identifier:
                entry.value[member] = None

    return act


def _drop_records(context: Context) -> None:
    for entry in list(context.objects.oldest_first(Resource.AUDIT_RECORD)):
        if entry.value["object_id"] == context.identifier:
            context.objects.remove(Resource.AUDIT_RECORD, entry.value["id"])


_KNOW_EVERYONE: Final = _know(lambda *_: True)
_RECORD_NO_ACTOR: Final = _record(lambda *_: {"actor_id": None})


_breaks_nobody: Final = partial(Mutant, breaks=("acting-as.unknown-actor", "acting-as.empty", "acting-as.other-tenant"))
_breaks_unknown_actor: Final = partial(Mutant, breaks=("acting-as.unknown-actor",))
_breaks_audited: Final = partial(Mutant, breaks=("acting-as.audited",))
_breaks_absent: Final = partial(Mutant, breaks=("acting-as.absent",))

MUTANTS: Final[Mapping[str, Mutant]] = {
    "actor-refused": Mutant(
        "Nobody can be acted for.",
        change_decision(decisions.actor_known, lambda *_: False),
        breaks=("acting-as.known-actor",),
    ),
    "actor-not-looked-up": _breaks_nobody("Whoever is named can be acted for.", _KNOW_EVERYONE),
    "acting-as-ignored": Mutant(
        "The header X-Paylera-Acting-As is not looked at.",
        combine(_KNOW_EVERYONE, _RECORD_NO_ACTOR),
        breaks=("acting-as.unknown-actor", "acting-as.empty", "acting-as.other-tenant", "acting-as.audited"),
    ),
    "actor-of-any-tenant": Mutant(
        "An actor is looked for in the registries of all tenants.",
        _know(lambda context, actor: any(context.state.actors.has(tenant, actor) for tenant in context.state.tenants)),
        breaks=("acting-as.other-tenant",),
        subtle=True,
    ),
    "empty-actor-taken-for-none": Mutant(
        "An empty X-Paylera-Acting-As counts as absent.",
        _know(lambda _, actor: not actor),
        breaks=("acting-as.empty",),
        subtle=True,
    ),
    "actor-by-prefix": _breaks_unknown_actor(
        "The beginning of an actor's id will do.",
        _know(lambda context, actor: actor != "" and any(known.startswith(actor) for known in _registry(context))),
        subtle=True,
    ),
    "actor-compared-by-its-length": _breaks_unknown_actor(
        "What follows an actor's id in the header is not looked at.",
        _know(lambda context, actor: actor.startswith(_registry(context))),
        subtle=True,
    ),
    "actor-first-of-list": _breaks_unknown_actor(
        "Of several actors in the header the first is looked up.",
        _know(lambda context, actor: actor.partition(",")[0].strip() in _registry(context)),
        subtle=True,
    ),
    "actor-in-quotes": _breaks_unknown_actor(
        "An actor's id in double quotes will do.",
        _know(lambda context, actor: actor.strip('"') in _registry(context)),
        subtle=True,
    ),
    "actor-by-form": Mutant(
        "Whatever has the form of an actor's id can be acted for.",
        _know(lambda _, actor: actor.startswith("actor_")),
        breaks=("acting-as.unknown-actor", "acting-as.other-tenant"),
    ),
    "actor-star": _breaks_unknown_actor(
        "A star stands for any actor.", _know(lambda _, actor: actor == "*"), subtle=True
    ),
    "actor-refused-without-problem": _breaks_nobody(
        "An unknown actor is refused with a body that is no problem document.",
        change_writer(
            responses.problem_body,
            lambda body, _, problem: (
                b'{"error":"unknown actor"}' if any(error.code == "actor.unknown" for error in problem.errors) else body
            ),
        ),
        may_break=("robustness.errors-are-problems",),
    ),
    "unknown-actor-but-done": _breaks_unknown_actor(
        "What an unknown actor asks for is refused and done.", decide_late(rules.ACTOR_KNOWN), subtle=True
    ),
    "actor-not-recorded": _breaks_audited("The audit log names the token alone.", _RECORD_NO_ACTOR),
    "actor-recorded-in-part": _breaks_audited(
        "The audit log has the first letters of the actor's id.",
        _record(lambda record, _: {"actor_id": record["actor_id"] and record["actor_id"][:10]}),
        subtle=True,
    ),
    "token-not-recorded": _breaks_audited("The audit log names no token.", _record(lambda *_: {"token_id": None})),
    "actor-recorded-for-token": _breaks_audited(
        "Where an operator is acted for, the audit log names the operator and not the token.",
        _record(lambda record, _: {"token_id": None} if record["actor_id"] else {}),
        subtle=True,
    ),
    "token-recorded-with-actor-only": _breaks_absent(
        "Where nobody is acted for, the audit log names no token.",
        _record(lambda record, _: {} if record["actor_id"] else {"token_id": None}),
        subtle=True,
    ),
    "actor-carried-over": _breaks_absent(
        "A record without actor gets that of the request before.", per_namespace(_carry_actor_over), subtle=True
    ),
    "unknown-actor-that-insists": Mutant(
        "An actor that is in no registry can be acted for at the second attempt.",
        relent(rules.ACTOR_KNOWN, 1, of=lambda context: context.request.acting_as),
        breaks=("acting-as.unknown-actor",),
        may_break=("acting-as.other-tenant", "acting-as.empty"),
        subtle=True,
    ),
    "charge-not-recorded": _breaks_audited(
        "The audit log names no actor for a payment.",
        _record(lambda _, context: {"actor_id": None} if context.request.path.endswith("/pay") else {}),
        subtle=True,
    ),
    "audit-actor-nulled-on-delete": _breaks_audited(
        "With an actor who is removed from the registry the audit log's records of that actor lose the name.",
        add_effect("delete_actor", _forget("actor_id")),
        subtle=True,
    ),
    "audit-token-nulled-on-revoke": _breaks_audited(
        "With a token that is revoked the audit log's records of that token lose its name.",
        add_effect("revoke_api_token", _forget("token_id")),
        subtle=True,
    ),
    "audit-cascade-on-delete": _breaks_audited(
        "With a customer who is deleted go the audit log's records of what was done to that customer.",
        add_effect("delete_customer", _drop_records),
        subtle=True,
    ),
}
