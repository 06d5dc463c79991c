"""Who may use the dashboard: whoever may use the control API, and nobody else.

Where the control API needs a token, a page asks for it once; from then on a cookie stands for it, which cannot be made
without what this process alone knows. What acts needs a text that only an own page has (CSRF).
"""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final

from paylera_mock.core.problems import Problem
from paylera_mock.dashboard.messages import ROOT, PageRequest
from paylera_mock.http.access import ControlSettings, has_token, is_same, refuse_page

FORM_FIELD: Final = "csrf"
"""The field of a form that shows that an own page was sent."""

_KEY_BYTES: Final = 32


@dataclass(frozen=True)
class PageAccess:
    """Decides who may see a page, and who may act by one."""

    settings: ControlSettings
    _key: bytes = field(default_factory=lambda: secrets.token_bytes(_KEY_BYTES), repr=False)

    def refusal(self, request: PageRequest) -> Problem | None:
        """Refuse pages of another origin; a link of theirs may lead to a page."""
        return refuse_page(self.settings, request.environ)

    def is_known(self, request: PageRequest) -> bool:
        """Whether who asks has shown the control token, now or before; or none is needed."""
        if has_token(self.settings, request.environ):
            return True
        return is_same(self._session(request), self._derive("session"))

    def accepts_token(self, given: str) -> bool:
        """Whether a text that was typed in is the control token."""
        return is_same(given, self.settings.token or "")

    def session_cookie(self, scheme: str) -> str:
        """The header by which a browser remembers that its user has shown the control token."""
        secure = "; Secure" if scheme == "https" else ""
        return f"{self._cookie}={self._derive('session')}; Path={ROOT}; HttpOnly; SameSite=Strict{secure}"

    def form_token(self, request: PageRequest) -> str:
        """What a form has to bring along to be acted on."""
        return self._derive("form", self._session(request))

    def accepts_form(self, request: PageRequest) -> bool:
        """Whether a form comes from an own page."""
        return is_same(request.form.get(FORM_FIELD, ""), self.form_token(request))

    @property
    def _cookie(self) -> str:
        # Of this process alone: browsers send the cookies of a host to all of its ports, where another fake may be.
        return f"paylera_mock_{self._derive('cookie')[:8]}"

    def _session(self, request: PageRequest) -> str:
        return request.cookies.get(self._cookie, "")

    def _derive(self, *purpose: str) -> str:
        return hmac.new(self._key, "\0".join(purpose).encode("utf-8", "replace"), sha256).hexdigest()
