"""Who may use the control API. It can mint tokens, so no web page and no stranger may reach it."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from paylera_fixtures.hosts import hostname, is_loopback
from paylera_mock.core import problems
from paylera_mock.core.problems import Problem

_FROM_ELSEWHERE: Final = frozenset({"cross-site", "same-site"})


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


def refusal(settings: ControlSettings, headers: Mapping[str, str], scheme: str) -> Problem | None:
    """Refuse pages of another origin, hosts that are not this one's (DNS rebinding), and callers without the token.

    `headers` by their names in lower case.
    """
    if not settings.enabled:
        return problems.route_not_found()
    host = headers.get("host", "")
    if not settings.any_host and not _is_own(hostname(host), settings.hosts):
        return problems.forbidden_caller("The control API answers under a loopback name only, as 127.0.0.1 is.")
    if _is_of_another_page(headers, f"{scheme}://{host}"):
        return problems.forbidden_caller("The control API does not answer to web pages of another origin.")
    if settings.token is not None and not _has_token(headers.get("authorization", ""), settings.token):
        return problems.control_token_required()
    return None


def _is_own(name: str, hosts: frozenset[str]) -> bool:
    return is_loopback(name) or name in hosts


def _is_of_another_page(headers: Mapping[str, str], own: str) -> bool:
    """Browsers say so themselves: by `Sec-Fetch-Site`, and by `Origin` on every POST."""
    origin = headers.get("origin")
    return headers.get("sec-fetch-site", "") in _FROM_ELSEWHERE or (origin is not None and origin != own)


def _has_token(authorization: str, token: str) -> bool:
    scheme, _, given = authorization.partition(" ")
    same = hmac.compare_digest(given.strip().encode("utf-8", "replace"), token.encode("utf-8", "replace"))
    return scheme.lower() == "bearer" and same
