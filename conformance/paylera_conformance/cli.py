"""`paylera-conformance`: run the suite against a target, list the contract, explain a clause."""

from __future__ import annotations

import difflib
import json
import secrets
import sys
from collections.abc import Callable, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NoReturn

import click

from paylera_conformance.run.options import OPTIONS
from paylera_conformance.version import VERSION
from paylera_fixtures.clauses import BY_ID, CLAUSES, GROUPS, Level
from paylera_fixtures.vocabulary import Profile

if TYPE_CHECKING:
    from paylera_conformance.selftest.mutants import Mutant

USAGE_ERROR: Final = 4
INTERRUPTED: Final = 2
_EXTRA: Final = (
    *(
        "pytest",
        "xdist",
        "httpx",
        "schemathesis",
        "hypothesis",
        "cryptography",
        "securesystemslib",
        "jinja2",
        "junitparser",
        "harfile",
    ),
    "rich",
)


class UsageError(click.ClickException):
    """A mistake of the user's: one line that names the fix, exit 4."""

    exit_code = USAGE_ERROR


class Program(click.Group):
    """A group whose usage errors exit with 4: click's own 2 means "interrupted" here."""

    def main(self, *args: Any, **extra: Any) -> Any:
        """Run, and exit as the command says."""
        try:
            sys.exit(super().main(*args, **{**extra, "standalone_mode": False}))
        except click.ClickException as error:
            error.show()
            sys.exit(USAGE_ERROR if isinstance(error, click.UsageError) else error.exit_code)
        except click.Abort:
            sys.exit(INTERRUPTED)


