"""The options of a run, which pytest and `paylera-conformance run` both offer."""

from __future__ import annotations

from argparse import SUPPRESS
from typing import Any, Final

OPTIMIZED: Final = (
    "python runs without assertions, which the suite needs: unset PYTHONOPTIMIZE, and leave out the option -O"
)
"""Why nothing is run under `python -O`."""

OPTIONS: Final[tuple[tuple[str, dict[str, Any]], ...]] = (
    ("url", {"metavar": "URL", "help": "Base URL of the target."}),
    ("config", {"metavar": "FILE", "help": "Configuration file.  [default: paylera-conformance.toml, if there]"}),
    ("live-url", {"metavar": "URL", "help": "Base URL of the other environment."}),
    (
        "also",
        {
            "metavar": "ORIGIN",
            "action": "append",
            "help": "Another origin of the target, where its control API may lead. Repeatable.",
        },
    ),
    ("environment", {"metavar": "NAME", "help": "Environment of the target: sandbox or live."}),
    ("profile", {"metavar": "NAME", "help": "Which pages bind the target: guide or reference.  [default: guide]"}),
    (
        "reading",
        {"metavar": "NAME=VALUE", "action": "append", "help": "One reading, on top of the profile. Repeatable."},
    ),
    ("mode", {"metavar": "NAME", "help": "How far a run may go: observe, sandbox or full."}),
    ("driver", {"metavar": "NAME", "help": "Where tokens and objects come from: static, control or python."}),
    ("control-url", {"metavar": "URL", "help": "Control API of a test deployment (driver control)."}),
    ("adapter", {"metavar": "MODULE:CLASS", "help": "Your class that provisions (driver python)."}),
    (
        "clause",
        {
            "metavar": "ID",
            "action": "append",
            "help": "Only the cases of a clause, of a group as token, or of a pattern as token.*. Repeatable.",
        },
    ),
    ("ca-file", {"metavar": "FILE", "help": "Trust these certificates (PEM) too, beside the system's."}),
    ("timeout", {"metavar": "SECONDS", "help": "How long to wait for an answer.  [default: 10]"}),
    ("rps", {"metavar": "N", "help": "Requests a second to a remote target.  [default: 10]"}),
    ("max-requests", {"metavar": "N", "help": "Send no more than N requests; what is left is not run."}),
    ("max-seconds", {"metavar": "N", "help": "Send nothing after N seconds; what is left is not run."}),
    ("strict", {"action": "store_true", "default": None, "help": "A finding fails the run too."}),
    ("known-failures", {"metavar": "FILE", "help": "Violations that do not fail the run: [[known]] entries in TOML."}),
    ("report", {"metavar": "DIR", "help": "Write the raw run and every report there."}),
    ("state", {"metavar": "FILE", "help": "What must wait is sealed there, for `paylera-conformance resume`."}),
    ("embedded", {"action": "store_true", "default": None, "help": SUPPRESS}),
    ("resume", {"action": "store_true", "default": None, "help": "Go on from the state file."}),
    ("seed", {"metavar": "N", "type": int, "help": "Seed of all that is drawn, as an earlier run printed it."}),
    ("run-id", {"metavar": "ID", "help": "Name this run in its reports.  [default: made up]"}),
    (
        "user-agent",
        {"metavar": "TEXT", "help": "The User-Agent of every request.  [default: drawn for each pair]"},
    ),
    (
        "announce",
        {"action": "store_true", "default": None, "help": "Name the run in a header of every request, for the log."},
    ),
)
"""Each with its settings in argparse's words. pytest spells them `--paylera-url` and so on."""
