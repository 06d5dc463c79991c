"""From a request to what is sent: judged, remembered, explained, and spoilt where a fault says so.

An exchange is a generator, since a fault may have to wait, and only who serves the request knows how: a server's thread
sleeps, an event loop awaits, a client without a socket has a timeout. It never waits with a lock held.
"""

from __future__ import annotations

import threading
from collections.abc import Generator
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final, NamedTuple, TypeAlias

from paylera_fixtures.api.operations import find_operation
from paylera_fixtures.hosts import hostname, is_loopback
from paylera_mock.core.credential import Credential
from paylera_mock.core.messages import READY_AGENT, Answer, Request
from paylera_mock.core.problems import Problem
from paylera_mock.explain.hints import hint_for
from paylera_mock.faults.model import Action, ArmedFault, Fault, FaultPoint
from paylera_mock.faults.problems import by_fault
from paylera_mock.namespaces.judging import authorised, judge
from paylera_mock.namespaces.namespace import Namespace
from paylera_mock.pipeline import responses
from paylera_mock.pipeline.context import Context, Judgement, Rule
from paylera_mock.state.tokens import StoredToken

FAULT_RULE: Final = Rule("fault", "none", lambda _context: None)
"""What decided where a fault answered before any rule did."""

ELSEWHERE_RULE: Final = Rule("another-origin", "none", lambda _context: None)
"""What is named where no rule was asked, since the request has left for another origin."""

ELSEWHERE: Final = "/_elsewhere"
"""Below it the fake plays another origin, to which a redirect may lead."""


ELSEWHERE_HOST: Final = "elsewhere.paylera.example"
"""The host of another origin, in a process without network."""


class Pause(NamedTuple):
    """A wait: so many seconds (`None`: without end), or until it is `over`."""

    seconds: float | None
    over: threading.Event


@dataclass(frozen=True, slots=True)
class Transmission:
    """What is sent: the answer, whose headers include the explanations, and how its sending is spoilt."""

    answer: Answer
    broken_by: Fault | None = None


Exchanging: TypeAlias = Generator[Pause, None, Transmission]


def exchange(request: Request, namespace: Namespace, *, explain: bool, authorization: str = "") -> Exchanging:
    """Answer a request. `authorization`: the header as sent, for a hint about a token that is almost right."""
    places = namespace.faults.places
    if not places:
        return _sent(judge(request, namespace), namespace, [], explain=explain, authorization=authorization)
    struck = _strike(FaultPoint.BEFORE_AUTH, request, namespace)
    yield from _waits(struck)
    if not _is_final(struck) and FaultPoint.AFTER_AUTH in places:
        token = authorised(request, namespace)
        if token is not None:
            late = _strike(FaultPoint.AFTER_AUTH, request, namespace, token)
            yield from _waits(late)
            struck += late
    if _is_final(struck):
        verdict = _instead(request, namespace, struck[-1].fault)
        delivery = _sent(verdict, namespace, struck, explain=explain, authorization=authorization)
        return (yield from _ended(delivery, struck))
    verdict = judge(request, namespace)
    if not isinstance(verdict.decision, Problem):
        struck += _strike(FaultPoint.AFTER_COMMIT, request, namespace, verdict.context.token)
    if not _is_final(struck):
        struck += _strike(FaultPoint.WHILE_SENDING, request, namespace, verdict.context.token)
    if _is_final(struck):
        verdict = _spoilt(verdict, namespace, struck[-1].fault)
    delivery = _sent(verdict, namespace, struck, explain=explain, authorization=authorization)
    yield from _waits(
        [armed for armed in struck if armed.fault.at in {FaultPoint.AFTER_COMMIT, FaultPoint.WHILE_SENDING}]
    )
    return (yield from _ended(delivery, struck))


def _strike(
    place: FaultPoint, request: Request, namespace: Namespace, token: StoredToken | None = None
) -> list[ArmedFault]:
    if place not in namespace.faults.places:
        return []
    if token is None and isinstance(request.credential, Credential):
        token = namespace.state.tokens.by_digest(request.credential.digest)
    names = frozenset({token.id, token.grant.name or token.id}) if token else frozenset[str]()
    operation = find_operation(request.method, request.path)
    return namespace.faults.strike(place, request, operation.path if operation else None, names)


def _is_final(struck: list[ArmedFault]) -> bool:
    """Whether the last thing that happened ends the request."""
    return bool(struck) and struck[-1].fault.action is not Action.DELAY


