"""The view of what was requested: live, filtered, and one request with every check that it went through."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from paylera_fixtures.api.operations import OPERATIONS
from paylera_fixtures.clauses import BY_ID
from paylera_fixtures.vocabulary import Environment, Header
from paylera_mock.dashboard.messages import Handler, Led, Response, Shown, Streamed, Visit
from paylera_mock.dashboard.rendering import make_visible, read_path
from paylera_mock.dashboard.snippets import make_snippets
from paylera_mock.dashboard.views.paging import page_query, read_cursor
from paylera_mock.pipeline.rules import RULES

FILTERS: Final = ("method", "status", "route", "token", "rule", "path", "clause", "key")
"""The filters of the journal, by their names in the control API."""

_AT_ONCE: Final = 100
"""Rows of a page, and of an event at most."""

_EVERY_MS: Final = 2000
"""How often a page looks again at all namespaces, of which none can be waited for."""

_IN_A_BURST_MS: Final = 1000
"""How often a page looks again where more has come than it shows: each time all of it is drawn anew."""

_LONGEST_WAIT_SECONDS: Final = 4
"""A page that was left waits to its end; what happens meanwhile is shown at once in any case."""

_EVENT_ID: Final = re.compile(r"([0-9a-f]{8})\.([0-9]{1,15})\.([0-9]{1,15})")
_TOKENS_LISTED: Final = 100
_CHANGEABLE: Final = (Header.VERSION, Header.IDEMPOTENCY_KEY, Header.ACTING_AS, "Content-Type")
"""Headers that can be changed when a request is asked about again."""

_SAME: Final = "same"
_NONE: Final = "none"


def list_requests(visit: Visit) -> Response:
    """The last requests that pass the filters, the newest first, in pages; those of all namespaces have one page."""
    filters, scope = visit.given(*FILTERS), visit.scope
    cursor = None if scope else read_cursor(visit)
    found = visit.ask("GET", "journal", query={**filters, **scope, **page_query(cursor, _AT_ONCE)})
    is_paused = "paused" in visit.query or cursor is not None
    last = found["data"][-1]["number"] if found["data"] else 0
    event_id = _sign(visit, found) if scope else f"{visit.run}.{found['cleared']}.{last}"
    values = {
        **_rows(found, scope),
        "filters": filters,
        "kept": {**filters, **scope},
        "cursor": cursor,
        "is_paused": is_paused,
        "found": found,
        "stream": visit.url("requests/stream", after=event_id, **filters, **scope),
        "known": {
            "routes": list(dict.fromkeys(operation.path for operation in OPERATIONS)),
            "methods": list(dict.fromkeys(operation.method for operation in OPERATIONS)),
            "rules": [rule.name for rule in RULES],
            "clauses": list(dict.fromkeys(rule.clause for rule in RULES)),
            "tokens": [each["label"] for each in visit.ask("GET", "tokens", query={"limit": _TOKENS_LISTED})["data"]],
        },
    }
    return Shown("requests.html.j2", values)


def stream_requests(visit: Visit) -> Response:
    """The requests since the last event, as soon as there are some; those of all namespaces after a while."""
    if visit.scope:
        return _next_event_of_all(visit)
    if not visit.waiting.acquire(blocking=False):
        # An event, since browsers take the time until the next one from nothing else.
        return Streamed(_last_event_id(visit), event="busy", retry_ms=_EVERY_MS)
    try:
        return _next_event(visit)
    finally:
        visit.waiting.release()


def _next_event_of_all(visit: Visit) -> Streamed:
    filters, scope = visit.given(*FILTERS), visit.scope
    found = visit.ask("GET", "journal", query={**filters, **scope, "limit": _AT_ONCE})
    event_id = _sign(visit, found)
    if event_id == _last_event_id(visit):
        return Streamed(event_id, retry_ms=_EVERY_MS)
    values = {**_rows(found, scope), "filters": filters, "replaces": True}
    return Streamed(event_id, "requests_event.html.j2", values, retry_ms=_EVERY_MS)


def _sign(visit: Visit, found: Mapping[str, Any]) -> str:
    """A text that is another one as soon as other requests of all namespaces are listed."""
    last = found["data"][-1] if found["data"] else {"namespace": None, "number": 0}
    return f"{visit.run}.{found['matched']}.{last['namespace']}.{last['number']}"


def _last_event_id(visit: Visit) -> str:
    return visit.headers.get("Last-Event-ID") or visit.query.get("after", "")


def _next_event(visit: Visit) -> Streamed:
    given = _EVENT_ID.fullmatch(_last_event_id(visit))
    run, cleared, after = (given[1], int(given[2]), int(given[3])) if given else (visit.run, 0, 0)
    if run != visit.run:
        return Streamed(f"{visit.run}.0.0", event="journal-cleared")
    query = {**visit.given(*FILTERS), "after": after, "limit": _AT_ONCE}
    for seconds in (0, *[1] * _LONGEST_WAIT_SECONDS):  # no wait ends where the journal is cleared
        found = visit.ask("GET", "journal", query={**query, "wait": seconds})
        if found["data"] or found["cleared"] != cleared:
            break
    if found["cleared"] != cleared:
        return Streamed(f"{run}.{found['cleared']}.0", event="journal-cleared")
    if not found["data"]:
        return Streamed(f"{run}.{cleared}.{after}")
    # Where there is more than is shown at once, it takes the place of all that was shown.
    filters = visit.given(*FILTERS)
    replaces = found["matched"] > len(found["data"])
    event_id, values = f"{run}.{cleared}.{found['data'][-1]['number']}", {**_rows(found, {}), "filters": filters}
    # A burst is not to be slowed down by who looks at it.
    retry_ms = _IN_A_BURST_MS if replaces else Streamed.retry_ms
    return Streamed(event_id, "requests_event.html.j2", {**values, "replaces": replaces}, retry_ms=retry_ms)


def _rows(found: Mapping[str, Any], scope: Mapping[str, str]) -> dict[str, Any]:
    return {"rows": found["data"][::-1], "next_cursor": found["next_cursor"], "scope": scope}


def clear_requests(visit: Visit) -> Response:
    """Forget what was requested."""
    visit.ask("DELETE", "journal")
    return Led(visit.url())


def show_request(visit: Visit) -> Response:
    """One request: why it was decided as it was, what was sent and answered, and how to send it again."""
    return Shown("request.html.j2", _trace(visit))


def ask_again(visit: Visit) -> Response:
    """How the request would be decided with something changed, without effect."""
    entry, form = visit.ask("GET", f"journal/{visit.identifier}"), visit.form
    body: dict[str, Any] = {"exchange": entry["number"], "headers": {}}
    for name in _CHANGEABLE:
        text = form.get(name, "").strip()
        if text != (entry["headers"].get(name) or ""):
            body["headers"][str(name)] = text or None
    who, path = form.get("token", _SAME), form.get("path", "").strip()
    if who == _NONE:
        body["headers"][str(Header.AUTHORIZATION)] = None
    elif who != _SAME:
        body["token"] = who
    body |= {"path": path} if path != make_visible(_target(entry)) else {}
    body |= {"method": form["method"]} if form.get("method") else {}
    body |= {"body": form["body"]} if form.get("body") else {}
    answer = visit.ask("POST", "explain", body=body)
    return Shown("request.html.j2", {**_trace(visit), "asked": {**answer, "changed": body}})


def _trace(visit: Visit) -> dict[str, Any]:
    entry = visit.ask("GET", f"journal/{visit.identifier}")
    urls = visit.ask("GET", "")
    base_url = urls["live_url" if entry["environment"] == Environment.LIVE else "url"]
    key = entry["headers"].get(Header.IDEMPOTENCY_KEY)
    attempts = visit.ask("GET", "journal", query={"key": key})["data"] if key else []
    return {
        "entry": entry,
        "target": _target(entry),
        "deciding": next((check for check in entry["ladder"] if check["outcome"] in {"refused", "decided"}), None),
        "clauses": BY_ID,
        "attempts": [each for each in attempts if each["route"] == entry["route"]],
        "snippets": make_snippets(entry, base_url),
        "changeable": _CHANGEABLE,
        "tokens": visit.ask("GET", "tokens", query={"limit": _TOKENS_LISTED})["data"],
        "asked": None,
    }


def _target(entry: Mapping[str, Any]) -> str:
    path = read_path(entry["path"])
    return f"{path}?{entry['query']}" if entry["query"] else path


PAGES: Final[Mapping[str, Handler]] = {"": list_requests, "stream": stream_requests, "{id}": show_request}
ACTIONS: Final[Mapping[str, Handler]] = {"clear": clear_requests, "{id}/ask": ask_again}
