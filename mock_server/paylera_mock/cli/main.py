"""The program `paylera-mock`: `serve`, `exec`, `tokens`, `mutants`, `explain`, `snapshot`, `healthcheck` and `ca-path`.

Exit statuses: 0 after a signal or `--max-seconds`, 1 where the fake cannot be served or is not healthy, 2 for wrong
usage, 4 without a command.
`exec` ends as its command does (128 and the number where a signal killed it, 127 and 126 where it could not be run), or
with 125 where the fake did not start, and 3 where the command succeeded but not --fail-on-findings or --min-coverage.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import click

from paylera_fixtures.command_group import CommandGroup
from paylera_fixtures.redaction import redact
from paylera_fixtures.spelling import advise
from paylera_fixtures.terminal import PIPED_COLUMNS, ListCommand, print_lines, wants_styles
from paylera_mock.cli.explain import explain
from paylera_mock.cli.options import DEMANDS_FAILED_STATUS, ca_file_option, fake_options, tls_folder_option
from paylera_mock.cli.serve import serve
from paylera_mock.cli.snapshot import snapshot
from paylera_mock.cli.text import mutant_json, mutant_list, token_exports, token_json, token_list
from paylera_mock.server.settings import DEFAULT_URL, FakeSettings
from paylera_mock.server.tls import TlsError, authority_file
from paylera_mock.version import DISTRIBUTION

_BELOW_BASE: Final = re.compile(r"/(v1|_mock)(/.*)?$")
"""What others who know a URL of the fake have behind the base URL."""

# What only one command needs is imported there: the servers, Flask and msgspec take longer than all of `--help`.


@click.group(cls=CommandGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name=DISTRIBUTION, prog_name="paylera-mock")
@click.pass_context
def main(context: click.Context) -> None:
    """A fake Paylera that keeps the whole "Authenticate" contract, for tests and local work.

    Exit status: 0 where all is well, a signal and --max-seconds included; 1 where the fake cannot be served or is not
    healthy, and where `explain` sees a refusal; 2 for wrong usage; 4 without a command. That of `exec` is COMMAND's, or
    one of its own: see its help.
    """
    if not wants_styles():
        context.color = False


for command in (serve, explain, snapshot):
    main.add_command(command)


@main.command(cls=ListCommand)
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
        print_lines(token_list(), width=PIPED_COLUMNS)


@main.command(cls=ListCommand)
@click.option("--json", "as_json", is_flag=True, help="As a JSON array, with the clauses that each breaks.")
@click.option("--holes", is_flag=True, help="The holes in their place: each rule dropped on one operation alone.")
def mutants(*, as_json: bool, holes: bool) -> None:
    """List the deliberate defects and the dialects.

    --mutant of serve and exec gives one to the fake.
    """
    if as_json:
        click.echo(mutant_json(holes=holes))
    else:
        print_lines(mutant_list(holes=holes), width=PIPED_COLUMNS)


@main.command(name="ca-path")
@tls_folder_option
def ca_path(*, tls_folder: Path) -> None:
    """Print where the certificate of --tls is.

    Clients must trust it; it is made if need be.

    As in: curl --cacert "$(paylera-mock ca-path)" https://localhost:4242/v1/customers
    """
    try:
        click.echo(authority_file(tls_folder))
    except TlsError as error:
        raise click.ClickException(str(error)) from error


@main.command()
@click.option("--url", default=DEFAULT_URL, show_default=True, help="The base URL of the fake.")
@tls_folder_option
@ca_file_option
@click.pass_context
def healthcheck(context: click.Context, *, url: str, tls_folder: Path, ca_file: Path | None) -> None:
    """Ask a fake whether it answers.

    The exit status is 0 where it does, 1 where not.

    It leaves no trace in the fake. For a container: HEALTHCHECK CMD ["paylera-mock", "healthcheck"]
    """
    import http.client  # noqa: PLC0415 - see the top of the module

    from paylera_fixtures.trouble import describe_trouble  # noqa: PLC0415
    from paylera_mock.server.http_client import send_request, trust_authority  # noqa: PLC0415

    trust = trust_authority(url, tls_folder, ca_file)
    try:
        # A document: to ask for it needs no token, and is in no journal and no rate limit.
        status, _ = send_request("HEAD", f"{url.rstrip('/')}/openapi/v1.json", context=trust)
        flaw = None if status == http.HTTPStatus.OK else f"it answers with status {status}"
        if flaw and (base := _BELOW_BASE.sub("", url)) != url:
            flaw = f"{flaw}: give the base URL, as {base}"
    except (OSError, http.client.HTTPException) as error:
        flaw = describe_trouble(url, error)
    except ValueError as error:
        flaw = str(error)
    said = f"{url} is healthy" if flaw is None else f"Error: {url} is not healthy: {flaw}"
    click.echo(redact(said), err=flaw is not None)
    context.exit(0 if flaw is None else 1)


def _check_findings(_context: click.Context, _parameter: click.Parameter, given: tuple[str, ...]) -> frozenset[str]:
    from paylera_mock.findings.catalog import KINDS  # noqa: PLC0415 - see the top of the module

    known = sorted({kind.id for kind in KINDS})
    for name in given:
        if name not in known:
            raise click.BadParameter(f"there is no finding {name!r}: {advise(name, known, ', '.join(known))}")
    return frozenset(given)


def _complete_findings(_context: click.Context, _parameter: click.Parameter, begun: str) -> list[str]:
    from paylera_mock.findings.catalog import KINDS  # noqa: PLC0415 - as above

    return sorted({kind.id for kind in KINDS if kind.id.startswith(begun)})


@main.command(name="exec", context_settings={"allow_interspersed_args": False})
@fake_options
@click.option(
    "--fail-on-findings",
    is_flag=True,
    help=f"End with status {DEMANDS_FAILED_STATUS} where the client did something that is an error, or asked for"
    " nothing at all, though COMMAND succeeded.",
)
@click.option(
    "--allow-finding",
    "allowed",
    metavar="ID",
    multiple=True,
    callback=_check_findings,
    shell_complete=_complete_findings,
    help="Let a finding pass, as one that a test provokes. Repeatable.",
)
@click.option(
    "--min-coverage",
    type=click.FloatRange(0, 100),
    metavar="PERCENT",
    help=f"End with status {DEMANDS_FAILED_STATUS} where COMMAND met less of the contract, and list what is missing.",
)
@click.option(
    "--journal-file",
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    help="Keep the journal in a file at the end, one line of JSON for each exchange.",
)
@click.option(
    "--dashboard",
    "stays",
    is_flag=True,
    help="Keep the fake and its dashboard open after COMMAND, until Ctrl-C.",
)
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
@click.pass_context
def exec_(
    context: click.Context,
    *,
    settings: FakeSettings,
    fail_on_findings: bool,
    allowed: frozenset[str],
    min_coverage: float | None,
    stays: bool,
    journal_file: Path | None,
    command: tuple[str, ...],
) -> None:
    """Serve the fake while COMMAND runs.

    As in: paylera-mock exec -- pytest tests

    The fake has a free port, which COMMAND finds by PAYLERA_BASE_URL, PAYLERA_LIVE_BASE_URL and PAYLERA_CONTROL_URL;
    tokens are in PAYLERA_KEY and PAYLERA_ADMIN_KEY. With --tls the certificate to trust is in PAYLERA_CA_FILE, and
    Node trusts it. At the end stands on stderr what the client did wrong, and what was refused if COMMAND failed.

    Exit status: that of COMMAND, or 128 and the number of the signal that killed it; 3 where it succeeded but not
    --fail-on-findings or --min-coverage; 125 where the fake did not start, or could not be asked about these; 126 where
    COMMAND cannot be run, 127 where there is none.
    """
    from paylera_mock.cli.exec import execute  # noqa: PLC0415 - see the top of the module
    from paylera_mock.cli.exec_summary import Demands  # noqa: PLC0415

    demands = Demands(fail_on_findings, allowed, min_coverage)
    if (demands.any or journal_file) and not settings.control:
        options = "--fail-on-findings, --min-coverage and --journal-file"
        raise click.UsageError(f"{options} ask the control API: leave out --no-control")
    if stays and not (settings.control and settings.dashboard):
        raise click.UsageError("--dashboard keeps it open: leave out --no-dashboard and --no-control")
    context.exit(execute(command, settings, demands, journal_file=journal_file, stays=stays))
