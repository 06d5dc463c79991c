"""The program `paylera-mock`: `serve`, `exec`, `tokens`, `mutants`, `explain`, `snapshot`, `healthcheck` and `ca-path`.

Exit statuses: 0 after a signal or `--max-seconds`, 1 where the fake cannot be served or is not healthy, 2 for wrong
usage.
`exec` ends as its command does (128 and the number where a signal killed it, 127 and 126 where it could not be run), or
with 125 where the fake did not start, and 3 where the command succeeded but not --fail-on-findings or --min-coverage.
"""

from __future__ import annotations

import os
from contextlib import AbstractContextManager, closing, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from paylera_fixtures.secret_reference import resolve_secret
from paylera_mock.cli.explain import explain
from paylera_mock.cli.options import behaviour_options, tls_folder_option
from paylera_mock.cli.snapshot import snapshot
from paylera_mock.cli.text import greeting, mutant_json, mutant_table, token_exports, token_json, token_table
from paylera_mock.server.port import CannotListenError, Reservation, reserve, resolves_to_loopback
from paylera_mock.server.ready import Ready, well_known_secrets
from paylera_mock.server.settings import DEFAULT_HOST, DEFAULT_PORT, FakeSettings, Lifetime
from paylera_mock.server.supervisor import Supervisor, ready_file
from paylera_mock.server.tls import Identity, TlsError, authority_file, serving_identity
from paylera_mock.version import DISTRIBUTION, version

if TYPE_CHECKING:
    from paylera_mock.cli.exec_summary import Demands

# What serves and what executes is imported by the command that needs it: granian and Flask cost a quarter of a second.

EXEC_FAILED_STATUS: Final = 125
DEMANDS_FAILED_STATUS: Final = 3


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name=DISTRIBUTION, prog_name="paylera-mock")
@click.pass_context
def main(context: click.Context) -> None:
    """A fake Paylera that keeps the whole "Authenticate" contract, for tests and local work."""
    if os.environ.get("NO_COLOR"):
        context.color = False


main.add_command(explain)
main.add_command(snapshot)


@main.command()
@click.option("--host", default=DEFAULT_HOST, show_default=True, help="The address to listen on.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=DEFAULT_PORT,
    show_default=True,
    help="The port to listen on; 0 takes a free one.",
)
@click.option("--allow-remote", is_flag=True, help="Listen beyond loopback; the control API then needs a token.")
@behaviour_options
@click.option(
    "--ready-file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the ready line to this file too; it is removed when the fake stops.",
)
@click.option("--max-seconds", type=click.FloatRange(min=0, min_open=True), help="Stop after so many seconds.")
@click.option("--exit-with-parent", is_flag=True, help="Stop when the process that started this one is gone.")
@click.option("--banner/--no-banner", default=True, show_default=True, help="Greet people on stderr.")
def serve(
    *,
    host: str,
    port: int,
    allow_remote: bool,
    behaviour: FakeSettings,
    ready_file: Path | None,
    max_seconds: float | None,
    exit_with_parent: bool,
    banner: bool,
) -> None:
    """Serve the fake until Ctrl-C: the sandbox at / and live at /live.

    Once it answers, one JSON line on stdout says so, with its pid, its URLs and the well-known tokens.
    """
    lifetime = Lifetime(ready_file, max_seconds, exit_with_parent, banner)
    try:
        _refuse_open_control(host, behaviour, allow_remote=allow_remote)
        with closing(reserve(host, port)) as reservation, _identity(behaviour, host) as identity:
            _serve(reservation, behaviour, lifetime, identity)
    except (CannotListenError, TlsError, OSError) as error:
        raise click.ClickException(str(error)) from error


def _refuse_open_control(host: str, behaviour: FakeSettings, *, allow_remote: bool) -> None:
    if resolves_to_loopback(host):
        return
    if not allow_remote:
        raise click.UsageError(f"{host} can be reached by other machines: add --allow-remote if that is meant")
    if behaviour.control and behaviour.control_token is None:
        raise click.UsageError("other machines could steer the fake: protect it with --control-token, or --no-control")


