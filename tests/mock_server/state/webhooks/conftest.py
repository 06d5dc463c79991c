"""Receivers of webhooks, and namespaces that send to them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from werkzeug.test import Client

from helpers.fake import Fake
from helpers.webhooks import Hooks, Receiver
from paylera_mock.app import create_app
from paylera_mock.core.policy import Policy, WebhookTerms


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A receiver of the test's own."""
    made = Receiver()
    yield made
    made.close()


@pytest.fixture
def other() -> Iterator[Receiver]:
    """Another one."""
    made = Receiver()
    yield made
    made.close()


@pytest.fixture
def hooks(fake: Fake) -> Hooks:
    """A namespace whose clock stands still."""
    return Hooks(fake)


@pytest.fixture
def running(default: Fake) -> Hooks:
    """A namespace whose clock runs."""
    return Hooks(default)


@pytest.fixture
def with_terms(fake: Fake) -> Callable[..., Hooks]:
    """Makes a namespace of a fake that delivers on other terms."""

    def made(**terms: Any) -> Hooks:
        return Hooks(type(fake)(Client(create_app(Policy().but(webhooks=WebhookTerms(**terms)))))).child()

    return made