@click.group(cls=Program, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(VERSION, prog_name="paylera-conformance")
def main() -> None:
    """Certify a server against Paylera's authentication contract."""


def _options_but(*left_out: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Give a command an option for each of the plugin's, so that both are spelled in one place."""

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        for name, settings in reversed(OPTIONS):
            if name not in left_out:
                command = click.option(f"--{name}", **_as_click(settings))(command)
        return command

    return decorate


def _as_click(settings: Mapping[str, Any]) -> dict[str, Any]:
    """A pytest option's settings in click's words."""
    if settings.get("action") == "store_true":
        return {"is_flag": True, "help": settings["help"]}
    return {
        "multiple": settings.get("action") == "append",
        "metavar": settings["metavar"],
        "type": settings.get("type"),
        "help": settings["help"],
    }


@main.command(context_settings={"ignore_unknown_options": True})
@click.argument("url", required=False)
@click.argument("pytest_args", nargs=-1, type=click.UNPROCESSED)
@click.option("-n", "--workers", metavar="N", help="processes that run the suite (default: 1; 2 for the embedded fake)")
@click.option("-k", "expression", metavar="EXPRESSION", help="only the cases whose names match, as pytest's -k")
@click.option("--dry-run", is_flag=True, help="say what would be sent and changed, and send nothing")
@_options_but("url", "resume")
def run(
    url: str | None, pytest_args: tuple[str, ...], *, workers: str | None, expression: str | None, dry_run: bool,
    **options: Any,
) -> None:  # fmt: skip
    """Probe URL for every clause of the contract, and give the verdict.

    Without URL, and without a configuration file that names one, the fake is started and certified. Further arguments
    are pytest's. Exit codes: 0 conformant, 1 a clause failed, 2 interrupted, 3 internal error, 4 usage or
    configuration, 5 nothing ran, 10 not fully verified, 11 pending, 12 a stale known failure, 13 target unreachable.
    """
    _require_extra()
    from paylera_conformance.run.launch import run_suite  # noqa: PLC0415 - `list` does without pytest
    from paylera_conformance.target.settings import ConfigError  # noqa: PLC0415 - as above

    if url is not None and url.startswith("-"):  # where no URL was given, the first option of pytest's takes its place
        pytest_args = (url, *pytest_args)
        url = None
    selection = [*pytest_args, *(["-k", expression] if expression else [])]
    try:
        if dry_run:
            _tell_dry_run(url, options, selection)
            return
        sys.exit(run_suite(url, options, workers=workers, pytest_args=selection))
    except ConfigError as error:
        raise UsageError(str(error)) from None


@main.command(context_settings={"ignore_unknown_options": True})
@click.argument("state", type=click.Path(dir_okay=False))
@click.argument("pytest_args", nargs=-1, type=click.UNPROCESSED)
@_options_but("url", "resume", "state", "run-id")
def resume(state: str, pytest_args: tuple[str, ...], **options: Any) -> None:
    """Go on with a run that had to wait: what is due of STATE is looked at, the rest stays for later.

    STATE is the file that `run --state` wrote; its passphrase is in $PAYLERA_CONFORMANCE_STATE_KEY. What came too late
    to be looked at begins anew. The exit codes are those of `run`.
    """
    _require_extra()
    from paylera_conformance.run.launch import resume_suite  # noqa: PLC0415 - `list` does without pytest
    from paylera_conformance.target.settings import ConfigError  # noqa: PLC0415 - as above

    try:
        sys.exit(resume_suite(state, options, pytest_args=pytest_args))
    except ConfigError as error:
        raise UsageError(str(error)) from None


@main.command()
@click.argument("url", required=False)
@_options_but("url", "resume", "state", "report", "run-id", "seed", "strict", "max-requests")
def doctor(url: str | None, **options: Any) -> None:
    """Look at a target and its configuration before anything is judged, with GETs only.

    Each finding is labelled: CONFIG is for whoever runs the suite to mend, TARGET for whoever runs the server. Then it
    is told which clauses can be proven with the listed tokens. Exit codes: 0 nothing to mend, 13 something is, 4 usage
    or configuration.
    """
    _require_extra()
    from paylera_conformance.doctor.command import DoctorVisit  # noqa: PLC0415 - `list` does without pytest
    from paylera_conformance.target.settings import ConfigError  # noqa: PLC0415 - as above

    try:
        visit = DoctorVisit(url, options)
        for line in visit.lines():
            click.echo(line)
    except ConfigError as error:
        raise UsageError(str(error)) from None
    sys.exit(visit.exit_code)


@main.command()
@click.argument("file", required=False, type=click.Path(dir_okay=False))
@click.option("--url", metavar="URL", help="base URL of the target")
@click.option("--profile", type=click.Choice(list(Profile)), default=Profile.GUIDE, show_default=True)
@click.option("--mode", type=click.Choice(["observe", "sandbox", "full"]), default="sandbox", show_default=True)
@click.option("--force", is_flag=True, help="write over a file that is there")
def init(file: str | None, *, url: str | None, profile: str, mode: str, force: bool) -> None:
    """Write a commented configuration, and list the tokens worth minting with the clauses that each unlocks.

    FILE is paylera-conformance.toml unless given. Nothing is sent to any target: which tokens the suite asks for is
    seen by a rehearsal against the fake, which takes a while.
    """
    _require_extra()
    from paylera_conformance.rehearsal.init import DEFAULT_URL, initialise  # noqa: PLC0415 - `list` does without pytest
    from paylera_conformance.target.settings import CONFIG_NAME, ConfigError, Mode  # noqa: PLC0415 - as above

    path = Path(file or CONFIG_NAME)
    click.echo(_REHEARSING, err=True)
    try:
        for line in initialise(
            path, url=url or DEFAULT_URL, profile=Profile(profile), mode=Mode[mode.upper()], force=force
        ):
            click.echo(line)
    except ConfigError as error:
        raise UsageError(str(error)) from None


_REHEARSING: Final = "rehearsing against the fake, half a minute or so …"


def _tell_dry_run(url: str | None, options: Mapping[str, Any], selection: Sequence[str]) -> None:
    from paylera_conformance.rehearsal.dry_run import dry_run  # noqa: PLC0415 - `list` does without pytest

    click.echo(_REHEARSING, err=True)
    for line in dry_run(url, options, selection=selection):
        click.echo(line)


def _require_extra() -> None:
    missing = [name for name in _EXTRA if find_spec(name) is None]
    if missing:
        raise UsageError(f"{', '.join(missing)} not installed: pip install 'paylera-testkit[suite]'")


@main.command()
@click.argument("run_dir", type=click.Path(exists=True))
def report(run_dir: str) -> None:
    """Write every report of a run anew, from the raw run in RUN_DIR.

    RUN_DIR is what `run --report` wrote. Nothing is sent; the verdict is found again from the evidence.
    """
    _require_extra()
    from paylera_conformance.reports.raw import read_run  # noqa: PLC0415 - `list` does without pytest
    from paylera_conformance.reports.write import write_report  # noqa: PLC0415 - as above
    from paylera_conformance.target.settings import ConfigError  # noqa: PLC0415 - as above

    path = Path(run_dir)
    try:
        found = read_run(path)
    except ConfigError as error:
        raise UsageError(str(error)) from None
    folder = write_report(found, path if path.is_dir() else path.parent)
    click.echo(f"{found.verdict}, exit {found.exit_code}: the reports are in {folder}")


@main.command()
def schema() -> None:
    """Print the JSON Schema of `results.json`."""
    _require_extra()
    from paylera_conformance.reports.results import results_schema  # noqa: PLC0415 - `list` does without pytest

    click.echo(json.dumps(results_schema(), indent=2))


@main.command("list")
@click.option("--profile", type=click.Choice(list(Profile)), default=Profile.GUIDE, show_default=True)
def list_clauses(profile: str) -> None:
    """List every clause with its level and its source."""
    for group, title in GROUPS.items():
        click.secho(f"{group}: {title}", bold=True)
        for clause in CLAUSES:
            if clause.group == group:
                level = clause.level(Profile(profile))
                click.echo(f"  {clause.id:<36} {_painted(level)} {clause.source}")
        click.echo()


def _painted(level: Level) -> str:
    return click.style(f"{level:<6}", fg="red" if level is Level.MUST else "yellow")


@main.command()
@click.argument("clause")
def explain(clause: str) -> None:
    """Say what CLAUSE asks for, who says so, and how it is looked at."""
    if clause not in BY_ID:
        near = difflib.get_close_matches(clause, BY_ID, n=3, cutoff=0.4)
        raise UsageError(f"there is no clause {clause!r}: {_advice(near, 'see `paylera-conformance list`')}")
    row = BY_ID[clause]
    click.secho(row.id, bold=True)
    click.echo(f"  says     {row.says}")
    click.echo(f"  source   {row.source}: {row.section}")
    if row.probes:
        click.echo(f"  probed   {row.probes}")
    for profile in Profile:
        click.echo(f"  {profile:<10}{row.level(profile)}")
    for mutant in _list_mutants().values():
        if clause in mutant.breaks:
            click.echo(f"  broken by {mutant.id}: {mutant.description}")


def _list_mutants() -> dict[str, Mutant]:
    from paylera_conformance.selftest.mutants import list_mutants  # noqa: PLC0415 - `list` starts no program
    from paylera_conformance.target.settings import ConfigError  # noqa: PLC0415 - as above

    try:
        return list_mutants()
    except ConfigError as error:
        raise UsageError(str(error)) from None


@main.command()
@click.option("--fast", is_flag=True, help="the subtlest mutant of each clause, and a sample of the other clauses")
@click.option("--whole", is_flag=True, help="the whole suite against every mutant, not only against every dialect")
@click.option("--report", metavar="DIR", default="paylera-selftest", show_default=True, help="where the matrix goes")
@click.option("-n", "--workers", metavar="N", type=click.IntRange(1), default=2, show_default=True, help="processes")
@click.argument("variants", nargs=-1)
def selftest(*, fast: bool, whole: bool, report: str, workers: int, variants: tuple[str, ...]) -> None:
    """Show what the suite catches: wrong servers, right servers of other dialects, servers that do nothing.

    Without VARIANTS all of them are run. Exit 0 where every mutant is caught by the clauses it breaks and by no other,
    every dialect is left in peace and no null server passes a clause; else 1. Against a mutant, every case runs of the
    clauses that it may break, and one case of each other clause.
    """
    _require_extra()
    from paylera_conformance.selftest.command import run_selftest  # noqa: PLC0415 - `list` does without pytest
    from paylera_conformance.target.settings import ConfigError  # noqa: PLC0415 - as above

    known = _list_mutants()
    unknown = [name for name in variants if name not in known]
    if unknown:
        near = difflib.get_close_matches(unknown[0], known, n=3, cutoff=0.4)
        raise UsageError(f"there is no variant {unknown[0]!r}: {_advice(near, 'see `paylera-mock mutants`')}")
    try:
        sys.exit(run_selftest(known, variants, fast=fast, whole=whole, directory=report, workers=workers))
    except ConfigError as error:
        raise UsageError(str(error)) from None


@main.command()
@click.argument("run_dir", type=click.Path())
@click.option("--level", type=click.Choice(["core", "full", "strict"]), help="default: core for guide, else full")
@click.option("--key", metavar="FILE", help="sign with this Ed25519 private key (PEM)")
@click.option("--out", metavar="FILE", help="default: certificate.json in RUN_DIR")
@click.option(
    "--days", metavar="N", type=click.IntRange(1, 366), default=90, show_default=True, help="how long it holds"
)
def certify(run_dir: str, **options: Any) -> None:
    """Make a certificate of the run whose report is in RUN_DIR: one file with the verdict and all its evidence.

    Exit 0 where it is issued, 1 where the run does not reach the level, with every reason.
    """
    _require_extra()
    from paylera_conformance.certificate.command import certify_run  # noqa: PLC0415 - `list` does without pytest

    _end(lambda: certify_run(run_dir, **options))


@main.command()
@click.argument("bundle", type=click.Path())
@click.option("--key", metavar="FILE", help="the Ed25519 public key (PEM) that it has to be signed with")
def verify(bundle: str, key: str | None) -> None:
    """Find the verdict of the certificate BUNDLE again from its evidence, and say whether it holds.

    Exit 0 where it holds, 1 where it does not, with every reason.
    """
    _require_extra()
    from paylera_conformance.certificate.command import verify_file  # noqa: PLC0415 - `list` does without pytest

    _end(lambda: verify_file(bundle, key=key))


@main.command(context_settings={"ignore_unknown_options": True})
@click.argument("url_a")
@click.argument("url_b")
@click.argument("pytest_args", nargs=-1, type=click.UNPROCESSED)
@click.option("--config-a", metavar="FILE", help="configuration file of A")
@click.option("--config-b", metavar="FILE", help="configuration file of B")
@click.option("--control-url-a", metavar="URL", help="control API of A")
@click.option("--control-url-b", metavar="URL", help="control API of B")
@click.option("--profile", metavar="NAME", help="of both: guide (default) or reference")
@click.option("--mode", metavar="NAME", help="of both: observe, sandbox or full")
@click.option("--seed", metavar="N", type=int, help="of the generated probes, the same for both")
@click.option("--report", metavar="DIR", help="write diff.json there")
def diff(url_a: str, url_b: str, pytest_args: tuple[str, ...], report: str | None, **options: Any) -> None:
    """Show clause by clause where two targets differ, in outcome or in what was answered.

    Further arguments are pytest's. Exit 0 where they are the same, 1 where they differ; a run that comes to nothing
    (exit 2, 3, 4, 5 or 13) ends this with its own exit code.
    """
    _require_extra()
    from paylera_conformance.reports.diff import Side, diff_targets  # noqa: PLC0415 - `list` does without it

    sides = [
        Side(name, url, options.pop(f"config_{name}"), options.pop(f"control_url_{name}"))
        for name, url in (("a", url_a), ("b", url_b))
    ]
    options["seed"] = str(secrets.randbelow(2**32) if options["seed"] is None else options["seed"])
    _end(lambda: diff_targets(sides, options, directory=report, pytest_args=pytest_args))


def _end(command: Callable[[], int]) -> NoReturn:
    """Exit as a command says; a mistake of the user's is one line."""
    from paylera_conformance.target.settings import ConfigError  # noqa: PLC0415 - `list` does without it

    try:
        sys.exit(command())
    except ConfigError as error:
        raise UsageError(str(error)) from None


def _advice(near: Sequence[str], otherwise: str) -> str:
    return f"did you mean {' or '.join(near)}?" if near else otherwise
