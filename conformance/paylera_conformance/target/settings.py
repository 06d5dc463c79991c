"""What a run is told: command line over environment over file, checked once and frozen.

This is the one place that reads the environment and the configuration file.
"""

from __future__ import annotations

import difflib
import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import IntEnum
from pathlib import Path
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit

from paylera_conformance.model.tokens import Credential, TokenState
from paylera_fixtures.hosts import is_loopback
from paylera_fixtures.redaction import Secret
from paylera_fixtures.secret_reference import resolve_secret
from paylera_fixtures.vocabulary import READINGS, Audience, Environment, Profile, readings_for

CONFIG_NAME: Final = "paylera-conformance.toml"
ENVIRONMENT_PREFIX: Final = "PAYLERA_CONFORMANCE_"
_Choice = TypeVar("_Choice", Profile, Environment, Audience, TokenState)

_OPERATION: Final = re.compile(r"(GET|POST|PATCH|PUT|DELETE) /\S*")
DRIVERS: Final = ("static", "control", "python")


class ConfigError(Exception):
    """The user's configuration cannot be used; the text is one line that names the fix."""


class Mode(IntEnum):
    """How far a run may go: each includes those before it."""

    OBSERVE = 1
    SANDBOX = 2
    FULL = 3

    def __str__(self) -> str:
        return self.name.lower()


@dataclass(frozen=True)
class VersionSettings:
    """The dated versions that the target is said to support."""

    supported: tuple[str, ...] = ()
    current: str | None = None


@dataclass(frozen=True)
class Settings:
    """Everything that a run is told about its target."""

    url: str
    environment: Environment = Environment.SANDBOX
    live_url: str | None = None
    profile: Profile = Profile.GUIDE
    readings: Mapping[str, str] = field(default_factory=lambda: readings_for(Profile.GUIDE))
    mode: Mode = Mode.SANDBOX
    driver: str = "static"
    control_url: str | None = None
    control_token: Secret | None = None
    tokens: tuple[Credential, ...] = ()
    versions: VersionSettings = VersionSettings()
    known_actor: str | None = None
    foreign_actor: str | None = None
    operations: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    strict: bool = False
    timeout: float = 10.0
    rps: float = 10.0
    max_requests: int | None = None
    adapter: str | None = None
    folder: Path = Path()
    known_failures: str | None = None
    report: str | None = None
    state: str | None = None
    resume: bool = False
    seed: int | None = None
    source: str = "the command line"

    @property
    def secrets(self) -> tuple[Secret, ...]:
        """Every secret that the run was told."""
        control = () if self.control_token is None else (self.control_token,)
        return (*(token.secret for token in self.tokens), *control)

    def for_profile(self, profile: Profile) -> Settings:
        """The same under a profile, with that profile's readings."""
        return replace(self, profile=profile, readings=readings_for(profile))

    @property
    def is_loopback(self) -> bool:
        """Whether the target is on this machine, where no politeness is needed."""
        return is_loopback(urlsplit(self.url).hostname or "")


_TABLES: Final[dict[str, frozenset[str]]] = {
    "target": frozenset(
        {"url", "environment", "live_url", "profile", "mode", "timeout", "rps", "max_requests", "strict"}
    ),
    "readings": frozenset(READINGS),
    "provision": frozenset({"driver", "control_url", "control_token", "adapter"}),
    "versions": frozenset({"supported", "current"}),
    "actors": frozenset({"known", "foreign"}),
}
"""Members that each table of the file may have; `tokens` and `operations` hold names of the user's."""

_TOKEN_MEMBERS: Final = frozenset(
    {"token", "audience", "scopes", "aal", "environment", "id", "tenant", "customer_id", "default_version", "state",
     "disposable", "may_cross"}
)  # fmt: skip


def load(options: Mapping[str, Any], *, environ: Mapping[str, str] | None = None, cwd: Path | None = None) -> Settings:
    """Read the settings of a run.

    - `options`: what the command line said, keyed like the file's `[target]` and `[provision]` tables, plus `config`,
      `readings` (a list of `name=value`), `report`, `seed`; `None` where it said nothing;
    - `environ`: `PAYLERA_CONFORMANCE_URL` and so on, and what `${NAME}` refers to.

    Raises `ConfigError`.
    """
    environ = os.environ if environ is None else environ
    path = _config_path(options.get("config") or environ.get(ENVIRONMENT_PREFIX + "CONFIG"), cwd or Path.cwd())
    document = _read(path) if path else {}
    _check_tables(document)
    merged = _merge(document, options, environ)
    profile = _choice(Profile, merged.get("profile") or Profile.GUIDE, "profile")
    return _build(merged, document, options, profile=profile, environ=environ, base=path.parent if path else Path())


