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

from paylera_fixtures.api.operations import match
from paylera_mock.core.credential import Credential
from paylera_mock.core.hosts import READY_AGENT, hostname, is_loopback
from paylera_mock.core.messages import Answer, Facts
from paylera_mock.core.problems import Problem
from paylera_mock.explain.hints import hint_for
from paylera_mock.faults.model import Action, Armed, Fault, Place
from paylera_mock.faults.problems import by_fault
from paylera_mock.namespaces.judging import authorised, judge
from paylera_mock.namespaces.namespace import Namespace
from paylera_mock.pipeline import responses
from paylera_mock.pipeline.context import Context, Rule, Verdict
from paylera_mock.state.tokens import Token

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
class Delivery:
    """What is sent: the answer, whose headers include the explanations, and how its sending is spoilt."""

    answer: Answer
    broken_by: Fault | None = None


Exchanging: TypeAlias = Generator[Pause, None, Delivery]


def exchange(facts: Facts, namespace: Namespace, *, explain: bool, authorization: str = "") -> Exchanging:
    """Answer a request. `authorization`: the header as sent, for a hint about a token that is almost right."""
    places = namespace.faults.places
    if not places:
        return _sent(judge(facts, namespace), namespace, [], explain=explain, authorization=authorization)
    struck = _strike(Place.BEFORE_AUTH, facts, namespace)
    yield from _waits(struck)
    if not _is_final(struck) and Place.AFTER_AUTH in places:
        token = authorised(facts, namespace)
        if token is not None:
            late = _strike(Place.AFTER_AUTH, facts, namespace, token)
            yield from _waits(late)
            struck += late
    if _is_final(struck):
        verdict = _instead(facts, namespace, struck[-1].fault)
        delivery = _sent(verdict, namespace, struck, explain=explain, authorization=authorization)
        return (yield from _ended(delivery, struck))
    verdict = judge(facts, namespace)
    if not isinstance(verdict.decision, Problem):
        struck += _strike(Place.AFTER_COMMIT, facts, namespace, verdict.context.token)
    if not _is_final(struck):
        struck += _strike(Place.WHILE_SENDING, facts, namespace, verdict.context.token)
    if _is_final(struck):
        verdict = _spoilt(verdict, namespace, struck[-1].fault)
    delivery = _sent(verdict, namespace, struck, explain=explain, authorization=authorization)
    yield from _waits([armed for armed in struck if armed.fault.at in {Place.AFTER_COMMIT, Place.WHILE_SENDING}])
    return (yield from _ended(delivery, struck))


def _strike(place: Place, facts: Facts, namespace: Namespace, token: Token | None = None) -> list[Armed]:
    if place not in namespace.faults.places:
        return []
    if token is None and isinstance(facts.credential, Credential):
        token = namespace.world.tokens.by_digest(facts.credential.digest)
    names = frozenset({token.id, token.grant.name or token.id}) if token else frozenset[str]()
    found = match(facts.path)
    operation = found.operations.get(facts.method) if found else None
    return namespace.faults.strike(place, facts, operation.path if operation else None, names)


def _is_final(struck: list[Armed]) -> bool:
    """Whether the last thing that happened ends the request."""
    return bool(struck) and struck[-1].fault.action is not Action.DELAY


def _waits(struck: list[Armed]) -> Generator[Pause, None, None]:
    for armed in struck:
        if armed.fault.action is Action.DELAY:
            yield Pause(armed.fault.seconds, armed.over)


def _ended(delivery: Delivery, struck: list[Armed]) -> Exchanging:
    """The delivery, after a hang where there is one."""
    if struck and struck[-1].fault.action is Action.HANG:
        yield Pause(None, struck[-1].over)
    return delivery


def _instead(facts: Facts, namespace: Namespace, fault: Fault) -> Verdict:
    """What a fault answers before any rule did, or loses."""
    context = _unjudged(facts, namespace)
    problem = by_fault(fault, _location(fault, facts, namespace))
    answer = responses.write(context, problem)
    whole = Answer(answer.status, answer.headers + responses.fresh_headers(context, problem), answer.body)
    return Verdict(whole, FAULT_RULE, context, problem)


def _unjudged(facts: Facts, namespace: Namespace) -> Context:
    """What is known of a request that no rule has looked at: its token, where there is one."""
    context = Context.of(facts, namespace.world, namespace.pipeline)
    context.credential = facts.credential
    if isinstance(facts.credential, Credential):
        context.token = context.decisions.find_token(context, facts.credential.digest)
    return context


def _spoilt(verdict: Verdict, namespace: Namespace, fault: Fault) -> Verdict:
    """What goes out in the place of an answer. The work is done, and the answer remembered for its key."""
    if fault.action not in {Action.ANSWER, Action.REDIRECT}:
        return verdict
    return verdict._replace(answer=_instead(verdict.context.facts, namespace, fault).answer)


def _location(fault: Fault, facts: Facts, namespace: Namespace) -> str:
    """Where a redirect leads: to this very fake under a name of another origin, where nothing else is said."""
    if fault.location is not None:
        return fault.location
    prefix = f"/ns/{namespace.id}" if namespace.id else ""
    return f"{other_origin(facts)}{prefix}{ELSEWHERE}/{fault.id}"


def other_origin(facts: Facts) -> str:
    """Another origin under which the fake can be reached by who has reached it under the request's own."""
    name, colon, port = facts.host.rpartition(":")
    name = name or port
    if is_loopback(hostname(facts.host)):
        return f"{facts.scheme}://{'127.0.0.1' if name == 'localhost' else 'localhost'}{colon}{port if colon else ''}"
    return f"{facts.scheme}://{ELSEWHERE_HOST}"


def _sent(
    verdict: Verdict, namespace: Namespace, struck: list[Armed], *, explain: bool, authorization: str
) -> Delivery:
    """Remember the exchange, and add the headers that explain it."""
    faults = tuple(armed.fault for armed in struck)
    hint = ""
    if isinstance(verdict.decision, Problem) and verdict.rule is not FAULT_RULE:
        hint = hint_for(verdict, authorization, namespace)
    # What the fake asks itself to see that it serves is nobody's request.
    is_own = verdict.context.facts.user_agent == READY_AGENT
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
    return Delivery(Answer(answer.status, headers, answer.body, answer.chunked), _breaking(faults))


def _breaking(faults: tuple[Fault, ...]) -> Fault | None:
    whole = {Action.ANSWER, Action.REDIRECT, Action.DELAY}
    return faults[-1] if faults and faults[-1].action not in whole else None


def arrived_elsewhere(facts: Facts, namespace: Namespace) -> Exchanging:
    """A request that followed a redirect to another origin: it is noted, and thanked for."""
    context = _unjudged(facts, namespace)
    answer = Answer(HTTPStatus.OK, (("Content-Type", "application/json"),), b'{"object":"elsewhere"}')
    namespace.journal.record(Verdict(answer, ELSEWHERE_RULE, context, None))
    return Delivery(answer)
    yield  # an exchange like any other, in which nobody waits
