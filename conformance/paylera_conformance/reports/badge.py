"""`badge.json`, as the endpoint badge of shields.io reads it.

The published file stays as it is, so its text names the day until which it is good.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

from paylera_conformance.model.outcomes import Verdict
from paylera_conformance.reports.model import RunReport

BADGE_NAME: Final = "badge.json"
GOOD_FOR: Final = timedelta(days=30)
"""How long a badge may be shown after its run."""

_COLOURS: Final = {
    Verdict.CONFORMANT: "brightgreen",
    Verdict.WITH_FINDINGS: "green",
    Verdict.WITH_KNOWN_FINDINGS: "yellowgreen",
    Verdict.KNOWN_FAILURES_ONLY: "orange",
    Verdict.PENDING: "blue",
    Verdict.NOT_FULLY_VERIFIED: "yellow",
    Verdict.NON_CONFORMANT: "red",
    Verdict.NO_VERDICT: "lightgrey",
}


def badge(report: RunReport) -> dict[str, Any]:
    """The badge; `expires` is a member of our own, for whoever publishes it."""
    expires = (report.facts.ended_on + GOOD_FOR).isoformat()
    return {
        "schemaVersion": 1,
        "label": f"Paylera contract ({report.facts.profile})",
        "message": f"{report.verdict.lower()} until {expires}",
        "color": _COLOURS[report.verdict],
        "expires": expires,
    }
