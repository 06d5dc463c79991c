"""Which dated version a request is processed against, as its echo shows (guide, Versioning; Versioning page)."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from paylera_conformance.model.messages import Exchange, Request
from paylera_conformance.model.outcomes import Blocked, NotOffered
from paylera_conformance.model.tokens import Credential
from paylera_conformance.probe import refusals
from paylera_conformance.probe.marks import covers, each_operation
from paylera_conformance.probe.probe import Probe
from paylera_conformance.scenarios import versions
from paylera_conformance.scenarios.changes import ABSENT_ID
from paylera_conformance.scenarios.effects import expect_refused_and_not_created
from paylera_conformance.scenarios.error_cases import ErrorCase, each_error_case
from paylera_conformance.scenarios.token_lifecycle import rotate_repeatedly
from paylera_conformance.scenarios.versions import current_version, expect_version, newer_version, older_version
from paylera_conformance.target.settings import Mode
from paylera_fixtures.api.operations import BY_ID, Operation
from paylera_fixtures.vocabulary import RELEASES, Header

CHOICES = {"older": older_version, "current": current_version, "newer-than-the-token": newer_version}


@covers("version.pinned")
@pytest.mark.parametrize("choose", CHOICES.values(), ids=CHOICES)
def test_the_header_picks_the_version(probe: Probe, choose: Callable[[Probe], str]) -> None:
    """Code goes on working against the version that it was written for."""
    version = choose(probe)
    request = versions.unpinned_request(probe)
    change = f"Paylera-Version: {version}"
    answer = probe.baseline(request).accepts(request.with_version(version), change=change)
    echo = versions.echo_of(answer)
    probe.expect(
        answer,
        f"an answer by version {version}",
        holds=echo == version,
        got=f"one by {echo}",
        change=change,
        hint="the header of a request goes before the default of its token",
    )


@covers("version.default")
def test_without_the_header_the_token_decides(probe: Probe) -> None:
    """A client that pins nothing keeps the version of the day its token was made."""
    token = probe.tokens.service
    default = versions.require_default_version(token)
    hint = "the default is noted with the token when it is made"
    expect_version(probe, token, default, since="the default of the token", hint=hint)


@covers("version.default")
def test_a_pin_moves_no_default(probe: Probe) -> None:
    """A pin is for one request: what a token is processed against without one does not follow it."""
    token = probe.tokens.service
    default = versions.require_default_version(token)
    probe.require_accepted(versions.unpinned_request(probe, token).with_version(older_version(probe)))
    hint = "a header of one request says nothing of the next"
    expect_version(probe, token, default, since="the default of the token", hint=hint)


TokenMaker = Callable[[], Credential]
MAKERS: dict[str, Callable[[Probe], TokenMaker]] = {
    "admin-api": versions.make_admin_api_issuer,
    "provisioner": versions.make_provisioner_issuer,
}

MAKERS_AND_PINS = {**MAKERS, "admin-api-by-an-older-version": versions.make_older_admin_api_issuer}

each_maker = pytest.mark.parametrize("choose_maker", MAKERS.values(), ids=MAKERS)
each_maker_and_pin = pytest.mark.parametrize("choose_maker", MAKERS_AND_PINS.values(), ids=MAKERS_AND_PINS)


@covers("version.new-token-current", mode=Mode.SANDBOX, each_operation=True)
@each_maker_and_pin
def test_a_new_token_gets_the_current_default(probe: Probe, choose_maker: Callable[[Probe], TokenMaker]) -> None:
    """Whoever begins today begins with today's version."""
    make = choose_maker(probe)
    expect_current_default(probe, make(), current_version(probe))


@covers("version.survives-release", mode=Mode.SANDBOX)
def test_a_release_moves_no_token_that_exists(probe: Probe) -> None:
    """Nobody's integration breaks on the day of a release."""
    token, before = versions.token_from_before_release(probe)
    hint = "the default is the token's, noted when it was made; it is not the default of today"
    expect_version(probe, token, before, since="as before the last release", hint=hint)


