"""A seed makes runs byte-identical: ids, secrets, traces and times follow from it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from werkzeug.test import Client, TestResponse

from paylera_mock.app import create_app
from paylera_mock.core.randomness import Randomness

ADMIN = "sk_sandbox_adminaal2" + "0" * 23
SERVICE = "sk_sandbox_serviceall" + "0" * 22
CUSTOMER = {"email": "mary@example.com", "name": "Mary Somerville"}


class Recorder:
    """Sends to one application, and keeps every answer as its bytes."""

    def __init__(self, **settings: Any) -> None:
        self.client = Client(create_app(**settings))
        self.answers: list[tuple[int, list[tuple[str, str]], bytes]] = []

    def send(self, method: str, path: str, body: object = None, *, secret: str = "", key: str = "") -> TestResponse:
        """Send one request."""
        headers = {"Authorization": f"Bearer {secret}"} if secret else {}
        headers |= {"Idempotency-Key": key} if key else {}
        answer = self.client.open(path, method=method, json=body, headers=headers)
        self.answers.append((answer.status_code, list(answer.headers), answer.data))
        return answer

    def made(self, path: str, body: object = None, **more: str) -> dict[str, Any]:
        """Make something: what was answered."""
        return dict(self.send("POST", path, body or {}, **more).json or {})


def session(**settings: Any) -> Recorder:
    """Create, list, refuse, rotate, mint, and do some of it in a namespace; whatever was answered."""
    recorder = Recorder(**settings)
    recorder.made("/v1/customers", CUSTOMER, secret=SERVICE, key="first")
    recorder.send("GET", "/v1/invoices?limit=2", secret=SERVICE)
    recorder.send("GET", "/v1/customers", secret=SERVICE.replace("00", "01"))
    recorder.send("GET", "/_mock/nothing")
    token = recorder.made("/_mock/tokens", {"audience": "service", "scopes": ["*"]})
    recorder.made(f"/v1/admin/api-tokens/{token['id']}/rotate", secret=ADMIN)
    endpoint = {"url": "https://example.com/hook", "events": ["invoice.paid"]}
    recorder.made("/v1/webhook_endpoints", endpoint, secret=SERVICE, key="hook")
    base = f"/ns/{recorder.made('/_mock/namespaces')['id']}"
    minted = recorder.made(f"{base}/_mock/tokens", {"audience": "admin", "scopes": ["*"], "aal": 2})
    recorder.made(f"{base}/_mock/objects", {"kind": "payment"})
    recorder.made(f"{base}/_mock/clock/advance", {"seconds": 90})
    recorder.send("GET", f"{base}/v1/payments", secret=minted["secret"])
    recorder.send("GET", "/v1/admin/audit-log", secret=ADMIN)
    return recorder


def test_one_seed_answers_a_session_alike() -> None:
    """To the byte, headers included."""
    assert session(seed=7).answers == session(seed=7).answers


def test_another_seed_answers_otherwise() -> None:
    """Other ids, in every answer that has one."""
    assert session(seed=7).answers[0] != session(seed=8).answers[0]


def test_without_a_seed_no_two_are_alike() -> None:
    """By default everything is drawn from the system."""
    assert session().answers[0] != session().answers[0]


DIALECTS = ("ids-are-uuids", "ids-in-capitals", "secrets-with-punctuation", "extra-headers", "type-of-each-occurrence")
"""What draws by itself."""


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_dialect_keeps_to_the_seed(dialect: str) -> None:
    """What is drawn otherwise is drawn from the same stream."""
    assert session(seed=7, mutants=[dialect]).answers == session(seed=7, mutants=[dialect]).answers


def test_time_stands_still_in_a_seeded_fake() -> None:
    """At an instant that is the same in every run."""
    answer = Recorder(seed=7).send("GET", "/_mock/clock")
    assert answer.json == {"now": "2026-06-01T00:00:00.000Z"}


def test_time_passes_where_nothing_was_seeded() -> None:
    """The default namespace lives in the present."""
    now = str((Recorder().send("GET", "/_mock/clock").json or {})["now"])
    assert not now.startswith("2026-06-01T00:00:00")


def in_the_second_namespace(recorder: Recorder, meanwhile: Callable[[str], object]) -> dict[str, Any]:
    """A customer of the second namespace, made after something was done in the first."""
    first, second = (recorder.made("/_mock/namespaces")["id"] for _ in range(2))
    meanwhile(f"/ns/{first}/_mock")
    return recorder.made(f"/ns/{second}/_mock/customers")


def test_namespaces_do_not_disturb_one_another() -> None:
    """Each has a stream of its own: parallel tests get the same ids, whatever the others do."""
    quiet, busy = Recorder(seed=7), Recorder(seed=7)
    alone = in_the_second_namespace(quiet, lambda _: None)
    assert in_the_second_namespace(busy, lambda control: busy.made(f"{control}/customers")) == alone


def test_two_namespaces_are_not_the_same() -> None:
    """Their streams differ, so that their tokens do."""
    recorder = Recorder(seed=7)
    places = [recorder.made("/_mock/namespaces")["id"] for _ in range(2)]
    asked = {"audience": "service", "scopes": ["*"]}
    assert len({recorder.made(f"/ns/{place}/_mock/tokens", asked)["secret"] for place in places}) == 2


def test_a_reset_begins_the_stream_again() -> None:
    """A test that resets first gets the same ids each time."""
    recorder = Recorder(seed=7)
    before = recorder.made("/_mock/customers")
    recorder.send("POST", "/_mock/reset")
    assert recorder.made("/_mock/customers") == before


def test_a_word_has_every_character_of_its_alphabet() -> None:
    """And none beyond it, the first and the last included."""
    assert set(Randomness("any").word(2000, "abc")) == set("abc")


def test_a_branch_does_not_move_its_stem() -> None:
    """Drawing from either leaves the other where it was."""
    stem = Randomness("any")
    stem.branch("one").word(8)
    assert stem.word(8) == Randomness("any").word(8)


def test_branches_of_the_system_are_not_seeded() -> None:
    """What has no seed gives none."""
    assert not Randomness().branch("one").is_seeded
