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
    - `enabled`: whether there is one at all.
    """

    token: str | None = None
    hosts: frozenset[str] = frozenset()
    any_host: bool = False
    enabled: bool = True


def refusal(settings: ControlSettings, headers: Headers, scheme: str) -> Problem | None:
    """Refuse pages of another origin, hosts that are not this one's (DNS rebinding), and callers without the token."""
    if not settings.enabled:
        return problems.route_not_found()
    host = headers.get("Host", "")
    name = hostname(host)
    if not settings.any_host and not is_loopback(name) and name not in settings.hosts:
        return problems.forbidden_caller("The control API answers under a loopback name only, as 127.0.0.1 is.")
    # Browsers say so themselves: by `Sec-Fetch-Site`, and by `Origin` on every POST.
    is_cross_site = headers.get("Sec-Fetch-Site", "") in {"cross-site", "same-site"}
    if is_cross_site or headers.get("Origin") not in {None, f"{scheme}://{host}"}:
        return problems.forbidden_caller("The control API does not answer to web pages of another origin.")
    if settings.token is None:
        return None
    scheme, _, given = headers.get("Authorization", "").partition(" ")
    same = hmac.compare_digest(given.strip().encode("utf-8", "replace"), settings.token.encode("utf-8", "replace"))
    return None if same and scheme.lower() == "bearer" else problems.control_token_required()
