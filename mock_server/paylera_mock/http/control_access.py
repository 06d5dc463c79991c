"""Who may use the control API. It can mint tokens, so no web page and nobody without its token may reach it."""

from __future__ import annotations

import hmac
from dataclasses import dataclass

from werkzeug.datastructures import Headers

from paylera_fixtures.hosts import hostname, is_loopback
from paylera_mock.core import problems
from paylera_mock.core.problems import Problem


@dataclass(frozen=True)
class ControlSettings:
    """How the control API is guarded.

    - `token`: what callers must send as `Authorization: Bearer …`; `None`: nothing;
    - `hosts`: names, besides loopback ones, under which it may be called;
    - `any_host`: under every name, for a fake that listens beyond loopback behind a token;
    - `enabled`: whether there is one at all;
    - `dashboard`: whether there are pages by which people use it.
    """

    token: str | None = None
    hosts: frozenset[str] = frozenset()
    any_host: bool = False
    enabled: bool = True
    dashboard: bool = True


def refusal(settings: ControlSettings, headers: Headers, scheme: str) -> Problem | None:
    """Refuse pages of another origin, hosts that are not this one's (DNS rebinding), and callers without the token."""
    refused = refuse_origin(settings, headers, scheme)
    if refused is None and not has_token(settings, headers):
        return problems.control_token_required()
    return refused


def refuse_origin(
    settings: ControlSettings, headers: Headers, scheme: str, *, allow_link: bool = False
) -> Problem | None:
    """Refuse hosts that are not this one's (DNS rebinding), and pages of another origin.

    `allow_link`: a page of another origin may lead its reader here, who then sees a whole page.
    """
    if not settings.enabled:
        return problems.route_not_found()
    host = headers.get("Host", "")
    name = hostname(host)
    if not settings.any_host and not is_loopback(name) and name not in settings.hosts:
        return problems.forbidden_caller("The control API answers under a loopback name only, as 127.0.0.1 is.")
    # Browsers say so themselves: by `Sec-Fetch-Site`, and by `Origin` on every POST.
    is_cross_site = headers.get("Sec-Fetch-Site", "") in {"cross-site", "same-site"}
    if is_cross_site and allow_link:
        is_cross_site = (headers.get("Sec-Fetch-Mode"), headers.get("Sec-Fetch-Dest")) != ("navigate", "document")
    if is_cross_site or headers.get("Origin") not in {None, f"{scheme}://{host}"}:
        return problems.forbidden_caller("The control API does not answer to web pages of another origin.")
    return None


def has_token(settings: ControlSettings, headers: Headers) -> bool:
    """Whether a caller sends the control token, or none is needed."""
    if settings.token is None:
        return True
    scheme, _, given = headers.get("Authorization", "").partition(" ")
    return scheme.lower() == "bearer" and is_token(settings, given.strip())


def is_token(settings: ControlSettings, given: str) -> bool:
    """Whether a text is the control token."""
    token = settings.token or ""
    return hmac.compare_digest(given.encode("utf-8", "replace"), token.encode("utf-8", "replace"))
