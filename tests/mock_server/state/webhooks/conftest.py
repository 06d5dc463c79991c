"""Receivers of webhooks, and namespaces that send to them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from werkzeug.test import Client

from helpers.fake import Fake
from helpers.webhooks import Hooks
from paylera_mock.app import create_app
from paylera_mock.core.policy import Policy, WebhookTerms


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