def _identity(behaviour: FakeSettings, host: str) -> AbstractContextManager[Identity | None]:
    return nullcontext() if behaviour.tls is None else serving_identity(behaviour.tls, host)


def _serve(reservation: Reservation, behaviour: FakeSettings, lifetime: Lifetime, identity: Identity | None) -> None:
    color = click.get_current_context().color
    control_token = resolve_secret(behaviour.control_token, "--control-token") if behaviour.control_token else None
    with ready_file(lifetime.ready_file) as write_ready_file:

        def say(ready: Ready) -> None:
            if lifetime.banner:
                click.echo(greeting(ready, behaviour.profile, behaviour.mutants), err=True, color=color)
            write_ready_file(ready.to_line())
            click.echo(ready.to_line())

        supervisor = Supervisor(lifetime, say)
        from paylera_mock.server.serve import serve as serve_until_stopped  # noqa: PLC0415 - see the top of the module

        serve_until_stopped(
            reservation,
            behaviour,
            control_token=control_token,
            identity=identity,
            started=lambda stop: supervisor.begin(
                _ready(reservation, behaviour, identity), control_token=control_token, stop=stop
            ),
        )
    if supervisor.failure is not None:
        raise click.ClickException(supervisor.failure)


def _ready(reservation: Reservation, behaviour: FakeSettings, identity: Identity | None) -> Ready:
    url = reservation.url if identity is None else reservation.url_by("https")
    return Ready(
        version=version(),
        pid=os.getpid(),
        url=url,
        live_url=f"{url}/live",
        control_url=f"{url}/_mock" if behaviour.control else None,
        tokens=well_known_secrets(),
        ca_file=None if identity is None else str(identity.ca_file),
    )


@main.command()
@click.option("--json", "as_json", is_flag=True, help="As a JSON array.")
@click.option("--env", "as_exports", is_flag=True, help="As export lines for a shell.")
def tokens(*, as_json: bool, as_exports: bool) -> None:
    """List the well-known tokens. They are public: the fake is their only use."""
    if as_json and as_exports:
        raise click.UsageError("--json and --env exclude each other: leave one out")
    if as_json:
        click.echo(token_json())
    elif as_exports:
        click.echo(token_exports())
    else:
        click.echo(token_table())


@main.command()
@click.option("--json", "as_json", is_flag=True, help="As a JSON array, with the clauses that each breaks.")
def mutants(*, as_json: bool) -> None:
    """List the deliberate defects and the dialects that the fake can have: see --mutant of serve and exec."""
    click.echo(mutant_json() if as_json else mutant_table())


@main.command(name="ca-path")
@tls_folder_option
def ca_path(*, tls_folder: Path) -> None:
    """Print where the certificate is that clients must trust with --tls; it is made if need be.

    As in: curl --cacert "$(paylera-mock ca-path)" https://localhost:4242/v1/customers
    """
    try:
        click.echo(authority_file(tls_folder))
    except TlsError as error:
        raise click.ClickException(str(error)) from error


@main.command()
@click.option(
    "--url",
    default=f"http://{DEFAULT_HOST}:{DEFAULT_PORT}",
    show_default=True,
    help="The base URL of the fake.",
)
@tls_folder_option
@click.pass_context
def healthcheck(context: click.Context, *, url: str, tls_folder: Path) -> None:
    """Ask a fake whether it answers: exit status 0 where it does, 1 where not.

    It leaves no trace in the fake. For a container: HEALTHCHECK CMD ["paylera-mock", "healthcheck"]
    """
    from paylera_mock.cli.healthcheck import ailment  # noqa: PLC0415 - see the top of the module

    flaw = ailment(url, tls_folder)
    click.echo(f"{url} is healthy" if flaw is None else f"Error: {url} is not healthy: {flaw}", err=flaw is not None)
    context.exit(0 if flaw is None else 1)


