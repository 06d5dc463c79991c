"""The options of a run, which pytest and `paylera-conformance run` both offer."""

from __future__ import annotations

from argparse import SUPPRESS
from typing import Any, Final

OPTIMIZED: Final = (
    "python runs without assertions, which the suite needs: unset PYTHONOPTIMIZE, and leave out the option -O"
)
"""Why nothing is run under `python -O`."""

OPTIONS: Final[tuple[tuple[str, dict[str, Any]], ...]] = (
    ("url", {"metavar": "URL", "help": "base URL of the target"}),
    ("config", {"metavar": "FILE", "help": "configuration file  [default: paylera-conformance.toml, if there]"}),
    ("live-url", {"metavar": "URL", "help": "base URL of the other environment"}),
    (
        "also",
        {
            "metavar": "ORIGIN",
            "action": "append",
            "help": "another origin of the target, where its control API may lead; repeatable",
        },
    ),
    ("environment", {"metavar": "NAME", "help": "environment of the target: sandbox or live"}),
    ("profile", {"metavar": "NAME", "help": "guide or reference  [default: guide]"}),
    (
        "reading",
        {"metavar": "NAME=VALUE", "action": "append", "help": "one reading, on top of the profile; repeatable"},
    ),
    ("mode", {"metavar": "NAME", "help": "observe, sandbox or full"}),
    ("driver", {"metavar": "NAME", "help": "static, control or python"}),
    ("control-url", {"metavar": "URL", "help": "control API of a test deployment (driver control)"}),
    ("adapter", {"metavar": "MODULE:CLASS", "help": "your class that provisions (driver python)"}),
    (
        "clause",
        {
            "metavar": "ID",
            "action": "append",
            "help": "only the cases of a clause, of a group as token, or of a pattern as token.*; repeatable",
        },
    ),
    ("ca-file", {"metavar": "FILE", "help": "trust these certificates (PEM) too, beside the system's"}),
    ("timeout", {"metavar": "SECONDS", "help": "how long to wait for an answer  [default: 10]"}),
    ("rps", {"metavar": "N", "help": "requests a second to a remote target  [default: 10]"}),
    ("max-requests", {"metavar": "N", "help": "send no more than N requests; what is left is not run"}),
    ("max-seconds", {"metavar": "N", "help": "send nothing after N seconds; what is left is not run"}),
    ("strict", {"action": "store_true", "default": None, "help": "a finding fails the run too"}),
    ("known-failures", {"metavar": "FILE", "help": "violations that do not fail the run: [[known]] entries in TOML"}),
    ("report", {"metavar": "DIR", "help": "write the raw run and every report there"}),
    ("state", {"metavar": "FILE", "help": "what must wait is sealed there, for `paylera-conformance resume`"}),
    ("embedded", {"action": "store_true", "default": None, "help": SUPPRESS}),
    ("resume", {"action": "store_true", "default": None, "help": "go on from the state file"}),
    ("seed", {"metavar": "N", "type": int, "help": "seed of all that is drawn, as an earlier run printed it"}),
    ("run-id", {"metavar": "ID", "help": "names this run in its reports  [default: made up]"}),
    (
        "user-agent",
        {"metavar": "TEXT", "help": "the User-Agent of every request  [default: drawn for each pair]"},
    ),
    (
        "announce",
        {"action": "store_true", "default": None, "help": "name the run in a header of every request, for the log"},
    ),
)
"""Each with its settings in argparse's words. pytest spells them `--paylera-url` and so on."""
