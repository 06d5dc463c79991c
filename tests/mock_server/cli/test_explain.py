"""`paylera-mock explain` shows every check of a request that is never sent."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import pytest
from click.testing import CliRunner, Result

from helpers.mock_program import Programs
from paylera_fixtures.terminal import render_lines
from paylera_fixtures.tokens import WELL_KNOWN
from paylera_mock.cli.main import main
from paylera_mock.explain.trace_text import explanation_lines
from paylera_mock.state.token_names import ready_name

CUSTOMERS: Final = "/v1/customers"
SECRET: Final = next(token.secret for token in WELL_KNOWN if ready_name(token) == "serviceall")
STYLED: Final = "\x1b["


def explain(*arguments: str, **more: Any) -> Result:
    """Run the command."""
    return CliRunner().invoke(main, ["explain", *arguments], **more)


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (("-t", "serviceall", CUSTOMERS), 0),
        (("-H", f"Authorization: Bearer {SECRET}", CUSTOMERS), 0),
        (("-t", "live_serviceall", f"/live{CUSTOMERS}"), 0),
        (("-t", "serviceall", "-d", '{"email": "a@b.example"}', "-H", "Idempotency-Key: k", CUSTOMERS), 0),
        (("-t", "serviceall", "-X", "POST", CUSTOMERS), 1),
        (("-t", "revoked", CUSTOMERS), 1),
        ((CUSTOMERS,), 1),
        (("-t", "serviceall", "POST", CUSTOMERS), 1),
        (("-t", "serviceall", "get", CUSTOMERS), 0),
        (("--mutant", "no-scope-needed", "-t", "servicenoscope", CUSTOMERS), 0),
        (("customers",), 2),
        (("-t", "nobody", CUSTOMERS), 2),
        (("-H", "no colon", CUSTOMERS), 2),
        (("-H", "two words: x", CUSTOMERS), 2),
        (("-t", "serviceall", "-H", "authorization: Bearer x", CUSTOMERS), 2),
        (("--port", "1", "--control-url", "http://127.0.0.1:1/_mock", CUSTOMERS), 2),
        (("--control-url", "127.0.0.1:1", CUSTOMERS), 2),
        (("--port", "1", CUSTOMERS), 2),
        ((), 2),
    ],
    ids=lambda value: " ".join(value)[:60] if isinstance(value, tuple) else str(value),
)
def test_the_exit_status_tells_the_verdict(arguments: tuple[str, ...], status: int) -> None:
    """0 accepted, 1 refused, 2 for a question that cannot be asked."""
    result = explain(*arguments)
    assert (result.exit_code, "Traceback" in result.output) == (status, False), result.output


def test_a_refusal_reads_from_the_first_check_to_the_hint() -> None:
    """What passed, what refused with what it wanted and got, what was not reached, the verdict, the hint."""
    lines = [line.strip() for line in explain("-t", "servicenoscope", CUSTOMERS).stdout.splitlines()]
    wanted = [
        "GET /v1/customers",
        "✓ passed   token-known             servicenoscope (tok_servicenoscope)",
        "✗ refused  scope-granted",
        "expected  the scope customers:read",
        "got       none",
        "REFUSED 401 auth.scope_required, decided by scope-granted",
        "The token servicenoscope lacks customers:read. One that would do: serviceall.",
    ]
    assert [line for line in lines if line in wanted] == wanted


@pytest.mark.parametrize("token", [ready_name(token) for token in WELL_KNOWN])
@pytest.mark.parametrize("path", [CUSTOMERS, f"/v1/{'a' * 200}", "/v1/admin/actors"])
def test_it_fits_a_terminal(token: str, path: str) -> None:
    """Every line, at 80 columns, without blanks at its end."""
    lines = explain("-t", token, path).stdout.splitlines()
    assert [line for line in lines if len(line) > 80 or line != line.rstrip()] == []


def test_a_terminal_without_symbols_gets_ascii() -> None:
    """With marks that differ from each other all the same."""
    text = CliRunner(charset="ascii").invoke(main, ["explain", "-t", "servicenoscope", CUSTOMERS]).stdout
    assert (text.isascii(), "+ passed" in text, "x refused" in text, "- not yet" in text) == (True, True, True, True)


def test_as_json_it_is_what_the_control_api_answers() -> None:
    """The verdict, what would come of it, the hint, the trace."""
    found = json.loads(explain("--json", "-t", "revoked", CUSTOMERS).stdout)
    assert (list(found), found["verdict"]["problem"]) == (
        ["verdict", "would_be", "hint", "ladder"],
        "auth.invalid_token",
    )


@pytest.mark.parametrize(
    ("options", "status"), [((), 401), (("--profile", "reference"), 403), (("--reading", "scope_refusal=403"), 403)]
)
def test_the_readings_are_heeded(options: tuple[str, ...], status: int) -> None:
    """Which pages bind decides about the status."""
    found = json.loads(explain("--json", *options, "-t", "servicenoscope", CUSTOMERS).stdout)
    assert found["verdict"]["status"] == status


def test_what_was_chosen_by_this_project_is_told() -> None:
    """So that nobody takes it for Paylera's own."""
    words = explain("-t", "serviceall", "/v1/admin/actors").stdout.split()
    assert "by this project's choice" in " ".join(words)


