"""Secrets in answers: found by their form, since no source names the member that holds one."""

from __future__ import annotations

from collections.abc import Iterator

from paylera_conformance.model.messages import Exchange
from paylera_conformance.model.outcomes import Violation
from paylera_conformance.model.tokens import Credential
from paylera_fixtures.tokens import TOKEN_FORM


def issued_secrets(exchange: Exchange, *, other_than: Credential | None = None) -> list[str]:
    """The whole strings in an answer that have a token's form; a masked hint is none."""
    known = None if other_than is None else other_than.secret.reveal()
    found = dict.fromkeys(text for text in _strings(exchange.response.json) if TOKEN_FORM.fullmatch(text))
    return [text for text in found if text != known]


def the_secret(exchange: Exchange) -> str:
    """The secret that an answer issues. Raises `Violation` where there is not exactly one."""
    issued = issued_secrets(exchange)
    if len(issued) == 1:
        return issued[0]
    raise Violation(
        "one whole string of the form sk_<env>_<random> in the answer", f"{len(issued)} of them", exchange=exchange
    )


def _strings(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from _strings(item)
    elif isinstance(value, dict):
        for item in value.values():
            yield from _strings(item)