def _waits(struck: list[ArmedFault]) -> Generator[Pause, None, None]:
    for armed in struck:
        if armed.fault.action is Action.DELAY:
            yield Pause(armed.fault.seconds, armed.over)


def _ended(delivery: Transmission, struck: list[ArmedFault]) -> Exchanging:
    """The delivery, after a hang where there is one."""
    if struck and struck[-1].fault.action is Action.HANG:
        yield Pause(None, struck[-1].over)
    return delivery


def _instead(request: Request, namespace: Namespace, fault: Fault) -> Judgement:
    """What a fault answers before any rule did, or loses."""
    context = _unjudged(request, namespace)
    problem = by_fault(fault, _location(fault, request, namespace))
    answer = responses.write(context, problem)
    whole = Answer(answer.status, answer.headers + responses.fresh_headers(context, problem), answer.body)
    return Judgement(whole, FAULT_RULE, context, problem)


def _unjudged(request: Request, namespace: Namespace) -> Context:
    """What is known of a request that no rule has looked at: its token, where there is one."""
    context = Context.of(request, namespace.state, namespace.pipeline)
    context.credential = request.credential
    if isinstance(request.credential, Credential):
        context.token = context.decisions.find_token(context, request.credential.digest)
    return context


def _spoilt(verdict: Judgement, namespace: Namespace, fault: Fault) -> Judgement:
    """What goes out in the place of an answer. The work is done, and the answer remembered for its key."""
    if fault.action not in {Action.ANSWER, Action.REDIRECT}:
        return verdict
    return verdict._replace(answer=_instead(verdict.context.request, namespace, fault).answer)


def _location(fault: Fault, request: Request, namespace: Namespace) -> str:
    """Where a redirect leads: to this very fake under a name of another origin, where nothing else is said."""
    if fault.location is not None:
        return fault.location
    prefix = f"/ns/{namespace.id}" if namespace.id else ""
    return f"{other_origin(request)}{prefix}{ELSEWHERE}/{fault.id}"


def other_origin(request: Request) -> str:
    """Another origin under which the fake can be reached by who has reached it under the request's own."""
    name, colon, port = request.host.rpartition(":")
    name = name or port
    if is_loopback(hostname(request.host)):
        return f"{request.scheme}://{'127.0.0.1' if name == 'localhost' else 'localhost'}{colon}{port if colon else ''}"
    return f"{request.scheme}://{ELSEWHERE_HOST}"


def _sent(
    verdict: Judgement, namespace: Namespace, struck: list[ArmedFault], *, explain: bool, authorization: str
) -> Transmission:
    """Remember the exchange, and add the headers that explain it."""
    faults = tuple(armed.fault for armed in struck)
    hint = ""
    if isinstance(verdict.decision, Problem) and verdict.rule is not FAULT_RULE:
        hint = hint_for(verdict, authorization, namespace)
    # What the fake asks itself to see that it serves is nobody's request.
    is_own = verdict.context.request.user_agent == READY_AGENT
    number = 0 if is_own else namespace.journal.record(verdict, faults=faults, hint=hint)
    answer = verdict.answer
    headers = answer.headers
    if explain:
        rule = verdict.rule
        headers += (
            (responses.VERDICT_HEADER, f"{rule.name}; clause={rule.clause}"),
            (responses.JOURNAL_HEADER, str(number)),
        )
        headers += ((responses.HINT_HEADER, hint),) if hint else ()
    # A faulted answer says so even where nothing else is explained.
    headers += tuple((responses.FAULT_HEADER, fault.headline) for fault in faults)
    return Transmission(Answer(answer.status, headers, answer.body, answer.chunked), _breaking(faults))


def _breaking(faults: tuple[Fault, ...]) -> Fault | None:
    whole = {Action.ANSWER, Action.REDIRECT, Action.DELAY}
    return faults[-1] if faults and faults[-1].action not in whole else None


def arrived_elsewhere(request: Request, namespace: Namespace) -> Exchanging:
    """A request that followed a redirect to another origin: it is noted, and thanked for."""
    context = _unjudged(request, namespace)
    answer = Answer(HTTPStatus.OK, (("Content-Type", "application/json"),), b'{"object":"elsewhere"}')
    namespace.journal.record(Judgement(answer, ELSEWHERE_RULE, context, None))
    return Transmission(answer)
    yield  # an exchange like any other, in which nobody waits
