"""`repeat/`: for each violation a script that does it again, made from the evidence of the run alone.

A script prepares what the deciding request rests on, in a namespace of its own where the target has a control API,
sends that request, and tells whether the answer is as it was. Ids and secrets of the run are replaced by those of the
repetition as they come.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from pprint import pformat
from typing import Any, Final, TypeAlias

from paylera_conformance.model.case_results import CaseResult
from paylera_conformance.model.messages import SAFE_METHODS, CredentialNote, ExchangeRecord, read_json
from paylera_conformance.model.outcomes import Outcome
from paylera_conformance.reports.model import RunReport
from paylera_conformance.reports.repeat_answer import answer_to_compare, own_words
from paylera_conformance.reports.simultaneous import group_simultaneous
from paylera_fixtures.clauses import BY_ID
from paylera_fixtures.tokens import prefix
from paylera_fixtures.vocabulary import Header

REPEAT_FOLDER: Final = "repeat"
FOR_EACH_CLAUSE: Final = 3
"""So many violations of a clause have a script: what is wrong on forty operations is wrong for one reason."""

_NAME: Final = re.compile(r"[^A-Za-z0-9._]+")
_LABEL: Final = re.compile(r"‹[^‹›]*(#[0-9a-f]{4})›")
_WORD: Final = re.compile(r"[\w-]+")
_SHORTEST_ID: Final = 4
_LONG_KEY: Final = 16
_SEEN_IN: Final = "seen in "
_NOT_SENT: Final = frozenset({"accept-encoding", "content-length"})
_ALWAYS: Final = ("/namespaces", "/clock/advance", "/versions", "/rate-limits")
"""Calls of the control API that change more than one thing."""


Place: TypeAlias = "list[str | int]"


@dataclass(frozen=True)
class _Space:
    """A namespace of the target, or all of it: where its URLs begin."""

    target: str
    live: str
    control: str
    deployment: str

    @property
    def bases(self) -> tuple[str, ...]:
        """The URLs that it is below."""
        return tuple(base.rstrip("/") for base in (self.control, self.live, self.target) if base)

    def place(self, url: str) -> tuple[str, str] | None:
        """Below which of the URLs another is, and where."""
        bases = [("control", self.control), ("live", self.live), ("target", self.target)]
        found = [(name, base) for name, base in bases if base and _is_below(url, base)]
        name, base = max(found, key=lambda pair: len(pair[1]), default=("", ""))
        return (name, url[len(base) :]) if name else None


@dataclass
class _Step:
    """Something that was sent. `key`: the same for one exchange in the evidence of several cases."""

    record: ExchangeRecord
    is_control: bool
    key: tuple[Any, ...] = field(init=False)

    def __post_init__(self) -> None:
        record = self.record
        self.key = (record.at, record.seconds, record.method, record.url)

    def words(self) -> set[str]:
        """What it names: ids, and the fingerprints of secrets."""
        record = self.record
        text = f"{record.url} {record.headers} {record.body or ''}"
        return set(_WORD.findall(text)) | set(_LABEL.findall(text))

    def made(self) -> set[str]:
        """What its answer gave."""
        body = read_json(self.record.answer.body)
        identifier = body.get("id") if isinstance(body, dict) else None
        return set(_LABEL.findall(self.record.answer.body)) | ({str(identifier)} if identifier else set())


@dataclass(frozen=True)
class Script:
    """A script: its name in the folder of the report, and the case as it has it."""

    name: str
    told: Mapping[str, Any]

    @property
    def steps(self) -> str:
        """The part of its text that is the case's own."""
        case = pformat(self.told, width=118, sort_dicts=False)
        return f"\n\nCASE = {case}\n\nif __name__ == '__main__':\n    start(CASE)\n"

    @property
    def text(self) -> str:
        """All of its text."""
        return program_text() + self.steps


class Scripts(dict[tuple[str, str], Script]):
    """Scripts by clause and case."""

    def name_of(self, clause: str, case: str) -> str:
        """The name of the script of a case, empty where there is none."""
        script = self.get((clause, case))
        return script.name if script else ""


