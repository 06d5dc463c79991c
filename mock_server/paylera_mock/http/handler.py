"""From a request to what is sent: judged, remembered, explained, and broken where a fault says so.

An exchange is a generator, since a fault may have to wait, and only who serves the request knows how: a server's thread
sleeps, an event loop awaits, a client without a socket has a timeout. It never waits with a lock held.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Final, NamedTuple, TypeAlias

from paylera_fixtures.hosts import hostname, is_loopback
from paylera_mock.core.credential import BearerCredential
from paylera_mock.core.messages import Answer, Request
from paylera_mock.core.problems import Problem
from paylera_mock.explain.hints import describe_ignored, hint_for
from paylera_mock.faults.answers import changed_answer, plain_answer, replace_headers
from paylera_mock.faults.model import LONGEST_PAUSE_SECONDS, Action, ArmedFault, Fault, FaultPoint
from paylera_mock.faults.problems import fault_problem
from paylera_mock.journal.recorder import Departure, JournalEntry
from paylera_mock.namespaces.judging import begin, judge
from paylera_mock.namespaces.namespace import Namespace
from paylera_mock.pipeline import engine, responses, rules
from paylera_mock.pipeline.context import Context, Judgement
from paylera_mock.state.token_names import names_of
from paylera_mock.state.tokens import StoredToken

ELSEWHERE: Final = "/_elsewhere"
"""Below it the fake answers as another origin, to which a redirect may lead."""

ELSEWHERE_HOST: Final = "elsewhere.paylera.example"
"""The host of another origin, in a process without network."""


class Pause(NamedTuple):
    """A wait: so many seconds (`None`: without end), or until it is `over`.

    Who serves the request notes the client's `departure`, if it leaves meanwhile, and then waits no longer: a server
    does not know at once, but a test that looks at the effect need not wait.
    """

    seconds: float | None
    over: threading.Event
    departure: Departure


@dataclass(frozen=True, slots=True)
class Transmission:
    """What is sent: the answer, whose headers include the explanations, and the fault that breaks it off.

    - `entry`: what the journal has of it; `None` for what the fake asks itself;
    - `pieces`: the body, in the place of the answer's, where each piece is made when it is sent.
    """

    answer: Answer
    broken_by: Fault | None = None
    entry: JournalEntry | None = None
    pieces: Iterator[bytes] | None = None


ExchangeSteps: TypeAlias = Generator[Pause, None, Transmission]


class Exchange(NamedTuple):
    """An exchange that has begun: `steps` ends in its answer. `namespace`: where it is judged, if anywhere."""

    steps: ExchangeSteps
    namespace: Namespace | None = None


def next_step(steps: ExchangeSteps) -> Pause | Transmission:
    """Go on to the next pause, or to the end."""
    try:
        return next(steps)
    except StopIteration as end:
        transmission: Transmission = end.value
        return transmission


def pause_seconds(pause: Pause) -> float:
    """How long a server waits; a hang ends some time too."""
    return LONGEST_PAUSE_SECONDS if pause.seconds is None else min(pause.seconds, LONGEST_PAUSE_SECONDS)


def answer_at_once(transmission: Transmission) -> ExchangeSteps:
    """An exchange whose answer is there already."""
    return transmission
    yield  # an exchange like any other, in which nobody waits


def finish_at_once(steps: ExchangeSteps) -> Transmission:
    """The end of an exchange, where nobody waits any more for what it may wait for."""
    while isinstance(step := next_step(steps), Pause):
        pass
    return step


def exchange(
    request: Request, namespace: Namespace, *, explain: bool, authorization: str = "", is_own: bool = False
) -> ExchangeSteps:
    """Answer a request.

    - `authorization`: the header as sent, for a hint about a token that is almost right;
    - `is_own`: the fake asks itself whether it serves, which is nobody's request.
    """
    if is_own:
        return Transmission(judge(request, namespace).answer)
    if not namespace.faults.places:
        return _record(judge(request, namespace), namespace, explain=explain, authorization=authorization)
    faulted = _FaultedExchange(request, namespace)
    with namespace.collector.holding(faulted.departure):
        return (yield from faulted.steps(explain=explain, authorization=authorization))


@dataclass
class _FaultedExchange:
    """An exchange to which faults may happen: `struck` are those that did, `late` those of them after the judging."""

    request: Request
    namespace: Namespace
    departure: Departure = field(default_factory=Departure)
    struck: list[ArmedFault] = field(default_factory=list)
    late: list[ArmedFault] = field(default_factory=list)

    def steps(self, *, explain: bool, authorization: str) -> ExchangeSteps:
        """From the request to what is sent."""
        began = time.monotonic()
        context = yield from self._begin()
        judgement = self._answer_by_fault(context) if _is_final(self.struck) else self._judge(context)
        waits = any(armed.fault.action in {Action.DELAY, Action.HANG} for armed in self.struck)
        transmission = _record(
            judgement,
            self.namespace,
            self.struck,
            explain=explain,
            authorization=authorization,
            began=began,
            departure=self.departure if waits else None,
        )
        yield from _delays(self.late, self.departure)
        if self.struck and self.struck[-1].fault.action is Action.HANG:
            yield Pause(None, self.struck[-1].over, self.departure)
            self.departure.dismiss()
        return transmission

    def _begin(self) -> Generator[Pause, None, Context | None]:
        """Let happen what happens before the judging: what was found out meanwhile about who asks, if anything."""
        self.struck += _strike(FaultPoint.BEFORE_AUTH, self.request, self.namespace)
        yield from _delays(self.struck, self.departure)
        if _is_final(self.struck) or FaultPoint.AFTER_AUTH not in self.namespace.faults.places:
            return None
        context = begin(self.request, self.namespace)
        if engine.passes(context, rules.ACTOR_KNOWN):
            after_auth = _strike(FaultPoint.AFTER_AUTH, self.request, self.namespace, context.token)
            self.struck += after_auth
            yield from _delays(after_auth, self.departure)
        return context

    def _answer_by_fault(self, context: Context | None) -> Judgement:
        context = context or _unchecked_context(self.request, self.namespace)
        problem, answer = _answer_by(self.struck[-1].fault, context, self.namespace)
        return Judgement(answer, rules.FAULT, context, problem)

    def _judge(self, context: Context | None) -> Judgement:
        """Judge, and let happen what happens to the answer."""
        judgement = judge(self.request, self.namespace, context)
        token = judgement.context.token
        if not isinstance(judgement.decision, Problem):
            self.late += _strike(FaultPoint.AFTER_COMMIT, self.request, self.namespace, token)
        if not _is_final(self.late):
            self.late += _strike(FaultPoint.WHILE_SENDING, self.request, self.namespace, token)
        self.struck += self.late
        if self.late and self.late[-1].fault.action in {Action.ANSWER, Action.REDIRECT}:
            # The work is done, and its own answer remembered for its key.
            return judgement._replace(answer=_answer_late(self.late[-1].fault, judgement, self.namespace))
        return judgement


def _strike(
    place: FaultPoint, request: Request, namespace: Namespace, token: StoredToken | None = None
) -> list[ArmedFault]:
    if place not in namespace.faults.places:
        return []
    if token is None and isinstance(request.credential, BearerCredential):
        token = namespace.state.tokens.by_digest(request.credential.digest)
    names = names_of(token) if token else frozenset[str]()
    return namespace.faults.strike(place, request, request.route, names)


def _is_final(struck: list[ArmedFault]) -> bool:
    return bool(struck) and struck[-1].fault.action is not Action.DELAY


def _delays(struck: list[ArmedFault], departure: Departure) -> Generator[Pause, None, None]:
    for armed in struck:
        if armed.fault.action is Action.DELAY:
            yield Pause(armed.fault.seconds, armed.over, departure)


def _unchecked_context(request: Request, namespace: Namespace) -> Context:
    """What is known of a request that no rule has looked at: its token, where there is one."""
    context = Context.of(request, namespace.state, namespace.pipeline)
    context.credential = request.credential
    if isinstance(request.credential, BearerCredential):
        context.token = context.decisions.find_token(context, request.credential.digest)
    return context


def _answer_by(fault: Fault, context: Context, namespace: Namespace) -> tuple[Problem, Answer]:
    """What a fault answers. A redirect leads to this very fake, under a name of another origin."""
    location = fault.location
    if location is None:
        prefix = f"/ns/{namespace.id}" if namespace.id else ""
        location = f"{other_origin(context.request)}{prefix}{ELSEWHERE}/{fault.id}"
    problem = fault_problem(fault, location, context.now)
    if fault.body is not None:
        return problem, plain_answer(fault, fault.body, context.now)
    answer = responses.write(context, problem)
    headers = answer.headers + responses.fresh_headers(context, problem)
    return problem, answer._replace(headers=replace_headers(headers, fault))


def _answer_late(fault: Fault, judgement: Judgement, namespace: Namespace) -> Answer:
    """What a fault answers in the place of the true answer."""
    if fault.merge is not None:
        return changed_answer(fault, judgement.answer)
    return _answer_by(fault, judgement.context, namespace)[1]


def other_origin(request: Request) -> str:
    """Another origin under which the fake can be reached by who has reached it under the request's own."""
    name, colon, port = request.host.rpartition(":")
    name = name or port
    if is_loopback(hostname(request.host)):
        return f"{request.scheme}://{'127.0.0.1' if name == 'localhost' else 'localhost'}{colon}{port if colon else ''}"
    return f"{request.scheme}://{ELSEWHERE_HOST}"


