"""The view of findings and coverage: what clients do wrong, and which clauses their tests have met."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, Final

from paylera_fixtures.clauses import BY_ID
from paylera_mock.dashboard.messages import Handler, Led, Response, Shown, Visit
from paylera_mock.dashboard.views.paging import read_offset
from paylera_mock.findings.catalog import KINDS, Severity

_LISTED: Final = 50


def list_findings(visit: Visit) -> Response:
    """What clients of the namespace did wrong, the worst first; with `scope=all` those of every one, in pages."""
    return _list_all(visit) if visit.scope else _list_own(visit)


def _list_own(visit: Visit) -> Response:
    offset = read_offset(visit)
    found = visit.ask("GET", "findings")
    part = {"offset": offset, "limit": _LISTED, "listed": len(found["data"])}
    return _show(visit, {**found, "data": found["data"][offset : offset + _LISTED]}, **part)


def _list_all(visit: Visit) -> Response:
    """A page of all: it ends with the namespace in which there are enough, so that none is looked at in vain."""
    found = visit.ask("GET", "findings", query={**visit.scope, "limit": _LISTED, **visit.given("cursor")})
    return _show(visit, found, cursor=visit.query.get("cursor"))


def _show(visit: Visit, found: Mapping[str, Any], **more: Any) -> Response:
    by_severity = {severity: [each for each in found["data"] if each["severity"] == severity] for severity in Severity}
    values = {
        "found": found,
        "by_severity": by_severity,
        "kinds": len({kind.id for kind in KINDS}),
        "clauses": BY_ID,
        "scope": visit.scope,
        "here": partial(visit.url, "", **visit.scope),
        **more,
    }
    return Shown("findings.html.j2", values)


def clear_findings(visit: Visit) -> Response:
    """Forget what was found."""
    visit.ask("DELETE", "findings", query=visit.scope)
    return Led(visit.url("", **visit.scope))


def show_coverage(visit: Visit) -> Response:
    """Which clauses the clients have met, and how to meet the others; with `scope=all` those of every namespace."""
    return Shown("coverage.html.j2", {"report": visit.ask("GET", "coverage", query=visit.scope), "scope": visit.scope})


PAGES: Final[Mapping[str, Handler]] = {"": list_findings, "coverage": show_coverage}
ACTIONS: Final[Mapping[str, Handler]] = {"clear": clear_findings}
