"""The namespaces of a running fake: the mock's own call, beside those of the protocol that make and delete them."""

from __future__ import annotations

from msgspec import Struct

from paylera_fixtures.vocabulary import Profile
from paylera_mock.control.request import ControlRequest, PageQuery


class NamespaceEntry(Struct):
    """A namespace: its profile, its mutants, and how many exchanges and tokens it has."""

    id: str
    control_url: str
    profile: Profile
    mutants: tuple[str, ...]
    exchanges: int
    tokens: int


class NamespaceList(Struct):
    """A page of the namespaces, and how many there are beside the default one."""

    data: list[NamespaceEntry]
    count: int
    next_cursor: int | None


def list_namespaces(call: ControlRequest, query: PageQuery) -> NamespaceList:
    """`GET C/namespaces`: the namespaces beside the default one, the newest first, in pages."""
    page, next_cursor = query.take(
        lambda place: call.namespaces.newest_first(before=place), lambda namespace: namespace.number
    )
    entries = [
        NamespaceEntry(
            str(each.id),
            call.urls(each.id)["control_url"],
            each.policy.profile,
            each.mutants,
            each.journal.count,
            each.state.tokens.count,
        )
        for each in page
    ]
    return NamespaceList(entries, len(call.namespaces) - 1, next_cursor)
