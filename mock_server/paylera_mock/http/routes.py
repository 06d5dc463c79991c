"""Which path goes to which view."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from typing import Final

from werkzeug.routing import Map, PathConverter, Rule

from paylera_fixtures.api.operations import OPERATIONS

_DOCUMENT: Final = "openapi/v1.<any(json, yaml):form>"

_ROUTES: Final = (
    ("/", "root"),
    ("/_mock", "control"),
    ("/_mock/ui", "dashboard"),
    ("/_mock/ui/<path:page>", "dashboard"),
    ("/ns/<namespace_id>/_mock/ui", "namespace_dashboard"),
    ("/ns/<namespace_id>/_mock/ui/<path:page>", "namespace_dashboard"),
    ("/_mock/<path:call>", "control"),
    ("/ns/<namespace_id>/_mock", "control"),
    ("/ns/<namespace_id>/_mock/<path:call>", "control"),
    (f"/{_DOCUMENT}", "document"),
    (f"/live/{_DOCUMENT}", "document"),
    (f"/ns/<namespace_id>/{_DOCUMENT}", "document"),
    (f"/ns/<namespace_id>/live/{_DOCUMENT}", "document"),
    # Of the API's own paths werkzeug finds those without a parameter at once; the last row is for all others.
    *((path, "api") for path in dict.fromkeys(o.path for o in OPERATIONS if not o.has_parameter)),
    ("/<everything:path>", "api"),
)


class _AnyPath(PathConverter):
    """Any path, the empty one, those that begin with a slash and those with line breaks in them included."""

    regex = r"[\s\S]*?"
    weight = 1000
    part_isolating = False


class _MatchedRule(Rule):
    """A rule that finds the view of a path. What builds a URL by it is compiled for the first URL that is built.

    The fake builds none, and to compile that takes most of the time in which an application is made.
    """

    def _compile_builder(self, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:  # noqa: FBT001, FBT002 - as werkzeug has it
        compiled = cache(partial(super()._compile_builder, append_unknown))

        def build(rule: Rule, /, **values: object) -> tuple[str, str]:
            return compiled()(rule, **values)

        return build


def add_routes(url_map: Map) -> None:
    """Add every route, past Flask, which would limit the methods and answer OPTIONS by itself."""
    url_map.merge_slashes = False
    url_map.strict_slashes = False
    url_map.converters["everything"] = _AnyPath
    for path, endpoint in _ROUTES:
        url_map.add(_MatchedRule(path, endpoint=endpoint))
