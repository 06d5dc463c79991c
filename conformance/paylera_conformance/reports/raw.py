"""`run.json`: the raw run, from which every report is made, and made again. No secret is in it.

Cases share exchanges, and exchanges share headers and bodies. The file has each of these once, in a table, and where it
belongs the number of its row.
"""

from __future__ import annotations

import json
import re
from collections.abc import Hashable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Final, Generic, TypeVar

import msgspec
from msgspec import Meta, Struct
from msgspec.structs import asdict, replace

from paylera_conformance.model.case_results import CaseOutcome, CaseResult
from paylera_conformance.model.messages import AnswerRecord, CredentialNote, ExchangeRecord, Seconds
from paylera_conformance.reports.model import RunFacts, RunReport, report_on
from paylera_conformance.target.settings import ConfigError, read_file
from paylera_fixtures.clauses import BY_ID, CONTRACT_VERSION, Level
from paylera_fixtures.printable import printable

RAW_NAME: Final = "run.json"

_UNSEEN: Final = re.compile("[\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]")
"""What JSON may hold as it is, and a terminal that shows the file obeys: control characters, the order of writing."""

FORMAT: Final = "paylera-conformance run"
SCHEMA: Final = 2

_Number = Annotated[int, Meta(ge=0)]
_Numbers = tuple[_Number, ...]
_Row = TypeVar("_Row", bound=Hashable)


class RawAnswer(Struct, frozen=True, forbid_unknown_fields=True):
    """The answer of an exchange; `headers` and `body` are numbers."""

    status: int
    headers: _Numbers
    body: _Number