def repeat_scripts(report: RunReport) -> Scripts:
    """The scripts that repeat what was violated, the first cases of each clause."""
    counts, scripts = Counter[str](), Scripts()
    names: set[str] = set()
    violated = [case for case in report.cases if case.outcome in {Outcome.FAIL, Outcome.WARN}]
    repeats = _Repeats(report) if violated else None
    for case in violated:
        if repeats is None or counts[case.clause] == FOR_EACH_CLAUSE:
            continue
        told = repeats.case_of(case)
        if told is None:
            continue
        counts[case.clause] += 1
        name = _NAME.sub("-", f"{case.clause}-{case.case.removeprefix('test_')}").strip("-")[:120]
        while name in names:
            name += "-again"
        names.add(name)
        scripts[case.clause, case.case] = Script(f"{REPEAT_FOLDER}/{name}.py", told)
    return scripts


@cache
def program_text() -> str:
    """What every script begins with: all that it does."""
    program = (files("paylera_conformance.reports") / "repeat_program.py").read_text("utf-8")
    return f"#!/usr/bin/env python3\n{program}"


class _Repeats:
    """What was sent in a run, by the namespace that it was sent to."""

    def __init__(self, report: RunReport) -> None:
        self._report = report
        facts = report.facts
        self._whole = _Space(facts.target, "", facts.control_url, facts.control_url)
        calls = [call for case in report.cases for call in case.control_calls]
        self._spaces = {space.target: space for call in calls for space in _made_spaces(call, facts.control_url)}
        self._by_base = {base: space for space in self._spaces.values() for base in space.bases}
        pools: defaultdict[_Space, dict[tuple[Any, ...], _Step]] = defaultdict(dict)
        for case in report.cases:
            for is_control, records in ((True, case.control_calls), (False, case.exchanges)):
                for record in records:
                    step = _Step(record, is_control)
                    pools[self._space_of(record)].setdefault(step.key, step)
        self._pools = {space: sorted(pool.values(), key=lambda step: step.record.at) for space, pool in pools.items()}
        self._notes = {_LABEL.sub(r"\1", note.label): note for case in report.cases for note in case.credentials}

    def _space_of(self, record: ExchangeRecord) -> _Space:
        made = next(iter(_made_spaces(record, "")), None)
        if made is not None:
            return self._spaces.get(made.target, self._whole)
        url = record.url.partition("?")[0]
        while url:  # of two that it is below, the one that is longer
            if url in self._by_base:
                return self._by_base[url]
            url = url.rpartition("/")[0]
        return self._whole

    def case_of(self, case: CaseResult) -> dict[str, Any] | None:
        """A violation as a script has it; `None` where no exchange decided."""
        deciding = next((record for record in case.exchanges if record.deciding), None)
        if deciding is None:
            return None
        space, last = self._space_of(deciding), _Step(deciding, is_control=False)
        beside = _simultaneous(last, self._pools[space])
        pool = [
            step
            for step in self._pools[space]
            if step.key != last.key and (step.record.at <= deciding.at or step.key in beside)
        ]
        behind = self._case_behind(case)
        own = beside | {_Step(record, is_control=False).key for record in _own_records(behind, deciding)}
        is_alone = space is not self._whole and all(step.is_control or step.key in own for step in pool)
        chosen = pool if is_alone else _needed(pool, last, own, space)
        steps = _in_groups([step for step in chosen if not (step.is_control and step.record.method == "GET")], last)
        if space is not self._whole and behind.cell is not None:
            # Of refused calls those will do that need no token of a person's: nobody has an altered one.
            missing = self._taken(steps).keys() - last.words()
            steps = [step for step in steps if step.key not in own or not step.words() & missing]
        clause = BY_ID[case.clause]
        return {
            "clause": clause.id,
            "says": clause.says,
            "source": clause.section,
            "case": case.case,
            "change": case.change,
            "wanted": case.wanted,
            "got": case.got,
            "target": self._report.facts.target,
            "control_url": self._report.facts.control_url,
            **self._given(steps, is_isolated=space is not self._whole),
            "steps": list(self._sent_steps(steps, space)),
        }

    def _case_behind(self, case: CaseResult) -> CaseResult:
        """The case itself, or the one in which it was seen."""
        name = case.case.removeprefix(_SEEN_IN)
        behind = (other for other in self._report.cases if other.case == name and other.planned)
        return case if name == case.case else next(behind, case)

    def _asked(self, steps: Sequence[_Step]) -> dict[str, CredentialNote]:
        """The credentials of some steps, by their marks."""
        return {mark: note for step in steps for mark in sorted(step.words()) if (note := self._notes.get(mark))}

    def _taken(self, steps: Sequence[_Step]) -> dict[str, CredentialNote]:
        """Those that none of the steps makes, and that somebody has issued."""
        made: set[str] = set().union(*(step.made() for step in steps[:-1]))
        return {mark: note for mark, note in self._asked(steps).items() if note.issued and mark not in made}

    def _given(self, steps: Sequence[_Step], *, is_isolated: bool) -> dict[str, Any]:
        """What none of the steps makes: tokens to be had of a person, and what may be made up."""
        asked, taken = self._asked(steps), self._taken(steps)
        made_up = {note.label: prefix(note.environment) for note in asked.values() if not note.issued}
        if not is_isolated:  # what the target has seen: a key would be a replay, a name would be there twice
            made_up |= dict.fromkeys((key for step in steps for key in _keys(step.record)), "")
            made_up |= dict.fromkeys(sorted(own_words([step.record for step in steps])), "")
        names = {mark: _variable(note) for mark, note in taken.items()}
        for name, count in Counter(names.values()).items():
            if count > 1:
                names |= {mark: f"{name}_{mark[1:].upper()}" for mark in names if names[mark] == name}
        return {
            "tokens": {note.label: (names[mark], _describe(note)) for mark, note in taken.items()},
            "made_up": made_up,
        }

    def _sent_steps(self, steps: Sequence[_Step], space: _Space) -> Iterator[dict[str, Any]]:
        rest = [self._normal(f"{step.record.url} {step.record.headers} {step.record.body or ''}") for step in steps]
        known: set[str] = set()
        records = [step.record for step in steps]
        groups = group_simultaneous(records)
        group_of = {number: group for group in groups for number in group}
        for number, step in enumerate(steps):
            record = step.record
            if step.is_control and any(True for _ in _made_spaces(record, "")):
                to, path = "deployment", "/namespaces"
            else:
                to, path = space.place(record.url) or ("", record.url)
            kept = self._kept(record, "\n".join(rest[number + 1 :]), known, rest[number])
            known |= kept.keys()
            group = group_of[number]
            yield {
                "to": to,
                "method": record.method,
                "path": self._normal(path),
                "headers": [
                    (name, self._normal(value))
                    for name, value in record.headers
                    if name.lower() not in _NOT_SENT and not (step.is_control and name.lower() == "authorization")
                ],
                "body": None if record.body is None else self._normal(record.body),
                **({"together": group[0]} if len(group) > 1 else {}),
                **({"keep": kept} if number < len(steps) - 1 else answer_to_compare(records, groups)),
            }

    def _normal(self, text: str) -> str:
        """A text in which each secret has one label, whatever the case called it."""
        return _LABEL.sub(lambda found: self._notes[found[1]].label if found[1] in self._notes else found[0], text)

    def _kept(self, record: ExchangeRecord, later: str, known: set[str], own: str) -> dict[str, Place]:
        """What an answer gave that a later step names, and where in it that stands."""
        found: dict[str, Place] = {}
        for place, value in _leaves(read_json(record.answer.body), []):
            text = self._normal(value)
            is_id = len(text) >= _SHORTEST_ID and (_has_digit(text) or "‹" in text)
            if is_id and text in later and text not in known and text not in own:
                found.setdefault(text, place)
        return found


