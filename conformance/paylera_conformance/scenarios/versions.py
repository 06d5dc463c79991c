"""Dated versions: which there are, which one an answer is of, and tokens made before and after a release."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, timedelta
from typing import Final

from paylera_conformance.model.messages import Exchange, Request
from paylera_conformance.model.outcomes import Blocked, NotOffered, Unobservable
from paylera_conformance.model.tokens import Credential, TokenState
from paylera_conformance.probe.answers import require_secret
from paylera_conformance.probe.probe import Probe
from paylera_conformance.scenarios.further_cases import drop_where_blocked
from paylera_conformance.scenarios.token_lifecycle import disposable_token
from paylera_conformance.target.provisioner import Need
from paylera_conformance.target.settings import Mode
from paylera_fixtures.api.operations import BY_ID
from paylera_fixtures.http_dates import read_http_date
from paylera_fixtures.redaction import Secret
from paylera_fixtures.vocabulary import Header

_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
NEVER_RELEASED: Final = "1999-12-31"
"""A version of the right form that there never was."""

_READ: Final = "customers:read"
_NO_PIN: Final = f"no {Header.VERSION} header"


def unpinned_request(probe: Probe, token: Credential | None = None) -> Request:
    """A request that names no version; its answer shows the one that it was processed against."""
    return probe.factory.request_for(BY_ID["list_customers"], token)


# Versions that there are


def current_version(probe: Probe) -> str:
    """The current default. Raises `Blocked` where it is not known."""
    current = probe.provisioner.versions().current
    if current is None:
        raise Blocked("the target's current version is not known: set [versions] current")
    return current


def older_version(probe: Probe) -> str:
    """The newest supported version before the current one; where there is one version only, another is released.

    Raises `Blocked` where none is known, nor to be had.
    """
    current = current_version(probe)
    older = [version for version in probe.provisioner.versions().supported if version < current]
    if older:
        return max(older)
    try:
        release_version(probe)
    except Blocked:
        raise Blocked("no supported version before the current one is known: list it in [versions] supported") from None
    return current


def newer_version(probe: Probe) -> str:
    """A version that became the default after the token was made. Drops the case where none can be released.

    Raises `NotOffered` there.
    """
    if probe.settings.mode is Mode.OBSERVE:
        raise NotOffered("a release is no read")
    version_of(probe, probe.tokens.service)
    try:
        return release_version(probe)
    except Blocked as missing:
        raise NotOffered(missing.reason) from None


def day_before(probe: Probe, version: str) -> str:
    """The last date before a version that is no supported version itself."""
    day = date.fromisoformat(version) - timedelta(days=1)
    while day.isoformat() in probe.provisioner.versions().supported:
        day -= timedelta(days=1)
    return day.isoformat()


def release_version(probe: Probe) -> str:
    """Make a version the default that is newer than all. Raises `Blocked` where that cannot be done."""
    newest = max((*probe.provisioner.versions().supported, current_version(probe)))
    released = f"{int(newest[:4]) + 1}-01-01"
    if probe.provisioner.release(released).current != released:
        raise Blocked(f"the control API released {released}, and its current version is another")
    return released


def latest_release(probe: Probe) -> str:
    """Release a version, or name the last one that was released. Raises `Blocked` where none ever was."""
    try:
        return release_version(probe)
    except Blocked:
        older_version(probe)
        return current_version(probe)


# The version of an answer


def echo_of(exchange: Exchange) -> str:
    """The version that an answer was processed against. Raises `Unobservable` where it does not say so."""
    echo = exchange.response.header(Header.VERSION)
    if echo is None:
        raise Unobservable("the answer has no Paylera-Version header, and nothing else shows the version")
    return echo


def version_of(probe: Probe, token: Credential) -> str:
    """The version that a token's requests are processed against where they name none."""
    return echo_of(probe.require_proven(unpinned_request(probe, token)))


def expect_version(
    probe: Probe, token: Credential, expected: str, *, since: str, hint: str, change: str = _NO_PIN
) -> None:
    """The clause is that a token's requests are processed against a version where they name none.

    - `since`: why it is this version, in words.

    Raises `Violation`.
    """
    version = version_of(probe, token)
    probe.expect(
        probe.log[-1],
        f"an answer by version {expected}, {since}",
        holds=version == expected,
        got=f"one by {version}",
        change=change,
        hint=hint,
    )


