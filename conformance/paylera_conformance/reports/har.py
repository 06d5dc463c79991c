"""`exchanges.har`: exchanges in the HTTP Archive format, version 1.2, for the tools that read it.

Of what is wrong it has everything, of other cases the first exchanges, with what tells the answers apart.
Credentials are labels, as everywhere. What the suite does not know is `-1` or `HTTP/1.1`, as the format has it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from http import HTTPStatus
from io import StringIO
from typing import Final
from urllib.parse import parse_qsl

from harfile import Content, Creator, HarFile, PostData, Record, Request, Response, Timings

from paylera_conformance.model.messages import AnswerRecord, ExchangeRecord
from paylera_conformance.reports.model import WRONG, RunReport, shown_exchanges, without_decision
from paylera_conformance.reports.raw import RAW_NAME

HAR_NAME: Final = "exchanges.har"
_VERSION: Final = "HTTP/1.1"
_OF_A_BODY: Final = 1024
"""So many characters of a body in what nothing wrong rests on; the raw run has all."""

_PHRASES: Final = {status.value: status.phrase for status in HTTPStatus}


def har(report: RunReport) -> str:
    """The archive: the exchanges in order of time, each once; its comment names the cases that it is shown for."""
    facts = report.facts
    cases: defaultdict[ExchangeRecord, list[str]] = defaultdict(list)
    in_full: set[ExchangeRecord] = set()
    for case in report.cases:
        is_wrong = case.outcome in WRONG
        for exchange in (*(case.control_calls if is_wrong else ()), *shown_exchanges(case)):
            deciding = ", the exchange that decided" if exchange.deciding else ""
            key = without_decision(exchange)
            cases[key].append(f"{case.clause} {case.case}: {case.outcome}{deciding}")
            in_full.update([key] if is_wrong else [])
    exchanges = [(exchange.at or facts.started_at, exchange, told) for exchange, told in cases.items()]
    file = StringIO()
    creator = Creator("paylera-conformance", facts.suite_version)
    with HarFile(file, creator=creator, comment=f"run {facts.run_id}: {report.verdict}") as archive:
        for at, exchange, told in sorted(exchanges, key=lambda item: item[0]):
            milliseconds = round(exchange.seconds * 1000, 1)
            clock = f"; by the target's clock {exchange.target_time}" if exchange.target_time else ""
            archive.add_entry(
                startedDateTime=at,
                time=milliseconds,
                request=_request(exchange),
                response=_response(exchange.answer, None if exchange in in_full else _OF_A_BODY),
                timings=Timings(send=0, wait=milliseconds, receive=0),
                comment=f"{'; '.join(told)}{clock}",
            )
    return file.getvalue() + "\n"


def _request(exchange: ExchangeRecord) -> Request:
    body, query = exchange.body, exchange.url.partition("?")[2]
    return Request(
        method=exchange.method,
        url=exchange.url,
        httpVersion=_VERSION,
        headers=_records(exchange.headers),
        queryString=_records(parse_qsl(query, keep_blank_values=True)),
        postData=None if body is None else PostData(_header(exchange.headers, "content-type"), text=body),
        bodySize=-1 if body else 0,
    )


def _response(answer: AnswerRecord, most: int | None) -> Response:
    """An answer. `most`: so many characters of its body, all of them where none is given."""
    size, is_cut = len(answer.body.encode("utf-8", "backslashreplace")), len(answer.body) > (most or len(answer.body))
    told = f"the first {most} characters; all of it is in {RAW_NAME}" if is_cut else None
    return Response(
        status=answer.status,
        statusText=_PHRASES.get(answer.status, ""),
        httpVersion=_VERSION,
        headers=_records(answer.headers),
        content=Content(size, mimeType=_header(answer.headers, "content-type"), text=answer.body[:most], comment=told),
        redirectURL=_header(answer.headers, "location"),
    )


def _records(pairs: Iterable[tuple[str, str]]) -> list[Record]:
    return [Record(name, value) for name, value in pairs]


def _header(headers: Iterable[tuple[str, str]], wanted: str) -> str:
    return next((value for name, value in headers if name.lower() == wanted), "")
