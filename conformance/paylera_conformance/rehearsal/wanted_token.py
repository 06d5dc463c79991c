"""A token worth minting, and what the file calls it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final

from paylera_conformance.model.tokens import TokenState
from paylera_conformance.rehearsal.token_counts import ONE, TokenCount
from paylera_conformance.target.provisioner import OTHER, Need, all_scopes_but
from paylera_fixtures.vocabulary import WILDCARD, Audience, Profile, scopes_of

_MANY: Final = 30


@dataclass
class WantedToken:
    """A token worth minting.

    - `need`: what it must be;
    - `clauses`: those of which some case asks for it;
    - `count`: how many of the kind are needed where it is used up.
    """

    need: Need
    clauses: set[str] = field(default_factory=set)
    count: TokenCount = ONE

    def name(self, profile: Profile) -> str:
        """What the file calls it."""
        need = self.need
        words = [
            need.audience.value,
            _scopes_in_a_word(need, profile),
            f"aal{need.aal}" if need.aal > 1 else "",
            need.environment.value if need.environment else "",
            "other-tenant" if need.tenant == OTHER else "",
            need.state.value if need.state is not TokenState.ACTIVE else "",
            "older" if need.older_than else "",
            "disposable" if need.disposable else "",
        ]
        return "-".join(word for word in words if word)

    @property
    def is_essential(self) -> bool:
        """Whether no certification goes without it: everything for a service, and for an admin with AAL2."""
        aal = 2 if self.need.audience is Audience.ADMIN else 1
        return self.need.audience is not Audience.CUSTOMER and self.need == Need("", self.need.audience, aal=aal)

    @property
    def clauses_text(self) -> str:
        """The clauses, or how many they are."""
        return f"{len(self.clauses)} clauses" if len(self.clauses) > _MANY else "  ".join(sorted(self.clauses))


def _scopes_in_a_word(need: Need, profile: Profile) -> str:
    if need.scopes == (WILDCARD,):
        return ""
    if not need.scopes:
        return "no-scope"
    if need.odd:
        return "odd-" + (re.sub(r"\W+", "-", need.scopes[0]).strip("-") or "sign")
    for scope in scopes_of(profile):
        if set(need.scopes) == set(all_scopes_but(scope, profile)):
            return "all-but-" + scope.replace(":", "-")
    return "only-" + "-".join(scope.replace(":", "-") for scope in need.scopes)
