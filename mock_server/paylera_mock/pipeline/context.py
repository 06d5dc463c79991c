"""The types of the pipeline: the context of one request, a rule, a pipeline, and its replaceable parts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple, TypeAlias, TypeVar

from paylera_fixtures.api.operations import Operation
from paylera_fixtures.vocabulary import Audience
from paylera_mock.core.clock import format_time
from paylera_mock.core.credential import Authorization, BearerCredential, Missing
from paylera_mock.core.messages import Answer, Decision, Object, Outcome, RecordKey, Reply, Request
from paylera_mock.core.policy import Allowance, Policy
from paylera_mock.core.problems import Problem
from paylera_mock.state.idempotency import IdempotencyRecord
from paylera_mock.state.namespace_state import State
from paylera_mock.state.objects import ObjectTable
from paylera_mock.state.schedule import ScheduledEffect, ScheduledItem
from paylera_mock.state.tokens import StoredSecret, StoredToken

R = TypeVar("R")


class IgnoredName(NamedTuple):
    """A member of a body or a parameter of a query that no operation looks at, and what may be meant by it.

    Both are texts that can stand in a header; `name` is empty where what was sent could not.
    """

    name: str
    near: str

    def __str__(self) -> str:
        meant = f", did you mean {self.near}?" if self.near else ""
        return f"{self.name or 'a name with odd characters'}{meant}"


@dataclass(slots=True)
class Context:
    """One request as it is judged: what a rule finds out stands here for those after it.

    `ignored`: what of the body and the query the operation does not name.
    `place`: how many rules of the pipeline have looked; `decided`: the rule that decided, and its decision.
    What is said of the `caller` (tenant, objects, customer) raises `LookupError` where no rule has found the token.
    """

    request: Request
    state: State
    pipeline: Pipeline
    policy: Policy
    decisions: Decisions
    now: float
    credential: Authorization = field(default_factory=Missing)
    token: StoredToken | None = None
    secret: StoredSecret | None = None
    allowance: Allowance | None = None
    record_key: RecordKey | None = None
    record: IdempotencyRecord | None = None
    body_digest: bytes = b""
    payload: Object = field(default_factory=dict)
    ignored: tuple[IgnoredName, ...] = ()
    place: int = 0
    decided: tuple[Rule, Decision] | None = None

    @classmethod
    def of(cls, request: Request, state: State, pipeline: Pipeline) -> Context:
        """The beginning of a judgement."""
        return cls(request, state, pipeline, state.policy, pipeline.decisions, state.clock.epoch())

    @property
    def caller(self) -> StoredToken:
        """The token. Raises `LookupError` where no rule has found it."""
        if self.token is None:
            raise LookupError("no rule has found a token yet")
        return self.token

    @property
    def sent_token(self) -> StoredToken | None:
        """The token that was sent, also where no rule has looked for it, as when a fault answered before."""
        if self.token is not None or not isinstance(self.request.credential, BearerCredential):
            return self.token
        return self.state.tokens.by_digest(self.request.credential.digest)

    @property
    def called_operation(self) -> Operation:
        """The operation that is called. Raises `LookupError` where the request calls none."""
        operation = self.request.operation
        if operation is None:
            raise LookupError("the request calls no operation")
        return operation

    @property
    def identifier(self) -> str:
        """What the path names, empty where it names no object."""
        found = self.request.match
        return (found.identifier if found else None) or ""

    @property
    def tenant_id(self) -> str:
        """Whose objects the request is about."""
        return self.caller.grant.tenant_id

    @property
    def objects(self) -> ObjectTable:
        """The objects that the request is about."""
        grant = self.caller.grant
        return self.state.store.objects(grant.tenant_id, grant.environment)

    @property
    def customer_id(self) -> str | None:
        """Whose objects alone may be seen: a customer token's own customer; `None` for the other audiences."""
        grant = self.caller.grant
        return grant.customer_id or "" if grant.audience is Audience.CUSTOMER else None

    def schedule(self, effect: ScheduledEffect, value: Object, seconds: float) -> None:
        """Schedule an effect on an object, so many seconds from now by the clock."""
        grant = self.caller.grant
        due = ScheduledItem(self.now + seconds, effect, grant.tenant_id, grant.environment, value["id"])
        self.state.schedule.put(due)
        self.state.webhooks.wake()

    def format_now(self) -> str:
        """The time of the request as objects show it."""
        return format_time(self.now)


Effect: TypeAlias = Callable[[Context], Outcome]
"""What an operation does."""


class CheckResult(NamedTuple):
    """What a rule looked at in a request. `applies`: whether there was anything to look at."""

    expected: str = ""
    got: str = ""
    applies: bool = True


