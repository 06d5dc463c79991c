"""The scripts that repeat violations: for which cases there is one, what it says and asks for, that it is a program."""

from __future__ import annotations

import ast
import json
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace

from helpers.report_cases import case_of
from helpers.waiting import PATIENCE_SECONDS
from paylera_conformance.model.case_results import CellNote
from paylera_conformance.model.messages import AnswerRecord, CredentialNote, ExchangeRecord
from paylera_conformance.model.outcomes import Outcome
from paylera_conformance.model.tokens import TokenState
from paylera_conformance.reports import repeat_program
from paylera_conformance.reports.model import RunReport
from paylera_conformance.reports.repeat import program_text, repeat_scripts
from paylera_conformance.reports.results import results_json
from paylera_fixtures.vocabulary import Audience, Environment

CLAUSE = "scope.required"
URL = "http://target.test"


def sent(path: str, status: int, body: str = "{}", *, deciding: bool = False, at: str = "1") -> ExchangeRecord:
    """An exchange by a token that a person must give."""
    return ExchangeRecord(
        method="POST",
        url=f"{URL}{path}",
        role="‹reader #3f9c›",
        headers=(("Authorization", "Bearer ‹reader #3f9c›"), ("Idempotency-Key", "0123456789abcdef-key")),
        body="{}",
        answer=AnswerRecord(status, (), body),
        at=at,
        seconds=0.0,
        deciding=deciding,
    )


READER = CredentialNote(
    label="‹reader #3f9c›",
    audience=Audience.SERVICE,
    scopes=("customers:read",),
    aal=1,
    environment=Environment.SANDBOX,
    state=TokenState.ACTIVE,
)
MADE = sent("/v1/customers", 201, json.dumps({"data": {"id": "cus_17", "name": "Ada"}}))
DECIDED = sent("/v1/customers/cus_17/archive", 200, deciding=True, at="2")


@pytest.fixture
def told(make_report: Callable[..., RunReport]) -> dict[str, Any]:
    """A case with two requests, the second of which names what the first made."""
    case = case_of(CLAUSE, Outcome.FAIL, exchanges=(MADE, DECIDED), credentials=(READER,))
    (script,) = repeat_scripts(make_report([case])).values()
    return dict(script.told)


def test_id_is_taken_from_the_answer_that_gave_it(told: dict[str, Any]) -> None:
    """By its place there: it is another each time."""
    assert told["steps"][0]["keep"] == {"cus_17": ["data", "id"]}


def test_token_is_asked_for_in_words(told: dict[str, Any]) -> None:
    """A person who has only the target must know which one is needed."""
    assert told["tokens"] == {
        "‹reader #3f9c›": ("PAYLERA_TOKEN_READER", "service, scopes customers:read, aal 1, sandbox, active")
    }


def test_key_is_made_anew_where_the_target_has_seen_it(told: dict[str, Any]) -> None:
    """Else the answer would be a replay of the run's."""
    assert told["made_up"] == {"0123456789abcdef-key": ""}


def test_deciding_request_comes_last(told: dict[str, Any]) -> None:
    """With the answer to compare with."""
    assert (told["steps"][-1]["path"], told["steps"][-1]["answer"]["status"]) == ("/v1/customers/cus_17/archive", 200)


def test_first_three_violations_of_a_clause_have_a_script(make_report: Callable[..., RunReport]) -> None:
    """What is wrong on forty operations is wrong for one reason."""
    report = make_report([case_of(CLAUSE, Outcome.FAIL, f"test_it[{number}]") for number in range(5)])
    assert [script.name for script in repeat_scripts(report).values()] == [
        f"repeat/scope.required-it-{number}.py" for number in range(3)
    ]


@pytest.mark.parametrize("outcome", sorted(set(Outcome) - {Outcome.FAIL, Outcome.WARN}))
def test_only_a_violation_has_a_script(outcome: Outcome, make_report: Callable[..., RunReport]) -> None:
    """Nothing else is in dispute."""
    assert repeat_scripts(make_report([case_of(CLAUSE, outcome)])) == {}


def test_script_of_a_hostile_target_is_a_program(mixed: RunReport) -> None:
    """What the target wrote is text in it."""
    for script in repeat_scripts(mixed).values():
        assert "evil()" in script.text
        ast.parse(script.text)


