"""The driver `python`: a class of the implementer's own provisions (docs/certification.md).

`[provision] adapter = "package.module:Class"` names a class that is called with the `Settings` of the run and does what
`provision.Provisioner` says; `Adapter` is a base that leaves to the configuration file whatever it is not taught.
"""

from __future__ import annotations

import contextlib
import importlib
import sys
from collections.abc import Callable
from datetime import datetime
from typing import Any, Final, TypeVar

from paylera_conformance.model.outcomes import Blocked, CaseEnd
from paylera_conformance.model.tokens import Credential
from paylera_conformance.target.provisioner import Need, Provisioner, StaticProvisioner
from paylera_conformance.target.settings import ConfigError, Settings, VersionSettings
from paylera_fixtures.api.operations import Resource
from paylera_fixtures.redaction import redact

_Given = TypeVar("_Given")
_METHODS: Final = (
    "token", "known_actor", "foreign_actor", "customer", "object", "now", "advance", "versions", "release",
    "enforce_rate_limits", "isolate", "close",
)  # fmt: skip
"""What an adapter must be able to do."""


class Adapter(StaticProvisioner):
    """A base for adapters: what a subclass does not override comes from the configuration file, or blocks.

    Override `token` to mint, `object` to stage what can be acted on, `now` and `advance` where time can be moved. Each
    case calls `isolate` first and `close` last. Raise `Blocked` with the remedy where something cannot be given.
    """

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.settings = settings


class GuardedAdapter:
    """An adapter whose own trouble blocks a case, and never ends a run or fails a target."""

    def __init__(self, inner: Provisioner, settings: Settings) -> None:
        self._inner = inner
        self._settings = settings
        self.url: str = inner.url
        self.live_url: str | None = inner.live_url
        self.stands_still: bool = inner.stands_still
        self.vanishes: bool = inner.vanishes

    def _ask(self, what: str, call: Callable[[], _Given]) -> _Given:
        try:
            return call()
        except CaseEnd:
            raise
        except Exception as error:  # noqa: BLE001 - somebody else's code: whatever it raises, nothing is proven
            said = redact(f"{type(error).__name__}: {error}", self._settings.secrets)
            raise Blocked(f"the adapter {self._settings.adapter} failed in {what}: {said}") from None

    def token(self, need: Need) -> Credential:
        """See `Provisioner`, as for all that follows."""
        return self._ask("token", lambda: self._inner.token(need))

    def known_actor(self) -> str:
        """An actor of the own tenant."""
        return self._ask("known_actor", self._inner.known_actor)

    def foreign_actor(self) -> str:
        """An actor of another tenant."""
        return self._ask("foreign_actor", self._inner.foreign_actor)

    def customer(self) -> str | None:
        """A customer made for the case, if the adapter makes such."""
        return self._ask("customer", self._inner.customer)

    def object(self, kind: Resource, status: str | None, customer_id: str | None = None) -> str | None:
        """An object ready to be acted on, if the adapter makes such."""
        return self._ask("object", lambda: self._inner.object(kind, status, customer_id))

    def now(self) -> datetime:
        """The target's time."""
        return self._ask("now", self._inner.now)

    def advance(self, seconds: float) -> datetime:
        """Move the target's time."""
        return self._ask("advance", lambda: self._inner.advance(seconds))

    def versions(self) -> VersionSettings:
        """The target's versions."""
        return self._ask("versions", self._inner.versions)

    def release(self, version: str) -> VersionSettings:
        """Release a version."""
        return self._ask("release", lambda: self._inner.release(version))

    def enforce_rate_limits(self) -> None:
        """Have rate limits enforced."""
        self._ask("enforce_rate_limits", self._inner.enforce_rate_limits)

    def isolate(self) -> GuardedAdapter:
        """What the next case is to use."""
        return GuardedAdapter(self._ask("isolate", self._inner.isolate), self._settings)

    def close(self) -> None:
        """Undo what was done; what goes wrong there is no case's business."""
        with contextlib.suppress(Exception):  # as in `_ask`; the case has ended
            self._inner.close()


def adapted(settings: Settings) -> GuardedAdapter:
    """The adapter that the settings name. Raises `ConfigError` in one line where it cannot be had."""
    name = str(settings.adapter)
    made = _class_of(name, settings)
    try:
        inner: Any = made(settings)
    except Exception as error:  # noqa: BLE001 - somebody else's code
        said = redact(f"{type(error).__name__}: {error}", settings.secrets)
        raise ConfigError(f"the adapter {name} cannot be made from the settings: {said}") from None
    missing = [method for method in _METHODS if not callable(getattr(inner, method, None))]
    if missing:
        raise ConfigError(
            f"the adapter {name} has no {', '.join(missing)}: derive it from paylera_conformance.target.adapter.Adapter"
        )
    return GuardedAdapter(inner, settings)


def _class_of(name: str, settings: Settings) -> Callable[[Settings], Any]:
    module, _, attribute = name.partition(":")
    folder = str(settings.folder.resolve())
    if folder not in sys.path:  # an adapter may lie beside the configuration file that names it
        sys.path.append(folder)
    try:
        found: Any = getattr(importlib.import_module(module), attribute)
    except Exception as error:  # noqa: BLE001 - a module of somebody else's raises what it likes
        said = redact(f"{type(error).__name__}: {error}", settings.secrets)
        raise ConfigError(f"the adapter {name} cannot be imported: {said}") from None
    if not callable(found):
        raise ConfigError(f"the adapter {name} is no class")
    made: Callable[[Settings], Any] = found
    return made
