"""How many disposable tokens a run by listed tokens needs, where the target makes none: the fewest that prove all.

`TOKEN_COUNTS` is what `init`, `doctor`, `explain` and `run --dry-run` say. A test counts again (`counting.py`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from paylera_conformance.model.tokens import Credential
from paylera_conformance.target.provisioner import OTHER, Need
from paylera_conformance.target.settings import Settings
from paylera_fixtures.vocabulary import AAL2, RELEASES, WILDCARD, Audience


@dataclass(frozen=True)
class TokenCount:
    """How many tokens of a kind.

    - `at_once`: for a run that ends by itself;
    - `waiting`: for one with `--state`, in which a case that waits keeps what it has.
    """

    at_once: int
    waiting: int

    def __str__(self) -> str:
        more = f"{self.waiting} for a run with --state" if self.waiting != self.at_once else ""
        return f"{self.at_once} of them" + (f", or {more}" if more else "")


ONE: Final = TokenCount(1, 1)
_SPARE: Final = Need("", disposable=True)

TOKEN_COUNTS: Final[Mapping[Need, TokenCount]] = {
    _SPARE: TokenCount(41, 87),
    replace(_SPARE, scopes=("customers:read",)): ONE,
    replace(_SPARE, audience=Audience.ADMIN): ONE,
    replace(_SPARE, audience=Audience.ADMIN, aal=AAL2): TokenCount(5, 13),
    replace(_SPARE, audience=Audience.CUSTOMER): TokenCount(2, 2),
    replace(_SPARE, tenant=OTHER): TokenCount(1, 2),
    replace(_SPARE, older_than=RELEASES[-1]): ONE,
}
"""For each kind the most that some seed and profile need: which requests the matrix sends is drawn."""

_SERVICE_CLAUSES: Final = """
audience.admin-accepted
credential.challenge credential.missing credential.not-disclosed credential.refusal-has-no-effect
idempotency.replay-is-authorised
problem.media-type problem.members problem.occurrence problem.type-uri
revocation.covers-grace revocation.immediate revocation.needs-admin revocation.only-target revocation.unknown-id
rotation.again rotation.grace-ends rotation.grace-holds rotation.keeps-grants rotation.needs-admin rotation.new-secret
rotation.new-works rotation.no-escalation rotation.not-cacheable rotation.revoked-stays rotation.secret-once
rotation.unknown-id
scope.granted scope.required scope.wildcard
token.format token.length token.revoked
version.echo
"""

CLAUSES_OF: Final[Mapping[Need, frozenset[str]]] = {
    _SPARE: frozenset(_SERVICE_CLAUSES.split()),
    replace(_SPARE, scopes=("customers:read",)): frozenset({"rotation.keeps-grants", "rotation.no-escalation"}),
    replace(_SPARE, audience=Audience.ADMIN): frozenset({"rotation.keeps-grants"}),
    replace(_SPARE, audience=Audience.ADMIN, aal=AAL2): frozenset(
        {
            "revocation.immediate",
            "revocation.only-target",
            "rotation.grace-ends",
            "rotation.grace-holds",
            "rotation.keeps-grants",
            "rotation.no-escalation",
            "token.revoked",
        }
    ),
    replace(_SPARE, audience=Audience.CUSTOMER): frozenset(
        {"revocation.needs-admin", "rotation.keeps-grants", "rotation.needs-admin"}
    ),
    replace(_SPARE, tenant=OTHER): frozenset({"revocation.unknown-id", "rotation.unknown-id"}),
    replace(_SPARE, older_than=RELEASES[-1]): frozenset({"version.rotation-keeps"}),
}
"""The clauses of which some case takes a token of the kind, in some profile and way to run."""


def describe_use(clause: str) -> Iterator[str]:
    """The kinds of disposable tokens that a clause takes, and how many of each a run of all clauses needs."""
    for kind, clauses in CLAUSES_OF.items():
        if clause in clauses:
            yield f"{kind.describe()}; a run of all clauses: {TOKEN_COUNTS[kind]}"


def kind_of(need: Need) -> Need:
    """The need without what differs from case to case: any token that may at least this much may as well do all."""
    scopes = (WILDCARD,) if need.takes_wildcard else need.scopes
    older = RELEASES[-1] if need.older_than else None
    return replace(need, role="", scopes=scopes, at_least=False, customer_id=None, older_than=older)


def describe_counts(settings: Settings) -> Iterator[str]:
    """For each kind of disposable tokens how many a full run needs, and how many are listed."""
    listed = Counter(
        kind
        for token in settings.tokens
        if token.disposable and token.id is not None
        for kind in TOKEN_COUNTS
        if _is_of(token, kind, settings)
    )
    for kind, count in TOKEN_COUNTS.items():
        few = ", too few where the target makes none" if listed[kind] < count.at_once else ""
        yield f"{count}, {listed[kind]} listed{few}: {describe_kind(kind, settings)}"


def describe_kind(need: Need, settings: Settings) -> str:
    """What a token must be, with the target's own current version in place of a rehearsal's."""
    older = (settings.versions.current or need.older_than) if need.older_than else None
    return replace(need, older_than=older).describe()


def _is_of(token: Credential, kind: Need, settings: Settings) -> bool:
    is_old = token.default_version is not None and token.default_version < (settings.versions.current or "")
    return (
        (token.audience, token.aal, token.state) == (kind.audience, kind.aal, kind.state)
        and set(token.scopes) == set(kind.scopes)
        and (token.tenant_id == OTHER) == (kind.tenant == OTHER)
        and token.environment is settings.environment
        and is_old == bool(kind.older_than)
    )
