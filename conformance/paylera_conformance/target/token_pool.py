"""The listed tokens of a run: which of them are lent to a case, and what has become of those that came back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from paylera_conformance.model.tokens import Credential


@dataclass
class _ListedToken:
    """One listed token as it is now. `rotations`: how often a case has had it rotated."""

    token: Credential
    is_lent: bool = False
    rotations: int = 0


class TokenPool:
    """The listed tokens, in the order of the file. One that may be used up is lent to one case at a time."""

    def __init__(self, tokens: Iterable[Credential]) -> None:
        self._listed = [_ListedToken(token) for token in tokens]

    def __iter__(self) -> Iterator[Credential]:
        """The tokens that are lent to nobody: those that were rotated least come first."""
        for each in sorted(self._listed, key=lambda each: each.rotations):
            if not each.is_lent:
                yield each.token

    def lend(self, token: Credential) -> None:
        """Give a token to one case: nobody else gets it until it is taken back."""
        self._find(token).is_lent = True

    def take_back(self, token: Credential, as_it_is: Credential) -> None:
        """Have a token that was lent for the next case, as the last one has left it."""
        listed = self._find(token)
        listed.rotations += as_it_is.secret != token.secret
        listed.token, listed.is_lent = as_it_is, False

    def add(self, token: Credential) -> None:
        """Have one token more."""
        self._listed.append(_ListedToken(token))

    def _find(self, token: Credential) -> _ListedToken:
        return next(each for each in self._listed if each.token is token)