def _simultaneous(last: _Step, pool: Sequence[_Step]) -> set[tuple[Any, ...]]:
    """The keys of the requests that were sent at the same moment as the last, whichever of them came first."""
    records = [step.record for step in pool]
    numbers = next(group for group in group_simultaneous(records) if last.key in {pool[each].key for each in group})
    return {pool[number].key for number in numbers}


def _in_groups(steps: Sequence[_Step], last: _Step) -> list[_Step]:
    """Steps in order, those that were sent at the same moment side by side, and the last behind all others."""
    ordered = [*steps, last]
    groups = group_simultaneous([step.record for step in ordered])
    groups.sort(key=lambda group: len(ordered) - 1 in group)
    return [ordered[number] for group in groups for number in sorted(group)]


def _needed(pool: Sequence[_Step], last: _Step, own: set[tuple[Any, ...]], space: _Space) -> list[_Step]:
    """Of what several cases did before a request, what this one did and what it rests on, in order."""
    words, chosen = last.words(), set[int]()
    is_complete = False
    while not is_complete:  # what is done to an object comes after what made it, by which it is known
        is_complete = True
        for number in range(len(pool) - 1, -1, -1):
            step = pool[number]
            if number not in chosen and (step.key in own or _concerns(step, words, space)):
                chosen.add(number)
                words |= step.words() | step.made()
                is_complete = False
    return [pool[number] for number in sorted(chosen)]


