"""Defects of what is asked: idempotency, versions and acting for an operator."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from http import HTTPStatus
from types import MappingProxyType
from typing import Final

from paylera_fixtures.vocabulary import Header, Problems
from paylera_mock.core.messages import Decision, Object, Reply
from paylera_mock.core.problems import Problem
from paylera_mock.mutants.keys import KEYS
from paylera_mock.mutants.mechanism import (
    Mutation,
    after_all,
    decided_otherwise,
    decision,
    followed_by,
    fresh,
    policy,
    several,
    step,
    without_rule,
    writer,
)
from paylera_mock.pipeline import decisions
from paylera_mock.pipeline.context import Context, Headers
from paylera_mock.pipeline.responses import problem_body
from paylera_mock.state.versions import is_dated

# Versions


def pin_ignored(context: Context) -> str:
    """What the header says is nothing."""
    versions = context.state.versions
    return versions.current if context.token is None else context.token.default_version


def pin_only_downwards(context: Context) -> str:
    """The older of the two versions, that of the header and that of the token."""
    settled = decisions.settle_version(context)
    return settled if context.token is None else min(settled, context.token.default_version)


def _unpinned(default: Callable[[Context], str]) -> Mutation:
    """Another version where the header names none."""

    def settle_version(context: Context) -> str:
        return decisions.settle_version(context) if context.request.version else default(context)

    return decision("settle_version", settle_version)


def oldest(context: Context) -> str:
    """The first version that there ever was."""
    return context.state.versions.supported[0]


def _dropped(name: str, when: Callable[[Context, Decision], bool] = lambda _context, _decided: True) -> Mutation:
    """One header less among those about the version."""

    def change(context: Context, decided: Decision, headers: Headers) -> Headers:
        return tuple(line for line in headers if line[0] != name) if when(context, decided) else headers

    return step("version-echo", change)


def _is_error(_context: Context, decided: Decision) -> bool:
    return isinstance(decided, Problem)


def _is_401(_context: Context, decided: Decision) -> bool:
    return isinstance(decided, Problem) and decided.status == HTTPStatus.UNAUTHORIZED


def _has_no_body(_context: Context, decided: Decision) -> bool:
    return isinstance(decided, Reply) and decided.body is None


def _echo(version: Callable[[Context], str | None], when: Callable[[Context, Decision], bool]) -> Mutation:
    """Another version in the echo, and nowhere else."""

    def change(context: Context, decided: Decision, headers: Headers) -> Headers:
        said = version(context) if when(context, decided) else None
        if said is None:
            return headers
        return tuple((name, said if name == Header.VERSION else value) for name, value in headers)

    return step("version-echo", change)


def _default_of(context: Context) -> str | None:
    return context.token.default_version if context.token else None


def _is_unknown_version(_context: Context, decided: Decision) -> bool:
    return isinstance(decided, Problem) and decided.type is Problems.VERSION_UNSUPPORTED


def sunset_as_iso_date(_context: Context, _decided: Decision, headers: Headers) -> Headers:
    """A date, but not as HTTP writes it."""
    return tuple((name, "2027-04-01" if name == Header.SUNSET else value) for name, value in headers)


def _served(which: Callable[[Context, str], bool]) -> Mutation:
    """Some versions that are none are served."""

    def change(context: Context, decided: Decision) -> Decision | None:
        return None if which(context, context.request.version or "") else decided

    return decided_otherwise("version-supported", change)


def _follows_one(context: Context, version: str) -> bool:
    return is_dated(version) and version > context.state.versions.supported[0]


def _is_future(context: Context, version: str) -> bool:
    return is_dated(version) and version > context.state.versions.current


def _begins_with_one(context: Context, version: str) -> bool:
    return version.startswith(context.state.versions.supported)


def takes_current_version(context: Context) -> None:
    """A rotated token is treated as a new one."""
    tokens = context.state.tokens
    token = tokens.get(context.identifier)
    if token is not None:
        tokens.keep(replace(token, default_version=context.state.versions.current))


VERSIONS: Final[Mapping[str, Mutation]] = MappingProxyType(
    {
        "pin-ignored": decision("settle_version", pin_ignored),
        "pin-only-downwards": decision("settle_version", pin_only_downwards),
        "default-today": _unpinned(lambda context: context.state.versions.current),
        "default-oldest": _unpinned(oldest),
        "new-token-gets-oldest": decision("default_version", oldest),
        "new-token-gets-makers": decision("default_version", lambda context: context.caller.default_version),
        "default-cached-at-start": decision("default_version", lambda context: context.policy.releases[-1]),
        "echo-missing": _dropped(Header.VERSION),
        "echo-missing-on-errors": _dropped(Header.VERSION, _is_error),
        "echo-missing-on-401": _dropped(Header.VERSION, _is_401),
        "echo-missing-without-body": _dropped(Header.VERSION, _has_no_body),
        "echo-of-default-on-errors": _echo(_default_of, _is_error),
        "echo-of-unknown-version": _echo(lambda context: context.request.version, _is_unknown_version),
        "old-version-unannounced": several(_dropped(Header.DEPRECATION), _dropped(Header.SUNSET)),
        "sunset-missing": _dropped(Header.SUNSET),
        "deprecation-missing": _dropped(Header.DEPRECATION),
        "sunset-as-iso-date": step("version-echo", sunset_as_iso_date),
        "old-version-unannounced-on-errors": several(
            _dropped(Header.DEPRECATION, _is_error), _dropped(Header.SUNSET, _is_error)
        ),
        "unknown-version-ignored": without_rule("version-supported"),
        "unknown-version-served-on-writes": _served(lambda context, _version: context.request.method != "GET"),
        "unknown-version-but-done": after_all("version-supported"),
        "unknown-version-404": policy(unknown_version_refusal=HTTPStatus.NOT_FOUND),
        "version-rounded-down": _served(_follows_one),
        "future-version-served": _served(_is_future),
        "version-by-prefix": _served(_begins_with_one),
        "rotation-takes-current-version": followed_by("rotate_api_token", takes_current_version),
    }
)


# Acting for an operator


def _registry(context: Context) -> tuple[str, ...]:
    return tuple(context.state.actors.of(context.tenant_id))


def _known(which: Callable[[Context, str], bool]) -> Mutation:
    """More actors are known than the registry has."""
    return decision(
        "actor_known", lambda context, actor: which(context, actor) or decisions.actor_known(context, actor)
    )


def _known_anywhere(context: Context, actor: str) -> bool:
    return any(actor in context.state.actors.of(tenant) for tenant in context.state.tenants)


def _begins_a_known_one(context: Context, actor: str) -> bool:
    return bool(actor) and any(known.startswith(actor) for known in _registry(context))


def _first_is_known(context: Context, actor: str) -> bool:
    return decisions.actor_known(context, actor.partition(",")[0].strip())


def without_problem(context: Context, problem: Problem) -> bytes:
    """What refuses an actor is written by another hand."""
    unknown = any(error.code == "actor.unknown" for error in problem.errors)
    return b'{"error":"unknown actor"}' if unknown else problem_body(context, problem)


def _audited(change: Callable[[Context, Object], Object]) -> Mutation:
    """The audit log says something else of an accepted write."""
    return decision("audit_record", lambda context, reply: change(context, decisions.audit_record(context, reply)))


def _without_actor(_context: Context, record: Object) -> Object:
    return record | {"actor_id": None}


def _part_of_actor(_context: Context, record: Object) -> Object:
    return record | {"actor_id": record["actor_id"] and record["actor_id"][:10]}


def _without_token(_context: Context, record: Object) -> Object:
    return record | {"token_id": None}


def _token_with_actor_only(_context: Context, record: Object) -> Object:
    return record | ({} if record["actor_id"] else {"token_id": None})


def _actor_for_token(_context: Context, record: Object) -> Object:
    return record | ({"token_id": None} if record["actor_id"] else {})


def actor_carried_over() -> Mutation:
    """The actor is kept in a variable that nobody clears."""
    last: list[str | None] = [None]

    def change(context: Context, record: Object) -> Object:
        last[0] = context.request.acting_as or last[0]
        return record | {"actor_id": last[0]}

    return _audited(change)


ACTORS: Final[Mapping[str, Mutation]] = MappingProxyType(
    {
        "actor-refused": decision("actor_known", lambda _context, _actor: False),
        "actor-not-looked-up": _known(lambda _context, _actor: True),
        "acting-as-ignored": several(_known(lambda _context, _actor: True), _audited(_without_actor)),
        "actor-of-any-tenant": _known(_known_anywhere),
        "empty-actor-taken-for-none": _known(lambda _context, actor: not actor),
        "actor-by-prefix": _known(_begins_a_known_one),
        "actor-compared-by-its-length": _known(lambda context, actor: actor.startswith(_registry(context))),
        "actor-first-of-list": _known(_first_is_known),
        "actor-by-form": _known(lambda _context, actor: actor.startswith("actor_")),
        "actor-star": _known(lambda _context, actor: actor == "*"),
        "actor-refused-without-problem": writer("problem", without_problem),
        "unknown-actor-but-done": after_all("actor-known"),
        "actor-not-recorded": _audited(_without_actor),
        "actor-recorded-in-part": _audited(_part_of_actor),
        "token-not-recorded": _audited(_without_token),
        "actor-recorded-for-token": _audited(_actor_for_token),
        "token-recorded-with-actor-only": _audited(_token_with_actor_only),
        "actor-carried-over": fresh(actor_carried_over),
    }
)

REQUESTS: Final[Mapping[str, Mutation]] = MappingProxyType({**KEYS, **VERSIONS, **ACTORS})
