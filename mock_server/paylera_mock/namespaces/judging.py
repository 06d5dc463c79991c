"""."""

from __future__ import annotations

from typing import Final

from paylera_mock.core.messages import Request
from paylera_mock.namespaces.namespace import Namespace
from paylera_mock.pipeline.context import Context, Judgement
from paylera_mock.pipeline.engine import _answer, first_to_decide
from paylera_mock.state.tokens import StoredToken

_COUNTS: Final = "within-rate"


_FIRST_AFTER_AUTH: Final = "actor-known"


def judge(request: Request, namespace: Namespace) -> Judgement:
    """Decide about a request.

    One write of a namespace at a time, so that two with one key cannot both act. Reads do not queue: threads that wait
    for a lock while they also wait for the interpreter cost more than the judgement.
    """
    namespace.catch_up()
    decisions = namespace.pipeline.decisions
    if not decisions.queued(request):
        verdict = _judged(request, namespace)
    else:
        with namespace.lock:
            verdict = _judged(request, namespace)
    packed = decisions.packed(request, verdict.answer)
    return verdict if packed is verdict.answer else verdict._replace(answer=packed)


def authorised(request: Request, namespace: Namespace) -> StoredToken | None:
    """The token of a request that no rule about credentials and grants refuses. Nothing is counted or changed."""
    context = Context.of(request, namespace.state, namespace.pipeline)
    for rule in context.pipeline.rules:
        if rule.name == _FIRST_AFTER_AUTH:
            return context.token
        if rule.name != _COUNTS and rule.check(context) is not None:
            return None
    return None


def _judged(request: Request, namespace: Namespace) -> Judgement:
    context = Context.of(request, namespace.state, namespace.pipeline)
    rule, decision = first_to_decide(context)
    return Judgement(_answer(context, decision), rule, context, decision)