@covers("version.survives-release", mode=Mode.SANDBOX, each_operation=True)
@each_maker
def test_a_token_made_after_a_release_gets_it(probe: Probe, choose_maker: Callable[[Probe], TokenMaker]) -> None:
    """The new default is for tokens that come after it, even where an older token makes them."""
    make = choose_maker(probe)
    released = versions.latest_release(probe)
    expect_current_default(probe, make(), released)


def expect_current_default(probe: Probe, token: Credential, current: str) -> None:
    """A token that was made now has the current default. Raises `Violation`."""
    hint = "a token takes the default of the moment it is made, not that of who makes it"
    expect_version(probe, token, current, since="the current default", hint=hint)


@covers("version.rotation-keeps", mode=Mode.FULL)
@pytest.mark.parametrize("count", [1, 2], ids=["once", "twice"])
def test_a_rotated_token_keeps_its_version(probe: Probe, count: int) -> None:
    """A new secret is no new integration: rotating on a schedule must not change what is answered."""
    token, before = versions.outdated_token(probe)
    expect_version(
        probe,
        rotate_repeatedly(probe, token, count)[-1].new,
        before,
        since="as before the rotation",
        change="the new secret of a rotated token",
        hint="a rotation replaces the secret and nothing else",
    )


@covers("version.echo", each_operation=True)
@each_operation(
    lambda operation: operation.id in {"list_customers", "get_customer", "create_customer", "delete_customer"}
)
def test_every_success_says_its_version(probe: Probe, operation: Operation) -> None:
    """A client sees in each answer what it was answered by, in one without body too."""
    expect_supported_echo(probe, probe.require_proven(probe.factory.request_for(operation)))


@covers("version.echo")
@each_error_case()
def test_every_refusal_says_its_version(probe: Probe, error: ErrorCase) -> None:
    """Errors are read by code too, and differ from version to version."""
    expect_supported_echo(probe, error.provoke(probe))


@covers("version.echo")
def test_the_refusal_of_a_version_says_its_version(probe: Probe) -> None:
    """Where the version asked for is none, the answer still is of some version."""
    request = versions.unpinned_request(probe)
    changed, change = request.with_version(versions.NEVER_RELEASED), f"Paylera-Version: {versions.NEVER_RELEASED}"
    expect_supported_echo(probe, probe.baseline(request).require_refused(changed, change=change, see="version.unknown"))


def expect_supported_echo(probe: Probe, exchange: Exchange) -> None:
    """An answer names a supported version. Raises `Violation`."""
    expect_echo(
        probe,
        exchange,
        "Paylera-Version with a supported version",
        holds=versions.is_supported(probe, exchange.response.header(Header.VERSION)),
        hint="set the header where every answer goes out, errors and empty answers included",
    )


def expect_echo(probe: Probe, exchange: Exchange, wanted: str, *, holds: bool, hint: str) -> None:
    """What an answer's `Paylera-Version` says is what is wanted. Raises `Violation`."""
    echo = exchange.response.header(Header.VERSION)
    got = "no such header" if echo is None else f"Paylera-Version: {echo}"
    probe.expect(exchange, wanted, holds=holds, got=got, hint=hint)


@covers("version.echo")
def test_an_error_says_the_version_it_was_asked_by(probe: Probe) -> None:
    """An error is processed against the version asked for, as a success is."""
    older = older_version(probe)
    refused = require_not_found(probe, older)
    same = refused.response.header(Header.VERSION) == older
    hint = "successes name the version asked for, and errors must too"
    expect_echo(probe, refused, f"Paylera-Version: {older}", holds=same, hint=hint)


def require_processed_by(probe: Probe, version: str, request: Request) -> Exchange:
    """An accepted request by a version. Raises `Blocked` where it was answered by another."""
    exchange = probe.require_proven(request.with_version(version))
    if exchange.response.header(Header.VERSION) not in {version, None}:
        raise Blocked(f"a request by version {version} was answered by another (see version.pinned)", exchange=exchange)
    return exchange