@pytest.mark.parametrize(
    "arguments",
    [
        ("-H", f"Authorization: Bearer {SECRET}", CUSTOMERS),
        ("-H", f"Authorization: {SECRET}", CUSTOMERS),
        ("-H", f'Authorization: Bearer "{SECRET}"', f"{CUSTOMERS}?token={SECRET}"),
        ("-H", SECRET, CUSTOMERS),
        ("-H", f"{SECRET}:x", CUSTOMERS),
        ("-H", f"Authorization: Bearer {SECRET[:-1]}", f"{CUSTOMERS}/{SECRET}"),
        ("-d", SECRET, "-t", "serviceall", "-H", f"Idempotency-Key: {SECRET}", CUSTOMERS),
        ("--port", "1", "-H", f"Authorization: Bearer {SECRET}", CUSTOMERS),
        ("--control-url", f"http://{SECRET}:1/", CUSTOMERS),
        ("--control-url", SECRET, CUSTOMERS),
        ("-H", f"Authorization: Bearer {SECRET}", SECRET),
    ],
    ids=range(11),
)
@pytest.mark.parametrize("form", [(), ("--json",)])
def test_no_secret_is_repeated(arguments: tuple[str, ...], form: tuple[str, ...]) -> None:
    """Neither in an explanation nor in a complaint."""
    assert SECRET[:-1] not in explain(*form, *arguments).output


def test_a_name_that_ends_a_line_does_not_end_one_here() -> None:
    """What is shown of a request is printable."""
    text = explain("-t", "serviceall", "-H", "X-Paylera-Acting-As: \x1b[31mred", CUSTOMERS)
    assert STYLED not in text.output


def test_a_rule_that_nobody_knows_is_shown() -> None:
    """By its name, and what it decided."""
    step = {"check": "moon", "clause": "moon.full", "outcome": "refused", "expected": "", "got": "", "source": "chosen"}
    verdict = {"status": 418, "problem": None, "rule": "moon"}
    lines = explanation_lines("GET /", {"ladder": [step], "verdict": verdict, "would_be": None, "hint": None})
    assert "  ✗ refused  moon" in list(render_lines(lines, width=80, styled=False))


def test_a_running_fake_is_asked(served: dict[str, Any]) -> None:
    """By its control URL, or by its port on this machine."""
    port = served["url"].rpartition(":")[2]
    by_url = explain("--json", "--control-url", served["control_url"], "-t", "revoked", CUSTOMERS)
    by_port = explain("--json", "--port", port, "-t", "revoked", CUSTOMERS)
    assert (by_url.exit_code, by_url.stdout) == (1, by_port.stdout)


def test_a_question_that_a_running_fake_cannot_answer_is_wrong_usage(served: dict[str, Any]) -> None:
    """With what it says of it."""
    result = explain("--control-url", served["control_url"], "v1/customers")
    assert (result.exit_code, "path: This must be a path from / on" in result.output) == (2, True)


@pytest.mark.parametrize("command", [("explain", CUSTOMERS), ("snapshot",)], ids=" ".join)
@pytest.mark.parametrize("secret", [(), ("--control-token", "${SECRET}")], ids=["no-token", "a-token"])
def test_what_is_no_control_api_is_told_so(
    served: dict[str, Any], command: tuple[str, ...], secret: tuple[str, ...]
) -> None:
    """Here it is the API itself, which asks for a token: it is another than --control-token gives."""
    arguments = [*command, "--control-url", served["url"], *secret]
    result = CliRunner(env={"SECRET": SECRET}).invoke(main, arguments)
    says = "is no control API: give its URL, which ends in /_mock"
    assert (result.exit_code, says in result.output) == (2, True), result.output


def test_a_port_of_tls_is_told_with_the_url_to_give(programs: Programs, tmp_path: Path) -> None:
    """For --port has no scheme."""
    port = programs.serve("--tls", "--tls-dir", str(tmp_path / "tls")).ready()["url"].rpartition(":")[2]
    result = explain("--port", port, CUSTOMERS)
    says = f"give --control-url https://localhost:{port}/_mock"
    assert (result.exit_code, says in result.output) == (2, True), result.output


@pytest.mark.parametrize("form", ["file", "stdin"])
def test_a_body_is_read_from_a_file_as_curl_does(tmp_path: Path, form: str) -> None:
    """By @ and its name, or by @- from stdin, without the line breaks."""
    body = tmp_path / "body.json"
    body.write_text('{\n "email": "a@b.example"\n}\n', "utf-8")
    given = {"file": f"@{body}", "stdin": "@-"}[form]
    arguments = ("-t", "serviceall", "-d", given, "-H", "Idempotency-Key: k", CUSTOMERS)
    result = explain(*arguments, input=body.read_text("utf-8"))
    assert result.exit_code == 0, result.output
