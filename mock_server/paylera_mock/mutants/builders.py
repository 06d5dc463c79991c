"""How a mutant is made: another value in the policy, or one part of the pipeline replaced.

Each function makes a `Mutation`. A part that is changed counts only where its result is another than the right one, and
a part that is replaced counts each time it runs. A `change` gets the right result, and then the arguments of the part.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Concatenate, Final, ParamSpec, TypeAlias, TypeVar

from paylera_fixtures.api.operations import ADMIN_PATH
from paylera_fixtures.vocabulary import Audience
from paylera_mock.core.messages import Decision, Object, Outcome, Reply
from paylera_mock.core.policy import Policy
from paylera_mock.core.problems import Problem
from paylera_mock.pipeline import decisions, rules
from paylera_mock.pipeline.context import Behaviour, Context, Effect, Headers, Pipeline, ResponseStep, Rule
from paylera_mock.state.tokens import StoredToken

P = ParamSpec("P")
R = TypeVar("R")

Note: TypeAlias = Callable[[], None]
"""Says that the defective code ran."""

Mutation: TypeAlias = Callable[[Behaviour, Note], Behaviour]
"""From one behaviour to another. It is called once for each namespace that has the mutant."""

Check: TypeAlias = Callable[[Context], Decision | None]
When: TypeAlias = Callable[[Context], bool]


WHO_ASKS: Final = (
    "credential.missing",
    "credential.malformed",
    "token.unknown",
    "token.revoked",
    "token.wrong-environment",
    "scope.required",
    "rotation.grace-ends",
    "revocation.covers-grace",
    "credential.refusal-has-no-effect",
)
"""The clauses about who asks, which a call that needs no token breaks all."""


def per_namespace(make: Callable[[], Mutation]) -> Mutation:
    """A mutation that remembers something: `make` is called for each namespace, so that none learns from another."""
    return lambda behaviour, note: make()(behaviour, note)  # noqa: PLW0108 - to be called for each


def combine(*mutations: Mutation) -> Mutation:
    """One mutation that shows in more than one place."""

    def mutate(behaviour: Behaviour, note: Note) -> Behaviour:
        for mutation in mutations:
            behaviour = mutation(behaviour, note)
        return behaviour

    return mutate


def may_block(behaviour: Behaviour, _note: Note) -> Behaviour:
    """The mutation that says that another one may wait: to be combined with it."""
    return behaviour.but(may_block=True)


def _change_pipeline(change: Callable[[Pipeline, Note], Pipeline]) -> Mutation:
    return lambda behaviour, note: behaviour.but(pipeline=change(behaviour.pipeline, note))


def _count_calls(function: Callable[P, R], note: Note) -> Callable[P, R]:

    def count_and_call(*args: P.args, **kwargs: P.kwargs) -> R:
        note()
        return function(*args, **kwargs)

    return count_and_call


def _change_part(
    get: Callable[[Pipeline], Callable[P, R]],
    put: Callable[[Pipeline, Callable[P, R]], Pipeline],
    change: Callable[Concatenate[R, P], R],
) -> Mutation:
    """A function of the pipeline with another result, counted where it is another."""

    def put_changed_part(pipeline: Pipeline, note: Note) -> Pipeline:
        original = get(pipeline)

        def call_and_change(*args: P.args, **kwargs: P.kwargs) -> R:
            right = original(*args, **kwargs)
            wrong = change(right, *args, **kwargs)
            if wrong != right:
                note()
            return wrong

        return put(pipeline, call_and_change)

    return _change_pipeline(put_changed_part)


# The policy


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


def set_policy(**changes: Any) -> Mutation:
    """Other values in the policy, counted where they are read."""

    def mutate(behaviour: Behaviour, note: Note) -> Behaviour:
        members = dict(vars(behaviour.policy))
        watchers = {**members.pop("watchers", {}), **dict.fromkeys(changes, note)}
        return behaviour.but(policy=WatchedPolicy(**{**members, **changes}, watchers=watchers))

    return mutate


# The small decisions (`decisions`)


def replace_decision(original: Callable[..., R], replacement: Callable[..., R]) -> Mutation:
    """Another function in the place of one of the functions of `pipeline.decisions`."""
    return _change_pipeline(lambda pipeline, note: pipeline.with_decision(original, _count_calls(replacement, note)))


def change_decision(original: Callable[..., R], change: Callable[..., R]) -> Mutation:
    """Another result of one of the functions of `pipeline.decisions`."""
    return _change_part(
        lambda pipeline: getattr(pipeline.decisions, original.__name__),
        lambda pipeline, decision: pipeline.with_decision(original, decision),
        change,
    )


def show_to_customers(see: Callable[[bool, Context, Object], bool]) -> Mutation:
    """A customer sees other objects: `see` changes what `is_visible` says, and lists look through those of all."""
    look_through_all = _change_pipeline(
        lambda pipeline, _note: pipeline.with_decision(decisions.customer_listed, lambda _context: None)
    )
    return combine(change_decision(decisions.is_visible, see), look_through_all)


# The rules (`rules`)


def replace_rule(rule: Rule, check: Check) -> Mutation:
    """Another check in the place of a rule."""
    return _change_pipeline(lambda pipeline, note: pipeline.with_rule(rule, _count_calls(check, note)))


def insert_rule(rule: Rule, added: Rule) -> Mutation:
    """One rule more, before another."""
    return _change_pipeline(
        lambda pipeline, note: pipeline.with_rule_before(rule, replace(added, check=_count_calls(added.check, note)))
    )


def crash(rule: Rule, when: When, clause: str = "robustness.no-server-error") -> Mutation:
    """Some requests run into an error of the server, before a rule looks at them."""

    def check(context: Context) -> None:
        if when(context):
            raise RuntimeError("a server that expects no such request")

    return insert_rule(rule, Rule("careless", clause, check))


def change_rule(rule: Rule, change: Callable[[Decision, Context], Decision | None]) -> Mutation:
    """A rule that decides otherwise where it decides: `change` gives `None` for what is to pass."""
    return _change_part(
        lambda pipeline: pipeline.check_of(rule),
        lambda pipeline, check: pipeline.with_rule(rule, check),
        lambda decided, context: None if decided is None else change(decided, context),
    )


def without_rule(rule: Rule, when: When = lambda _: True) -> Mutation:
    """A rule that refuses nothing, or not in some cases. What it finds out for those after it is found out still."""
    return change_rule(rule, lambda decided, context: None if when(context) else decided)


def relent(
    rule: Rule, times: int, *, of: Callable[[Context], Hashable] = lambda _: None, serves: bool = False
) -> Mutation:
    """A rule that lets pass what it has refused so many times, and refuses on from the beginning.

    - `of`: what the refusals are counted by;
    - `serves`: who is let pass has no token that is known, and is served by somebody's who may.
    """

    def make() -> Mutation:
        refused: Counter[Hashable] = Counter()

        def change(decided: Decision, context: Context) -> Decision | None:
            counted = of(context)
            refused[counted] += 1
            if refused[counted] <= times:
                return decided
            refused[counted] = 0
            return (serve_anyone(context) or decided) if serves else None

        return change_rule(rule, change)

    return per_namespace(make)


def change_refusal(rule: Rule, **changes: Any) -> Mutation:
    """A rule that refuses what it should with another problem: `changes` are members of `Problem`."""
    return change_rule(
        rule, lambda decided, _: replace(decided, **changes) if isinstance(decided, Problem) else decided
    )


def decide_late(rule: Rule, *, go_on_after: Rule | None = None, when: When = lambda _: True) -> Mutation:
    """A rule that decides as it should, but only after the request has had its effect.

    - `go_on_after`: the rule after which the request goes on, where it is not this one;
    - `when`: of which requests that is so.
    """

    def put(pipeline: Pipeline, note: Note) -> Pipeline:
        original = pipeline.check_of(rule)

        def check(context: Context) -> Decision | None:
            decided = original(context)
            if decided is not None and when(context) and decide_after(go_on_after or rule, context) is not None:
                note()
            # A refusal is remembered for no key.
            context.record_key = context.record_key if decided is None else None
            return decided

        return pipeline.with_rule(rule, check)

    return _change_pipeline(put)


def decide_after(rule: Rule, context: Context) -> Decision | None:
    """What the rules after one decide; by a token of somebody who may, where the request has none that is known."""
    context.token = context.token or _able_token(context)
    if context.token is None:
        return None
    following = context.pipeline.rules_after(rule)
    return next((found for each in following if (found := each.check(context)) is not None), None)


def serve_anyone(context: Context) -> Decision | None:
    """What is decided about a request whose sender nobody looks at; `None` where there is no token to serve it by."""
    return decide_after(rules.SECRET_NOT_EXPIRED, context)


def _able_token(context: Context) -> StoredToken | None:
    """The newest token that may do what is asked for, whoever asks."""
    audience = Audience.ADMIN if context.request.path.startswith(ADMIN_PATH) else Audience.SERVICE
    wanted = (audience, context.request.environment)
    able = (token for token in context.state.tokens if token.grants_all and not token.revoked)
    return next((token for token in able if (token.grant.audience, token.grant.environment) == wanted), None)


# The effects of operations


def replace_effect(operation_id: str, effect: Effect) -> Mutation:
    """Another effect of an operation."""
    return _change_pipeline(lambda pipeline, note: pipeline.with_effect(operation_id, _count_calls(effect, note)))


def add_effect(operation_id: str, act: Callable[[Context], None]) -> Mutation:
    """An operation that, where it succeeds, does something more. Counted where it succeeds."""

    def put(pipeline: Pipeline, note: Note) -> Pipeline:
        original, count_and_act = pipeline.effects[operation_id], _count_calls(act, note)

        def effect(context: Context) -> Outcome:
            outcome = original(context)
            if isinstance(outcome, Reply):
                count_and_act(context)
            return outcome

        return pipeline.with_effect(operation_id, effect)

    return _change_pipeline(put)


def change_outcome(*operation_ids: str, change: Callable[[Outcome, Context], Outcome]) -> Mutation:
    """Operations that happen as they should, with another outcome."""

    def change_one(operation_id: str) -> Mutation:
        return _change_part(
            lambda pipeline: pipeline.effects[operation_id],
            lambda pipeline, effect: pipeline.with_effect(operation_id, effect),
            change,
        )

    return combine(*map(change_one, operation_ids))


def change_success(*operation_ids: str, change: Callable[[Object, Context], Object]) -> Mutation:
    """Operations that happen as they should, and answer with another body."""

    def change_body(outcome: Outcome, context: Context) -> Outcome:
        if isinstance(outcome, Problem) or outcome.body is None:
            return outcome
        return replace(outcome, body=change(outcome.body, context))

    return change_outcome(*operation_ids, change=change_body)


def answer_failure(
    *operation_ids: str, answer: Callable[[Problem, Context], Outcome], when: When = lambda _: True
) -> Mutation:
    """Operations that come to another outcome where they should refuse."""

    def change(outcome: Outcome, context: Context) -> Outcome:
        return answer(outcome, context) if isinstance(outcome, Problem) and when(context) else outcome

    return change_outcome(*operation_ids, change=change)


def change_failure(*operation_ids: str, when: When, **changes: Any) -> Mutation:
    """Operations that refuse what they should with another problem: `changes` are members of `Problem`."""
    return answer_failure(*operation_ids, answer=lambda problem, _: replace(problem, **changes), when=when)


# How it is written down (`responses`)


def change_headers(step: ResponseStep, change: Callable[[Headers, Context, Decision], Headers]) -> Mutation:
    """A step in the writing of headers that writes others."""
    return _change_part(
        lambda pipeline: pipeline.headers_of(step), lambda pipeline, headers: pipeline.with_step(step, headers), change
    )


def without_step(step: ResponseStep) -> Mutation:
    """A step in the writing of headers that is left out."""
    return change_headers(step, lambda *_: ())


def change_writer(original: Callable[..., bytes], change: Callable[..., bytes]) -> Mutation:
    """Bodies that are written otherwise by one of `context.Writers`."""
    return _change_part(
        lambda pipeline: getattr(pipeline.writers, original.__name__),
        lambda pipeline, writer: pipeline.with_writer(original, writer),
        change,
    )


# Which requests


def is_read(context: Context) -> bool:
    """Whether a request only reads."""
    return context.request.method == "GET"


def is_write(context: Context) -> bool:
    """Whether a request changes something."""
    return context.request.method != "GET"


def is_refund(context: Context) -> bool:
    """Whether a request refunds a payment."""
    return calls("refund_payment")(context)


def calls(operation_id: str) -> When:
    """Whether a request calls an operation."""

    def is_call(context: Context) -> bool:
        operation = context.request.operation
        return operation is not None and operation.id == operation_id

    return is_call
