"""The views of the dashboard: what each page shows, and what its forms do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from paylera_mock.dashboard.messages import Handler
from paylera_mock.dashboard.views import (
    clock,
    faults,
    findings,
    namespaces,
    objects,
    reference,
    requests,
    tokens,
    webhooks,
)


@dataclass(frozen=True)
class View:
    """A view, and its pages by their paths below its `name`, where `{id}` stands for any one segment.

    - `title`: what it is called where one view is chosen from;
    - `pages`: what answers a GET, which changes nothing;
    - `actions`: what answers a POST of a form.
    """

    name: str
    title: str
    pages: Mapping[str, Handler]
    actions: Mapping[str, Handler]


VIEWS: Final = (
    View("requests", "Live requests", requests.PAGES, requests.ACTIONS),
    View("tokens", "API tokens", tokens.PAGES, tokens.ACTIONS),
    View("clock", "Clock", clock.PAGES, clock.ACTIONS),
    View("faults", "Faults", faults.PAGES, faults.ACTIONS),
    View("objects", "Objects", objects.PAGES, objects.ACTIONS),
    View("webhooks", "Webhooks", webhooks.PAGES, webhooks.ACTIONS),
    View("findings", "Findings", findings.PAGES, findings.ACTIONS),
    View("reference", "API reference", reference.PAGES, reference.ACTIONS),
    View("namespaces", "Namespaces", namespaces.PAGES, namespaces.ACTIONS),
)
"""Every view, in the order in which they are listed; the first is where one begins."""
