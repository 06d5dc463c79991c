"""The configuration file: its tables as Structs, by which it is checked and of which its JSON Schema is made.

Every mistake is a `ValueError` of one line that names the place, the member and what belongs there.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal, TypeVar, get_args
from urllib.parse import urlsplit

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from paylera_conformance.model.tokens import TokenState
from paylera_fixtures.redaction import redact
from paylera_fixtures.spelling import advise, nearest
from paylera_fixtures.vocabulary import READINGS, REFERENCE_SCOPES, RELEASES, WILDCARD, Audience, Environment, Profile

ENVIRONMENT_PREFIX: Final = "PAYLERA_CONFORMANCE_"
STATE_KEY: Final = ENVIRONMENT_PREFIX + "STATE_KEY"
"""The variable of the passphrase that a state file is sealed with."""

_ALMOST: Final = 0.95
"""How like one of these a variable is that was misspelt; others are for the file to refer to."""

_OPERATION: Final = re.compile(r"(GET|POST|PATCH|PUT|DELETE) /([^\s{}]|\{\w+\})*")
_AAL2: Final = "aal2"
OPERATION_NAMES: Final = (_AAL2, *(scope for scope in REFERENCE_SCOPES if scope != WILDCARD))
"""What `[operations]` has operations for: one file may do for both profiles, of which the guide's has fewer scopes."""


def _one_of(values: Iterable[str]) -> Meta:
    return Meta(description=f"one of {', '.join(values)}")


# What a type's description says, its value must be: messages and the JSON Schema repeat it.
_Text = Annotated[str, Meta(description="a string")]
_Url = Annotated[str, Meta(description="a URL, as in https://host:port", extra_json_schema={"format": "uri"})]
_Origins = Annotated[
    tuple[Annotated[str, Meta(extra_json_schema={"format": "uri"})], ...],
    Meta(description='a list of origins, as in ["https://host:port"]'),
]
_Flag = Annotated[bool, Meta(description="true or false")]
_Number = Annotated[float, Meta(gt=0, description="a number above zero")]
_WholeNumber = Annotated[int, Meta(ge=1, description="a whole number above zero")]
_Reference = Annotated[
    str,
    Meta(
        description='a reference to a secret, "${NAME}" or "file:PATH"',
        extra_json_schema={"pattern": r"^(\$\{\w+\}$|file:)"},
    ),
]
_Driver = Literal["static", "control", "python"]
_Mode = Literal["observe", "sandbox", "full"]
_Environment = Annotated[Environment, _one_of(Environment)]
# Not `Meta(pattern=…)`: msgspec 0.22 frees it too early where a type stands alone (issue 717 of msgspec).
_Operation = Annotated[str, Meta(extra_json_schema={"pattern": f"^{_OPERATION.pattern}$"})]
_READINGS: Final = {
    # TOML has 401 as well as "401".
    name: {"enum": [*row.values, *(int(value) for value in row.values if value.isdigit())], "description": row.question}
    for name, row in READINGS.items()
}


