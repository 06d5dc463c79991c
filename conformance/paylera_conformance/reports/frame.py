"""Renders pages that load nothing: style and script stand inside, and the page's policy allows no others."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Sequence
from hashlib import sha256
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

_PACKAGE = "paylera_conformance.reports"


def template_environment(**options: Any) -> Environment:
    """The templates of `assets`; a name that a template does not get is an error."""
    loader = PackageLoader(_PACKAGE, "assets")
    return Environment(loader=loader, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, **options)  # noqa: S701 - each caller says how its format is escaped


def render(template: str, *, styles: Sequence[str], script: str | None = None, **values: Any) -> str:
    """An HTML template of `assets` with its values, every one of them escaped.

    - `styles`, `script`: names of assets that go inside, after the look that all pages of the project share; the
      page's policy allows these and no others.
    """
    environment = template_environment(autoescape=True)
    environment.filters["mark_code"] = mark_code
    shared = (files("paylera_fixtures") / "base.css").read_text("utf-8")
    style = shared + "".join(_asset(name) for name in styles)
    code = _asset(script) if script else ""
    return environment.get_template(template).render(
        policy=_policy(style, code),
        style=Markup(style),  # noqa: S704 - our own file
        script=Markup(code),  # noqa: S704 - our own file
        **values,
    )


def mark_code(text: str) -> Markup:
    """Text of the contract: what stands between backticks is code."""
    return Markup("").join(
        Markup("<code>{}</code>").format(part) if number % 2 else escape(part)
        for number, part in enumerate(text.split("`"))
    )


def embed_json(value: object) -> Markup:
    """A value as JSON for a `script` element: nothing in it can end the element or begin another."""
    text = json.dumps(value, ensure_ascii=True, separators=(",", ":"))
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Markup(text)  # noqa: S704 - no character of it means anything in HTML


def _asset(name: str) -> str:
    return (files(_PACKAGE) / "assets" / name).read_text("utf-8")


def _policy(style: str, script: str) -> str:
    """The page's Content-Security-Policy: nothing that an answer put into the page runs, or loads anything."""
    allowed = f"script-src {_hash(script)}; " if script else ""
    return f"default-src 'none'; style-src {_hash(style)}; {allowed}base-uri 'none'; form-action 'none'"


def _hash(text: str) -> str:
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode('ascii')}'"
