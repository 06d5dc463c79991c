"""Which dated version a request is processed against. No more of a version is seen here than its echo."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from paylera_conformance.model.messages import Exchange, Request
from paylera_conformance.model.outcomes import Blocked, NotOffered
from paylera_conformance.model.tokens import Credential
from paylera_conformance.probe import refusals
from paylera_conformance.probe.marks import covers, each_operation
from paylera_conformance.probe.probe import Probe
from paylera_conformance.scenarios.error_cases import ErrorCase, each_kind, provoked
from paylera_conformance.scenarios.token_lifecycle import disposable, rotate
from paylera_conformance.scenarios.versions import (
    DOCUMENTED,
    by_provisioner,
    current_version,
    day_before,
    echo_of,
    is_http_date,
    is_supported,
    latest_release,
    listing,
    newer_version,
    older_version,
    release,
    through_api,
    token_from_before,
    version_of,
)
from paylera_conformance.target.settings import Mode
from paylera_fixtures.api.operations import BY_ID, Operation
from paylera_fixtures.vocabulary import Header

NO_PIN = "no Paylera-Version header"
LIST = BY_ID["list_customers"]


@covers("version.pinned")
@pytest.mark.parametrize(
    "choose", [older_version, current_version, newer_version], ids=["older", "current", "newer-than-the-token"]
)
def test_the_header_picks_the_version(probe: Probe, choose: Callable[[Probe], str]) -> None:
    """Code goes on working against the version that it was written for."""
    version = choose(probe)
    control = listing(probe)
    change = f"Paylera-Version: {version}"
    answer = probe.baseline(control).accepts(control.with_version(version), change=change)
    probe.expect(
        f"an answer by version {version}",
        holds=echo_of(answer) == version,
        got=f"one by {echo_of(answer)}",
        exchange=answer,
        change=change,
        hint="the header of a request goes before the default of its token",
    )


@covers("version.default")
def test_without_the_header_the_token_decides(probe: Probe) -> None:
    """A client that pins nothing keeps the version of the day its token was made."""
    token = probe.tokens.service
    expected = _default_of(token)
    version = version_of(probe, token)
    probe.expect(
        f"an answer by version {expected}, the default of the token",
        holds=version == expected,
        got=f"one by {version}",
        change=NO_PIN,
        hint="the default is noted with the token when it is made",
    )


def _default_of(token: Credential) -> str:
    if token.default_version is None:
        raise Blocked(f"the default version of {token} is not known: set default_version in its table")
    return token.default_version


Maker = Callable[[], Credential]
MAKERS: dict[str, Callable[[Probe], Maker]] = {"admin-api": through_api, "provisioner": by_provisioner}

each_maker = pytest.mark.parametrize("makes", MAKERS.values(), ids=MAKERS.keys())


@covers("version.new-token-current", mode=Mode.SANDBOX, each_operation=True)
@each_maker
def test_a_new_token_gets_the_current_default(probe: Probe, makes: Callable[[Probe], Maker]) -> None:
    """Whoever begins today begins with today's version."""
    make = makes(probe)
    _has_default(probe, make(), current_version(probe))


@covers("version.survives-release", mode=Mode.SANDBOX)
def test_a_release_moves_no_token_that_exists(probe: Probe) -> None:
    """Nobody's integration breaks on the day of a release."""
    token, before = token_from_before(probe)
    after = version_of(probe, token)
    probe.expect(
        f"an answer by version {before}, as before the last release",
        holds=after == before,
        got=f"one by {after}",
        change=NO_PIN,
        hint="the default is the token's, noted when it was made; it is not the default of today",
    )


@covers("version.survives-release", mode=Mode.SANDBOX, each_operation=True)
@each_maker
def test_a_token_made_after_a_release_gets_it(probe: Probe, makes: Callable[[Probe], Maker]) -> None:
    """The new default is for tokens that come after it, even where an older token makes them."""
    make = makes(probe)
    released = latest_release(probe)
    _has_default(probe, make(), released)


def _has_default(probe: Probe, token: Credential, expected: str) -> None:
    version = version_of(probe, token)
    probe.expect(
        f"an answer by version {expected}, the current default",
        holds=version == expected,
        got=f"one by {version}",
        change=NO_PIN,
        hint="a token takes the default of the moment it is made, not that of who makes it",
    )


@covers("version.rotation-keeps", mode=Mode.FULL)
def test_a_rotated_token_keeps_its_version(probe: Probe) -> None:
    """A new secret is no new integration: rotating on a schedule must not change what is answered."""
    token = disposable(probe)
    before = _outdated(probe, token)
    after = version_of(probe, rotate(probe, token).new)
    probe.expect(
        f"an answer by version {before}, as before the rotation",
        holds=after == before,
        got=f"one by {after}",
        change="the new secret of a rotated token",
        hint="a rotation replaces the secret and nothing else",
    )


def _outdated(probe: Probe, token: Credential) -> str:
    """The version of a token that is not the current one, after a release if need be. Raises `Blocked`."""
    if version_of(probe, token) == current_version(probe):
        release(probe)
    version = version_of(probe, token)
    if version == current_version(probe):
        raise Blocked(
            f"{token} went with the release (see version.survives-release): that it kept nothing would not show"
        )
    return version


SUCCESSES = {"list_customers", "get_customer", "create_customer", "delete_customer"}


@covers("version.echo", each_operation=True)
@each_operation(lambda operation: operation.id in SUCCESSES)
def test_every_success_says_its_version(probe: Probe, operation: Operation) -> None:
    """A client sees in each answer what it was answered by, in one without body too."""
    _says_its_version(probe, probe.require_proven(probe.factory.request_for(operation)))


