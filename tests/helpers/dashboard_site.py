"""The dashboard of a served fake in a real browser, and requests to that fake."""

from __future__ import annotations

import http.client
import json
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from helpers.browser import PATIENCE_MS
from helpers.waiting import PATIENCE_SECONDS

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

_HOSTILE: Final = "/v1/customers/%E2%80%AE%3Cimg%20src=x%20onerror=alert(1)%3E%1B%5B31m"


class Site:
    """A served fake by its ready line, and the pages that are open in a browser.

    `complaints`: whatever the browser complained of, a refused script too; what was asked of another host.
    """

    def __init__(self, browser: Browser, ready: dict[str, Any]) -> None:
        self.ready = ready
        self.url = ready["dashboard_url"]
        self.complaints: list[str] = []
        self._browser = browser
        self._contexts: list[BrowserContext] = []
        parts = urlsplit(ready["url"])
        self._connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=PATIENCE_SECONDS)

    def open(self, page: str = "", *, width: int = 1280, **options: Any) -> Page:
        """Open a page by its path below the dashboard's."""
        context = self._browser.new_context(viewport={"width": width, "height": 900}, **options)
        context.set_default_timeout(PATIENCE_MS)
        self._contexts.append(context)
        made = context.new_page()
        made.on("console", lambda message: self.complaints.append(message.text))
        made.on("pageerror", lambda error: self.complaints.append(str(error)))
        made.on("request", lambda request: self._note_request(request.url))
        made.goto(f"{self.url}/{page}".rstrip("/"))
        return made

    def _note_request(self, url: str) -> None:
        if not url.startswith(f"{self.ready['url']}/"):
            self.complaints.append(url)

    def call(self, method: str = "GET", path: str = "/v1/customers", by: str = "serviceall", **options: Any) -> int:
        """Send a request to the fake, by a well-known token or a secret: the status of the answer."""
        headers = {"Authorization": f"Bearer {self.ready['tokens'].get(by, by)}", **options.get("headers", {})}
        body = json.dumps(options["json"]) if "json" in options else None
        headers |= {"Content-Type": "application/json"} if body else {}
        headers |= {"Idempotency-Key": options["key"]} if "key" in options else {}
        self._connection.request(method, path, body, headers)
        response = self._connection.getresponse()
        response.read()
        return response.status

    def fill(self) -> None:
        """Have requests of each kind in the journal: accepted, refused, retried, hostile."""
        self.call()
        self.call("POST", by="servicenoscope", key="k", json={"email": "ada@example.com"})
        for _ in range(2):
            self.call("POST", key="sub-create:ada", json={"email": "ada@example.com", "name": "<b>\u202egnp"})
        self.call("GET", _HOSTILE)
        self.control("POST", "namespaces")
        self.control("POST", "faults", action="answer", at="after_commit", method="DELETE", problem="<b>", nth=2)

    def control(self, method: str, path: str, /, **body: Any) -> None:
        """Make a call of the control API."""
        self._connection.request(method, f"/_mock/{path}", json.dumps(body), {"Content-Type": "application/json"})
        self._connection.getresponse().read()

    def read(self, path: str) -> dict[str, Any]:
        """What a call of the control API shows."""
        self._connection.request("GET", f"/_mock/{path}")
        return dict(json.loads(self._connection.getresponse().read()))

    def close(self) -> None:
        """Close every page; what the browser complained of is a failure."""
        for context in self._contexts:
            context.close()
        self._connection.close()
        assert self.complaints == []
