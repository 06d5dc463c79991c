"""The settings of a run: command line over environment over file, checked once and frozen.

This is the one place that reads the environment and the configuration file.
"""

from __future__ import annotations

import os
import re
import ssl
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import IntEnum
from functools import partial
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from msgspec import UNSET
from msgspec.structs import asdict

from paylera_conformance.http.client import ClientSettings
from paylera_conformance.http.connections import tls_context
from paylera_conformance.http.proxies import find_proxy_secrets, find_proxy_to
from paylera_conformance.model.tokens import Credential
from paylera_conformance.target.config_file import (
    ENVIRONMENT_PREFIX,
    ConfigFile,
    ProvisionTable,
    TargetTable,
    TokenTable,
    check_variables,
    find_line,
    parse_url,
    place_of,
    read_config,
)
from paylera_fixtures.clauses import clauses_named
from paylera_fixtures.hosts import is_loopback_url, origin_of
from paylera_fixtures.printable import printable
from paylera_fixtures.redaction import Secret
from paylera_fixtures.secret_reference import resolve_secret
from paylera_fixtures.vocabulary import Environment, Profile, readings_for

CONFIG_NAME: Final = "paylera-conformance.toml"
_DEFAULTS: Final = TargetTable()
_ADAPTER: Final = re.compile(r"[\w.]+:\w+")
_FEWEST_CHARACTERS: Final = 8
"""Of a secret: a shorter one stands in any text by chance, and could not be taken out of it."""

_ESCAPED_PARAMETER: Final = re.compile(r"\\\{\w+\\\}")


class ConfigError(Exception):
    """The user's configuration cannot be used; the text is one line that names the fix."""

    def __init__(self, text: str) -> None:
        super().__init__(printable(text))


def read_file(path: str | Path, advice: str = "check the path") -> bytes:
    """What a file holds. Raises `ConfigError`, with the advice."""
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise ConfigError(f"{path} cannot be read ({error.strerror}): {advice}") from None


def write_file(path: Path, content: bytes) -> None:
    """Write a file, its folder too where there is none. Raises `ConfigError`."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    except OSError as error:
        raise ConfigError(f"{path} cannot be written: {error.strerror}") from None


def make_folder(path: Path) -> None:
    """Make a folder where there is none. Raises `ConfigError`."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"the folder {path} cannot be made: {error.strerror}") from None


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
    """Everything that a run needs to know of its target.

    - `embedded`: the target is the fake, which the run itself started;
    - `clauses`: the ids of those that alone are looked at; empty for all.
    """

    url: str
    environment: Environment = _DEFAULTS.environment
    live_url: str | None = None
    also: tuple[str, ...] = ()
    profile: Profile = _DEFAULTS.profile
    readings: Mapping[str, str] = field(default_factory=lambda: readings_for(_DEFAULTS.profile))
    mode: Mode = Mode.SANDBOX
    driver: str = "static"
    control_url: str | None = None
    control_token: Secret | None = None
    proxy_secrets: tuple[Secret, ...] = ()
    tokens: tuple[Credential, ...] = ()
    versions: VersionSettings = VersionSettings()
    known_actor: str | None = None
    foreign_actor: str | None = None
    operations: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    clauses: frozenset[str] = frozenset()
    ca_file: str | None = None
    strict: bool = _DEFAULTS.strict
    timeout: float = _DEFAULTS.timeout
    rps: float = _DEFAULTS.rps
    max_requests: int | None = None
    max_seconds: float | None = None
    adapter: str | None = None
    folder: Path = Path()
    known_failures: str | None = None
    report: str | None = None
    state: str | None = None
    resume: bool = False
    embedded: bool = False
    seed: int | None = None
    user_agent: str | None = None
    announce: bool = False

    @property
    def secrets(self) -> tuple[Secret, ...]:
        """Every secret that the settings hold, those of proxies on the way included."""
        control = () if self.control_token is None else (self.control_token,)
        return (*(token.secret for token in self.tokens), *control, *self.proxy_secrets)

    @property
    def origins(self) -> frozenset[str]:
        """Every origin that was named as the target's: what is seen there is evidence about it."""
        return frozenset(origin_of(url) for url in (self.url, self.live_url, *self.also) if url)

    def require_named(self, url: str, what: str, *, is_control: bool = False) -> str:
        """Give a URL that somebody else gave. Raises `ConfigError` where its origin is none that was named.

        - `what`: whose URL it is, for the message;
        - `is_control`: it is a control API's, and may be where the named one is.
        """
        try:
            text = parse_url(url, what)
        except ValueError as error:
            raise ConfigError(str(error)) from None
        origin = origin_of(text)
        if origin in self.origins or (is_control and self.control_url and origin == origin_of(self.control_url)):
            return text
        raise ConfigError(
            f"{what} is at {origin}, and the target that was named is {self.url}: have it give the target's own origin,"
            f' or list the other one, [target] also = ["{origin}"]'
        )

    def for_profile(self, profile: Profile) -> Settings:
        """The same under a profile, with that profile's readings."""
        return replace(self, profile=profile, readings=readings_for(profile))

    def find_named_operation(self, request: str) -> tuple[str, str]:
        """By what name `[operations]` has the operation of a request, as `GET /v1/customers`, and what stands there."""
        for name, texts in self.operations.items():
            for text in texts:
                if re.fullmatch(_ESCAPED_PARAMETER.sub("[^/]+", re.escape(text)), request):
                    return name, text
        return "", ""

    def client_settings(self, run_id: str) -> ClientSettings:
        """How the client behaves towards the target, in a run of that name."""
        agent = {} if self.user_agent is None else {"user_agent": self.user_agent}
        timeout = self.timeout
        return ClientSettings(
            run_id,
            timeout=timeout,
            deadline=2 * timeout,
            announces=self.announce,
            ca_file=self.ca_file,
            secrets=self.secrets,
            **agent,
        )

    @property
    def is_loopback(self) -> bool:
        """Whether the target is on this machine, where requests need not be spaced out."""
        return is_loopback_url(self.url)


