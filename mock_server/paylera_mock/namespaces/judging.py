"""The judgement of a request in a namespace: at its time, and one write after the other."""

from __future__ import annotations

from paylera_mock.core.messages import Request
from paylera_mock.namespaces.namespace import Namespace
from paylera_mock.pipeline import engine
from paylera_mock.pipeline.context import Context, Judgement


def begin(request: Request, namespace: Namespace) -> Context:
    """The context of a request that no rule has looked at yet, at the namespace's time."""
    namespace.catch_up()
    return Context.of(request, namespace.state, namespace.pipeline)


def judge(request: Request, namespace: Namespace, begun: Context | None = None) -> Judgement:
    """Decide about a request. `begun`: its context, where some rules have looked already; the others do so now.

    One write of a namespace at a time, so that two with one key cannot both act. Reads do not queue: threads that wait
    for a lock while they also wait for the interpreter cost more than the judgement.
    """
    namespace.catch_up()
    decisions = namespace.pipeline.decisions
    if decisions.must_queue(request):
        namespace.discarded.free_some()
        with namespace.lock:
            judgement = engine.judge(_context_now(request, namespace, begun))
    else:
        judgement = engine.judge(_context_now(request, namespace, begun))
    encoded = decisions.encode_answer(request, judgement.answer)
    return judgement if encoded is judgement.answer else judgement._replace(answer=encoded)


def _context_now(request: Request, namespace: Namespace, begun: Context | None) -> Context:
    if begun is None or begun.state is not namespace.state:  # the latter after a reset in between
        return Context.of(request, namespace.state, namespace.pipeline)
    begun.now = namespace.clock.epoch()
    return begun
