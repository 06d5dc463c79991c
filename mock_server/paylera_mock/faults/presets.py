"""Answers by which SDKs have crashed, each under a name: faults that need no members of their own."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final, NamedTuple

UNKNOWN_VALUE: Final = "unheard_of"
"""A value of an enumeration that no version has."""


class Preset(StrEnum):
    """The name of a ready fault."""

    HTML_502 = "html-502"
    HTML_200 = "html-200"
    FOREIGN_ERROR = "foreign-error"
    BROKEN_JSON = "broken-json"
    EMPTY_200 = "empty-200"
    NOT_GZIP = "not-gzip"
    CUT_SHORT = "cut-short"
    UNKNOWN_ENUM = "unknown-enum"
    UNKNOWN_MEMBER = "unknown-member"
    RETRY_AFTER_DATE = "retry-after-date"


class PresetFault(NamedTuple):
    """What a preset stands for: a sentence, and the members of `POST C/faults`."""

    description: str
    members: Mapping[str, Any]


_HTML: Final = {"Content-Type": "text/html; charset=utf-8"}
_BAD_GATEWAY: Final = (
    "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n<center><h1>502 Bad Gateway</h1></center>\r\n"
    "<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"
)
_SIGN_IN: Final = "<!doctype html>\n<title>Sign in</title>\n<h1>Sign in to use this network</h1>\n"

PRESETS: Final[Mapping[Preset, PresetFault]] = {
    Preset.HTML_502: PresetFault(
        "A gateway's 502: HTML, and none of the API's headers.",
        {"action": "answer", "status": 502, "headers": _HTML, "body": _BAD_GATEWAY},
    ),
    Preset.HTML_200: PresetFault(
        "A 200 that is a web page, as networks answer that want a sign-in.",
        {"action": "answer", "status": 200, "headers": _HTML, "body": _SIGN_IN},
    ),
    Preset.FOREIGN_ERROR: PresetFault(
        "A 500 whose JSON is no problem document.",
        {"action": "answer", "status": 500, "body": {"message": "An unexpected error occurred"}},
    ),
    Preset.BROKEN_JSON: PresetFault(
        "A 200 whose JSON ends in the middle, though its length is right.",
        {"action": "answer", "status": 200, "body": '{"object": "list", "data": [{"id": "cus_'},
    ),
    Preset.EMPTY_200: PresetFault("A 200 without a body.", {"action": "answer", "status": 200, "body": ""}),
    Preset.NOT_GZIP: PresetFault(
        "A 200 that claims to be compressed, and is not.",
        {"action": "answer", "status": 200, "headers": {"Content-Encoding": "gzip"}, "body": {"data": []}},
    ),
    Preset.CUT_SHORT: PresetFault(
        "Of the true answer 20 bytes arrive before the connection ends.",
        {"action": "truncate", "size": 20},
    ),
    Preset.UNKNOWN_ENUM: PresetFault(
        f"The true answer with the status `{UNKNOWN_VALUE}`.",
        {"action": "answer", "merge": {"status": UNKNOWN_VALUE}},
    ),
    Preset.UNKNOWN_MEMBER: PresetFault(
        "The true answer with a member that no version has.",
        {"action": "answer", "merge": {UNKNOWN_VALUE: {"since": "a later version"}}},
    ),
    Preset.RETRY_AFTER_DATE: PresetFault(
        "A 429 whose `Retry-After` is a date, two seconds ahead.",
        {"action": "answer", "retry_after": 2, "retry_after_as": "date"},
    ),
}
"""Every preset. What else a fault has, as `route`, `at` or `times`, is said beside it."""
