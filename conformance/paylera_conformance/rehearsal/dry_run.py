"""`run --dry-run`: what a run would send, create, rotate and revoke, told without sending anything."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from paylera_conformance.model.outcomes import Outcome
from paylera_conformance.probe.created_objects import is_removable
from paylera_conformance.rehearsal.recorder import Rehearsal, rehearse
from paylera_conformance.run.launch import settings_of
from paylera_conformance.target.settings import Settings
from paylera_fixtures.api.operations import BY_ID, Operation

_METHODS: Final = ("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE")
_UNPROVEN: Final = frozenset({Outcome.BLOCKED, Outcome.PENDING})

BASIS: Final = """\
This is a rehearsal: the cases of the run, against the fake in the target's place, with tokens that claim what yours
claim. A target that answers otherwise is asked otherwise; take the numbers for their order of size."""


def dry_run(url: str | None, options: Mapping[str, Any], *, selection: Sequence[str] = ()) -> Iterator[str]:
    """The lines to print. Raises `ConfigError`."""
    settings = settings_of(url, options)
    yield from told(settings, rehearse(settings, selection=selection))


def told(settings: Settings, rehearsal: Rehearsal) -> Iterator[str]:
    """What a rehearsal says of the run that it stands for."""
    yield f"Dry run: nothing was sent to {settings.url}"
    yield BASIS
    yield ""
    yield from _requests(settings, rehearsal.limits.sent)
    deeds = sum((case.deeds for case in rehearsal.cases), Counter())
    yield from _created(deeds)
    yield from _table("Would be rotated or revoked, of tokens", _of(deeds, {"rotate_api_token", "revoke_api_token"}))
    named = {"rotate_api_token", "revoke_api_token", *(deed for deed in deeds if deed.startswith("create_"))}
    yield from _table("Would be done besides", _of(deeds, set(deeds) - named))
    spent = sorted({role for case in rehearsal.cases for role in case.spent})
    if spent:
        yield f"Would be handed out to be rotated or revoked: {', '.join(spent)}"
    yield from _left_out(settings, rehearsal)


def _requests(settings: Settings, sent: Counter[str]) -> Iterator[str]:
    pace = "" if settings.is_loopback else f", at {settings.rps:g} a second at the most"
    yield f"Would be sent: {sent.total()} requests{pace}"
    others = sorted(set(sent) - set(_METHODS))
    yield "  " + " · ".join(f"{method} {sent[method]}" for method in (*_METHODS, *others) if sent[method])


def _created(deeds: Counter[str]) -> Iterator[str]:
    rows = _of(deeds, {deed for deed in deeds if deed.startswith("create_")})
    if not rows:
        yield "Would be created: nothing"
        return
    yield "Would be created, named with the run's id"
    for operation, count in rows:
        kind = operation.resource
        after = "removed at the end of its case" if is_removable(kind) else "left behind: the API deletes none"
        yield f"  {kind.value.replace('_', ' '):<18} {count:>5}  {after}"


def _of(deeds: Counter[str], names: set[str]) -> list[tuple[Operation, int]]:
    return [(BY_ID[name], deeds[name]) for name in sorted(names) if deeds[name]]


def _table(title: str, rows: Sequence[tuple[Operation, int]]) -> Iterator[str]:
    if not rows:
        yield f"{title}: nothing"
        return
    yield title
    for operation, count in rows:
        yield f"  {operation!s:<50} {count:>5}"


def _left_out(settings: Settings, rehearsal: Rehearsal) -> Iterator[str]:
    beyond = sum(case.outcome is Outcome.NOT_RUN for case in rehearsal.cases)
    open_ones = {case.clause for case in rehearsal.cases if case.outcome in _UNPROVEN}
    yield ""
    yield f"{len(rehearsal.cases)} cases, of which {beyond} lie beyond mode {settings.mode}" + (
        f" or --max-requests {settings.max_requests}" if settings.max_requests else ""
    )
    if open_ones:
        yield f"{len(open_ones)} clauses lack something: `paylera-conformance doctor` names it"
