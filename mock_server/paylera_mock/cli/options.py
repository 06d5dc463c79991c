"""Options that several commands share, above all how the fake behaves: see `FakeSettings`."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import fields
from enum import StrEnum
from functools import wraps
from pathlib import Path
from typing import Any, Final, TypeAlias

import click

from paylera_fixtures.hosts import hostname
from paylera_fixtures.secret_reference import resolve_secret
from paylera_fixtures.vocabulary import READINGS, Profile, readings_for
from paylera_mock.core.policy import JOURNAL_SIZE
from paylera_mock.server.settings import (
    BODY_SECONDS,
    CONTROL_TOKEN_VARIABLE,
    TLS_FOLDER_VARIABLE,
    FakeSettings,
    LogLevel,
)
from paylera_mock.server.tls import default_folder

_Command: TypeAlias = Callable[..., None]

EXEC_FAILED_STATUS: Final = 125
DEMANDS_FAILED_STATUS: Final = 3

_READINGS_HELP: Final = "; ".join(f"{reading.name}={'|'.join(reading.values)}" for reading in READINGS.values())


def _parse_readings(_context: click.Context, _parameter: click.Parameter, given: tuple[str, ...]) -> dict[str, str]:
    pairs = [text.partition("=") for text in given]
    if bare := next((name for name, sign, _ in pairs if not sign), None):
        raise click.BadParameter(f"write NAME=VALUE, not {bare!r}: {_READINGS_HELP}")
    try:
        readings_for(Profile.GUIDE, **{name: value for name, _, value in pairs})
    except ValueError as error:
        raise click.BadParameter(str(error)) from error
    return {name: value for name, _, value in pairs}


def _check_mutants(_context: click.Context, _parameter: click.Parameter, given: tuple[str, ...]) -> tuple[str, ...]:
    if not given:
        return ()
    # All of the fake, which takes longer to import than all of `--help`.
    from paylera_mock.mutants import explain_unknown  # noqa: PLC0415

    if flaw := explain_unknown(given):
        raise click.BadParameter(flaw)
    return tuple(dict.fromkeys(given))


def _complete_mutants(_context: click.Context, _parameter: click.Parameter, begun: str) -> list[str]:
    from paylera_mock.mutants import all_mutants  # noqa: PLC0415 - as above

    return [name for name in all_mutants() if name.startswith(begun)]


def _complete_readings(_context: click.Context, _parameter: click.Parameter, begun: str) -> list[str]:
    words = [f"{reading.name}={value}" for reading in READINGS.values() for value in reading.values]
    return [word for word in words if word.startswith(begun)]


def _parse_origins(_context: click.Context, _parameter: click.Parameter, given: tuple[str, ...]) -> tuple[str, ...]:
    if not given:
        return ()
    # A part of the fake, as above.
    from paylera_mock.http.cors import parse_origin  # noqa: PLC0415

    try:
        return tuple(dict.fromkeys(map(parse_origin, given)))
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


def _check_reference(_context: click.Context, _parameter: click.Parameter, reference: str | None) -> str | None:
    if reference is None and os.environ.get(CONTROL_TOKEN_VARIABLE):
        return f"${{{CONTROL_TOKEN_VARIABLE}}}"
    if reference is not None:
        try:
            resolve_secret(reference, "it")
        except ValueError as error:
            raise click.BadParameter(str(error)) from error
    return reference


def _check_hosts(_context: click.Context, _parameter: click.Parameter, given: tuple[str, ...]) -> tuple[str, ...]:
    for name in given:
        if not name or hostname(name) != name.lower() or "/" in name:
            raise click.BadParameter(f"{name!r} is no name of a host: give it without scheme and port, as in paylera")
    return given


def _negate(_context: click.Context, _parameter: click.Parameter, given: bool) -> bool:  # noqa: FBT001 - click's
    return not given


def _choice(name: str, default: StrEnum, help_text: str) -> Callable[[_Command], _Command]:
    values = [each.value for each in type(default)]
    return click.option(name, type=click.Choice(values), default=default.value, show_default=True, help=help_text)


tls_folder_option: Final = click.option(
    "--tls-dir",
    "tls_folder",
    type=click.Path(file_okay=False, path_type=Path),
    default=default_folder,
    envvar=TLS_FOLDER_VARIABLE,
    help=f"Where that authority is kept.  [default: ${TLS_FOLDER_VARIABLE} if set, else a folder of this user's]",
)


def _check_certificates(_context: click.Context, _parameter: click.Parameter, given: Path | None) -> Path | None:
    if given is not None:
        import ssl  # noqa: PLC0415 - start-up time

        try:
            ssl.create_default_context(cafile=given)
        except ssl.SSLError:
            raise click.BadParameter(f"{given} holds no certificates: name a file that has them in PEM") from None
    return given


ca_file_option: Final = click.option(
    "--ca-file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    callback=_check_certificates,
    help="Trust these certificates (PEM) too, beside the system's and that authority.",
)

_CONTRACT: Final = (
    _choice("--profile", Profile.GUIDE, "Which pages bind the fake: the guide alone, or the reference too."),
    click.option(
        "--reading",
        "readings",
        metavar="NAME=VALUE",
        multiple=True,
        callback=_parse_readings,
        shell_complete=_complete_readings,
        help=f"Settle a question that pages answer differently, on top of the profile: {_READINGS_HELP}. Repeatable.",
    ),
    click.option(
        "--mutant",
        "mutants",
        metavar="ID",
        multiple=True,
        callback=_check_mutants,
        shell_complete=_complete_mutants,
        help="Have a deliberate defect: `paylera-mock mutants` lists them. Repeatable.",
    ),
)

control_token_option: Final = click.option(
    "--control-token",
    metavar="REFERENCE",
    callback=_check_reference,
    help="The secret that callers of the control API must send as a Bearer token: '${NAME}' for a variable, or"
    f" file:PATH.  [default: ${CONTROL_TOKEN_VARIABLE} if set]",
)

_OPTIONS: Final = (
    *_CONTRACT,
    click.option(
        "--rate-limits",
        type=click.Choice(["off", "on"]),
        default="off",
        show_default=True,
        callback=lambda _context, _parameter, choice: choice == "on",
        help="Refuse what is over the limit. The headers are there either way.",
    ),
    click.option(
        "--strict-bodies",
        is_flag=True,
        help="Refuse members of bodies and parameters of queries that the contract does not name.",
    ),
    click.option(
        "--seed",
        type=int,
        metavar="NUMBER",
        help="Make runs byte-identical: ids, secrets and the rest follow from the number, and time stands still until"
        " it is advanced.",
    ),
    click.option(
        "--load",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        help="Begin with a snapshot, or with the tokens and objects of a seed file beside what there is anyway.",
    ),
    click.option(
        "--journal-size",
        type=click.IntRange(min=1),
        default=JOURNAL_SIZE,
        show_default=True,
        help="How many exchanges the journal of each namespace remembers.",
    ),
    click.option(
        "--webhooks-anywhere",
        is_flag=True,
        help="Deliver webhooks to any address. Without it those that are not for loopback are recorded, and not sent.",
    ),
    click.option(
        "--cors",
        metavar="ORIGIN",
        multiple=True,
        callback=_parse_origins,
        help="Let web pages of an origin, as http://localhost:5173, call the API; * for every one. Repeatable.",
    ),
    click.option("--no-explain", "explain", is_flag=True, callback=_negate, help="Send no Paylera-Mock-* headers."),
    click.option("--no-control", "control", is_flag=True, callback=_negate, help="Have no control API."),
    click.option("--no-dashboard", "dashboard", is_flag=True, callback=_negate, help="Have no dashboard."),
    control_token_option,
    click.option(
        "--allow-host",
        metavar="NAME",
        multiple=True,
        callback=_check_hosts,
        help="Answer under this name too, as one of a container has. Those of this machine need not be named, nor the"
        " address of --host. Repeatable.",
    ),
    # There were two, of which one let faults reach the connection; the one that there is now does.
    click.option("--server", type=click.Choice(["granian", "werkzeug"]), expose_value=False, hidden=True),
    click.option(
        "--body-seconds",
        type=click.FloatRange(min=0, min_open=True),
        default=BODY_SECONDS,
        show_default=True,
        help="How long a client may take to send a body.",
    ),
    click.option("--tls", is_flag=True, help="Serve HTTPS, by a certificate authority of your own: see ca-path."),
    tls_folder_option,
    _choice("--log-level", LogLevel.ERROR, "How much the HTTP server says on stderr."),
    click.option("--settings", "settings_json", hidden=True, help="In place of all of these: what `exec` writes."),
)


def contract_options(command: _Command) -> _Command:
    """Give a command the options that settle what the contract is: `profile`, `readings` and `mutants`."""
    for option in reversed(_CONTRACT):
        command = option(command)
    return command


def fake_options(command: _Command) -> _Command:
    """Give a command the options of `FakeSettings`, which it receives as its argument `settings`."""

    @wraps(command)
    def with_settings(*, tls_folder: Path, settings_json: str | None, **parameters: Any) -> None:
        # It imports msgspec, which takes as long as click does, and `--help` needs none of it.
        from paylera_mock.cli.settings_json import convert_settings, decode_settings  # noqa: PLC0415

        values = {field.name: parameters.pop(field.name) for field in fields(FakeSettings)}
        values["tls"] = tls_folder if values["tls"] else None
        if settings_json is None:
            settings = convert_settings(values)
            _check_load(settings)
        else:
            try:
                settings = decode_settings(settings_json)
            except ValueError as error:
                raise click.BadParameter(str(error), param_hint="'--settings'") from error
        command(settings=settings, **parameters)

    decorated: _Command = with_settings
    for option in reversed(_OPTIONS):
        decorated = option(decorated)
    return decorated


def _check_load(settings: FakeSettings) -> None:
    """Load the file of `--load` before anything is served, so that a flaw in it is wrong usage."""
    if settings.load is None:
        return
    # A quarter of a second, which is lost on who loads nothing.
    from paylera_mock.core.typed_json import InvalidInputError  # noqa: PLC0415
    from paylera_mock.server.serve import build_app  # noqa: PLC0415

    try:
        build_app(settings, control_token=None)
    except InvalidInputError as flaw:
        raise click.BadParameter(f"{settings.load}: {flaw}", param_hint="'--load'") from None