def load(options: Mapping[str, Any], *, environ: Mapping[str, str] | None = None, cwd: Path | None = None) -> Settings:
    """Read the settings of a run.

    - `options`: what the command line said, keyed like the file's `[target]` and `[provision]` tables, plus `config`,
      `reading` (a list of `name=value`), `report`, `seed`; `None` where it said nothing;
    - `environ`: `PAYLERA_CONFORMANCE_URL` and so on, and what `${NAME}` refers to.

    Raises `ConfigError`.
    """
    environ = os.environ if environ is None else environ
    named = options.get("config")
    path = _config_path(environ.get(ENVIRONMENT_PREFIX + "CONFIG") if named is None else named, cwd or Path.cwd())
    try:
        check_variables(environ, path)
        settings = _settings(read_config(path, options, environ), options, environ, path.parent if path else Path())
        _check_proxies(settings)
    except ValueError as error:
        raise ConfigError(_with_place(str(error), path)) from None
    check_environment(settings)
    return settings


def check_environment(settings: Settings) -> None:
    """Raise `ConfigError` where a live target would be changed."""
    # A full stop at the end of a host's name changes nothing (RFC 1034, section 3.1).
    host = (urlsplit(settings.url).hostname or "").rstrip(".")
    live = settings.environment is Environment.LIVE or host == Environment.LIVE.production_host
    if live and settings.mode is not Mode.OBSERVE:
        raise ConfigError("a live target is only ever observed: give --mode observe")


def _with_place(mistake: str, path: Path | None) -> str:
    """A mistake, with the place in the file of what it names there."""
    is_in_file = path is not None and mistake.startswith(("[", "no member of [", "no table "))
    if path is None or not is_in_file:
        return mistake
    line = find_line(path.read_text("utf-8"), mistake)
    return f"{path}, line {line}: {mistake}" if line else f"{path}: {mistake}"


def _config_path(given: str | None, cwd: Path) -> Path | None:
    path = cwd / CONFIG_NAME if given is None else Path(given)
    if given and path.is_dir():
        raise ConfigError(f"--config {given} is a folder: name the file in it, as {path / CONFIG_NAME}")
    if given is not None and not path.is_file():
        raise ConfigError(f"there is no configuration file {given or repr(given)}: check the path given to --config")
    return path if path.is_file() else None


def _settings(config: ConfigFile, options: Mapping[str, Any], environ: Mapping[str, str], base: Path) -> Settings:
    target, provision, versions, actors = config.target, config.provision, config.versions, config.actors
    place = partial(place_of, options=options, environ=environ)
    driver = _driver(provision, place)
    if not target.url:
        raise ValueError(_without_url(options, environ))
    secret = partial(_secret, environ=environ, base=base)
    return Settings(
        url=target.url,
        live_url=target.live_url or None,
        also=tuple(map(origin_of, target.also)),
        environment=target.environment,
        profile=target.profile,
        readings=_readings(target.profile, config.readings, options.get("reading") or ()),
        mode=Mode[target.mode.upper()] if target.mode else Mode.FULL if driver == "control" else Mode.SANDBOX,
        driver=driver,
        control_url=provision.control_url or None,
        control_token=secret(provision.control_token, place("provision", "control_token"), "control")
        if provision.control_token
        else None,
        proxy_secrets=tuple(find_proxy_secrets()),
        tokens=tuple(_credential(name, table, secret) for name, table in config.tokens.items()),
        versions=VersionSettings(versions.supported, versions.current or None),
        known_actor=actors.known or None,
        foreign_actor=actors.foreign or None,
        operations={name: (row,) if isinstance(row, str) else tuple(row) for name, row in config.operations.items()},
        clauses=frozenset(clause.id for clause in clauses_named(options.get("clause") or ())),
        ca_file=_ca_file(target.ca_file, place("target", "ca_file"), base if options.get("ca_file") is None else Path())
        if target.ca_file
        else None,
        strict=target.strict,
        timeout=target.timeout,
        rps=target.rps,
        max_requests=target.max_requests or None,
        max_seconds=target.max_seconds or None,
        adapter=(provision.adapter or None) if driver == "python" else None,
        folder=base,
        resume=bool(options.get("resume")),
        embedded=bool(options.get("embedded")),
        **{name: options.get(name) for name in ("known_failures", "report", "state", "seed")},
        user_agent=_user_agent(options.get("user_agent")),
        announce=bool(options.get("announce")),
    )


