"""A provisioner for a run that waits: what a case was given in one session, that very thing it has in the next."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import datetime
from typing import Any, Final, TypeVar, cast

from paylera_conformance.model.outcomes import Blocked
from paylera_conformance.model.tokens import Credential
from paylera_conformance.probe.recording import Recording
from paylera_conformance.target.provisioner import Need, Provisioner
from paylera_conformance.target.settings import VersionSettings
from paylera_fixtures.api.operations import Resource

T = TypeVar("T")

_WAITS: Final = "time is not moved in a run that waits: leave --state out"


def digest_of(token: Credential) -> str:
    """What stands for a token that is used up, from one session to the next."""
    return hashlib.sha256(token.secret.reveal().encode()).hexdigest()


class FollowedProvisioner:
    """Gives what another provisioner gives, and keeps it in the recording of the case, where it has one.

    - `spent`: digests of the tokens that were handed out to be used up, in this session and in those before. None is
      handed out again.

    Its time is that of the wall clock alone: nothing that this run sees was seen after a clock had been moved.
    """

    stands_still = False

    def __init__(self, inner: Provisioner, spent: set[str], recording: Recording | None = None) -> None:
        self._inner = inner
        self._spent = spent
        self._recording = recording

    def recorded(self, recording: Recording) -> Provisioner:
        """The same for a case with a recording."""
        return cast("Provisioner", FollowedProvisioner(self._inner, self._spent, recording))

    def isolate(self) -> Provisioner:
        """What the next case is to use."""
        return cast("Provisioner", FollowedProvisioner(self._inner.isolate(), self._spent))

    def _recall(self, name: str, kind: Any, make: Callable[[], T]) -> T:
        return make() if self._recording is None else cast("T", self._recording.gift(name, kind, make))

    @property
    def url(self) -> str:
        """The base URL that the case had from the first."""
        return self._recall("url", str, lambda: self._inner.url)

    @property
    def live_url(self) -> str | None:
        """That of the other environment."""
        return self._recall("live_url", str | None, lambda: self._inner.live_url)

    def token(self, need: Need) -> Credential:
        """A token as needed. One that is to be used up was given to nobody, in no session."""
        return self._recall("token", Credential, lambda: self._unspent(need))

    def _unspent(self, need: Need) -> Credential:
        given: set[str] = set()
        while True:
            token = self._inner.token(need)
            digest = digest_of(token)
            if not need.disposable:
                return token
            if digest not in self._spent:
                self._spent.add(digest)
                return token
            if digest in given:
                raise Blocked(f"what is provided is used up: {need.describe()}")
            given.add(digest)

    def known_actor(self) -> str:
        """The id of an actor of the own tenant's registry."""
        return self._recall("known_actor", str, self._inner.known_actor)

    def foreign_actor(self) -> str:
        """The id of an actor of another tenant's."""
        return self._recall("foreign_actor", str, self._inner.foreign_actor)

    def customer(self) -> str | None:
        """The id of a customer, if one is provided."""
        return self._recall("customer", str | None, self._inner.customer)

    def object(self, kind: Resource, status: str | None, customer_id: str | None = None) -> str | None:
        """The id of an object to be acted on, if one is provided."""
        return self._recall("object", str | None, lambda: self._inner.object(kind, status, customer_id))

    def versions(self) -> VersionSettings:
        """The versions that the target supports."""
        return self._recall("versions", VersionSettings, self._inner.versions)

    def release(self, version: str) -> VersionSettings:
        """Make a version the default, once."""
        return self._recall("release", VersionSettings, lambda: self._inner.release(version))

    def now(self) -> datetime:
        """Nothing: the time that counts is the wall clock's.

        Raises `Blocked`, since nobody tells it.
        """
        raise Blocked(_WAITS)

    def advance(self, seconds: float) -> datetime:  # noqa: ARG002 - what every provisioner is asked
        """Nothing, as above.

        Raises `Blocked`, since nobody moves it.
        """
        raise Blocked(_WAITS)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


def follow(provisioner: Provisioner, recording: Recording) -> Provisioner:
    """The provisioner of a run that waits, for a case with a recording."""
    return cast("FollowedProvisioner", provisioner).recorded(recording)
