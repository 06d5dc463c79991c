"""The summary of a CI step, the archive of exchanges and the badge."""

from __future__ import annotations

import dataclasses
import json
import re
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

import jsonschema_rs
import pytest
from msgspec.structs import replace

from paylera_conformance.model.outcomes import Outcome, Verdict
from paylera_conformance.reports.badge import badge
from paylera_conformance.reports.har import har
from paylera_conformance.reports.markdown import escape_markdown, fence, summary_markdown
from paylera_conformance.reports.model import RunReport
from paylera_fixtures.clauses import CLAUSES
from paylera_fixtures.clauses.model import Level
from paylera_fixtures.vocabulary import Profile

# Markdown


def outside_fences(markdown: str) -> str:
    """What of a page is acted upon: all but what stands in fences."""
    return re.sub(r"^(`{3,})text\n.*?^\1$", "", markdown, flags=re.DOTALL | re.MULTILINE)


def test_summary_begins_with_the_verdict(mixed: RunReport) -> None:
    """The one line that everybody reads."""
    assert summary_markdown(mixed).startswith("## Paylera conformance: NON-CONFORMANT\n")


def test_summary_counts_each_group(mixed: RunReport) -> None:
    """`must` and `should` apart: pass, fail, warn, pending, unproven."""
    levels = Counter(clause.level(Profile.GUIDE) for clause in CLAUSES if clause.group == "scope")
    passed = f"{levels[Level.MUST] - 1} / {levels[Level.SHOULD]}"
    assert f"| scope | {passed} | 1 / 0 |  |  |  |" in summary_markdown(mixed)


def test_summary_shows_what_is_wrong(mixed: RunReport) -> None:
    """In full, the worst first."""
    text = summary_markdown(mixed)
    order = [text.index(f"<code>{clause}</code>") for clause in ("scope.required", "token.unknown", "problem.type-uri")]
    assert order == sorted(order)


def test_summary_names_what_is_unproven(mixed: RunReport, special: Mapping[str, Outcome]) -> None:
    """Each clause, with the reason."""
    shown = {Outcome.FAIL, Outcome.WARN, Outcome.PASS}
    text = summary_markdown(mixed)
    assert [clause for clause, outcome in special.items() if outcome not in shown and f"`{clause}`" not in text] == []


def test_summary_names_known_failures_and_leftovers(mixed: RunReport) -> None:
    """What somebody has to do after the run."""
    text = summary_markdown(mixed)
    assert "being mended" in text
    assert "- customer cus&#95;1" in text


def test_summary_of_a_green_run_is_short(green: RunReport) -> None:
    """Nothing is wrong, nothing is open, and nothing is said of either."""
    assert "<details>" not in summary_markdown(green)


def test_hostile_text_is_no_markup(mixed: RunReport) -> None:
    """Outside fences no tag of the target's is one."""
    text = outside_fences(summary_markdown(mixed))
    assert "evil" in text
    assert [
        tag for tag in re.findall(r"</?([a-z]+)", text) if tag not in {"details", "summary", "b", "code", "sub"}
    ] == []


@pytest.mark.parametrize("text", ["a `b` c", "```", "x\n````\ny", ""])
def test_fence_cannot_be_closed_from_within(text: str) -> None:
    """It is longer than any run of backticks in it."""
    first, *inside, last = fence(text).splitlines()
    marks = first.removesuffix("text")
    assert (last, "\n".join(inside)) == (marks, text)
    assert marks not in text


@pytest.mark.parametrize("text", ["[a](b)", "| x |", "<b>", "# h", "*x*", "a & b"])
def test_plain_text_has_nothing_active(text: str) -> None:
    """Nothing is linked, no table is broken."""
    assert re.sub(r"&#\d+;", "", escape_markdown(text)).replace(" ", "").isalnum()


# HAR

TEXT = {"type": "string"}
PAIRS = {"type": "array", "items": {"type": "object", "required": ["name", "value"], "properties": {"name": TEXT}}}


def members(**properties: Any) -> dict[str, Any]:
    """An object that has all of these members."""
    return {"type": "object", "required": list(properties), "properties": properties}