def _driver(provision: ProvisionTable, place: Callable[[str, str], str]) -> str:
    """Where tokens and objects come from: what is given says it, where no driver is named."""
    adapter, control_url = provision.adapter or "", provision.control_url or ""
    driver = provision.driver or ("python" if adapter else "control" if control_url else "static")
    written, of_adapter = place("provision", "driver"), place("provision", "adapter")
    if driver == "control" and not control_url:
        raise ValueError(f"{written} control needs a control_url: give --control-url or set it in [provision]")
    if driver == "python" and not adapter:
        raise ValueError(f'{written} python needs an adapter: set [provision] adapter = "package.module:Class"')
    if adapter and driver != "python":
        raise ValueError(f"{of_adapter} is of the driver python, and {written} is {driver}: leave one of them out")
    if adapter and control_url and not provision.driver:
        other = place("provision", "control_url")
        raise ValueError(f"{of_adapter} and {other} are of two drivers: leave one out, or name the driver python")
    if adapter and not _ADAPTER.fullmatch(adapter):
        raise ValueError(f'{of_adapter} names no class: set [provision] adapter = "package.module:Class"')
    return driver


def _without_url(options: Mapping[str, Any], environ: Mapping[str, str]) -> str:
    """What to do where no target is named, or by nothing."""
    variable = f"{ENVIRONMENT_PREFIX}URL"
    if options.get("url") is not None:
        return "the URL is empty: give one, as in https://host:port"
    if variable in environ:
        return f"${variable} is empty: unset it, or give a URL"
    return f"no target: give a URL, or set [target] url in {CONFIG_NAME}"


def _check_proxies(settings: Settings) -> None:
    """Raise `ValueError` where a proxy cannot be gone through, or would read the control token."""
    for url in (settings.url, settings.live_url, *settings.also):
        if url:
            find_proxy_to(url)
    control = settings.control_url
    proxy = find_proxy_to(control) if control else None
    if proxy is not None and settings.control_token is not None and not str(control).startswith("https:"):
        raise ValueError(
            f"the control token would go to the proxy {proxy} in clear: give control_url by https, or list its host in"
            " NO_PROXY"
        )


def _user_agent(text: str | None) -> str | None:
    if text is not None and not (text.isascii() and text.isprintable() and text.strip()):
        raise ValueError("--user-agent is to be one line of printable ASCII characters, as a header holds it")
    return text


def _ca_file(name: str, where: str, base: Path) -> str:
    path = base / name
    try:
        tls_context(str(path))
    except ssl.SSLError:
        raise ValueError(f"{where} {name} holds no certificates: name a file that has them in PEM") from None
    except OSError as error:
        raise ValueError(f"{where} {name} cannot be read: {error.strerror}") from None
    return str(path)


def _readings(profile: Profile, table: Mapping[str, object], options: Iterable[str]) -> dict[str, str]:
    chosen = {name: str(value) for name, value in table.items()}
    for option in options:
        name, equals, value = option.partition("=")
        if not equals:
            raise ValueError(f"--reading {option!r} has no value: write NAME=VALUE, as in scope_refusal=403")
        chosen[name] = value
    return readings_for(profile, **chosen)


def _credential(name: str, table: TokenTable, secret: Callable[[str, str, str], Secret]) -> Credential:
    claims = {claim: value for claim, value in asdict(table).items() if value is not UNSET}
    return Credential(secret(claims.pop("token"), f"[tokens.{name}] token", name), **claims)


def _secret(reference: str, where: str, role: str, *, environ: Mapping[str, str], base: Path) -> Secret:
    secret = resolve_secret(reference, where, environ=environ, base=base)
    if len(secret) < _FEWEST_CHARACTERS:
        raise ValueError(
            f"{where} refers to a secret of fewer than {_FEWEST_CHARACTERS} characters, which reports could not hide:"
            " check what is there, or use a longer one"
        )
    return Secret(secret, role)
