"""The routes of the fake, which is a Flask application that others may add to."""

from __future__ import annotations

import pytest
from werkzeug.routing import Rule

from paylera_mock.app import create_app


def test_an_application_compiles_no_builders_of_urls(monkeypatch: pytest.MonkeyPatch) -> None:
    """Which is most of what a route costs, for each test that has a fake of its own."""
    compiled: list[str] = []
    monkeypatch.setattr(Rule, "_compile_builder", lambda rule, *_: compiled.append(rule.rule))
    create_app()
    assert compiled == []


def test_what_builds_urls_is_compiled_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many are built by a rule."""
    compiled: list[str] = []
    compile_it = Rule._compile_builder  # noqa: SLF001 - it is counted

    def count(rule: Rule, *arguments: bool) -> object:
        compiled.append(rule.rule)
        return compile_it(rule, *arguments)

    monkeypatch.setattr(Rule, "_compile_builder", count)
    urls = create_app().url_map.bind("fake.test")
    assert [urls.build("control", {"call": call}) for call in ("reset", "seed")] == ["/_mock/reset", "/_mock/seed"]
    assert compiled == ["/_mock/<path:call>"]


def test_whoever_builds_a_url_gets_it() -> None:
    """By the routes of the fake as by their own."""
    app = create_app()
    app.add_url_rule("/own/<name>", "own")
    urls = app.url_map.bind("fake.test")
    built = [
        urls.build("namespace_dashboard", {"namespace_id": "ns_1", "page": "tokens"}),
        urls.build("control", {"call": "reset", "rule": "1"}),
        urls.build("own", {"name": "x"}),
    ]
    assert built == ["/ns/ns_1/_mock/ui/tokens", "/_mock/reset?rule=1", "/own/x"]