class RawExchange(Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """An exchange of which `headers` and `body` are numbers."""

    method: str
    url: str
    role: str | None
    headers: _Numbers
    body: _Number | None
    answer: RawAnswer
    at: str
    seconds: Seconds
    target_time: str = ""


class RawCase(CaseOutcome, frozen=True, kw_only=True, omit_defaults=True):
    """A case whose evidence is numbers, with its level, so that whoever reads the file need not know the contract.

    - `deciding`: which of the exchanges its outcome rests on; `curl`: a command line that sends the same.
    """

    level: Level
    exchanges: _Numbers = ()
    control_calls: _Numbers = ()
    credentials: _Numbers = ()
    deciding: _Number | None = None
    curl: str = ""

    def __post_init__(self) -> None:
        if self.clause not in BY_ID:
            raise ValueError(f"there is no clause {self.clause!r}")


class RawRun(RunFacts, frozen=True, kw_only=True, tag_field="format", tag=FORMAT):
    """The file: the facts of a run, every case, and the tables of what the cases share."""

    schema: int
    cases: tuple[RawCase, ...]
    exchanges: tuple[RawExchange, ...]
    credentials: tuple[CredentialNote, ...]
    headers: tuple[tuple[str, str], ...]
    bodies: tuple[str, ...]


class _Table(Generic[_Row]):
    """Rows, each once."""

    def __init__(self) -> None:
        self._numbers: dict[_Row, int] = {}

    @property
    def rows(self) -> tuple[_Row, ...]:
        return tuple(self._numbers)

    def number(self, row: _Row) -> int:
        return self._numbers.setdefault(row, len(self._numbers))

    def numbers(self, rows: Iterable[_Row]) -> tuple[int, ...]:
        return tuple(map(self.number, rows))


class _Writer:
    """Fills the tables."""

    def __init__(self) -> None:
        self.exchanges: _Table[RawExchange] = _Table()
        self.credentials: _Table[CredentialNote] = _Table()
        self.headers: _Table[tuple[str, str]] = _Table()
        self.bodies: _Table[str] = _Table()

    def case(self, case: CaseResult, level: Level) -> RawCase:
        numbers = self._exchange_numbers(case.exchanges)
        deciding = next(
            ((record, number) for record, number in zip(case.exchanges, numbers, strict=True) if record.deciding), None
        )
        return RawCase(
            **{name: getattr(case, name) for name in CaseOutcome.__struct_fields__},
            level=level,
            exchanges=numbers,
            control_calls=self._exchange_numbers(case.control_calls),
            credentials=self.credentials.numbers(case.credentials),
            deciding=deciding[1] if deciding else None,
            curl=deciding[0].curl if deciding else "",
        )

    def _exchange_numbers(self, records: Iterable[ExchangeRecord]) -> tuple[int, ...]:
        return self.exchanges.numbers(map(self._exchange, records))

    def _exchange(self, record: ExchangeRecord) -> RawExchange:
        answer = record.answer
        return RawExchange(
            method=record.method,
            url=record.url,
            role=record.role,
            headers=self.headers.numbers(record.headers),
            body=None if record.body is None else self.bodies.number(record.body),
            answer=RawAnswer(answer.status, self.headers.numbers(answer.headers), self.bodies.number(answer.body)),
            at=record.at,
            seconds=record.seconds,
            target_time=record.target_time,
        )


def raw_run(report: RunReport) -> dict[str, Any]:
    """A run as JSON values, in the shape of `RawRun`."""
    raw: dict[str, Any] = msgspec.to_builtins(_pack(report))
    return raw


def raw_json(report: RunReport) -> str:
    """The text of the file."""
    run = _pack(report)
    try:
        text = msgspec.json.encode(run).decode()
        return _UNSEEN.sub(lambda found: f"\\u{ord(found[0]):04x}", text) + "\n"
    except UnicodeEncodeError:  # half a character somewhere, which the slower way can write
        return json.dumps(msgspec.to_builtins(run)) + "\n"


def _pack(report: RunReport) -> RawRun:
    writer, profile = _Writer(), report.facts.profile
    cases = tuple(writer.case(case, BY_ID[case.clause].level(profile)) for case in report.cases)
    return RawRun(
        **asdict(report.facts),
        schema=SCHEMA,
        cases=cases,
        exchanges=writer.exchanges.rows,
        credentials=writer.credentials.rows,
        headers=writer.headers.rows,
        bodies=writer.bodies.rows,
    )


def report_from(raw: Mapping[str, Any]) -> RunReport:
    """The inverse of `raw_run`: what came of each clause, and the verdict, are found anew.

    Raises `ConfigError` where it was written by another version of contract or suite, or is no raw run at all.
    """
    if raw.get("format") != FORMAT:
        raise ConfigError("this is no raw run of paylera-conformance")
    if raw.get("schema") != SCHEMA or raw.get("contract_version") != CONTRACT_VERSION:
        contract, schema = raw.get("contract_version"), raw.get("schema")
        maker = printable(f"suite {raw.get('suite_version')} for contract {contract}, schema {schema}")
        own = f"contract {CONTRACT_VERSION}, schema {SCHEMA}"
        raise ConfigError(f"the run was made by {maker}, and this suite reads {own}: use the suite that made it")
    missing = set(RawRun.__struct_fields__) - raw.keys()
    if missing:
        raise ConfigError(f"the raw run is damaged: it has no {min(missing)}")
    try:
        run = msgspec.convert(raw, RawRun)
    except msgspec.ValidationError as error:
        raise ConfigError(f"the raw run is damaged: {printable(str(error))}") from None
    try:
        cases = _unpack(run)
    except IndexError:
        raise ConfigError("the raw run is damaged: a number in it is none of a row") from None
    return report_on(msgspec.convert(run, RunFacts, from_attributes=True), cases)


def _unpack(run: RawRun) -> list[CaseResult]:
    """The cases with their evidence. Raises `IndexError`."""
    exchanges = [_record(run, exchange) for exchange in run.exchanges]
    return [_case(run, case, exchanges) for case in run.cases]


def _record(run: RawRun, raw: RawExchange) -> ExchangeRecord:
    answer = raw.answer
    return ExchangeRecord(
        method=raw.method,
        url=raw.url,
        role=raw.role,
        headers=tuple(run.headers[number] for number in raw.headers),
        body=None if raw.body is None else run.bodies[raw.body],
        answer=AnswerRecord(
            answer.status, tuple(run.headers[number] for number in answer.headers), run.bodies[answer.body]
        ),
        at=raw.at,
        seconds=raw.seconds,
        target_time=raw.target_time,
    )


def _case(run: RawRun, raw: RawCase, exchanges: Sequence[ExchangeRecord]) -> CaseResult:
    return CaseResult(
        **{name: getattr(raw, name) for name in CaseOutcome.__struct_fields__},
        exchanges=tuple(
            replace(exchanges[number], deciding=True, curl=raw.curl) if number == raw.deciding else exchanges[number]
            for number in raw.exchanges
        ),
        control_calls=tuple(exchanges[number] for number in raw.control_calls),
        credentials=tuple(run.credentials[number] for number in raw.credentials),
    )


def read_run(path: Path) -> RunReport:
    """The report of a folder that holds `run.json`, or of that file itself. Raises `ConfigError`."""
    path = path / RAW_NAME if path.is_dir() else path
    content = read_file(path, "name the folder that `run --report` wrote")
    try:
        raw = json.loads(content.decode())
    except ValueError:
        raise ConfigError(f"{path} is not JSON: it was cut or altered") from None
    if not isinstance(raw, dict):
        raise ConfigError(f"{path} is no raw run of paylera-conformance")
    return report_from(raw)
