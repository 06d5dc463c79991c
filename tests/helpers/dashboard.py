"""The dashboard as its reader uses it without a browser: pages are got, links are followed, forms are sent."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any, Final
from urllib.parse import urljoin

from werkzeug.test import Client, TestResponse

ROOT: Final = "/_mock/ui"
NAVIGATION: Final = {"Accept": "text/html,*/*;q=0.8", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
"""What a browser says of itself that was led to a page."""


@dataclass
class Form:
    """A form of a page, with what it sends as it stands."""

    action: str
    method: str
    fields: dict[str, str] = field(default_factory=dict)


class Page(HTMLParser):
    """A page: its links and assets, its forms, its text, and every element with its attributes."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.assets: list[str] = []
        self.forms: list[Form] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self._words: list[str] = []
        self.feed(html)
        self.text = " ".join(self._words)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element."""
        given = dict(attrs)
        self.elements.append((tag, given))
        if tag == "a":
            self.links.append(given.get("href") or "")
        if tag in {"script", "link"}:
            self.assets.append(given.get("src") or given.get("href") or "")
        if tag == "form":
            self.forms.append(Form(given.get("action") or "", (given.get("method") or "get").lower()))
        is_sent = given.get("type") not in {"checkbox", "radio"} or "checked" in given
        if tag == "input" and is_sent and given.get("name"):
            self.forms[-1].fields[str(given["name"])] = given.get("value") or ""

    def handle_data(self, data: str) -> None:
        """Note a text."""
        self._words += data.split()


class Reader:
    """Somebody who looks at the dashboard of a fake."""

    def __init__(self, client: Client, root: str = ROOT) -> None:
        self.client = client
        self.root = root

    def get(self, page: str = "", **options: Any) -> TestResponse:
        """Get a page by its path below the dashboard's."""
        return self.client.get(f"{self.root}/{page}".rstrip("/"), **{"headers": NAVIGATION, **options})

    def read(self, page: str = "") -> Page:
        """Get a page that is there."""
        answer = self.get(page)
        assert answer.status_code == 200, answer.text
        return Page(answer.text)

    def form(self, page: str, action: str) -> Form:
        """The form of a page that leads to an action."""
        return next(form for form in self.read(page).forms if form.action.endswith(action))

    def send(self, page: str, action: str, fields: Mapping[str, Any] | None = None) -> TestResponse:
        """Fill in a form of a page, and send it."""
        form = self.form(page, action)
        return self.client.post(urljoin(f"{self.root}/", form.action), data={**form.fields, **(fields or {})})

    def walk(self) -> Iterator[tuple[str, TestResponse]]:
        """Every page that links and GET forms lead to, from the first one on."""
        waiting, seen = [self.root], set[str]()
        while waiting:
            address = waiting.pop()
            answer = self.client.get(address, headers=NAVIGATION, follow_redirects=True)
            yield address, answer
            page = Page(answer.text)
            found = [*page.links, *(form.action for form in page.forms if form.method == "get")]
            for link in (urljoin(address, link).partition("#")[0] for link in found):
                if link.startswith(self.root) and link not in seen:
                    seen.add(link)
                    waiting.append(link)
