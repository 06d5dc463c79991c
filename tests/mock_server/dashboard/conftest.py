"""A fake with some requests in its journal, and somebody who looks at its dashboard."""

from __future__ import annotations

from typing import Final

import pytest

from helpers.dashboard import Reader
from helpers.fake import Fake
from paylera_fixtures.tokens import WELL_KNOWN

SECRETS: Final = {token.token_id: token.secret for token in WELL_KNOWN}


@pytest.fixture
def reader(default: Fake) -> Reader:
    """Looks at a fake of the test's own, whose journal has an accepted, a refused, and a repeated request."""
    everything, nothing = SECRETS["tok_serviceall"], SECRETS["tok_servicenoscope"]
    default.call("GET", "/v1/customers", everything)
    default.call("GET", "/v1/customers?limit=2", nothing)
    for _ in range(2):
        default.call("POST", "/v1/customers", everything, key="sub-create:ada", json={"email": "ada@example.com"})
    return Reader(default.client)
