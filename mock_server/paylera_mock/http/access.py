"""Who is answered: who calls the fake by a name of its own, and for some things no web page."""

from __future__ import annotations

import hmac
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from paylera_mock.core import problems
from paylera_mock.core.messages import READY_HEADER
from paylera_mock.core.problems import Problem
from paylera_mock.http.hosts import OwnHosts

if TYPE_CHECKING:  # the stubs of the type checker alone have it
    from _typeshed.wsgi import WSGIEnvironment

_READY_KEY: Final = f"HTTP_{READY_HEADER.upper().replace('-', '_')}"
_ENDPOINTS: Final = "/v1/admin/webhook-endpoints"


@dataclass(frozen=True)
class ControlSettings:
    """How the control API is guarded.

    - `token`: what callers must send as `Authorization: Bearer …`; `None`: nothing;
    - `enabled`: whether there is one at all;
    - `dashboard`: whether there are pages by which people use it.
    """

    token: str | None = field(default=None, repr=False)
    enabled: bool = True
    dashboard: bool = True


@dataclass(frozen=True)
class Access:
    """Who is answered.

    - `hosts`: the names under which the fake is called;
    - `control`: how the control API is guarded;
    - `ready_secret`: what the fake sends itself in `READY_HEADER`, `None` where it does not ask.
    """

    hosts: OwnHosts = field(default_factory=OwnHosts)
    control: ControlSettings = field(default_factory=ControlSettings)
    ready_secret: str | None = field(default=None, repr=False)

    def refuse_host(self, environ: WSGIEnvironment) -> Problem | None:
        """Refuse a request that is for another host, as a page sends it that has rebound the name of its own."""
        return None if self.hosts.has(environ.get("HTTP_HOST", "")) else problems.misdirected()

    def is_own(self, environ: WSGIEnvironment) -> bool:
        """Whether the fake itself asks."""
        given = environ.get(_READY_KEY)
        return given is not None and self.ready_secret is not None and is_same(given, self.ready_secret)


def refuse_call(settings: ControlSettings, environ: WSGIEnvironment) -> Problem | None:
    """Refuse a call of the control API by a page of another origin, or without the token. It can mint tokens."""
    if not settings.enabled:
        return problems.route_not_found()
    if _is_foreign_page(environ):
        return problems.forbidden_caller("The control API does not answer to web pages of another origin.")
    return None if has_token(settings, environ) else problems.control_token_required()


def refuse_page(settings: ControlSettings, environ: WSGIEnvironment) -> Problem | None:
    """Refuse a request for a page of the dashboard by a page of another origin, which may only lead its reader here."""
    if not (settings.enabled and settings.dashboard):
        return problems.route_not_found()
    fetched = (environ.get("HTTP_SEC_FETCH_MODE"), environ.get("HTTP_SEC_FETCH_DEST"))
    is_link = environ["REQUEST_METHOD"] in {"GET", "HEAD"} and fetched == ("navigate", "document")
    if _is_foreign_page(environ) and not (is_link and "HTTP_ORIGIN" not in environ):
        return problems.forbidden_caller("The dashboard does not answer to web pages of another origin.")
    return None


def has_token(settings: ControlSettings, environ: WSGIEnvironment) -> bool:
    """Whether a caller sends the control token, or none is needed."""
    if settings.token is None:
        return True
    scheme, _, given = environ.get("HTTP_AUTHORIZATION", "").partition(" ")
    return scheme.lower() == "bearer" and is_same(given.strip(), settings.token)


def refuse_endpoint(path: str, environ: WSGIEnvironment) -> Problem | None:
    """Refuse that a page of another origin says where webhooks go: the fake would reach for it what it cannot."""
    if path.startswith(_ENDPOINTS) and environ["REQUEST_METHOD"] in {"POST", "PATCH"} and _is_foreign_page(environ):
        return problems.forbidden_caller("No web page of another origin may say where webhooks are sent.")
    return None


def is_same(given: str, secret: str) -> bool:
    """Whether what was given is a secret, in a time that does not tell how much of it is right."""
    return hmac.compare_digest(given.encode("utf-8", "replace"), secret.encode("utf-8", "replace"))


def _is_foreign_page(environ: WSGIEnvironment) -> bool:
    """Browsers say so themselves: by `Sec-Fetch-Site`, and by `Origin` on every POST."""
    own = f"{environ.get('wsgi.url_scheme')}://{environ.get('HTTP_HOST')}"
    is_cross_site = environ.get("HTTP_SEC_FETCH_SITE", "") in {"cross-site", "same-site"}
    return is_cross_site or environ.get("HTTP_ORIGIN") not in {None, own}
