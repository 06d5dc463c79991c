"""Renders the templates. Whatever is put into one is text: escaped, and with what nobody would see made visible."""

from __future__ import annotations

import json
import re
from functools import cache
from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from paylera_mock.core.clock import DAY, MINUTE
from paylera_mock.dashboard.assets import asset_url
from paylera_mock.dashboard.messages import page_url

_UNSEEN: Final = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\ud800-\udfff\U000e0000-\U000e007f]"
)
"""Control characters but the line break and the tab, what turns the direction of a text, and what has no width."""


def make_visible(value: Any) -> Any:
    r"""A text whose unseen characters are spelled out, as `\u{202e}`; anything else as it is."""
    if not isinstance(value, str) or isinstance(value, Markup):
        return value
    text = value.replace("\r\n", "\n")
    return _UNSEEN.sub(lambda found: f"\\u{{{ord(found[0]):x}}}", text)


def isolate(value: object) -> Markup:
    """A text that came from outside, whose direction does not reach what stands beside it."""
    return Markup("<bdi>{}</bdi>").format(make_visible(str(value)))


def read_path(path: str) -> str:
    """A path as its client meant it: servers hand on one character for each byte."""
    try:
        return path.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return path


def indent_json(text: str) -> str:
    """JSON with a line for each member; any other text as it is."""
    try:
        return json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        return text


def mark_code(text: str) -> Markup:
    """Text of the project's own: what stands between backticks is code."""
    parts = text.split("`")
    return Markup("").join(
        Markup("<code>{}</code>").format(make_visible(part)) if number % 2 else escape(make_visible(part))
        for number, part in enumerate(parts)
    )


_TIME: Final = Markup('<time datetime="{0}" title="{0}">{1}</time>')


def format_time(text: str) -> Markup:
    """An instant as RFC 3339 writes it: the time of day, with all of it on demand."""
    return _TIME.format(text, text.partition("T")[2].removesuffix("Z"))


def format_day(text: str) -> Markup:
    """An instant as RFC 3339 writes it: to the minute, with all of it on demand."""
    return _TIME.format(text, text[:16].replace("T", " "))


_UNITS: Final = ((365 * DAY, "y"), (DAY, "d"), (60 * MINUTE, "h"), (MINUTE, "min"), (1, "s"))


def format_duration(seconds: float) -> str:
    """A length of time in its two largest units, as `23 h 59 min`; below a second in milliseconds."""
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    parts, left = [], int(seconds)
    for size, unit in _UNITS:
        parts.append((left // size, unit))
        left %= size
    first = next(place for place, (number, _) in enumerate(parts) if number)
    return " ".join(f"{number} {unit}" for number, unit in parts[first : first + 2] if number)


@cache
def templates() -> Environment:
    """The templates of the dashboard; a name that a template does not get is an error."""
    environment = Environment(
        loader=PackageLoader("paylera_mock.dashboard", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=make_visible,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "bdi": isolate,
        "mark_code": mark_code,
        "time": format_time,
        "day": format_day,
        "duration": format_duration,
        "path": read_path,
        "json": indent_json,
    }
    environment.globals |= {"asset_url": asset_url, "page_url": page_url}
    return environment
