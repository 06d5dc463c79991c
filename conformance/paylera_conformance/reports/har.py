"""`exchanges.har`: every exchange in the HTTP Archive format, version 1.2, for the tools that read it.

Credentials are labels, as everywhere. What the suite does not know is `-1` or `HTTP/1.1`, as the format has it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import parse_qsl

from paylera_conformance.model.case_results import CaseResult
from paylera_conformance.reports.model import RunReport

HAR_NAME: Final = "exchanges.har"
_UNKNOWN: Final = -1
_VERSION: Final = "HTTP/1.1"


def har(report: RunReport) -> dict[str, Any]:
    """The archive: the exchanges of all cases in order of time; the comment of each names its case."""
    facts = report.facts
    entries = [
        _entry(exchange, case, facts.started_at) for case in report.scoreboard.all() for exchange in case.exchanges
    ]
    return {
        "log": {
            "version": "1.2",
            "creator": {"name": "paylera-conformance", "version": facts.suite_version},
            "comment": f"run {facts.run_id}: {report.verdict}",
            "entries": sorted(entries, key=lambda entry: str(entry["startedDateTime"])),
        }
    }


def _entry(exchange: Mapping[str, Any], case: CaseResult, otherwise: str) -> dict[str, Any]:
    milliseconds = round(exchange["seconds"] * 1000, 1)
    deciding = ", the exchange that decided" if exchange.get("deciding") else ""
    return {
        "startedDateTime": exchange["at"] or otherwise,
        "time": milliseconds,
        "request": _request(exchange),
        "response": _response(exchange["answer"]),
        "cache": {},
        "timings": {"send": 0, "wait": milliseconds, "receive": 0},
        "comment": f"{case.clause} {case.case}: {case.outcome}{deciding}",
    }


def _request(exchange: Mapping[str, Any]) -> dict[str, Any]:
    body = exchange["body"]
    request = {
        "method": exchange["method"],
        "url": exchange["url"],
        "httpVersion": _VERSION,
        "cookies": [],
        "headers": _pairs(exchange["headers"]),
        "queryString": _pairs(parse_qsl(exchange["url"].partition("?")[2], keep_blank_values=True)),
        "headersSize": _UNKNOWN,
        "bodySize": _UNKNOWN if body else 0,
    }
    if body is not None:
        request["postData"] = {"mimeType": _header(exchange["headers"], "content-type"), "text": body}
    return request


def _response(answer: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "status": answer["status"],
        "statusText": _phrase(answer["status"]),
        "httpVersion": _VERSION,
        "cookies": [],
        "headers": _pairs(answer["headers"]),
        "content": {
            "size": len(answer["body"].encode("utf-8", "backslashreplace")),
            "mimeType": _header(answer["headers"], "content-type"),
            "text": answer["body"],
        },
        "redirectURL": _header(answer["headers"], "location"),
        "headersSize": _UNKNOWN,
        "bodySize": _UNKNOWN,
    }


def _pairs(pairs: Iterable[Sequence[str]]) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in pairs]


def _header(headers: Iterable[Sequence[str]], wanted: str) -> str:
    return next((value for name, value in headers if name.lower() == wanted), "")


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""
