"""The evidence of a run for its page: each exchange once, however many cases share it, as compressed JSON."""

from __future__ import annotations

import json
import zlib
from base64 import b64encode
from collections.abc import Iterable
from typing import Any, Final

import msgspec
from msgspec import structs

from paylera_conformance.model.case_results import CaseResult
from paylera_conformance.model.messages import CredentialNote, ExchangeRecord
from paylera_conformance.reports.comparison import Comparison, compare
from paylera_conformance.reports.matrix import MatrixPicture
from paylera_conformance.reports.model import WRONG, RunReport, shown_exchanges, without_decision
from paylera_conformance.reports.repeat import Scripts, program_text
from paylera_conformance.reports.timeline import Stop, timeline
from paylera_fixtures.hosts import origin_of

_NOT_DRAWN: Final = frozenset(
    {"clause", "message", "planned", "partial", "left_behind", "exchanges", "control_calls", "credentials", "cell"}
)
"""What the page's script does not use of a case, or has in another form."""

_OF_A_BODY: Final = 160
"""So many characters of an answer's body are on the page, where nothing that is wrong rests on it."""


def packed_evidence(report: RunReport, matrix: MatrixPicture, scripts: Scripts) -> str:
    """What the page's script draws: JSON, deflated (RFC 1950), in base64."""
    table = _Table(record for case in report.cases if case.outcome in WRONG for record in case.exchanges)
    clauses = {
        result.id: [_case(case, table, scripts) for case in report.cases_of(result.id)] for result in report.results
    }
    evidence = {
        "clauses": clauses,
        "exchanges": table.columns,
        "pairs": list(table.pairs),
        "credentials": list(table.credentials),
        "program": program_text() if scripts else "",
        "scripts": {script.name: script.steps for script in scripts.values()},
        "matrix": _matrix(matrix),
    }
    text = json.dumps(msgspec.to_builtins(evidence), separators=(",", ":"))
    return b64encode(zlib.compress(text.encode(), 9)).decode("ascii")


class _Table:
    """The exchanges column by column, which compresses to half of what rows do; headers are numbers of `pairs`.

    - `whole`: those that are not to be shortened.
    """

    def __init__(self, whole: Iterable[ExchangeRecord]) -> None:
        self._whole = {without_decision(record) for record in whole}
        self.columns: dict[str, list[Any]] = {}
        self.pairs: dict[tuple[str, str], int] = {}
        self.credentials: dict[CredentialNote, int] = {}
        self._numbers: dict[ExchangeRecord, int] = {}

    def number(self, record: ExchangeRecord) -> int:
        """The number of an exchange, entered where it is new."""
        key = without_decision(record)
        if key not in self._numbers:
            self._numbers[key] = len(self._numbers)
            row = self._row(record)
            row["answer_body"] = record.answer.body if key in self._whole else _shorten(record.answer.body)
            for name, value in row.items():
                self.columns.setdefault(name, []).append(value)
        return self._numbers[key]

    def _row(self, record: ExchangeRecord) -> dict[str, Any]:
        answer = record.answer
        return {
            "method": record.method,
            "url": record.url,
            "role": record.role,
            "headers": self._header_numbers(record.headers),
            "body": record.body,
            "status": answer.status,
            "answer_headers": self._header_numbers(answer.headers),
            "at": record.at,
            "target_time": record.target_time,
        }

    def credential_number(self, note: CredentialNote) -> int:
        """The number of a credential, entered where it is new; its id is not drawn."""
        return self.credentials.setdefault(structs.replace(note, id=""), len(self.credentials))

    def _header_numbers(self, headers: Iterable[tuple[str, str]]) -> list[int]:
        return [self.pairs.setdefault(pair, len(self.pairs)) for pair in headers]


def _shorten(body: str) -> str:
    if len(body) <= _OF_A_BODY:
        return body
    return f"{body[:_OF_A_BODY]}… {len(body) - _OF_A_BODY} characters more, in the raw run"


def _case(case: CaseResult, table: _Table, scripts: Scripts) -> dict[str, Any]:
    told = {name: value for name, value in msgspec.to_builtins(case).items() if value and name not in _NOT_DRAWN}
    deciding = next((record for record in case.exchanges if record.deciding), None)
    shown = shown_exchanges(case)
    told |= {
        "requests": case.requests,
        "seconds": case.seconds,
        "exchanges": [table.number(record) for record in shown],
        "more": len(case.exchanges) - len(shown),
        "calls": [table.number(record) for record in case.control_calls],
        "credentials": [table.credential_number(note) for note in case.credentials],
    }
    if deciding is not None:
        told |= {"deciding": table.number(deciding), "curl": deciding.curl}
    name = scripts.name_of(case.clause, case.case)
    comparison, stops = compare(case), timeline(case)
    return told | {
        **({"repeat": name} if name else {}),
        **({"comparison": _comparison(comparison, table)} if comparison else {}),
        **({"timeline": [_stop(stop) for stop in stops]} if stops else {}),
    }


def _comparison(comparison: Comparison, table: _Table) -> dict[str, Any]:
    beside = {"before": comparison.before, "changed": comparison.changed, "after": comparison.after}
    numbers = {name: table.number(record) for name, record in beside.items() if record}
    return {**numbers, "differs": comparison.differs, "drawn": comparison.drawn}


def _stop(stop: Stop) -> dict[str, Any]:
    """The requests stand here in short: of a case that passed, most are not in the table of exchanges."""
    first, origin = stop.sent[0], origin_of(stop.sent[0].url)
    named = [(record, f"{record.method} {record.url.removeprefix(origin)}") for record in stop.named]
    return {
        "moves": stop.moves,
        "seconds": stop.seconds,
        "target": first.target_time,
        "wall": first.at,
        "sent": [[record.answer.status, line, record.role, record.deciding] for record, line in named],
        "others": list(stop.others.items()),
    }


def _matrix(matrix: MatrixPicture) -> dict[str, Any]:
    columns = {operation: number for number, operation in enumerate(matrix.operations)}
    return {
        "operations": matrix.operations,
        "rows": [
            [[columns[operation], str(case.outcome), case.case] for operation, case in row.cells.items()]
            for row in matrix.rows
        ],
    }
