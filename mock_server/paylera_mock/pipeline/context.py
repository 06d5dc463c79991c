"""What a rule looks at and what it can answer: the facts of a request, the state of its judgement, and decisions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from paylera_fixtures.api.operations import Match, Operation
from paylera_fixtures.vocabulary import Audience, Environment
from paylera_mock.core.clock import written
from paylera_mock.core.credential import Authorization, Missing
from paylera_mock.core.problems import Problem
from paylera_mock.state.objects import Object, Shelf
from paylera_mock.state.schedule import Due, Happening

if TYPE_CHECKING:
    from paylera_mock.contract import Pipeline
    from paylera_mock.core.policy import Policy
    from paylera_mock.pipeline.decisions import Decisions
    from paylera_mock.state.rate_limits import Allowance
    from paylera_mock.state.tokens import Secret, Token
    from paylera_mock.state.world import World


# A tuple, as are `Answer` and `Verdict`: each request makes one of each, and frozen dataclasses take their time for it.
class Facts(NamedTuple):
    """A request as far as the contract looks at it. Header values are as sent, `None` where the header is not there.

    - `method`: as sent, but `HEAD` reads `GET`: it goes through the very same checks;
    - `path`: below the prefix of namespace and environment, percent-decoded once, otherwise untouched;
    - `instance`: the whole path as WSGI has it, for the problem document;
    - `authorization`: every `Authorization` header, in order, and `credential`: what was read in them;
    - `body`: `None` where it is beyond the limit, and so was not read;
    - `scheme`, `host`, `user_agent`: of no clause's concern, but they tell how a client behaves.
    """

    method: str
    path: str
    environment: Environment = Environment.SANDBOX
    authorization: tuple[str, ...] = ()
    credential: Authorization = Missing()
    instance: str = ""
    query: str = ""
    version: str | None = None
    acting_as: str | None = None
    idempotency_key: str | None = None
    content_type: str | None = None
    body: bytes | None = b""
    accept_encoding: str = ""
    scheme: str = "http"
    host: str = ""
    user_agent: str = ""


@dataclass(slots=True)
class Context:
    """One request under judgement: what the rules before found out is there for those after."""

    facts: Facts
    world: World
    pipeline: Pipeline
    policy: Policy
    decisions: Decisions
    now: float
    credential: Authorization = field(default_factory=Missing)
    token: Token | None = None
    secret: Secret | None = None
    allowance: Allowance | None = None
    match: Match | None = None
    operation: Operation | None = None
    record_key: RecordKey | None = None
    body_digest: bytes = b""
    payload: Object = field(default_factory=dict)

    @classmethod
    def of(cls, facts: Facts, world: World, pipeline: Pipeline) -> Context:
        """The beginning of a judgement."""
        return cls(facts, world, pipeline, world.policy, pipeline.decisions, world.clock.epoch())

    @property
    def caller(self) -> Token:
        """The token, once a rule has found it."""
        if self.token is None:
            raise LookupError("no rule has found a token yet")
        return self.token

    @property
    def called(self) -> Operation:
        """The operation, once a rule has found it."""
        if self.operation is None:
            raise LookupError("no rule has found an operation yet")
        return self.operation

    @property
    def identifier(self) -> str:
        """What the path names, empty where it names no object."""
        return (self.match.identifier if self.match else None) or ""

    @property
    def tenant_id(self) -> str:
        """Whose objects the request is about."""
        return self.caller.grant.tenant_id

    @property
    def shelf(self) -> Shelf:
        """The objects that the request is about."""
        grant = self.caller.grant
        return self.world.store.shelf(grant.tenant_id, grant.environment)

    @property
    def customer_id(self) -> str | None:
        """Whose objects alone may be seen: a customer token's own customer; `None` for the other audiences."""
        grant = self.caller.grant
        return grant.customer_id or "" if grant.audience is Audience.CUSTOMER else None

    def schedule(self, happening: Happening, value: Object, seconds: float) -> None:
        """Let something happen to an object, so many seconds from now by the clock."""
        grant = self.caller.grant
        due = Due(self.now + seconds, happening, grant.tenant_id, grant.environment, value["id"])
        self.world.agenda.put(due)
        self.world.webhooks.wake()

    def text(self) -> str:
        """The time of the request as objects show it."""
        return written(self.now)


@dataclass(frozen=True, slots=True)
class Reply:
    """An operation's success before it is written down.

    `issues_secret`: the body's member `secret` holds one, which is shown this once.
    """

    status: int
    body: Object | None = None
    object_id: str | None = None
    issues_secret: bool = False


class Answer(NamedTuple):
    """An answer as it goes over the wire; `chunked`: in pieces, without saying before how long it is."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    chunked: bool = False


Outcome: TypeAlias = Reply | Problem
"""What comes of an operation."""

Decision: TypeAlias = Reply | Problem | Answer
"""What a rule may decide; an `Answer` is one that was given before and is replayed."""

RecordKey: TypeAlias = tuple[Any, ...]
"""What an idempotency record is kept under."""

Effect: TypeAlias = Callable[[Context], Outcome]
"""What an operation does."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One link of the chain: its name, the clause that it keeps, and the check: `None` lets the request pass."""

    name: str
    clause: str
    check: Callable[[Context], Decision | None]


class Verdict(NamedTuple):
    """The answer to a request, the rule that decided, what it decided, and what the rules had found out till then.

    `decision` is `None` where no rule was asked.
    """

    answer: Answer
    rule: Rule
    context: Context
    decision: Decision | None