class RuleFunctions(NamedTuple):
    """The functions of a rule as they stand in a module of `stages`, in the order of the members of `Rule`."""

    check: Callable[[Context], Decision | None]
    describe: Callable[[Context], CheckResult]
    advise: Callable[[Context], str] = lambda _context: ""


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of the chain: its name and the clause that it keeps.

    - `check`: the decision, or `None` to let the request pass;
    - `describe`: what the check looked at, and what it got;
    - `advise`: what to do about the rule's refusal, empty where the problem says it all.
    """

    name: str
    clause: str
    check: Callable[[Context], Decision | None]
    describe: Callable[[Context], CheckResult] = lambda _context: CheckResult()
    advise: Callable[[Context], str] = lambda _context: ""


class Judgement(NamedTuple):
    """The answer to a request, the rule that decided, its decision, and the context as the rules left it.

    `decision` is `None` where no rule was asked.
    """

    answer: Answer
    rule: Rule
    context: Context
    decision: Decision | None


@dataclass(frozen=True)
class Pipeline:
    """What stands between a request and its answer. Immutable: each `with_…` gives a changed copy."""

    rules: tuple[Rule, ...]
    decisions: Decisions
    effects: Mapping[str, Effect]
    steps: tuple[ResponseStep, ...]
    writers: Writers

    def with_rule(self, rule: Rule, check: Callable[[Context], Decision | None]) -> Pipeline:
        """The same with another check in the place of a rule. Raises `KeyError` where no rule has its name."""
        return replace(self, rules=_replace_row(self.rules, rule, check=check))

    def with_rule_before(self, rule: Rule, added: Rule) -> Pipeline:
        """The same with one rule more, before another. Raises `KeyError` where no rule has the other's name."""
        place = self.place_of(rule)
        return replace(self, rules=(*self.rules[:place], added, *self.rules[place:]))

    def place_of(self, rule: Rule) -> int:
        """How many rules stand before one. Raises `KeyError` where no rule has its name."""
        return _place_of(rule, self.rules)

    def check_of(self, rule: Rule) -> Callable[[Context], Decision | None]:
        """The check in the place of a rule. Raises `KeyError` where no rule has its name."""
        return self.rules[self.place_of(rule)].check

    def rules_after(self, rule: Rule) -> tuple[Rule, ...]:
        """The rules behind one. Raises `KeyError` where no rule has its name."""
        return self.rules[self.place_of(rule) + 1 :]

    def with_decision(self, original: Callable[..., R], replacement: Callable[..., R]) -> Pipeline:
        """The same with another function in the place of one of `decisions`. Raises `TypeError` where there is none."""
        return replace(self, decisions=_replace_function(self.decisions, original, replacement))

    def with_effect(self, operation_id: str, effect: Effect) -> Pipeline:
        """The same with another effect of an operation. Raises `KeyError` where there is no such operation."""
        if operation_id not in self.effects:
            raise KeyError(operation_id)
        return replace(self, effects={**self.effects, operation_id: effect})

    def headers_of(self, step: ResponseStep) -> Callable[[Context, Decision], Headers]:
        """What writes the headers in the place of a step. Raises `KeyError` where no step has its name."""
        return self.steps[_place_of(step, self.steps)].headers

    def with_step(self, step: ResponseStep, headers: Callable[[Context, Decision], Headers]) -> Pipeline:
        """The same with other headers in the place of a step. Raises `KeyError` where no step has its name."""
        return replace(self, steps=_replace_row(self.steps, step, headers=headers))

    def with_writer(self, original: Callable[..., bytes], writer: Callable[..., bytes]) -> Pipeline:
        """The same with another writer of bodies, as `problem_body`. Raises `TypeError` where there is none."""
        return replace(self, writers=_replace_function(self.writers, original, writer))


def _replace_function(functions: Functions, original: Callable[..., Any], replacement: Any) -> Functions:
    """A dataclass of functions, each in a field of its name, with one of them exchanged."""
    return replace(functions, **{original.__name__: replacement})


def _place_of(row: Row, table: tuple[Row, ...]) -> int:
    """The place of the row with the name of another, which may have been changed since."""
    for place, each in enumerate(table):
        if each.name == row.name:
            return place
    raise KeyError(row.name)


def _replace_row(table: tuple[Row, ...], row: Row, **change: Any) -> tuple[Row, ...]:
    place = _place_of(row, table)
    return tuple(replace(each, **change) if number == place else each for number, each in enumerate(table))


@dataclass(frozen=True)
class Behaviour:
    """How a namespace judges: by the numbers and readings of a policy, and by the parts of a pipeline.

    `may_block`: a part may wait, so that an event loop must leave the judging to a thread.
    """

    policy: Policy
    pipeline: Pipeline
    may_block: bool = False

    def but(self, **changes: Any) -> Behaviour:
        """The same with another member."""
        return replace(self, **changes)


@dataclass(frozen=True)
class Decisions:
    """The small decisions, one for each function of `pipeline.decisions`, where they are described."""

    must_queue: Callable[[Request], bool]
    read_credential: Callable[[Context], Authorization]
    find_token: Callable[[Context, str], StoredToken | None]
    is_expired: Callable[[Context], bool]
    has_scope: Callable[[StoredToken, str], bool]
    has_aal2: Callable[[StoredToken], bool]
    actor_known: Callable[[Context, str], bool]
    settle_version: Callable[[Context], str]
    default_version: Callable[[Context], str]
    key_needed: Callable[[Context], bool]
    record_key: Callable[[Context], RecordKey]
    body_digest: Callable[[bytes], bytes]
    is_visible: Callable[[Context, Object], bool]
    customer_listed: Callable[[Context], str | None]
    mask_secret: Callable[[Reply], Reply]
    is_remembered: Callable[[Context, Decision], bool]
    audit_record: Callable[[Context, Reply], dict[str, Any]]
    token_view: Callable[[Context, StoredToken], Object]
    encode_answer: Callable[[Request, Answer], Answer]


Headers: TypeAlias = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class ResponseStep:
    """One step in the writing of headers: its name, what it adds, and whether that is kept for a replay."""

    name: str
    headers: Callable[[Context, Decision], Headers]
    kept: bool = True


@dataclass(frozen=True)
class Writers:
    """What writes bodies, one for each function of that name."""

    problem_body: Callable[[Context, Problem], bytes]
    reply_body: Callable[[Context, Reply], bytes]


Row = TypeVar("Row", Rule, ResponseStep)
Functions = TypeVar("Functions", Decisions, Writers)
