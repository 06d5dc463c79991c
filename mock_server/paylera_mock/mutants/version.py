"""Mutants of API versions: which one a request is processed by, what is said of it, and which are refused."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from http import HTTPStatus
from typing import Final

from paylera_fixtures.vocabulary import Header, Problems
from paylera_mock.core.messages import Decision, Reply
from paylera_mock.core.problems import Problem
from paylera_mock.mutants.api_tokens import leave_rotated
from paylera_mock.mutants.builders import (
    Mutation,
    change_decision,
    change_headers,
    decide_late,
    is_write,
    per_namespace,
    relent,
    set_policy,
    without_rule,
)
from paylera_mock.mutants.model import Mutant
from paylera_mock.pipeline import decisions, responses, rules
from paylera_mock.pipeline.context import Context, Headers
from paylera_mock.state.versions import is_dated


def _default_to(version: Callable[[Context], str]) -> Mutation:
    return change_decision(
        decisions.settle_version, lambda right, context: right if context.request.version else version(context)
    )


def _oldest(context: Context) -> str:
    return context.state.versions.supported[0]


def _is_error(decided: Decision) -> bool:
    return isinstance(decided, Problem)


def _is_unknown_version(decided: Decision) -> bool:
    return isinstance(decided, Problem) and decided.type is Problems.VERSION_UNSUPPORTED


def _drop(*names: str, when: Callable[[Decision], bool] = lambda _: True) -> Mutation:

    def change(headers: Headers, _context: Context, decided: Decision) -> Headers:
        return tuple(line for line in headers if line[0] not in names) if when(decided) else headers

    return change_headers(responses.VERSION_ECHO, change)


def _write(name: str, value: Callable[[Context], str | None], when: Callable[[Decision], bool]) -> Mutation:
    """One of the headers about the version says something else, and nothing else is changed."""

    def change(headers: Headers, context: Context, decided: Decision) -> Headers:
        said = value(context) if when(decided) else None
        return headers if said is None else tuple((each, said if each == name else old) for each, old in headers)

    return change_headers(responses.VERSION_ECHO, change)


def _serve(which: Callable[[str, tuple[str, ...]], bool]) -> Mutation:
    """Some versions that are none are served: `which` gets the version that is asked for and those that there are."""
    return without_rule(
        rules.VERSION_SUPPORTED, lambda context: which(context.request.version or "", context.state.versions.supported)
    )


def _remember_pins() -> Mutation:
    """What a request names is kept with its token."""
    pins: dict[str, str] = {}

    def settle(right: str, context: Context) -> str:
        if context.token is None:
            return right
        if context.request.version is not None:
            pins[context.token.id] = right
        return pins.get(context.token.id, right)

    return change_decision(decisions.settle_version, settle)


_breaks_pinned: Final = partial(Mutant, breaks=("version.pinned",))
_breaks_survives_release: Final = partial(
    Mutant, breaks=("version.survives-release",), may_break=("version.default", "version.rotation-keeps")
)
_breaks_echo: Final = partial(Mutant, breaks=("version.echo",))
_breaks_old_announced: Final = partial(Mutant, breaks=("version.old-announced",))
_breaks_unknown: Final = partial(Mutant, breaks=("version.unknown",))

MUTANTS: Final[Mapping[str, Mutant]] = {
    "pin-ignored": _breaks_pinned(
        "A request is processed by the default whatever it pins.",
        change_decision(
            decisions.settle_version, lambda right, context: context.token.default_version if context.token else right
        ),
    ),
    "pin-only-downwards": _breaks_pinned(
        "A pin takes a request back to an older version, and never forward to a newer one.",
        change_decision(
            decisions.settle_version,
            lambda right, context: min(right, context.token.default_version) if context.token else right,
        ),
        subtle=True,
    ),
    "default-today": _breaks_survives_release(
        "Without a pin a request is processed by the default of today, not by that of its token's first day.",
        _default_to(lambda context: context.state.versions.current),
        subtle=True,
    ),
    "default-oldest": Mutant(
        "Without a pin a request is processed by the oldest version that there is.",
        _default_to(_oldest),
        breaks=("version.default", "version.new-token-current", "version.survives-release"),
    ),
    "new-token-gets-oldest": Mutant(
        "A token made through the Admin API has the oldest version as its default.",
        change_decision(decisions.default_version, lambda _, context: _oldest(context)),
        breaks=("version.new-token-current", "version.survives-release"),
        may_break=("version.default",),
    ),
    "new-token-gets-makers": _breaks_survives_release(
        "A token made through the Admin API has the default version of the token that makes it.",
        change_decision(decisions.default_version, lambda _, context: context.caller.default_version),
        subtle=True,
    ),
    "default-cached-at-start": _breaks_survives_release(
        "A token made through the Admin API has the version that was current when the server started.",
        change_decision(decisions.default_version, lambda _, context: context.policy.releases[-1]),
        subtle=True,
    ),
    "new-token-gets-pin-of-request": Mutant(
        "A token made by a request that pins a version has that as its default.",
        change_decision(decisions.default_version, lambda right, context: context.request.version or right),
        breaks=("version.new-token-current",),
        subtle=True,
    ),
    "echo-missing": _breaks_echo("No answer says its version.", _drop(Header.VERSION)),
    "echo-missing-on-errors": _breaks_echo("Errors do not say their version.", _drop(Header.VERSION, when=_is_error)),
    "echo-missing-on-401": _breaks_echo(
        "A 401 does not say its version.",
        _drop(Header.VERSION, when=lambda decided: decided.status == HTTPStatus.UNAUTHORIZED),
        subtle=True,
    ),
    "echo-missing-without-body": _breaks_echo(
        "An answer without a body does not say its version.",
        _drop(Header.VERSION, when=lambda decided: isinstance(decided, Reply) and decided.body is None),
        subtle=True,
    ),
    "echo-of-default-on-errors": _breaks_echo(
        "An error says the default version of the token, whatever the request pins.",
        _write(Header.VERSION, lambda context: context.token.default_version if context.token else None, _is_error),
        subtle=True,
    ),
    "echo-of-unknown-version": _breaks_echo(
        "The refusal of a version says that it was processed by that version.",
        _write(Header.VERSION, lambda context: context.request.version, _is_unknown_version),
        subtle=True,
    ),
    "old-version-unannounced": _breaks_old_announced(
        "An answer by an older version announces no end.", _drop(Header.DEPRECATION, Header.SUNSET)
    ),
    "sunset-missing": _breaks_old_announced(
        "An older version is called deprecated, without a date.", _drop(Header.SUNSET)
    ),
    "deprecation-missing": _breaks_old_announced(
        "An older version has a date, and is not called deprecated.", _drop(Header.DEPRECATION)
    ),
    "sunset-as-iso-date": _breaks_old_announced(
        "Sunset is written as 2027-04-01.", _write(Header.SUNSET, lambda _: "2027-04-01", lambda _: True)
    ),
    "old-version-unannounced-on-errors": _breaks_old_announced(
        "An error by an older version does not announce its end.",
        _drop(Header.DEPRECATION, Header.SUNSET, when=_is_error),
        subtle=True,
    ),
    "unknown-version-ignored": _breaks_unknown(
        "A version that is none is taken for no pin.", without_rule(rules.VERSION_SUPPORTED)
    ),
    "unknown-version-served-on-writes": _breaks_unknown(
        "Only reads are refused where they pin a version that is none.",
        without_rule(rules.VERSION_SUPPORTED, is_write),
        subtle=True,
    ),
    "unknown-version-but-done": _breaks_unknown(
        "What pins a version that is none is refused and done.", decide_late(rules.VERSION_SUPPORTED), subtle=True
    ),
    "unknown-version-404": _breaks_unknown(
        "A version that is none is refused with 404.", set_policy(unknown_version_refusal=404)
    ),
    "version-rounded-down": _breaks_unknown(
        "A date between two versions is served by the one before it.",
        _serve(lambda version, supported: is_dated(version) and version > supported[0]),
        subtle=True,
    ),
    "future-version-served": _breaks_unknown(
        "A date after the newest version is served by the newest.",
        _serve(lambda version, supported: is_dated(version) and version > supported[-1]),
        subtle=True,
    ),
    "version-by-prefix": _breaks_unknown(
        "A version is compared only as far as the known one goes.",
        _serve(lambda version, supported: version.startswith(supported)),
        subtle=True,
    ),
    "version-in-quotes": _breaks_unknown(
        "A version in double quotes is served.",
        _serve(lambda version, supported: version.strip('"') in supported),
        subtle=True,
    ),
    "version-first-of-list": _breaks_unknown(
        "Of several versions in the header the first is looked at.",
        _serve(lambda version, supported: version.partition(",")[0].strip() in supported),
        subtle=True,
    ),
    "rotation-takes-current-version": Mutant(
        "A rotated token has the default version of the day of its rotation.",
        leave_rotated(lambda _, context: {"default_version": context.state.versions.current}),
        breaks=("version.rotation-keeps",),
        subtle=True,
    ),
    "unknown-version-served-the-second-time": _breaks_unknown(
        "A version that is none is served when it is asked for again.",
        relent(rules.VERSION_SUPPORTED, 1, of=lambda context: context.request.version),
        subtle=True,
    ),
    "pin-becomes-default": Mutant(
        "The version that a token last asked for becomes its default.",
        per_namespace(_remember_pins),
        breaks=("version.default",),
        may_break=("version.survives-release", "version.new-token-current", "version.rotation-keeps", "version.echo"),
        subtle=True,
    ),
    "deletes-by-the-default": _breaks_pinned(
        "A DELETE does not look at the version that it names.",
        change_decision(
            decisions.settle_version,
            lambda right, context: (
                context.token.default_version if context.token and context.request.method == "DELETE" else right
            ),
        ),
        subtle=True,
    ),
}