def _concerns(step: _Step, words: set[str], space: _Space) -> bool:
    """Whether something that was sent made or changed what some words name."""
    record = step.record
    if step.is_control:
        return record.url.endswith(_ALWAYS) or bool(step.made() & words)
    if record.method in SAFE_METHODS or record.answer.status >= 300:  # noqa: PLR2004 - it has changed nothing
        return False
    _, below = space.place(record.url) or ("", record.url)
    named = {word for word in below.partition("?")[0].split("/") if len(word) >= _SHORTEST_ID and _has_digit(word)}
    keys = {word for key in _keys(record) for word in _WORD.findall(key)}
    return bool((step.made() | named | keys) & words)


def _has_digit(text: str) -> bool:
    return any(map(str.isdigit, text))


def _made_spaces(call: ExchangeRecord, deployment: str) -> Iterator[_Space]:
    """The namespace that a call made, if it did."""
    if call.method == "POST" and call.url.endswith("/namespaces"):
        made = read_json(call.answer.body)
        if isinstance(made, dict) and isinstance(made.get("url"), str) and isinstance(made.get("control_url"), str):
            yield _Space(made["url"], made.get("live_url") or "", made["control_url"], deployment)


def _is_below(url: str, base: str) -> bool:
    return url.startswith(base) and url[len(base) : len(base) + 1] in {"", "/", "?"}


def _leaves(value: object, place: Place) -> Iterator[tuple[Place, str]]:
    if isinstance(value, dict):
        for name, member in value.items():
            yield from _leaves(member, [*place, name])
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from _leaves(item, [*place, number])
    elif isinstance(value, str) or (isinstance(value, int) and place[-1:] == ["id"]):
        yield place, str(value)


def _own_records(case: CaseResult, deciding: ExchangeRecord) -> Iterator[ExchangeRecord]:
    """What a case has sent that its outcome rests on, whatever it names.

    A cell of the matrix has all that was sent about its operation, of which next to nothing concerns the rule. Where
    what it acts on is another than at an earlier look, that is for what was sent in between, though it was refused.
    """
    if case.cell is None:
        yield from case.exchanges
        return
    looks = [record for record in case.exchanges if _is_other_look(record, deciding)]
    before = max(looks, key=lambda record: record.at, default=None)
    if before is not None:
        yield before
        yield from (
            record
            for record in case.exchanges
            if before.at < record.at < deciding.at and record.method not in SAFE_METHODS
        )


def _is_other_look(record: ExchangeRecord, deciding: ExchangeRecord) -> bool:
    return (
        record.method in SAFE_METHODS
        and (record.method, record.url, record.answer.status) == (deciding.method, deciding.url, deciding.answer.status)
        and record.answer.body != deciding.answer.body
        and record.at < deciding.at
    )


def _keys(record: ExchangeRecord) -> Iterable[str]:
    return (
        value
        for name, value in record.headers
        if name.lower() == Header.IDEMPOTENCY_KEY.lower() and len(value) >= _LONG_KEY
    )


def _variable(note: CredentialNote) -> str:
    role = _LABEL.sub("", note.label) or note.label[1:].rpartition(" #")[0]
    return "PAYLERA_TOKEN_" + re.sub(r"[^A-Z0-9]+", "_", role.upper()).strip("_")


def _describe(note: CredentialNote) -> str:
    scopes = " ".join(note.scopes) or "none"
    whose = ", of another tenant" if note.tenant else ""
    identifier = f", with the id {note.id}" if note.id else ""
    return f"{note.audience}, scopes {scopes}, aal {note.aal}, {note.environment}, {note.state}{whose}{identifier}"
