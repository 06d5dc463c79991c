"""Mistakes of whoever calls `paylera-mock`: each has its exit status and a line that names the fix, no traceback."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import pytest
from click.testing import CliRunner

from paylera_mock.cli.exec import CannotRunError, CommandNotFoundError
from paylera_mock.cli.main import main
from paylera_mock.cli.options import DEMANDS_FAILED_STATUS, EXEC_FAILED_STATUS

NOBODY: Final = "http://127.0.0.1:9"

WRONG_USAGE: Final[dict[tuple[str, ...], str]] = {
    ("serv",): "there is no command 'serv': did you mean serve",
    ("serve", "extra"): "unexpected extra argument",
    ("serve", "--prot", "1"): "--port",
    ("serve", "--port", "70000"): "--port",
    ("serve", "--port", "http"): "'http' is not a valid integer",
    ("serve", "--host", "0.0.0.0"): "add --allow-remote",  # noqa: S104 - it is refused
    ("serve", "--host", "0.0.0.0", "--allow-remote"): "--control-token, or --no-control",  # noqa: S104 - as above
    ("serve", "--profile", "none"): "is not one of 'guide', 'reference'",
    ("serve", "--reading", "scope_refusal"): "write NAME=VALUE, not 'scope_refusal'",
    ("serve", "--reading", "scope_refusal=418"): "401, 403",
    ("serve", "--reading", "colour=blue"): "there are scope_refusal, aal2_refusal",
    ("serve", "--mutant", "no-chalenge"): "did you mean no-challenge",
    ("serve", "--control-token", "open-sesame"): 'write "${NAME}"',
    ("serve", "--control-token", "${UNSET}"): "export UNSET",
    ("serve", "--control-token", "file:/nowhere/token"): "/nowhere/token",
    ("serve", "--cors", "localhost:5173"): "a scheme and a host, as in http://localhost:5173",
    ("serve", "--allow-host", "http://paylera"): "without scheme and port",
    ("serve", "--rate-limits", "yes"): "is not one of 'off', 'on'",
    ("serve", "--journal-size", "0"): "x>=1",
    ("serve", "--body-seconds", "0"): "x>0",
    ("serve", "--max-seconds", "0"): "--max-seconds",
    ("serve", "--server", "apache"): "werkzeug",
    ("serve", "--log-level", "verbose"): "'critical', 'error', 'warning', 'info', 'debug'",
    ("serve", "--log-format", "xml"): "'text', 'json'",
    ("serve", "--seed", "abc"): "not a valid integer",
    ("serve", "--load", "nowhere.json"): "does not exist",
    ("serve", "--load", "seed.json"): "custmers: there is no such member",
    ("serve", "--load", "broken.json"): "line 1, column 2: this is no JSON",
    ("exec",): "Missing argument 'COMMAND...'",
    ("exec", "--bogus", "--", "true"): "--bogus",
    ("exec", "--fail-on-findings", "--no-control", "--", "true"): "leave out --no-control",
    ("exec", "--dashboard", "--no-dashboard", "--", "true"): "leave out --no-dashboard",
    ("exec", "--allow-finding", "key-mising", "--", "true"): "did you mean key-missing",
    ("exec", "--min-coverage", "101", "--", "true"): "0<=x<=100",
    ("exec", "--journal-file", "/nowhere/journal", "--", "true"): "see --journal-file",
    ("tokens", "--json", "--env"): "leave one out",
    ("tokens", "--jsn"): "--json",
    ("mutants", "no-challenge"): "unexpected extra argument",
    ("healthcheck", "--ca-file", "nowhere.pem"): "does not exist",
    ("healthcheck", "--ca-file", "/dev/null"): "name a file that has them in PEM",
    ("explain",): "Missing argument '[METHOD] PATH'",
    ("explain", "GET", "/v1/customers", "/v1/payments"): "give one path",
    ("explain", "/v1/customers", "/v1/payments"): "give one path",
    ("explain", "-X", "POST", "GET", "/v1/customers"): "leave one out",
    ("explain", "v1/customers"): "a path from / on",
    ("explain", "-t", "everything", "/v1/customers"): "'serviceall'",
    ("explain", "-H", "sk_sandbox_secret", "/v1/customers"): "a header is written 'Name: value'",
    ("explain", "-t", "expired", "-H", "Authorization: x", "/v1/customers"): "leave one out",
    ("explain", "--port", "9", "--control-url", NOBODY, "/v1/customers"): "leave one out",
    ("explain", "--control-url", "here", "/v1/customers"): "give a whole URL",
    ("explain", "--port", "9", "--profile", "guide", "/v1/customers"): (
        "--profile is of a fresh fake: leave it out with --port"
    ),
    ("explain", "--control-url", NOBODY, "--reading", "scope_refusal=403", "/v1/customers"): (
        "--reading is of a fresh fake: leave it out with --control-url"
    ),
    ("explain", "--port", "9", "--mutant", "no-challenge", "/v1/customers"): "--mutant is of a fresh fake",
    ("explain", "-d", "@nowhere.json", "/v1/customers"): "nowhere.json cannot be read (No such file or directory)",
    ("explain", "-d", "@latin.txt", "/v1/customers"): "latin.txt is no text in UTF-8",
    ("snapshot", "--control-url", NOBODY): "nothing listens at 127.0.0.1:9",
    ("snapshot", "--control-url", "here"): "give a whole URL",
}
"""Status 2."""

OTHER: Final[dict[tuple[str, ...], tuple[int, str]]] = {
    (): (4, "Commands:"),
    ("serve", "--host", "no-such-host.invalid"): (1, "choose another with --host"),
    ("serve", "--port", "0", "--tls", "--tls-dir", "/dev/null/here"): (1, "choose another with --tls-dir"),
    ("ca-path", "--tls-dir", "/dev/null/here"): (1, "choose another with --tls-dir"),
    ("healthcheck", "--url", NOBODY): (1, "nothing listens at 127.0.0.1:9"),
    ("healthcheck", "--url", "127.0.0.1"): (1, "give a whole URL"),
    ("healthcheck", "--url", "ftp://127.0.0.1"): (1, "give a whole URL"),
}
"""The status of no command, which is the suite's too, and of what was asked for rightly, and cannot be done."""

MISTAKES: Final = {**{arguments: (2, says) for arguments, says in WRONG_USAGE.items()}, **OTHER}


@pytest.mark.parametrize(("arguments", "wanted"), MISTAKES.items(), ids=map(" ".join, MISTAKES))
def test_mistake_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: Sequence[str], wanted: tuple[int, str]
) -> None:
    """Its status, the line, and nothing that could be a secret."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "seed.json").write_text('{"schema": 1, "kind": "seed", "custmers": []}', "utf-8")
    (tmp_path / "broken.json").write_text("{", "utf-8")
    (tmp_path / "latin.txt").write_bytes(b"\xe9")
    result = CliRunner().invoke(main, arguments)
    status, says = wanted
    found = result.exit_code, says in result.output, "Traceback" in result.output, "sk_sandbox_s" in result.output
    assert found == (status, True, False, False), result.output


def test_the_help_has_every_status() -> None:
    """The program's those of its commands, and that of `exec` its own."""
    of_all, of_exec = (CliRunner().invoke(main, [*words, "--help"]).output.split() for words in ((), ("exec",)))
    assert {str(status) for status, _ in MISTAKES.values()} <= {*of_all}
    own = (DEMANDS_FAILED_STATUS, EXEC_FAILED_STATUS, CannotRunError.exit_code, CommandNotFoundError.exit_code, 128)
    assert {str(status) for status in own} <= {*of_exec}
