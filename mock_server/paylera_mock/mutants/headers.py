"""Mutants of headers that every answer has, and some lack: where a part of the API writes its answers by itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from paylera_fixtures.vocabulary import Header
from paylera_mock.core.messages import Decision
from paylera_mock.mutants.builders import Mutation, When, change_headers, is_write
from paylera_mock.mutants.model import Mutant
from paylera_mock.pipeline import responses
from paylera_mock.pipeline.context import Context, Headers, ResponseStep


def _without(step: ResponseStep, *names: str, when: When) -> Mutation:
    def leave_out(headers: Headers, context: Context, _decided: Decision) -> Headers:
        return tuple(line for line in headers if line[0] not in names) if when(context) else headers

    return change_headers(step, leave_out)


def _is_admin(context: Context) -> bool:
    return context.request.operation is not None and context.request.operation.is_admin


def _is_unpinned(context: Context) -> bool:
    return context.request.version is None


_END: Final = (Header.DEPRECATION, Header.SUNSET)

MUTANTS: Final[Mapping[str, Mutant]] = {
    "no-challenge-on-admin-api": Mutant(
        "A 401 of the Admin API comes without WWW-Authenticate.",
        _without(responses.CHALLENGE, Header.CHALLENGE, when=_is_admin),
        breaks=("credential.challenge",),
        subtle=True,
    ),
    "no-rate-headers-on-admin-api": Mutant(
        "The Admin API does not tell the rate.",
        _without(responses.RATE_HEADERS, Header.RATE_LIMIT, Header.RATE_REMAINING, Header.RATE_RESET, when=_is_admin),
        breaks=("rate-limit.headers",),
        subtle=True,
    ),
    "old-version-unannounced-on-writes": Mutant(
        "A write by an older version announces no end.",
        _without(responses.VERSION_ECHO, *_END, when=is_write),
        breaks=("version.old-announced",),
        subtle=True,
    ),
    "old-default-unannounced": Mutant(
        "An older version announces its end to whoever names it, and to no token whose default it is.",
        _without(responses.VERSION_ECHO, *_END, when=_is_unpinned),
        breaks=("version.old-announced",),
        subtle=True,
    ),
}
