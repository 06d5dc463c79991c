"""`run --dry-run`: what a run would send, create, rotate and revoke, without sending anything to the target."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from paylera_conformance.model.outcomes import Outcome
from paylera_conformance.probe.created_objects import is_removable
from paylera_conformance.probe.marks import SPENDING
from paylera_conformance.rehearsal.recorder import rehearse
from paylera_conformance.rehearsal.token_counts import describe_counts
from paylera_conformance.run.launch import settings_of
from paylera_conformance.target.settings import Mode, Settings
from paylera_fixtures.api.operations import BY_ID
from paylera_fixtures.terminal import Line

_METHODS: Final = ("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE")
_NAMED: Final = 6
"""So many kinds of token are named."""

_UNPROVEN: Final = frozenset({Outcome.BLOCKED, Outcome.PENDING})

BASIS: Final = """\
This is a rehearsal: the cases of the run, against the fake in the target's place, with tokens that claim what yours
claim. A target that answers otherwise is asked otherwise; take the numbers for their order of size."""


def dry_run(url: str | None, options: Mapping[str, Any], *, selection: Sequence[str] = ()) -> Iterator[Line]:
    """What a rehearsal of the run shows. Raises `ConfigError`."""
    settings = settings_of(url, options)
    rehearsal = rehearse(settings, selection=selection)
    yield Line(f"Dry run: nothing was sent to {settings.url}")
    yield from map(Line, BASIS.splitlines())
    yield Line()
    sent = rehearsal.limits.sent
    methods = [*_METHODS, *sorted(sent.keys() - set(_METHODS))]
    yield Line(f"Would be sent: {_requests(sent.total(), settings)}")
    yield Line(" · ".join(f"{method} {sent[method]}" for method in methods if sent[method]), first="  ")
    cells = [(case.result, cell) for case in rehearsal.cases if (cell := case.result.cell)]
    if cells:
        of_them = sum(result.requests - cell.shared for result, cell in cells)
        operations = len({cell.operation for _, cell in cells})
        yield Line(
            f"of these {_requests(of_them, settings)}: {len({cell.rule for _, cell in cells})} rules on {operations}"
            " operations",
            first="  ",
        )
    yield from _changes(sum((case.changes for case in rehearsal.cases), Counter()))
    spent = sorted({role for case in rehearsal.cases for role in case.spent})
    if spent:
        more = f" and {len(spent) - _NAMED} more kinds" if len(spent) > _NAMED else ""
        yield Line(f"Would be handed out to be rotated or revoked: {', '.join(spent[:_NAMED])}{more}")
    if settings.driver == "static" and settings.mode is Mode.FULL:
        yield Line("Tokens that may be used up, where the target does not make them, for all cases:")
        yield from (Line(row, first="  ") for row in describe_counts(settings))
    yield Line()
    beyond = sum(case.result.outcome is Outcome.NOT_RUN for case in rehearsal.cases)
    budget = f" or --max-requests {settings.max_requests}" if settings.max_requests else ""
    yield Line(f"{len(rehearsal.cases)} cases, of which {beyond} lie beyond mode {settings.mode}{budget}")
    unproven = {case.result.clause for case in rehearsal.cases if case.result.outcome in _UNPROVEN}
    if unproven:
        yield Line(f"{len(unproven)} clauses lack something: `paylera-conformance doctor` names it")


def _requests(count: int, settings: Settings) -> str:
    """How many, and how long they take where the target is not to be hurried."""
    if settings.is_loopback:
        return f"{count} requests"
    minutes, seconds = divmod(round(count / settings.rps), 60)
    duration = f"{minutes} min {seconds} s" if minutes else f"{seconds} s"
    return f"{count} requests, {duration} at {settings.rps:g} a second"


def _changes(counts: Counter[str]) -> Iterator[Line]:
    """What would be changed, by the ids of operations."""
    created = {name for name in counts if name.startswith("create_")}
    tables = (
        ("Would be created", ", named with the run's id", created),
        ("Would be rotated or revoked, of tokens", "", counts.keys() & SPENDING),
        ("Would be done besides", "", counts.keys() - created - SPENDING),
    )
    for title, more, names in tables:
        yield Line(f"{title}{more}" if names else f"{title}: nothing")
        for name in sorted(names):
            operation, count = BY_ID[name], counts[name]
            if name in created:
                kind = operation.resource
                after = "removed at the end of its case" if is_removable(kind) else "left behind: the API deletes none"
                yield Line(after, first=f"  {kind.value.replace('_', ' '):<18} {count:>5}  ")
            else:
                yield Line(first=f"  {operation!s:<50} {count:>5}")