def test_results_name_the_script(make_report: Callable[..., RunReport]) -> None:
    """For programs that link to it."""
    report = make_report([case_of(CLAUSE, Outcome.FAIL)])
    clauses = results_json(report, repeat_scripts(report))["clauses"]
    (case,) = next(clause for clause in clauses if clause["id"] == CLAUSE)["cases"]
    assert case["repeat"] == "repeat/scope.required-it-scope.required.py"


@pytest.mark.parametrize(
    ("body", "other", "alike"),
    [
        ('{"id": "cus_17", "live": false}', '{"id": "cus_4", "live": false}', True),
        ('{"id": "cus_17", "live": false}', '{"id": "cus_4", "live": true}', False),
        ('{"id": "cus_17"}', '{"id": "cus_17", "name": null}', False),
        ('{"status": "active"}', '{"status": "paused"}', False),
        ('{"amount": 1}', '{"amount": "1"}', False),
        ("<html>", "<p>", True),
        ("", "<p>", False),
        ('{"last4": "0TpB"}', '{"last4": "kTpB"}', True),
        ('{"last4": "kTpB"}', '{"last4": "abcd"}', True),
        ('{"secret_last4": "ltuo"}', '{"secret_last4": "yndc"}', True),
        ('{"secret_last4": "ltuo"}', '{"secret_last4": null}', False),
        ('[{"n": 1}]', "[]", False),
        ('{"a": null}', '{"a": "x"}', False),
    ],
)
def test_answer_is_compared_without_what_is_by_chance(body: str, other: str, *, alike: bool) -> None:
    """Ids and times are others in each run, members and words are not."""
    assert repeat_program.is_same_body(body, other) is alike
    assert repeat_program.is_same_body(other, body) is alike


def test_cell_of_the_matrix_is_repeated_by_what_it_rests_on(make_report: Callable[..., RunReport]) -> None:
    """Of hundreds of requests about its operation: what made what it names, and what was done to that since."""
    made = sent("/v1/customers", 201, '{"id": "cus_17"}', at="1")
    changed = sent("/v1/customers/cus_17/archive", 200, at="2")
    others = [sent(f"/v1/customers/cus_{number}/archive", 200, at=f"3{number}") for number in range(100, 300)]
    refused = sent("/v1/customers/cus_17/archive", 403, at="4")
    decided = sent("/v1/customers/cus_17", 200, deciding=True, at="5")
    cell = CellNote("no-token", "POST /v1/customers/{id}/archive")
    sent_besides = [replace(record, headers=record.headers[:1]) for record in (made, changed, *others, refused)]
    case = case_of(CLAUSE, Outcome.FAIL, exchanges=(*sent_besides, decided), cell=cell)
    (script,) = repeat_scripts(make_report([case])).values()
    assert [step["path"] for step in script.told["steps"]] == [
        "/v1/customers",
        "/v1/customers/cus_17/archive",
        "/v1/customers/cus_17",
    ]


def test_cell_about_an_effect_sends_again_what_was_refused(make_report: Callable[..., RunReport]) -> None:
    """Between a look at what it acts on and the next one, which shows that it is another."""
    look = replace(sent("/v1/customers/cus_17", 200, '{"name": "Ada"}', at="1"), method="GET")
    refused = [sent("/v1/customers/cus_17/archive", 403, at=at) for at in ("0", "2")]
    decided = replace(look, answer=AnswerRecord(200, (), '{"name": null}'), at="3", deciding=True)
    cell = CellNote("no-effect", "POST /v1/customers/{id}/archive")
    case = case_of(CLAUSE, Outcome.FAIL, exchanges=(refused[0], look, refused[1], decided), cell=cell)
    (script,) = repeat_scripts(make_report([case])).values()
    assert [(step["method"], step["path"]) for step in script.told["steps"]] == [
        ("GET", "/v1/customers/cus_17"),
        ("POST", "/v1/customers/cus_17/archive"),
        ("GET", "/v1/customers/cus_17"),
    ]
    assert script.told["steps"][-1]["alike"] == [([0], False)]