# What version 1.2 of the format requires of an entry.
HAR_SCHEMA = members(
    log=members(
        version={"const": "1.2"},
        creator=members(name=TEXT, version=TEXT),
        entries={
            "type": "array",
            "items": members(
                startedDateTime={"type": "string", "format": "date-time"},
                time={"type": "number", "minimum": 0},
                request=members(
                    method=TEXT,
                    url=TEXT,
                    httpVersion=TEXT,
                    cookies={"type": "array"},
                    headers=PAIRS,
                    queryString=PAIRS,
                    headersSize={"type": "integer"},
                    bodySize={"type": "integer"},
                ),
                response=members(
                    status={"type": "integer"},
                    statusText=TEXT,
                    httpVersion=TEXT,
                    cookies={"type": "array"},
                    headers=PAIRS,
                    content=members(size={"type": "integer"}, mimeType=TEXT),
                    redirectURL=TEXT,
                    headersSize={"type": "integer"},
                    bodySize={"type": "integer"},
                ),
                cache={"type": "object"},
                timings=members(send={"type": "number"}, wait={"type": "number"}, receive={"type": "number"}),
            ),
        },
    )
)


@pytest.fixture
def entries(mixed: RunReport) -> list[dict[str, Any]]:
    """The entries of the archive."""
    found: list[dict[str, Any]] = json.loads(har(mixed))["log"]["entries"]
    return found


def test_archive_is_valid(mixed: RunReport) -> None:
    """By the members that the format requires."""
    validator = jsonschema_rs.validator_for(HAR_SCHEMA, validate_formats=True)
    assert [error.message for error in validator.iter_errors(json.loads(har(mixed)))] == []


def test_archive_has_a_shared_exchange_once(entries: list[dict[str, Any]]) -> None:
    """All cases of this run have the same three."""
    assert [entry["response"]["status"] for entry in entries] == [200, 401, 500]


def test_entry_names_its_cases(mixed: RunReport, entries: list[dict[str, Any]]) -> None:
    """And what the exchange decided says so."""
    named = [entry["comment"].split("; ") for entry in entries]
    assert [len(names) for names in named] == [len(mixed.cases)] * 3
    assert [name for names in named for name in names if name.startswith("scope.required ")] == [
        "scope.required test_it[scope.required]: fail",
        "scope.required test_it[scope.required]: fail, the exchange that decided",
        "scope.required test_it[scope.required]: fail",
    ]


def test_archive_tells_less_of_what_passed(
    make_report: Callable[..., RunReport], make_case: Callable[..., Any]
) -> None:
    """Three exchanges of a case, and the beginnings of their answers; of what failed everything."""
    first = make_case("scope.required", Outcome.PASS).exchanges[0]
    long = replace(first.answer, body="x" * 5000)
    many = tuple(replace(first, at=f"2026-11-24T10:00:0{number}+00:00", answer=long) for number in range(5))
    told = {}
    for outcome in (Outcome.PASS, Outcome.FAIL):
        archive = json.loads(har(make_report([make_case("scope.required", outcome, exchanges=many)])))
        contents = [entry["response"]["content"] for entry in archive["log"]["entries"]]
        told[outcome] = [(content["size"], len(content["text"])) for content in contents]
    assert told == {Outcome.PASS: [(5000, 1024)] * 3, Outcome.FAIL: [(5000, 5000)] * 5}


def test_entry_has_body_and_query(entries: list[dict[str, Any]]) -> None:
    """As they were sent."""
    request = entries[0]["request"]
    assert request["postData"] == {"mimeType": "application/json", "text": '{"name": "Ada"}'}
    assert request["queryString"][0]["name"] == "q"


def test_raw_exchange_without_a_time_gets_the_runs(
    make_report: Callable[..., RunReport], make_case: Callable[..., Any]
) -> None:
    """The format wants one."""
    exchange = replace(make_case("scope.required", Outcome.PASS).exchanges[0], at="", body=None)
    report = make_report([make_case("scope.required", Outcome.PASS, exchanges=(exchange,))])
    entry = json.loads(har(report))["log"]["entries"][0]
    assert (entry["startedDateTime"], "postData" in entry["request"]) == (report.facts.started_at, False)


# Badge


def test_badge_is_what_shields_reads(green: RunReport) -> None:
    """The endpoint badge's members, with the day until which it is good."""
    assert badge(green) == {
        "schemaVersion": 1,
        "label": "Paylera contract (guide)",
        "message": "conformant until 2026-12-24",
        "color": "brightgreen",
        "expires": "2026-12-24",
    }


def test_every_verdict_has_a_colour_of_its_own(green: RunReport) -> None:
    """Red is for what failed alone."""
    colours = {badge(dataclasses.replace(green, verdict=verdict))["color"] for verdict in Verdict}
    assert len(colours) == len(Verdict)
