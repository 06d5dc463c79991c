"""What a reset leaves behind: no secret works any more at once, and what was kept is freed bit by bit."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from helpers.fake import Fake
from paylera_fixtures.vocabulary import Audience
from paylera_mock.app import EXTENSION
from paylera_mock.namespaces.namespace import Namespace
from paylera_mock.state.discarded import STEP, Discarded
from paylera_mock.state.namespace_state import State
from paylera_mock.state.token_index import TokenIndex
from paylera_mock.state.tokens import Grant

MANY = 800


@pytest.fixture
def kept(app: Flask, fake: Fake) -> Namespace:
    """A namespace with more tokens than are freed at once."""
    namespace: Namespace = app.extensions[EXTENSION].namespaces.find(fake.base.removeprefix("/ns/"))
    fill(namespace.state)
    return namespace


def fill(state: State) -> None:
    """Mint many tokens."""
    grant = Grant(state.main_tenant, Audience.SERVICE, ())
    for _ in range(MANY):
        state.tokens.mint(grant, version=state.versions.current, now=0, policy=state.policy)


def test_a_reset_ends_every_secret_at_once(fake: Fake, kept: Namespace) -> None:
    """Also of the tokens that are not freed yet."""
    secret = fake.secret()
    fake.control("POST", "reset")
    refused = fake.client.get("/v1/customers", headers={"Authorization": f"Bearer {secret}"})
    hint = refused.headers["Paylera-Mock-Hint"]
    assert (kept.state.tokens.count, refused.status_code) == (0, 401)
    assert f"of the namespace {kept.id}, which was deleted or reset" in hint


def test_a_reset_takes_out_nothing_by_itself(fake: Fake, kept: Namespace, monkeypatch: pytest.MonkeyPatch) -> None:
    """It costs the same, however many tokens there were: each later write takes some of them out."""
    taken: list[int] = []
    take_out = TokenIndex.take_out

    def counted(index: Any, digests: tuple[str, ...], holder: Any) -> None:
        taken.append(len(digests))
        take_out(index, digests, holder)

    monkeypatch.setattr(TokenIndex, "take_out", counted)
    monkeypatch.setattr(kept, "discarded", Discarded())  # what others left waits elsewhere
    kept.reset()
    at_once = sum(taken)
    fake.secret()
    assert (at_once, max(taken) <= STEP, sum(taken) > 0) == (0, True, True)


def test_what_ended_is_freed(fake: Fake, kept: Namespace) -> None:
    """A fake that is reset for a year does not grow by it."""
    tokens = [weakref.ref(kept.state.tokens)]
    kept.reset()
    for _ in range(200):
        fake.advance(0)
    gc.collect()
    assert [each() for each in tokens] == [None]


def test_few_ended_states_wait_at_a_time(kept: Namespace, namespace: Callable[[], Fake]) -> None:
    """Where nobody writes between resets, all but the last are freed by the next one."""
    ended: list[weakref.ref[State]] = []
    for _ in range(6):
        ended.append(weakref.ref(kept.state))
        kept.reset()
        fill(kept.state)
    gc.collect()
    assert [state() for state in ended] == [None] * 6
    assert namespace().token("*")["secret"]


def test_a_request_under_way_sees_the_state_whole(fake: Fake, kept: Namespace) -> None:
    """Its token does not vanish while it looks."""
    state = kept.state
    kept.reset()
    for _ in range(100):
        fake.advance(0)
    assert state.tokens.count == MANY