@pytest.mark.parametrize(("again", "is_so"), [(1, True), (0, False), (2, False)])
def test_what_was_sent_is_as_often_in_the_answer_as_it_was(
    make_report: Callable[..., RunReport],
    monkeypatch: pytest.MonkeyPatch,
    again: int,
    is_so: bool,  # noqa: FBT001 - a case
) -> None:
    """By that it is seen whether a refused request was done all the same; what others have too tells nothing."""
    body = json.dumps({"email": "ada-0a1b2c3d4e5f@example.com", "name": "Ada Lovelace", "born": "1815-12-10"})
    refused = replace(MADE, answer=AnswerRecord(401, (), "{}"), body=body)
    listed = replace(sent("/v1/customers", 200, f'[{body}, {{"id": "cus_1"}}]', at="2", deciding=True), method="GET")
    (script,) = repeat_scripts(make_report([case_of(CLAUSE, Outcome.FAIL, exchanges=(refused, listed))])).values()
    last = script.told["steps"][-1]
    assert last["answer"]["counts"] == {"ada-0a1b2c3d4e5f": 1}
    assert "ada-0a1b2c3d4e5f" in script.told["made_up"]
    monkeypatch.setattr(repeat_program, "is_same_body", lambda *_: True)
    now: repeat_program.Answer = (200, [], " ".join(["ada-0a1b2c3d4e5f"] * again))
    assert (repeat_program.Repetition(script.told).difference(last, [now]) == "") is is_so


def test_what_a_list_does_not_show_again_is_no_obstacle(told: dict[str, Any]) -> None:
    """It only looked like what is named later; what a request makes must be there."""
    run = repeat_program.Repetition(told)
    answer: repeat_program.Answer = (200, [], '{"data": []}')
    step = {"path": "/v1/customers", "to": "target", "keep": {"cus_17": ["data", 0, "id"]}}
    run.keep({"method": "GET", **step}, [answer])
    assert run.known == {}
    with pytest.raises(repeat_program.CannotRepeat):
        run.keep({"method": "POST", **step}, [answer])


def raced(*bodies: str, deciding: int) -> list[ExchangeRecord]:
    """One request, sent again before it was answered: one exchange for each body of an answer."""
    return [
        replace(
            sent(
                "/v1/customers", 201, body, deciding=number == deciding, at=f"2026-04-01T00:00:00.00000{number}+00:00"
            ),
            seconds=1.0,
        )
        for number, body in enumerate(bodies)
    ]


@pytest.fixture
def race(make_report: Callable[..., RunReport]) -> Callable[..., dict[str, Any]]:
    """The script's case of requests at the same moment, of which the first decided."""

    def make(*bodies: str) -> dict[str, Any]:
        before = replace(MADE, at="2026-03-31T00:00:00+00:00")
        case = case_of(CLAUSE, Outcome.FAIL, exchanges=(before, *raced(*bodies, deciding=0)), credentials=(READER,))
        (script,) = repeat_scripts(make_report([case])).values()
        return dict(script.told)

    return make


BOTH_ACT = ('{"id": "cus_1"}', '{"id": "cus_2"}', '{"id": "cus_3"}')
ONE_ACTS = ('{"id": "cus_1"}',) * 3


