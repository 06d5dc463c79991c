"""How a deliberate defect is made: another number of the policy, or one part of the pipeline replaced by name.

Each of these functions makes a `Mutation`. Whatever is replaced tells the tally when it runs; where it is easy to know
whether the defect makes a difference, only when it does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import wraps
from typing import Any, ParamSpec, TypeAlias, TypeVar

from paylera_fixtures.vocabulary import Audience, Problems
from paylera_mock.core.messages import Decision, Outcome, Reply
from paylera_mock.core.policy import Policy
from paylera_mock.core.problems import Problem
from paylera_mock.pipeline.context import Behaviour, Context, Effect, Headers, Rule
from paylera_mock.state.tokens import StoredToken

P = ParamSpec("P")
R = TypeVar("R")

Note: TypeAlias = Callable[[], None]
"""Says that the defective code ran."""

Mutation: TypeAlias = Callable[[Behaviour, Note], Behaviour]
"""A defect: from one manner of judging to another. It is called once for each namespace that has it."""


def noted(function: Callable[P, R], note: Note) -> Callable[P, R]:
    """The same function, which says each time that it ran."""

    @wraps(function)
    def noting(*args: P.args, **kwargs: P.kwargs) -> R:
        note()
        return function(*args, **kwargs)

    return noting


def fresh(make: Callable[[], Mutation]) -> Mutation:
    """A defect that remembers something: `make` is called for each namespace, so that none shares it with another."""

    def mutate(behaviour: Behaviour, note: Note) -> Behaviour:
        return make()(behaviour, note)

    return mutate


def several(*mutations: Mutation) -> Mutation:
    """One defect that shows in more than one place."""

    def mutate(behaviour: Behaviour, note: Note) -> Behaviour:
        for mutation in mutations:
            behaviour = mutation(behaviour, note)
        return behaviour

    return mutate


@dataclass(frozen=True)
class WatchedPolicy(Policy):
    """A policy some of whose members say so when they are read."""

    watchers: Mapping[str, Note] = field(default_factory=dict, compare=False, repr=False)

    def __getattribute__(self, name: str) -> Any:
        if not name.startswith("_") and name != "watchers":
            watcher = super().__getattribute__("watchers").get(name)
            if watcher:
                watcher()
        return super().__getattribute__(name)


def policy(**changes: Any) -> Mutation:
    """Other values in the policy."""

    def mutate(behaviour: Behaviour, note: Note) -> Behaviour:
        members = dict(vars(behaviour.policy))
        watchers = {**members.pop("watchers", {}), **dict.fromkeys(changes, note)}
        return behaviour.but(policy=WatchedPolicy(**{**members, **changes}, watchers=watchers))

    return mutate


def decision(name: str, replacement: Callable[..., Any]) -> Mutation:
    """Another answer to one of the small questions (`decisions.Decisions`)."""
    return lambda behaviour, note: behaviour.but(
        pipeline=behaviour.pipeline.with_decision(name, noted(replacement, note))
    )


def decision_otherwise(name: str, change: Callable[..., Any]) -> Mutation:
    """A small question answered otherwise: `change` gets the right answer, and then what the question is about.

    Counted only where the answers differ.
    """

    def mutate(behaviour: Behaviour, note: Note) -> Behaviour:
        original = getattr(behaviour.pipeline.decisions, name)

        def answer(*args: Any) -> Any:
            right = original(*args)
            wrong = change(right, *args)
            if wrong != right:
                note()
            return wrong

        return behaviour.but(pipeline=behaviour.pipeline.with_decision(name, answer))

    return mutate


def rule(name: str, check: Callable[[Context], Decision | None]) -> Mutation:
    """Another check in the place of a rule."""
    return lambda behaviour, note: behaviour.but(pipeline=behaviour.pipeline.with_rule(name, noted(check, note)))


def rule_before(name: str, added: Rule) -> Mutation:
    """One rule more, before the one of that name."""

    def mutate(behaviour: Behaviour, note: Note) -> Behaviour:
        new = Rule(added.name, added.clause, noted(added.check, note))
        return behaviour.but(pipeline=behaviour.pipeline.with_rule_before(name, new))

    return mutate


def decided_otherwise(name: str, change: Callable[[Context, Decision], Decision | None]) -> Mutation:
    """A rule that looks as it should and decides otherwise: `change` gets what it decided, `None` lets pass.

    Counted only where that makes a difference.
    """

    def mutate(behaviour: Behaviour, note: Note) -> Behaviour:
        original = behaviour.pipeline.check_of(name)

        def check(context: Context) -> Decision | None:
            right = original(context)
            wrong = None if right is None else change(context, right)
            if wrong is not right:
                note()
            return wrong

        return behaviour.but(pipeline=behaviour.pipeline.with_rule(name, check))

    return mutate


def without_rule(name: str, when: Callable[[Context], bool] = lambda _: True) -> Mutation:
    """A rule that refuses nothing, or not in some cases. What it finds out for those after it is found out still."""
    return decided_otherwise(name, lambda context, decided: None if when(context) else decided)


def refusal(name: str, change: Callable[[Problem], Problem]) -> Mutation:
    """A rule that refuses what it should, with another problem; its other decisions stay."""
    return decided_otherwise(
        name, lambda _context, decided: change(decided) if isinstance(decided, Problem) else decided
    )


def status(code: int) -> Callable[[Problem], Problem]:
    """The same problem under another status."""
    return lambda problem: replace(problem, status=code)


def code(name: str) -> Callable[[Problem], Problem]:
    """The same refusal under another `problem`: a name in `vocabulary.Problems`."""
    return lambda problem: replace(problem, type=getattr(Problems, name))


def after_all(name: str, last: str | None = None, when: Callable[[Context], bool] = lambda _: True) -> Mutation:
    """A rule that decides as it should, but only after what was asked for has happened.

    - `last`: the rule after which the request goes on, where it is not this one;
    - `when`: of which requests that is so.
    """

    def mutate(behaviour: Behaviour, note: Note) -> Behaviour:
        original = behaviour.pipeline.check_of(name)

        def check(context: Context) -> Decision | None:
            decided = original(context)
            if decided is not None and when(context) and carry_on(context, last or name) is not None:
                note()
            # A refusal is remembered for no key.
            context.record_key = context.record_key if decided is None else None
            return decided

        return behaviour.but(pipeline=behaviour.pipeline.with_rule(name, check))

    return mutate


def carry_on(context: Context, name: str) -> Decision | None:
    """What the rules after one decide; by a token of somebody who may, where the request has none that is known."""
    context.token = context.token or somebody(context)
    rules = context.pipeline.rules
    place = next(number for number, each in enumerate(rules) if each.name == name)
    if context.token is None:
        return None
    return next((found for each in rules[place + 1 :] if (found := each.check(context)) is not None), None)


def somebody(context: Context) -> StoredToken | None:
    """The newest token that may do what is asked for, whoever asks."""
    audience = Audience.ADMIN if context.request.path.startswith("/v1/admin/") else Audience.SERVICE
    wanted = (audience, context.request.environment)
    able = (token for token in context.state.tokens if token.grants_all and not token.revoked)
    return next((token for token in able if (token.grant.audience, token.grant.environment) == wanted), None)


def effect(operation_id: str, replacement: Effect) -> Mutation:
    """Another effect of an operation."""
    return lambda behaviour, note: behaviour.but(
        pipeline=behaviour.pipeline.with_effect(operation_id, noted(replacement, note))
    )


def outcome(*operation_ids: str, change: Callable[[Context, Outcome], Outcome]) -> Mutation:
    """Operations that happen as they should, with another answer. Counted only where it is another."""

    def mutate(behaviour: Behaviour, note: Note) -> Behaviour:
        for operation_id in operation_ids:
            changed = _changed(behaviour.pipeline.effects[operation_id], change, note)
            behaviour = behaviour.but(pipeline=behaviour.pipeline.with_effect(operation_id, changed))
        return behaviour

    return mutate


def _changed(original: Effect, change: Callable[[Context, Outcome], Outcome], note: Note) -> Effect:
    def effect(context: Context) -> Outcome:
        right = original(context)
        wrong = change(context, right)
        if wrong is not right:
            note()
        return wrong

    return effect


def followed_by(operation_id: str, deed: Callable[[Context], None]) -> Mutation:
    """An operation that succeeds as it should, and then does something more. Counted only where it succeeds."""

    def mutate(behaviour: Behaviour, note: Note) -> Behaviour:
        original, counted = behaviour.pipeline.effects[operation_id], noted(deed, note)

        def effect(context: Context) -> Outcome:
            decided = original(context)
            if isinstance(decided, Reply):
                counted(context)
            return decided

        return behaviour.but(pipeline=behaviour.pipeline.with_effect(operation_id, effect))

    return mutate


def step(name: str, change: Callable[[Context, Decision, Headers], Headers]) -> Mutation:
    """A step in the writing of headers that writes others: `change` gets those that it should have written.

    Counted only where they differ.
    """

    def mutate(behaviour: Behaviour, note: Note) -> Behaviour:
        original = behaviour.pipeline.headers_of(name)

        def headers(context: Context, decided: Decision) -> Headers:
            right = original(context, decided)
            wrong = change(context, decided, right)
            if wrong != right:
                note()
            return wrong

        return behaviour.but(pipeline=behaviour.pipeline.with_step(name, headers))

    return mutate


def without_step(name: str) -> Mutation:
    """A step in the writing of headers that is left out."""
    return step(name, lambda _context, _decided, _headers: ())


def writer_otherwise(name: str, change: Callable[[bytes, Context, Any], bytes]) -> Mutation:
    """Bodies written otherwise: `change` gets the right body, and what it was written from.

    Counted only where they differ.
    """

    def mutate(behaviour: Behaviour, note: Note) -> Behaviour:
        original: Callable[[Context, Any], bytes] = getattr(behaviour.pipeline.writers, name)

        def write(context: Context, decided: Any) -> bytes:
            right = original(context, decided)
            wrong = change(right, context, decided)
            if wrong != right:
                note()
            return wrong

        return behaviour.but(pipeline=behaviour.pipeline.with_writer(name, write))

    return mutate


def writer(name: str, replacement: Callable[..., bytes]) -> Mutation:
    """Another writer of bodies (`answers.Writers`)."""
    return lambda behaviour, note: behaviour.but(
        pipeline=behaviour.pipeline.with_writer(name, noted(replacement, note))
    )