def _config_path(named: str | None, cwd: Path) -> Path | None:
    if named:
        path = Path(named)
        if not path.is_file():
            raise ConfigError(f"there is no configuration file {named}: check the path given to --config")
        return path
    found = cwd / CONFIG_NAME
    return found if found.is_file() else None


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} is not valid TOML: {error}") from None
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}") from None


def _check_tables(document: Mapping[str, Any]) -> None:
    known = frozenset({*_TABLES, "tokens", "operations"})
    _check_names(document, known, "table")
    for name, table in document.items():
        if not isinstance(table, dict):
            raise ConfigError(f"[{name}] must be a table")
        if name in _TABLES:
            _check_names(table, _TABLES[name], f"member of [{name}]")
    for name, token in document.get("tokens", {}).items():
        if not isinstance(token, dict):
            raise ConfigError(f"[tokens.{name}] must be a table")
        _check_names(token, _TOKEN_MEMBERS, f"member of [tokens.{name}]")


def _check_names(given: Mapping[str, Any], known: frozenset[str], what: str) -> None:
    for name in given:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            advice = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(sorted(known))}"
            raise ConfigError(f"no {what} is called {name!r}: {advice}")


def _merge(document: Mapping[str, Any], options: Mapping[str, Any], environ: Mapping[str, str]) -> dict[str, Any]:
    """The members of [target] and [provision], each from the first place that has it."""
    merged: dict[str, Any] = {**document.get("provision", {}), **document.get("target", {})}
    for name in _TABLES["target"] | _TABLES["provision"]:
        from_environment = environ.get(ENVIRONMENT_PREFIX + name.upper())
        if from_environment is not None:
            merged[name] = from_environment
        if options.get(name) is not None:
            merged[name] = options[name]
    return merged


def _build(
    merged: dict[str, Any], document: Mapping[str, Any], options: Mapping[str, Any], *, profile: Profile,
    environ: Mapping[str, str], base: Path,
) -> Settings:  # fmt: skip
    driver = merged.get("driver") or ("control" if merged.get("control_url") else "static")
    if driver not in DRIVERS:
        raise ConfigError(f"[provision] driver cannot be {driver!r}: it is one of {', '.join(DRIVERS)}")
    if driver == "control" and not merged.get("control_url"):
        raise ConfigError("driver control needs a control_url: give --control-url or set it in [provision]")
    versions = document.get("versions", {})
    actors = document.get("actors", {})
    settings = Settings(
        url=_url(merged.get("url"), "url"),
        live_url=_url(merged["live_url"], "live_url") if merged.get("live_url") else None,
        environment=_choice(Environment, merged.get("environment") or Environment.SANDBOX, "environment"),
        profile=profile,
        readings=_readings(profile, document.get("readings", {}), options.get("readings") or ()),
        mode=_mode(merged.get("mode"), driver),
        driver=driver,
        control_url=_url(merged["control_url"], "control_url") if merged.get("control_url") else None,
        control_token=_optional_secret(merged.get("control_token"), environ=environ, base=base),
        tokens=tuple(_token(name, row, environ=environ, base=base) for name, row in document.get("tokens", {}).items()),
        versions=VersionSettings(tuple(versions.get("supported", ())), versions.get("current")),
        known_actor=actors.get("known"),
        foreign_actor=actors.get("foreign"),
        operations=_operations(document.get("operations", {})),
        strict=_flag(merged.get("strict", False)),
        timeout=_number(merged.get("timeout", 10.0), "timeout"),
        rps=_number(merged.get("rps", 10.0), "rps"),
        known_failures=options.get("known_failures"),
        max_requests=_count(merged.get("max_requests"), "max_requests"),
        adapter=_adapter(merged.get("adapter"), driver),
        folder=base,
        report=options.get("report"),
        state=options.get("state"),
        resume=bool(options.get("resume")),
        seed=options.get("seed"),
    )
    return _refuse_live(settings)


def _refuse_live(settings: Settings) -> Settings:
    # A full stop at the end of a host's name changes nothing (RFC 1034, section 3.1).
    host = (urlsplit(settings.url).hostname or "").rstrip(".")
    live = settings.environment is Environment.LIVE or host == Environment.LIVE.production_host
    if live and settings.mode is not Mode.OBSERVE:
        raise ConfigError("a live target is only ever observed: give --mode observe")
    return settings


def _url(value: object, name: str) -> str:
    if not value:
        raise ConfigError(f"no target: give a URL, or set [target] url in {CONFIG_NAME}")
    text = str(value).rstrip("/")
    # Where a URL could hold a secret, the message does not repeat it.
    if "@" in text:
        raise ConfigError(f"{name} holds a user or a password: a target's credentials go in [tokens]")
    if "?" in text or "#" in text:
        raise ConfigError(f"{name} has a query or a fragment: give the base URL alone")
    try:
        parts = urlsplit(text)
        port_ok = parts.port is None or parts.port > 0
    except ValueError:
        raise ConfigError(f"{name} {text!r} is no URL: it should read like https://host:port") from None
    if parts.scheme not in {"http", "https"} or not parts.hostname or not port_ok:
        raise ConfigError(f"{name} {text!r} is no http or https URL: it should read like https://host:port")
    return text


