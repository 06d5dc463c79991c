"""The driver `python`: a class of the implementer's own provisions (docs/how-to/certification.md).

`[provision] adapter = "package.module:Class"` names a class that is called with the `Settings` of the run and does what
`provisioner.Provisioner` says; `Adapter` is a base that leaves to the configuration file whatever it is not taught.
"""

from __future__ import annotations

import contextlib
import importlib
import sys
from datetime import datetime
from functools import partial
from typing import Any, Final, cast

from paylera_conformance.model.outcomes import Blocked, CaseEnd
from paylera_conformance.model.tokens import Credential
from paylera_conformance.target.provisioner import Provisioner
from paylera_conformance.target.settings import ConfigError, Settings, VersionSettings
from paylera_fixtures.redaction import redact

_RESULTS: Final[dict[str, Any]] = {
    "token": Credential,
    "known_actor": str,
    "foreign_actor": str,
    "customer": str | None,
    "object": str | None,
    "now": datetime,
    "advance": datetime,
    "versions": VersionSettings,
    "release": VersionSettings,
    "enforce_rate_limits": object,
    "isolate": object,
    "close": object,
}
"""What an adapter must be able to do, and what each of its methods gives."""

_URLS: Final = frozenset({"url", "live_url"})
"""Attributes that lead somewhere."""

_ATTRIBUTES: Final = ("url", "live_url", "stands_still", "vanishes")


class Adapter(Provisioner):
    """A base for adapters: what a subclass does not override comes from the configuration file, or blocks.

    Override `token` to mint, `object` to stage what can be acted on, `now` and `advance` where time can be moved. Each
    case calls `isolate` first and `close` last. Raise `Blocked` with the remedy where something cannot be given.
    """

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.settings = settings


class GuardedAdapter:
    """An adapter of which an exception, or a result of the wrong type, blocks a case and never fails a target."""

    def __init__(self, inner: Any, settings: Settings) -> None:
        self._inner = inner
        self._settings = settings

    def __getattr__(self, name: str) -> Any:
        if name in _URLS:
            url = getattr(self._inner, name)
            return url and self._settings.require_named(url, f"{name} of the adapter {self._settings.adapter}")
        return partial(self._call, name) if name in _RESULTS else getattr(self._inner, name)

    def _call(self, method: str, *arguments: object) -> Any:
        try:
            result = getattr(self._inner, method)(*arguments)
        except CaseEnd:
            raise
        except Exception as error:  # noqa: BLE001 - somebody else's code: whatever it raises, nothing is proven
            trouble = redact(f"{type(error).__name__}: {error}", self._settings.secrets)
            raise Blocked(f"the adapter {self._settings.adapter} failed in {method}: {trouble}") from None
        if not isinstance(result, _RESULTS[method]):
            wanted = getattr(_RESULTS[method], "__name__", _RESULTS[method])
            raise Blocked(
                f"the adapter {self._settings.adapter} gave {type(result).__name__} for {method}, which gives {wanted}"
            )
        return result

    def isolate(self) -> GuardedAdapter:
        """What the next case is to use."""
        return GuardedAdapter(self._call("isolate"), self._settings)

    def close(self) -> None:
        """Undo what was done. The case has ended, so that an exception changes nothing any more."""
        with contextlib.suppress(Exception):
            self._inner.close()


def load_adapter(settings: Settings) -> Provisioner:
    """The adapter that the settings name. Raises `ConfigError` in one line where it cannot be had."""
    name = str(settings.adapter)
    module, _, attribute = name.partition(":")
    folder = str(settings.folder.resolve())
    if folder not in sys.path:  # an adapter may lie beside the configuration file that names it
        sys.path.append(folder)
    trouble = "cannot be imported"
    try:
        make = getattr(importlib.import_module(module), attribute)
        trouble = "cannot be made from the settings"
        inner = make(settings)
    except Exception as error:  # noqa: BLE001 - a module of somebody else's raises what it likes
        reason = redact(f"{type(error).__name__}: {error}", settings.secrets)
        raise ConfigError(f"the adapter {name} {trouble}: {reason}") from None
    missing = [method for method in _RESULTS if not callable(getattr(inner, method, None))]
    missing += [attribute for attribute in _ATTRIBUTES if not hasattr(inner, attribute)]
    if missing:
        raise ConfigError(
            f"the adapter {name} has no {', '.join(missing)}: derive it from paylera_conformance.target.adapter.Adapter"
        )
    guarded = GuardedAdapter(inner, settings)
    for attribute in sorted(_URLS):
        getattr(guarded, attribute)
    return cast("Provisioner", guarded)