def require_not_found(probe: Probe, version: str) -> Exchange:
    """The refusal of an id that no object has, by a version that successes are answered by."""
    require_processed_by(probe, version, versions.unpinned_request(probe))
    baseline = probe.baseline(probe.factory.request_for(BY_ID["get_customer"]).with_version(version))
    changed = ABSENT_ID.apply(probe, baseline.request)
    return baseline.require_refused(changed, change=ABSENT_ID.words, see=ABSENT_ID.clause)


@covers("version.old-announced")
def test_an_older_version_is_announced_to_end(probe: Probe) -> None:
    """Who pins an old version learns from every answer that it ends, and when."""
    older = older_version(probe)
    expect_announced(probe, require_processed_by(probe, older, versions.unpinned_request(probe)), older)


@covers("version.old-announced")
def test_an_error_of_an_older_version_announces_it(probe: Probe) -> None:
    """A client that sees nothing but errors learns it as well."""
    older = older_version(probe)
    expect_announced(probe, require_not_found(probe, older), older)


def expect_announced(probe: Probe, exchange: Exchange, older: str) -> None:
    """An answer by an older version says since when it is deprecated, and when it ends. Raises `Violation`."""
    if versions.echo_of(exchange) != older:
        raise Blocked(f"this answer is not one by version {older} (see version.echo)", exchange=exchange)
    deprecation, sunset = exchange.response.header(Header.DEPRECATION), exchange.response.header(Header.SUNSET)
    hint = "RFC 9745: `Deprecation: @` and the second since when it is deprecated"
    probe.expect(exchange, "a Deprecation header", holds=bool(deprecation), got="none", hint=hint)
    probe.expect(
        exchange,
        "a Sunset header with a date",
        holds=versions.is_http_date(sunset),
        got="none" if sunset is None else f"Sunset: {sunset}",
        hint="RFC 8594: the date is written as in `Date`",
    )


STRANGE: dict[str, Callable[[Probe, str], str]] = {
    "never-released": lambda _, __: versions.NEVER_RELEASED,
    "not-yet-released": lambda _, __: "2999-12-31",
    "the-day-before": versions.day_before,
    "no-date": lambda _, __: "latest",
    "thirteenth-month": lambda _, __: "2026-13-01",
    "without-day": lambda _, current: current[:7],
    "longer": lambda _, current: f"{current}1",
    "with-time": lambda _, current: f"{current}T00:00:00Z",
    "slashes": lambda _, current: current.replace("-", "/"),
    "in-quotes": lambda _, current: f'"{current}"',
    "list-that-begins-with-one": lambda _, current: f"{current}, {versions.NEVER_RELEASED}",
}
"""Versions that are none, some of them made from the current one."""


@covers("version.unknown")
@pytest.mark.parametrize("make", STRANGE.values(), ids=STRANGE)
def test_a_version_that_is_none_is_refused(probe: Probe, make: Callable[[Probe, str], str]) -> None:
    """Who pins a version and is served by another finds out in production."""
    baseline = probe.baseline(versions.unpinned_request(probe))
    version = make(probe, probe.provisioner.versions().current or RELEASES[-1])
    baseline.refuses(
        baseline.request.with_version(version),
        refusals.MALFORMED_INPUT,
        change=f"Paylera-Version: {version}",
        hint="compare the header with the versions that there are, as a whole",
    )


@covers("version.unknown")
def test_a_write_by_a_version_that_is_none_is_not_done(probe: Probe) -> None:
    """What is made by another version than was asked for cannot be unmade."""
    accepted, other = make_creations(probe)
    expect_refused_and_not_created(
        probe,
        other.with_version(versions.NEVER_RELEASED),
        refusals.MALFORMED_INPUT,
        accepted=accepted,
        change=f"Paylera-Version: {versions.NEVER_RELEASED}",
        hint="the version is looked at before anything is done, whatever the method",
    )


def make_creations(probe: Probe) -> tuple[Request, Request]:
    """Two requests that each make a customer. Drops the case where nothing may be made."""
    if probe.settings.mode is Mode.OBSERVE:
        raise NotOffered("nothing may be made in mode observe")
    create = BY_ID["create_customer"]
    return probe.factory.request_for(create), probe.factory.request_for(create)