def _choice(kind: type[_Choice], value: object, name: str) -> _Choice:
    try:
        return kind(str(value))
    except ValueError:
        raise ConfigError(f"{name} cannot be {value!r}: it is one of {', '.join(kind)}") from None


def _mode(value: object, driver: str) -> Mode:
    if value is None:
        return Mode.FULL if driver == "control" else Mode.SANDBOX
    for mode in Mode:
        if str(mode) == str(value):
            return mode
    raise ConfigError(f"mode cannot be {value!r}: it is one of {', '.join(str(mode) for mode in Mode)}")


def _readings(profile: Profile, table: Mapping[str, Any], options: tuple[str, ...] | list[str]) -> dict[str, str]:
    chosen = {name: str(value) for name, value in table.items()}
    for option in options:
        name, equals, value = option.partition("=")
        if not equals:
            raise ConfigError(f"--reading {option!r} has no value: write NAME=VALUE, as in scope_refusal=403")
        chosen[name] = value
    try:
        return readings_for(profile, **chosen)
    except ValueError as error:
        raise ConfigError(str(error)) from None


def _token(name: str, row: Mapping[str, Any], *, environ: Mapping[str, str], base: Path) -> Credential:
    where = f"[tokens.{name}]"
    if "token" not in row:
        raise ConfigError(f'{where} has no token: write token = "${{NAME}}" and export NAME')
    scopes = row.get("scopes", ["*"])
    if not isinstance(scopes, list) or not all(isinstance(scope, str) for scope in scopes):
        raise ConfigError(f'{where} scopes must be a list of strings, as in ["customers:read"]')
    return Credential(
        secret=Secret(_reference(str(row["token"]), where, environ=environ, base=base), name),
        audience=_choice(Audience, row.get("audience", Audience.SERVICE), f"{where} audience"),
        scopes=tuple(scopes),
        aal=int(_number(row.get("aal", 1), f"{where} aal")),
        environment=_choice(Environment, row.get("environment", Environment.SANDBOX), f"{where} environment"),
        id=row.get("id"),
        tenant_id=row.get("tenant"),
        customer_id=row.get("customer_id"),
        default_version=row.get("default_version"),
        state=_choice(TokenState, row.get("state", TokenState.ACTIVE), f"{where} state"),
        disposable=_flag(row.get("disposable", False)),
        may_cross=_flag(row.get("may_cross", False)),
    )


def _optional_secret(value: object, *, environ: Mapping[str, str], base: Path) -> Secret | None:
    if not value:
        return None
    return Secret(_reference(str(value), "control_token", environ=environ, base=base), "control")


def _reference(value: str, where: str, *, environ: Mapping[str, str], base: Path) -> str:
    try:
        return resolve_secret(value, where, environ=environ, base=base)
    except ValueError as error:
        raise ConfigError(str(error)) from None


def _operations(table: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """The operations that each name stands for: one, or for `aal2` as many as there are."""
    found = {name: tuple(value) if isinstance(value, list) else (value,) for name, value in table.items()}
    for name, values in found.items():
        if not values or not all(isinstance(value, str) and _OPERATION.fullmatch(value) for value in values):
            raise ConfigError(f'[operations] {name} must read like "POST /v1/payments/{{id}}/cancel"')
        if len(values) > 1 and name != "aal2":
            raise ConfigError(f"[operations] {name} names one operation: only aal2 may be a list")
    return found


def _adapter(value: object, driver: str) -> str | None:
    if driver != "python":
        return None
    if not re.fullmatch(r"[\w.]+:\w+", str(value or "")):
        raise ConfigError('driver python needs an adapter: set [provision] adapter = "package.module:Class"')
    return str(value)


def _count(value: object, name: str) -> int | None:
    if value is None:
        return None
    number = _number(value, name)
    if not number.is_integer():
        raise ConfigError(f"{name} must be a whole number, not {value!r}")
    return int(number)


def _flag(value: object) -> bool:
    if isinstance(value, bool):
        return value
    if str(value).lower() in {"1", "true", "yes"}:
        return True
    if str(value).lower() in {"0", "false", "no", ""}:
        return False
    raise ConfigError(f"{value!r} is neither true nor false")


def _number(value: object, name: str) -> float:
    try:
        number = float(str(value))
    except ValueError:
        raise ConfigError(f"{name} must be a number, not {value!r}") from None
    if not number > 0:
        raise ConfigError(f"{name} must be above zero, not {value!r}")
    return number