class _Table(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What all tables have in common: a member is given by its name, and no other is known."""


class TargetTable(_Table, frozen=True):
    """The target, and how far a run may go. Each member is an option too, and a variable of the environment."""

    url: _Url | UnsetType = UNSET
    environment: _Environment = Environment.SANDBOX
    live_url: _Url | UnsetType = UNSET
    also: _Origins = ()
    profile: Annotated[Profile, _one_of(Profile)] = Profile.GUIDE
    mode: Annotated[_Mode, _one_of(get_args(_Mode))] | UnsetType = UNSET
    ca_file: Annotated[str, Meta(description="a file of certificates in PEM")] | UnsetType = UNSET
    timeout: _Number = 10.0
    rps: _Number = 10.0
    max_requests: _WholeNumber | UnsetType = UNSET
    max_seconds: _Number | UnsetType = UNSET
    strict: _Flag = False


class ProvisionTable(_Table, frozen=True):
    """Where tokens and objects come from. Each member is a variable of the environment too."""

    driver: Annotated[_Driver, _one_of(get_args(_Driver))] | UnsetType = UNSET
    control_url: _Url | UnsetType = UNSET
    control_token: _Reference | UnsetType = UNSET
    adapter: Annotated[str, Meta(description='a class, as in "package.module:Class"')] | UnsetType = UNSET


class TokenTable(_Table, frozen=True):
    """A token that was minted for the run, and what is claimed of it. Its name is yours: it is found by what it is.

    - `id`: what the target calls it, which is needed to rotate or revoke it;
    - `tenant`: whose it is, where it is another tenant's than the other tokens';
    - `customer_id`: the customer whom a token of the audience `customer` speaks for;
    - `default_version`: the version that its requests are answered by where they name none;
    - `disposable`: the run may rotate or revoke it;
    - `may_cross`: it may be sent to the other environment's host, to prove `token.wrong-environment` with a real one.
    """

    token: _Reference
    audience: Annotated[Audience, _one_of(Audience)] = Audience.SERVICE
    scopes: Annotated[tuple[str, ...], Meta(description='a list of strings, as in ["customers:read"]')] = (WILDCARD,)
    aal: _WholeNumber = 1
    environment: _Environment = Environment.SANDBOX
    id: _Text | UnsetType = UNSET
    tenant_id: _Text | UnsetType = msgspec.field(name="tenant", default=UNSET)
    customer_id: _Text | UnsetType = UNSET
    default_version: _Text | UnsetType = UNSET
    state: Annotated[TokenState, _one_of(TokenState)] = TokenState.ACTIVE
    disposable: _Flag = False
    may_cross: _Flag = False


class VersionsTable(_Table, frozen=True):
    """The dated versions that the target supports, and its current default."""

    supported: Annotated[tuple[str, ...], Meta(description=f'a list of strings, as in ["{RELEASES[-1]}"]')] = ()
    current: _Text | UnsetType = UNSET


class ActorsTable(_Table, frozen=True):
    """The ids of an actor in the tenant's registry, and of one in another tenant's."""

    known: _Text | UnsetType = UNSET
    foreign: _Text | UnsetType = UNSET


class ConfigFile(_Table, frozen=True):
    """The configuration of paylera-conformance: what a run needs to know of its target."""

    target: TargetTable = TargetTable()
    readings: Annotated[
        dict[str, str | int],
        Meta(extra_json_schema={"properties": _READINGS, "propertyNames": {"enum": list(_READINGS)}}),
    ] = {}
    provision: ProvisionTable = ProvisionTable()
    tokens: dict[str, TokenTable] = {}
    versions: VersionsTable = VersionsTable()
    actors: ActorsTable = ActorsTable()
    operations: Annotated[
        dict[str, _Operation | Annotated[tuple[_Operation, ...], Meta(min_length=1)]],
        Meta(extra_json_schema={"propertyNames": {"enum": list(OPERATION_NAMES)}}),
    ] = {}


_TABLE: Final = re.compile(r"\[([^\]]+)\]")
_HEADER: Final = re.compile(r"\s*\[([^\]]+)\]")
_MEMBER: Final = re.compile(r"\s*([^\s#=\[][^=]*?)\s*=")
_QUOTES: Final = re.compile(r"[\"']")
_NOTHING: Final = ("", "")

_Row = TypeVar("_Row", bound=Struct)
_BLANK_IS_REFUSED: Final = frozenset({"mode", "timeout", "rps", "max_requests", "max_seconds"})
"""Members of which an empty variable is a mistake, lest a run go further than it was meant to; others are left out."""

_URLS: Final = frozenset({"url", "live_url", "control_url"})
_LISTS: Final = frozenset({"also"})
"""Members that are lists: a variable has their entries with spaces between."""

_FLAGS: Final = {"yes": True, "no": False}
"""Words for a flag beyond those that msgspec knows."""


def config_schema() -> dict[str, Any]:
    """The JSON Schema of the configuration file."""
    return msgspec.json.schema(ConfigFile)


def read_config(path: Path | None, options: Mapping[str, Any], environ: Mapping[str, str]) -> ConfigFile:
    """The configuration, each member of `[target]` and `[provision]` from the first place that has it.

    The places are `options`, `environ` and the file, in this order. Raises `ValueError`.
    """
    file: dict[str, dict[str, Any]] = {name: {} for name in ConfigFile.__struct_fields__}
    file |= _read_toml(path) if path else {}
    _check_names(file, ConfigFile.__struct_fields__, "table")
    for name, table in file.items():
        _check_table(table, f"[{name}]")
    _check_names(file["readings"], READINGS, "member of [readings]")
    for name, value in file["readings"].items():
        if str(value) not in READINGS[name].values:
            known = ", ".join(READINGS[name].values)
            raise ValueError(f"[readings] {name} must be one of {known}, not {redact(repr(value))}")
    _check_names(file["operations"], OPERATION_NAMES, "member of [operations]")
    return ConfigFile(
        target=_read_layers(TargetTable, "target", file, options, environ),
        readings=file["readings"],
        provision=_read_layers(ProvisionTable, "provision", file, options, environ),
        tokens={name: _read_table(TokenTable, table, f"[tokens.{name}]") for name, table in file["tokens"].items()},
        versions=_read_table(VersionsTable, file["versions"], "[versions]"),
        actors=_read_table(ActorsTable, file["actors"], "[actors]"),
        operations={name: _parse_operations(name, value) for name, value in file["operations"].items()},
    )


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except UnicodeDecodeError:
        raise ValueError(f"{path} is no text in UTF-8: save it as such") from None
    except ValueError as error:
        raise ValueError(f"{path} is not valid TOML: {error}") from None
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror}") from None


def check_variables(environ: Mapping[str, str], path: Path | None) -> None:
    """Raise `ValueError` for a variable that is almost one of the suite's, and that the file does not refer to."""
    members = ("config", *TargetTable.__struct_fields__, *ProvisionTable.__struct_fields__)
    known = {STATE_KEY, *(ENVIRONMENT_PREFIX + member.upper() for member in members)}
    text = path.read_text("utf-8", "replace") if path else ""
    for name in environ:
        if name.startswith(ENVIRONMENT_PREFIX) and name not in known and f"${{{name}}}" not in text:
            meant = nearest(name, known, cutoff=_ALMOST)
            if meant:
                raise ValueError(f"${name} is none of the suite's variables: did you mean ${meant}?")


def place_of(table: str, member: str, options: Mapping[str, Any], environ: Mapping[str, str]) -> str:
    """Where the value of a member comes from: an option, a variable, or a table of the file."""
    if options.get(member) is not None:
        return member if member == "url" else f"--{member.replace('_', '-')}"
    variable = ENVIRONMENT_PREFIX + member.upper()
    return f"${variable}" if variable in environ else f"[{table}] {member}"


def _read_layers(
    kind: type[_Row], name: str, file: Mapping[str, Any], options: Mapping[str, Any], environ: Mapping[str, str]
) -> _Row:
    values = dict(file[name])
    for member in kind.__struct_fields__:
        variable = ENVIRONMENT_PREFIX + member.upper()
        if variable in environ:
            text = environ[variable].strip()
            values[member] = text.split() if member in _LISTS else text
        if options.get(member) is not None:
            values[member] = options[member]
    filled = {member: value for member, value in values.items() if value != "" or member in _BLANK_IS_REFUSED}
    places = {member: place_of(name, member, options, environ) for member in kind.__struct_fields__}
    row = _read_table(kind, filled, f"[{name}]", places)
    for member in filled.keys() & (_URLS | _LISTS):
        value, place = getattr(row, member), places[member]
        parsed = parse_url(value, place) if member in _URLS else tuple(parse_url(each, place) for each in value)
        row = msgspec.structs.replace(row, **{member: parsed})
    return row


def parse_url(value: str, where: str) -> str:
    """A base URL as it is put before a path. Raises `ValueError`, whose text begins with `where`, where it is none."""
    text = value.rstrip("/")
    # Where a URL could hold a secret, the message does not repeat it.
    if "@" in text:
        raise ValueError(f"{where} holds a user or a password: a target's credentials go in [tokens]")
    if "?" in text or "#" in text:
        raise ValueError(f"{where} has a query or a fragment: give the base URL alone")
    try:
        parts = urlsplit(text)
        is_url = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
    except ValueError:
        is_url = False
    if not is_url:
        raise ValueError(f"{where} {text!r} is no http or https URL: it should read like https://host:port")
    return text


def _read_table(kind: type[_Row], table: Mapping[str, Any], where: str, places: Mapping[str, str] = {}) -> _Row:
    """A table as its Struct. `places` says of a member where its value comes from, if not from the file."""
    _check_table(table, where)
    fields = {row.encode_name: row for row in msgspec.structs.fields(kind)}
    _check_names(table, fields, f"member of {where}")
    for name, row in fields.items():
        if row.required and name not in table:
            raise ValueError(f'{where} has no {name}: write {name} = "${{NAME}}" and export NAME')
    values = {
        name: _read_value(value, fields[name].type, places.get(name, f"{where} {name}"))
        for name, value in table.items()
    }
    return msgspec.convert(values, kind)


def _read_value(value: Any, kind: Any, where: str) -> Any:
    try:
        return msgspec.convert(_FLAGS.get(value, value) if kind == _Flag else value, kind, strict=False)
    except msgspec.ValidationError:
        [meta] = next(part.__metadata__ for part in (kind, *get_args(kind)) if hasattr(part, "__metadata__"))
        shown = f", not {redact(repr(value))}" if isinstance(value, str) else ""
        raise ValueError(f"{where} must be {meta.description}{shown}") from None


def _parse_operations(name: str, value: Any) -> Any:
    """The operation that a name stands for; for `aal2` it may be a list."""
    listed = value if isinstance(value, list) and value else [value]
    if not all(isinstance(each, str) and _OPERATION.fullmatch(each) for each in listed):
        raise ValueError(f'[operations] {name} must be an operation, as in "POST /v1/payments/{{id}}/cancel"')
    if len(listed) > 1 and name != _AAL2:
        raise ValueError(f"[operations] {name} names one operation: only aal2 may be a list")
    return value


def find_line(text: str, mistake: str) -> int | None:
    """The line of a file that a mistake is about: of the member that it names first, else of its table."""
    table = _TABLE.search(mistake)
    named: list[tuple[bool, int, int]] = []
    here = ""
    for number, line in enumerate(text.splitlines(), 1):
        header, member = _HEADER.match(line), _MEMBER.match(line)
        name = _QUOTES.sub("", (header or member or _NOTHING)[1])
        here = name if header else here
        place = re.search(rf"(?<![\w:.]){re.escape(name)}(?![\w:])", mistake) if name else None
        if place and (header or here in {"", table and _QUOTES.sub("", table[1])}):
            named.append((bool(header), place.start(), number))
    return min(named)[2] if named else None


def _check_table(value: object, where: str) -> None:
    if not isinstance(value, dict):
        raise ValueError(f"{where} must be a table")  # noqa: TRY004 - as every mistake in the file


def _check_names(given: Iterable[str], known: Collection[str], what: str) -> None:
    for name in given:
        if name not in known:
            advice = advise(name, known, f"there are {', '.join(sorted(known))}")
            raise ValueError(f"no {what} is called {name!r}: {advice}")
