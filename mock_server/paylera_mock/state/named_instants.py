"""Instants that have a name: the end of a grace, of a key's lifetime, of a trial; the next attempt of a webhook."""

from __future__ import annotations

from collections.abc import Iterator
from math import inf
from typing import Final

from paylera_fixtures.tokens import WELL_KNOWN
from paylera_mock.state.namespace_state import State
from paylera_mock.state.token_names import ready_name

FORMS: Final = (
    "token:<name or id>:grace_end",
    "key:<idempotency key>:expiry",
    "rate-limit:reset",
    "object:<id>:<what happens, as trial_end or charge_back>",
    "webhooks:next_attempt",
)
"""How names are spelled."""


def instants(state: State) -> dict[str, float]:
    """Every instant of a namespace that has a name and is not past, in seconds since the epoch, the next one first."""
    now = state.clock.epoch()
    found = {name: at for name, at in _all(state) if at >= now}
    return dict(sorted(found.items(), key=lambda item: item[1]))


def _all(state: State) -> Iterator[tuple[str, float]]:
    yield from _graces(state)
    for key, record in state.idempotency.records():
        yield f"key:{key[-1]}:expiry", record.first_used + state.policy.key_lifetime_seconds
    for due in state.schedule:
        yield f"object:{due.object_id}:{due.effect}", due.at
    if state.webhooks.next_at < inf:
        yield "webhooks:next_attempt", state.webhooks.next_at
    reset = state.limiter.full_at()
    if reset is not None:
        yield "rate-limit:reset", reset


def _graces(state: State) -> Iterator[tuple[str, float]]:
    """The end of the latest grace of each token, by its id, its name, and what its well-known secrets are called."""
    known: dict[str, list[str]] = {}
    for well_known in WELL_KNOWN:
        known.setdefault(well_known.token_id, []).append(ready_name(well_known))
    for token in state.tokens:
        ends = [secret.expires_at for secret in token.secrets if secret.expires_at is not None]
        if not ends:
            continue
        for name in dict.fromkeys((token.id, token.grant.name or token.id, *known.get(token.id, ()))):
            yield f"token:{name}:grace_end", max(ends)