def is_supported(probe: Probe, version: str | None) -> bool:
    """Whether a version is one of the target's; where those are not known, whether it reads like one."""
    supported = probe.provisioner.versions().supported
    return version in supported if supported else _DATE.fullmatch(version or "") is not None


def is_http_date(value: str | None) -> bool:
    """Whether a header's value is a date as HTTP writes it (RFC 9110, section 5.6.7)."""
    try:
        read_http_date(value)
    except ValueError:
        return False
    return True


# Tokens made before and after a release


def require_default_version(token: Credential) -> str:
    """The version that a listed token is said to have. Raises `Blocked` where nobody says."""
    if token.default_version is None:
        raise Blocked(f"the default version of {token} is not known: set default_version in its table")
    return token.default_version


def token_from_before_release(probe: Probe) -> tuple[Credential, str]:
    """A token that is older than the last release, and its version before that.

    A release is made for it; where that cannot be, a listed token says which version was current when it was made.
    Raises `Blocked` where there is neither.
    """
    token = probe.tokens.service
    before = version_of(probe, token)
    try:
        release_version(probe)
    except Blocked as none_made:
        current = current_version(probe)
        for listed in probe.settings.tokens:
            version = listed.default_version
            if version and version < current and listed.state is TokenState.ACTIVE and listed.grants(_READ):
                return listed, version
        raise Blocked(f"{none_made.reason}; or list a token that is older, with its default_version") from None
    return token, before


def outdated_token(probe: Probe) -> tuple[Credential, str]:
    """A token that may be rotated and is older than the current version, and its own; after a release if need be.

    Raises `Blocked` where there is none.
    """
    need = Need("older", disposable=True, at_least=True, older_than=current_version(probe))
    try:
        token = probe.register_secret(probe.provisioner.token(need))
    except Blocked:
        token = disposable_token(probe)
    try:
        return token, require_outdated_version(probe, token)
    except Blocked as missing:
        raise Blocked(f"{missing.reason}; or list {need.describe()}") from None


def require_outdated_version(probe: Probe, token: Credential) -> str:
    """The version of a token that is not the current one, after a release if need be. Raises `Blocked`."""
    if version_of(probe, token) == current_version(probe):
        release_version(probe)
    version = version_of(probe, token)
    if version == current_version(probe):
        raise Blocked(
            f"{token} went with the release (see version.survives-release): that it kept nothing would not show"
        )
    return version


def make_admin_api_issuer(probe: Probe) -> Callable[[], Credential]:
    """What makes tokens through the target's own Admin API; the operator's token is there before any is made.

    What is given raises `Inapplicable` where the target makes none.
    """
    return _issuer(probe, probe.factory.request_for(BY_ID["create_api_token"]))


def make_older_admin_api_issuer(probe: Probe) -> Callable[[], Credential]:
    """The same by requests that pin an older version. Drops the case where there is none.

    Raises `NotOffered` there.
    """
    with drop_where_blocked():
        older = older_version(probe)
    return _issuer(probe, probe.factory.request_for(BY_ID["create_api_token"]).with_version(older))


def _issuer(probe: Probe, request: Request) -> Callable[[], Credential]:

    def make() -> Credential:
        secret = require_secret(probe.require_accepted(request), see="token.format")
        token = Credential(Secret(secret, "new"), scopes=(_READ,), environment=probe.settings.environment)
        return probe.register_secret(token)

    return make


def make_provisioner_issuer(probe: Probe) -> Callable[[], Credential]:
    """What makes tokens on the suite's side of the target. Drops the case where they are not made but listed.

    Raises `NotOffered` there.
    """
    need = Need("new", scopes=(_READ,))
    if probe.settings.driver == "static":
        raise NotOffered("this driver makes no tokens: it hands out those listed")
    before = probe.provisioner.token(need)

    def make() -> Credential:
        token = probe.provisioner.token(need)
        if token == before:
            raise NotOffered("no token is made here: the same one was handed out twice")
        return token

    return make