def _check_findings(_context: click.Context, _parameter: click.Parameter, given: tuple[str, ...]) -> frozenset[str]:
    from paylera_mock.findings.catalog import KINDS  # noqa: PLC0415 - see the top of the module

    known = sorted({kind.id for kind in KINDS})
    unknown = [name for name in given if name not in known]
    if unknown:
        raise click.BadParameter(f"there is no finding {unknown[0]}: there are {', '.join(known)}")
    return frozenset(given)


@main.command(name="exec", context_settings={"allow_interspersed_args": False})
@behaviour_options
@click.option(
    "--fail-on-findings",
    is_flag=True,
    help=f"End with status {DEMANDS_FAILED_STATUS} where the client did something that is an error, though COMMAND"
    " succeeded.",
)
@click.option(
    "--allow-finding",
    "allowed",
    metavar="ID",
    multiple=True,
    callback=_check_findings,
    help="Let a finding pass, as one that a test provokes. Repeatable.",
)
@click.option(
    "--min-coverage",
    type=click.FloatRange(0, 100),
    metavar="PERCENT",
    help=f"End with status {DEMANDS_FAILED_STATUS} where COMMAND met less of the contract, and list what is missing.",
)
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
@click.pass_context
def exec_(
    context: click.Context,
    *,
    behaviour: FakeSettings,
    fail_on_findings: bool,
    allowed: frozenset[str],
    min_coverage: float | None,
    command: tuple[str, ...],
) -> None:
    """Serve the fake while COMMAND runs.

    As in: paylera-mock exec -- pytest tests

    The fake has a free port, which COMMAND finds by PAYLERA_BASE_URL, PAYLERA_LIVE_BASE_URL and PAYLERA_CONTROL_URL;
    tokens are in PAYLERA_KEY and PAYLERA_ADMIN_KEY. With --tls the certificate to trust is in PAYLERA_CA_FILE, and
    Node trusts it. At the end stands on stderr what the client did wrong. The exit status is that of COMMAND.
    """
    from paylera_mock.cli.exec import execute  # noqa: PLC0415 - see the top of the module
    from paylera_mock.cli.exec_summary import Demands  # noqa: PLC0415
    from paylera_mock.cli.subprocess_server import CannotStartError  # noqa: PLC0415

    demands = Demands(fail_on_findings, allowed, min_coverage)
    if demands.any and not behaviour.control:
        raise click.UsageError("--fail-on-findings and --min-coverage ask the control API: leave out --no-control")
    try:
        status = execute(
            command,
            behaviour.arguments(),
            complain=lambda line: click.echo(f"Error: {line}", err=True),
            reckon=lambda ready: _reckon(ready, behaviour, demands),
        )
    except CannotStartError as error:
        click.echo(f"Error: {error}", err=True)
        status = EXEC_FAILED_STATUS
    context.exit(status)


def _reckon(ready: Ready, behaviour: FakeSettings, demands: Demands) -> int:
    """Say what the run came to: the status that it ends with, where its command succeeded."""
    from paylera_mock.cli.control_client import NoAnswerError  # noqa: PLC0415 - see the top of the module
    from paylera_mock.cli.exec_summary import reckoned  # noqa: PLC0415

    try:
        found = reckoned(
            ready, resolve_secret(behaviour.control_token, "--control-token") if behaviour.control_token else None
        )
    except NoAnswerError as error:
        click.echo(f"Error: what the client did cannot be told: {error}", err=True)
        return EXEC_FAILED_STATUS if demands.any else 0
    if found is None:
        return 0
    for line in found.lines(demands):
        click.echo(line, err=True, color=click.get_current_context().color)
    return 0 if found.meets(demands) else DEMANDS_FAILED_STATUS
