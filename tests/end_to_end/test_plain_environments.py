"""Both programs where there is little to write on: other encodings, forty columns, no colour, nobody who reads."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Final

import pytest

MOCK: Final = "paylera_mock"
SUITE: Final = "paylera_conformance"
NOBODY: Final = "http://127.0.0.1:9"
LISTS: Final = (
    (MOCK, "tokens"),
    (MOCK, "mutants"),
    (MOCK, "mutants --json"),
    (SUITE, "list"),
    (SUITE, "list --json"),
    (SUITE, "explain token.revoked"),
    (SUITE, "schema"),
)
COMMANDS: Final[Mapping[tuple[str, str], int]] = MappingProxyType(
    {
        **dict.fromkeys(LISTS, 0),
        **{(MOCK, f"{name} --help"): 0 for name in ("serve", "exec", "explain", "snapshot", "healthcheck", "ca-path")},
        **{(SUITE, f"{name} --help"): 0 for name in ("run", "resume", "doctor", "init", "certify", "verify", "diff")},
        (MOCK, "explain -t serviceread -X POST /v1/customers"): 1,
        (MOCK, "serve --port 0 --max-seconds 0.1"): 0,
        (MOCK, "serve --mutant ünknown"): 2,
        (MOCK, "snapshot --control-url http://127.0.0.1:9/…"): 2,
        (SUITE, "explain auth.expired_token"): 0,
        (SUITE, "explain ünknown"): 4,
        (SUITE, f"doctor {NOBODY}"): 13,
        (SUITE, f"run {NOBODY}"): 13,
        (SUITE, "verify nowhere"): 4,
        (SUITE, "selftest ünknown"): 4,
    }
)
ENVIRONMENTS: Final = MappingProxyType(
    {
        "cp1252": {"PYTHONIOENCODING": "cp1252"},
        "C": {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "COLUMNS": "40", "NO_COLOR": "1"},
    }
)
MOJIBAKE: Final = ("Ã", "Â", "â€", "\ufffd")


def run(package: str, arguments: str, **settings: object) -> subprocess.CompletedProcess[bytes]:
    """Run a command to its end."""
    command = [sys.executable, "-m", package, *arguments.split()]
    return subprocess.run(command, check=False, **settings)  # type: ignore[call-overload,no-any-return]


@pytest.mark.slow
@pytest.mark.parametrize("environment", ENVIRONMENTS)
@pytest.mark.parametrize(("package", "arguments"), COMMANDS)
def test_command_ends_as_everywhere(environment: str, package: str, arguments: str) -> None:
    """By its own status, in signs of the encoding, without a traceback."""
    ended = run(package, arguments, capture_output=True, env={**os.environ, **ENVIRONMENTS[environment]})
    text = (ended.stdout + ended.stderr).decode("cp1252" if environment == "cp1252" else "utf-8", "replace")
    assert (ended.returncode, "Traceback" in text) == (COMMANDS[package, arguments], False), text
    assert [sign for sign in MOJIBAKE if sign in text] == []


@pytest.fixture
def closed_pipe() -> Iterator[int]:
    """A pipe of which nobody reads the other end, as `head` leaves one."""
    reader, writer = os.pipe()
    os.close(reader)
    yield writer
    os.close(writer)


@pytest.mark.parametrize(("package", "arguments"), LISTS)
def test_list_that_nobody_reads_on_is_no_error(closed_pipe: int, package: str, arguments: str) -> None:
    """In a script with `pipefail`, `paylera-mock tokens | head -1` ended it."""
    ended = run(package, arguments, stdout=closed_pipe, stderr=subprocess.PIPE)
    assert (ended.returncode, ended.stderr) == (0, b"")