def _record(
    judgement: Judgement,
    namespace: Namespace,
    struck: Sequence[ArmedFault] = (),
    *,
    explain: bool,
    authorization: str,
    began: float | None = None,
    departure: Departure | None = None,
) -> Transmission:
    faults = tuple(armed.fault for armed in struck)
    rule, answer = judgement.rule, judgement.answer
    hint = ""
    if isinstance(judgement.decision, Problem) and rule is not rules.FAULT:
        hint = hint_for(judgement.context, rule, authorization, namespace)
    elif judgement.context.ignored or judgement.context.request.ignored_headers:
        hint = describe_ignored(judgement.context)
    entry = namespace.journal.record(judgement, faults=faults, hint=hint, began=began, departure=departure)
    headers = answer.headers
    if explain:
        headers += (
            (responses.VERDICT_HEADER, f"{rule.name}; clause={rule.clause}"),
            (responses.JOURNAL_HEADER, str(entry.number)),
        )
        headers += ((responses.HINT_HEADER, hint),) if hint else ()
    # A faulted answer says so even where nothing else is explained.
    headers += tuple((responses.FAULT_HEADER, fault.header_text) for fault in faults)
    whole = {Action.ANSWER, Action.REDIRECT, Action.DELAY}
    broken_by = faults[-1] if faults and faults[-1].action not in whole else None
    return Transmission(Answer(answer.status, headers, answer.body, answer.chunked), broken_by, entry)


def answer_elsewhere(request: Request, namespace: Namespace) -> ExchangeSteps:
    """Answer a request that followed a redirect to another origin with 200, and note it in the journal."""
    answer = Answer(HTTPStatus.OK, (("Content-Type", "application/json"),), b'{"object":"elsewhere"}')
    judgement = Judgement(answer, rules.ANOTHER_ORIGIN, _unchecked_context(request, namespace), None)
    return answer_at_once(Transmission(answer, entry=namespace.journal.record(judgement)))