def test_what_was_sent_at_the_same_moment_is_sent_so_again(
    race: Callable[..., dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also what was sent after the request that decided; no answer comes before all are under way."""
    told = race(*BOTH_ACT)
    under_way = threading.Barrier(len(BOTH_ACT), timeout=PATIENCE_SECONDS)

    def send(_: repeat_program.Repetition, step: dict[str, Any]) -> repeat_program.Answer:
        number = under_way.wait() if "together" in step else 0
        return 201, [], BOTH_ACT[number]

    monkeypatch.setattr(repeat_program.Repetition, "send", send)
    monkeypatch.setenv("PAYLERA_TOKEN_READER", "token")
    assert ["together" in step for step in told["steps"]] == [False, True, True, True]
    assert repeat_program.repeat(told) == repeat_program.REPRODUCED


@pytest.mark.parametrize(
    ("then", "now", "is_so"),
    [
        (BOTH_ACT, BOTH_ACT, True),
        (BOTH_ACT, BOTH_ACT[::-1], True),
        (BOTH_ACT, ONE_ACTS, False),
        (ONE_ACTS, ONE_ACTS, True),
        (ONE_ACTS, BOTH_ACT, False),
    ],
)
def test_simultaneous_requests_are_compared_together(
    race: Callable[..., dict[str, Any]],
    then: tuple[str, ...],
    now: tuple[str, ...],
    is_so: bool,  # noqa: FBT001 - a case
) -> None:
    """Which of them is answered how is chance; whether one acted or several is not."""
    told = race(*then)
    run = repeat_program.Repetition(told)
    run.answers = [(201, [], "")]
    assert (run.difference(told["steps"][-1], [(201, [], body) for body in now]) == "") is is_so


def test_of_simultaneous_requests_one_gives_what_is_kept(told: dict[str, Any]) -> None:
    """Whichever came first: the others may be refused."""
    run = repeat_program.Repetition(told)
    step = {"method": "POST", "path": "/v1/customers", "to": "target", "keep": {"cus_17": ["id"]}}
    run.keep(step, [(409, [], "{}"), (409, [], "{}"), (201, [], '{"id": "cus_4"}')])
    assert run.known == {"cus_17": "cus_4"}


TOO_MANY: repeat_program.Answer = (429, [("Retry-After", "7")], "{}")
DONE: repeat_program.Answer = (200, [], "{}")


@pytest.fixture
def answered(told: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[list[float], Any]]:
    """Makes a repetition that is answered so, and the list of how long it has waited."""

    def make(*answers: repeat_program.Answer, clause: str = CLAUSE) -> tuple[list[float], Any]:
        waited: list[float] = []
        left = iter(answers)
        monkeypatch.setattr(time, "sleep", waited.append)
        monkeypatch.setattr(repeat_program.Repetition, "send_once", lambda *_: next(left))
        return waited, repeat_program.Repetition({**told, "clause": clause})

    return make


def test_what_comes_too_soon_is_sent_again(told: dict[str, Any], answered: Callable[..., Any]) -> None:
    """A limit of the target's, or of a proxy before it, says nothing of the violation."""
    waited, run = answered(TOO_MANY, (429, [], ""), (429, [("retry-after", "tomorrow")], ""), DONE)
    assert (run.send(told["steps"][0]), waited) == (DONE, [7, 1, 1])


def test_what_always_comes_too_soon_is_not_repeated(told: dict[str, Any], answered: Callable[..., Any]) -> None:
    """Nothing was shown, neither that it is as it was nor that it is otherwise."""
    _, run = answered(*[TOO_MANY] * 7)
    with pytest.raises(repeat_program.CannotRepeat, match="429 each time"):
        run.send(told["steps"][0])


def test_limit_is_not_waited_for_where_it_is_the_matter(told: dict[str, Any], answered: Callable[..., Any]) -> None:
    """Of the clauses about it."""
    waited, run = answered(TOO_MANY, clause="rate-limit.refusal")
    assert (run.send(told["steps"][0]), waited) == (TOO_MANY, [])


def test_script_runs_on_the_oldest_python_that_it_names() -> None:
    """Python 3.9 knows no union of types where it runs."""
    calls = [node for node in ast.walk(ast.parse(program_text())) if isinstance(node, ast.Call)]
    assert [ast.unparse(call) for call in calls if any(isinstance(each, ast.BinOp) for each in call.args[1:2])] == []


def test_script_prints_nothing_of_a_target_raw(capsys: pytest.CaptureFixture[str]) -> None:
    """A terminal is not moved by whoever is examined."""
    repeat_program.show("\x1b[2J\u202eok")
    assert capsys.readouterr().out == "\\x1b[2J\\u202eok\n"


def test_missing_token_ends_a_script_with_what_is_missing(
    told: dict[str, Any], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit status 2, and nothing was sent."""
    monkeypatch.delenv("PAYLERA_TOKEN_READER", raising=False)
    assert repeat_program.repeat(told) == 2
    assert "PAYLERA_TOKEN_READER: service, scopes customers:read" in capsys.readouterr().out


def test_old_run_without_new_members_has_scripts(make_report: Callable[..., RunReport]) -> None:
    """A report of a suite that kept no control calls is made again."""
    case = replace(case_of(CLAUSE, Outcome.FAIL), control_calls=(), credentials=())
    assert len(repeat_scripts(make_report([case]))) == 1