@covers("version.echo")
@each_kind()
def test_every_refusal_says_its_version(probe: Probe, kind: ErrorCase) -> None:
    """Errors are read by code too, and differ from version to version."""
    _says_its_version(probe, provoked(probe, kind))


@covers("version.echo")
def test_the_refusal_of_a_version_says_its_version(probe: Probe) -> None:
    """Where the version asked for is none, the answer still is of some version."""
    control = listing(probe)
    refused = probe.baseline(control).require_refused(
        control.with_version("1999-12-31"), change="Paylera-Version: 1999-12-31", see="version.unknown"
    )
    _says_its_version(probe, refused)


def _says_its_version(probe: Probe, exchange: Exchange) -> None:
    echo = exchange.response.header(Header.VERSION)
    probe.expect(
        "Paylera-Version with a supported version",
        holds=is_supported(probe, echo),
        got="no such header" if echo is None else f"Paylera-Version: {echo}",
        exchange=exchange,
        hint="set the header where every answer goes out, errors and empty answers included",
    )


@covers("version.echo")
def test_an_error_says_the_version_it_was_asked_by(probe: Probe) -> None:
    """An error is processed against the version asked for, as a success is."""
    older = older_version(probe)
    refused = _not_found(probe, older)
    echo = refused.response.header(Header.VERSION)
    probe.expect(
        f"Paylera-Version: {older}",
        holds=echo == older,
        exchange=refused,
        got="no such header" if echo is None else f"Paylera-Version: {echo}",
        hint="successes name the version asked for, and errors must too",
    )


def _on(probe: Probe, version: str, request: Request) -> Exchange:
    """An accepted request by a version. Raises `Blocked` where it was answered by another."""
    exchange = probe.require_proven(request.with_version(version))
    if exchange.response.header(Header.VERSION) not in {version, None}:
        raise Blocked(f"a request by version {version} was answered by another (see version.pinned)", exchange=exchange)
    return exchange


def _not_found(probe: Probe, version: str) -> Exchange:
    """The refusal of an id that no object has, by a version that successes are answered by."""
    _on(probe, version, listing(probe))
    control = probe.factory.request_for(BY_ID["get_customer"]).with_version(version)
    absent = control.at(BY_ID["get_customer"].concrete(f"cus_{probe.factory.unique_name()}"))
    return probe.baseline(control).require_refused(absent, change="the id of no object", see="token.one-tenant")


@covers("version.old-announced")
def test_an_older_version_is_announced_to_end(probe: Probe) -> None:
    """Who pins an old version learns from every answer that it ends, and when."""
    older = older_version(probe)
    _is_announced(probe, _on(probe, older, listing(probe)), older)


@covers("version.old-announced")
def test_an_error_of_an_older_version_announces_it(probe: Probe) -> None:
    """A client that sees nothing but errors learns it as well."""
    older = older_version(probe)
    _is_announced(probe, _not_found(probe, older), older)


def _is_announced(probe: Probe, exchange: Exchange, older: str) -> None:
    if echo_of(exchange) != older:
        raise Blocked(f"this answer is not one by version {older} (see version.echo)", exchange=exchange)
    deprecation, sunset = exchange.response.header(Header.DEPRECATION), exchange.response.header(Header.SUNSET)
    probe.expect(
        "a Deprecation header",
        holds=bool(deprecation),
        got="none",
        exchange=exchange,
        hint="RFC 9745: `Deprecation: @` and the second since when it is deprecated",
    )
    probe.expect(
        "a Sunset header with a date",
        holds=is_http_date(sunset),
        exchange=exchange,
        got="none" if sunset is None else f"Sunset: {sunset}",
        hint="RFC 8594: the date is written as in `Date`",
    )


STRANGE: dict[str, Callable[[Probe, str], str]] = {
    "never-released": lambda _, __: "1999-12-31",
    "not-yet-released": lambda _, __: "2999-12-31",
    "the-day-before": day_before,
    "no-date": lambda _, __: "latest",
    "thirteenth-month": lambda _, __: "2026-13-01",
    "without-day": lambda _, current: current[:7],
    "longer": lambda _, current: f"{current}1",
    "with-time": lambda _, current: f"{current}T00:00:00Z",
    "slashes": lambda _, current: current.replace("-", "/"),
}
"""Versions that are none, some of them made from the current one."""


@covers("version.unknown")
@pytest.mark.parametrize("strange", STRANGE.values(), ids=STRANGE.keys())
def test_a_version_that_is_none_is_refused(probe: Probe, strange: Callable[[Probe, str], str]) -> None:
    """Who pins a version and is served by another finds out in production."""
    control = listing(probe)
    version = strange(probe, probe.provisioner.versions().current or DOCUMENTED)
    probe.baseline(control).refuses(
        control.with_version(version),
        refusals.MALFORMED_INPUT,
        change=f"Paylera-Version: {version}",
        hint="compare the header with the versions that there are, as a whole",
    )


@covers("version.unknown")
def test_a_write_by_a_version_that_is_none_is_not_done(probe: Probe) -> None:
    """What is made by another version than was asked for cannot be unmade."""
    refused, made = creations(probe)
    change = "Paylera-Version: 1999-12-31"
    probe.baseline(made).refuses(
        refused.with_version("1999-12-31"),
        refusals.MALFORMED_INPUT,
        change=change,
        hint="the version is looked at before anything is done, whatever the method",
    )
    probe.require_listed(LIST, made.json["email"])
    probe.expect_not_listed(LIST, refused.json["email"], change=change)


def creations(probe: Probe) -> tuple[Request, Request]:
    """Two requests that each make a customer. Drops the case where nothing may be made."""
    if probe.settings.mode is Mode.OBSERVE:
        raise NotOffered("nothing may be made in mode observe")
    create = BY_ID["create_customer"]
    return probe.factory.request_for(create), probe.factory.request_for(create)
