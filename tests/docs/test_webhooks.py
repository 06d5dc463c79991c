"""The page about webhooks says what the code does."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from typing import Any, Final

import pytest

from helpers.paths import ROOT
from paylera_fixtures.api.events import HAPPENED
from paylera_mock.control import CALLS
from paylera_mock.core.policy import Policy, WebhookTerms
from paylera_mock.operations.sandbox_payment_methods import TEST_TOKENS

TEXT: Final = (ROOT / "docs" / "how-to" / "webhooks.md").read_text("utf-8")
CURLS: Final = re.findall(r"^curl .*$", TEXT, re.MULTILINE)
STATUSES: Final = [201, 201, 200, 200, 200]
SECONDS: Final = {"second": 1, "minute": 60, "hour": 3600}


@pytest.fixture(scope="module")
def answers() -> Iterator[list[tuple[int, Any]]]:
    """Status and body of each curl line, one after the other against a fake of their own."""
    command = [sys.executable, "-m", "paylera_mock", "serve", "--port", "0", "--quiet", "--max-seconds", "600"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        url = json.loads(process.stdout.readline())["url"]
        yield [ask(line.replace("http://127.0.0.1:4242", url)) for line in CURLS]
        process.terminate()


def ask(line: str) -> tuple[int, Any]:
    """Run a curl line: the status, and the JSON."""
    said = subprocess.run(
        [*shlex.split(line), "-s", "-w", "\n%{http_code}"], capture_output=True, text=True, check=True
    )
    body, _, status = said.stdout.rpartition("\n")
    return int(status), json.loads(body)


def shown(number: int) -> Any:
    """One of the JSON documents of the page."""
    return json.loads(re.findall(r"```json\n(.*?)\n```", TEXT, re.DOTALL)[number])


def test_the_curl_lines_do_what_the_page_says(answers: list[tuple[int, Any]]) -> None:
    """A newcomer copies them one after the other; nobody listens at the receiver's port."""
    assert [status for status, _ in answers] == STATUSES


def test_the_counts_are_those_of_the_page(answers: list[tuple[int, Any]]) -> None:
    """As nobody listens there, one delivery is pending."""
    assert answers[3][1] == shown(0)


def test_a_delivery_looks_as_on_the_page(answers: list[tuple[int, Any]]) -> None:
    """The same members, in the same order."""
    [listed] = answers[4][1]["data"]
    members = [*listed, *listed["attempts"][0]]
    assert members == [*shown(1), *shown(1)["attempts"][0]]


def rows(title: str) -> list[list[str]]:
    """The cells of a table, found by the first cell of its head."""
    table = TEXT.partition(f"| {title} |")[2].partition("\n\n")[0].splitlines()[2:]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in table]


def test_the_page_names_every_event() -> None:
    """And no other."""
    table = {cells[0].strip("`"): tuple(re.findall(r"`(\w+)`", cells[1])) for cells in rows("object")}
    assert table == {kind.value: verbs for kind, verbs in HAPPENED.items()}


def test_the_page_names_every_test_token() -> None:
    """With its decline, and what happens later."""
    table = {
        name.strip("`"): (re.findall(r"`(\w+)`", now)[-1:], re.findall(r"\d+", later))
        for name, now, later in rows("test token")
    }
    wanted = {
        name: (
            [card.decline] if card.decline else ["requires_action"] * card.asks_first,
            [str(at) for at, _ in card.later],
        )
        for name, card in TEST_TOKENS.items()
    }
    assert table == wanted


def test_the_page_has_the_numbers_of_the_code() -> None:
    """Delays, attempts, the limit of rejections, and the bounds."""
    terms = WebhookTerms()
    sentence = TEXT.partition("attempted again\nafter ")[2].partition("nine times")[0]
    delays = [int(count) * SECONDS[unit] for count, unit in re.findall(r"(\d+) (second|minute|hour)", sentence)]
    assert (delays, len(delays) + 1) == (list(terms.delays), 9)
    for words in (
        f"within {terms.timeout} seconds",
        f"After {terms.rejections} answers",
        f"For {Policy().grace_seconds / 3600:.0f} hours",
        f"{terms.body_limit // 1024} KiB",
        f"{terms.pending} deliveries",
        f"{terms.kept:,} are remembered",
    ):
        assert words in TEXT


def test_every_call_of_the_page_exists() -> None:
    """With its method."""
    named = re.findall(r"`(GET|POST) /_mock/([^`]+)`", TEXT)
    assert named
    assert [(method, path) for method, path in named if method not in CALLS.get(path, {})] == []


def test_the_example_is_as_long_as_the_page_says() -> None:
    """It is to be read before it is copied."""
    lines = (ROOT / "examples" / "fake" / "webhook_receiver.py").read_text("utf-8").splitlines()
    assert f"A receiver of {len(lines)} lines" in TEXT
