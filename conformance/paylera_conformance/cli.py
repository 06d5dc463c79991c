"""`paylera-conformance`: run the suite against a target, list the contract, explain a clause.

A command imports what it needs once it runs, so that `--help` comes at once and `list` does without the extra `suite`.
"""

from __future__ import annotations

import json
import secrets
from pathlib import Path
from typing import Any, Final

import click

from paylera_conformance.program import (
    RUN_OPTIONS,
    LookupCommand,
    Program,
    PytestCommand,
    UsageError,
    complete_clauses,
    complete_explained,
    run_options,
)
from paylera_fixtures.clauses import CLAUSES, clauses_named
from paylera_fixtures.spelling import advise
from paylera_fixtures.terminal import ListCommand, print_lines
from paylera_fixtures.vocabulary import Profile

_PROFILES: Final = click.Choice([profile.value for profile in Profile])


@click.group(cls=Program, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="paylera-testkit", prog_name="paylera-conformance")
def main() -> None:
    """Certify a server against Paylera's authentication contract."""


@main.command(cls=PytestCommand)
@click.argument("url", required=False)
@click.option(
    "-n",
    "--workers",
    metavar="N",
    help="Processes that run the suite.  [default: 1; 2 for all of it against the embedded fake]",
)
@click.option("--dry-run", is_flag=True, help="Say what would be sent and changed, and send nothing.")
@run_options(RUN_OPTIONS - {"url", "resume"})
def run(url: str | None, pytest_args: tuple[str, ...], **options: Any) -> int:
    """Probe URL for every clause, and give the verdict.

    Without URL, and without a configuration file that names one, the fake is started and certified. What stands behind
    -- are arguments of pytest's. Exit codes: 0 conformant, 1 a clause failed, 2 interrupted, 3 internal error, 4 usage
    or configuration, 5 nothing ran, 10 not fully verified, 11 pending, 12 a stale known failure, 13 target unreachable.
    """
    workers, is_dry = (options.pop(name) for name in ("workers", "dry_run"))
    if not is_dry:
        from paylera_conformance.run.launch import run_suite

        return run_suite(url, options, workers=workers, pytest_args=pytest_args)
    from paylera_conformance.rehearsal.dry_run import dry_run

    print_lines(dry_run(url, options, selection=pytest_args))
    return 0


@main.command(cls=PytestCommand)
@click.argument("state", type=click.Path(dir_okay=False))
@run_options(RUN_OPTIONS - {"url", "resume", "state", "run-id"})
def resume(state: str, pytest_args: tuple[str, ...], **options: Any) -> int:
    """Go on with a run that had to wait.

    What is due of STATE is looked at, the rest stays for later. It is the file that `run --state` wrote; its passphrase
    is in $PAYLERA_CONFORMANCE_STATE_KEY. What came too late to be looked at begins anew. The exit codes are those of
    `run`.
    """
    from paylera_conformance.run.launch import resume_suite

    return resume_suite(state, options, pytest_args=pytest_args)


@main.command()
@click.argument("url", required=False)
@run_options(
    RUN_OPTIONS - {"url", "resume", "state", "report", "run-id", "seed", "strict", "max-requests", "max-seconds"}
)
def doctor(url: str | None, **options: Any) -> int:
    """Look at a target and its configuration first.

    Nothing is judged, and nothing sent but GETs. Each finding is labelled: CONFIG is for whoever runs the suite to
    mend, TARGET for whoever runs the server. Then it lists which clauses can be proven with the listed tokens. Exit
    codes: 0 nothing to mend, 13 something is, 4 usage or configuration.
    """
    from paylera_conformance.doctor.command import examine_target

    return examine_target(url, options)


@main.command()
@click.argument("file", required=False, type=click.Path(dir_okay=False))
@click.option("--url", metavar="URL", help="Base URL of the target.")
@click.option(
    "--profile", type=_PROFILES, default=Profile.GUIDE.value, show_default=True, help="Which pages bind the target."
)
@click.option(
    "--mode",
    type=click.Choice(["observe", "sandbox", "full"]),
    default="sandbox",
    show_default=True,
    help="How far a run may go.",
)
@click.option("--force", is_flag=True, help="Write over a file that is there.")
def init(file: str | None, *, url: str | None, profile: str, mode: str, force: bool) -> None:
    """Write a commented configuration file.

    With it comes a list of the tokens worth minting, and of the clauses that each unlocks. FILE is
    paylera-conformance.toml unless given. Nothing is sent to any target: which tokens the suite asks for is seen by a
    rehearsal against the fake, which takes a while.
    """
    from paylera_conformance.rehearsal.init import DEFAULT_URL, WIDTH, initialise
    from paylera_conformance.target.settings import CONFIG_NAME, Mode

    path, chosen = Path(file or CONFIG_NAME), Mode[mode.upper()]
    target = DEFAULT_URL if url is None else url
    lines = initialise(path, url=target, profile=Profile(profile), mode=chosen, force=force)
    print_lines(lines, width=WIDTH)


@main.command()
@click.argument("run_dir", type=click.Path())
def report(run_dir: str) -> None:
    """Write every report of the run in RUN_DIR anew.

    RUN_DIR is what `run --report` wrote. Nothing is sent; the verdict is found again from the evidence.
    """
    from paylera_conformance.reports.raw import read_run
    from paylera_conformance.reports.write import write_report

    path = Path(run_dir)
    found = read_run(path)
    folder = write_report(found, path if path.is_dir() else path.parent)
    click.echo(f"{found.verdict}, exit {found.exit_code}: the reports are in {folder}")


@main.command(cls=LookupCommand)
@click.option("--config", "of_config", is_flag=True, help="Of the configuration file instead.")
def schema(*, of_config: bool) -> None:
    """Print the JSON Schema of `results.json`."""
    from paylera_conformance.reports.results import results_schema
    from paylera_conformance.target.config_file import config_schema

    click.echo(json.dumps(config_schema() if of_config else results_schema(), indent=2))


@main.command("list", cls=ListCommand)
@click.option("--profile", type=_PROFILES, default=Profile.GUIDE.value, show_default=True, help="Whose levels to show.")
@click.option(
    "--clause",
    "names",
    metavar="ID",
    multiple=True,
    shell_complete=complete_clauses,
    help="A clause, a group, or a pattern. Repeatable.",
)
@click.option("--json", "as_json", is_flag=True, help="As a JSON array.")
def list_clauses(*, profile: str, names: tuple[str, ...], as_json: bool) -> None:
    """List every clause with its level and its source."""
    from paylera_conformance.lookup import clause_json, list_lines

    try:
        clauses = clauses_named(names) if names else CLAUSES
    except ValueError as error:
        raise UsageError(str(error)) from None
    if as_json:
        click.echo(json.dumps([clause_json(clause) for clause in clauses], indent=2, ensure_ascii=False))
    else:
        print_lines(list_lines(clauses, Profile(profile)))


@main.command(cls=LookupCommand)
@click.argument("words", metavar="CLAUSE", nargs=-1, required=True, shell_complete=complete_explained)
@click.option("--json", "as_json", is_flag=True, help="As a JSON object.")
def explain(words: tuple[str, ...], *, as_json: bool) -> None:
    """Say what CLAUSE asks for, and how it is looked at.

    And who says so, and what it uses up of listed tokens. In the place of a clause's id stands a problem code, as
    auth.expired_token, for the clauses that are about it, or one of `paylera-mock mutants`, for those that it breaks.
    """
    from paylera_conformance.lookup import explain_json, explain_lines

    name = " ".join(words)
    try:
        if as_json:
            click.echo(json.dumps(explain_json(name), indent=2, ensure_ascii=False))
        else:
            print_lines(list(explain_lines(name)))
    except ValueError as error:
        raise UsageError(str(error)) from None


@main.command()
@click.option("--fast", is_flag=True, help="The subtlest mutant of each clause, and a sample of the other clauses.")
@click.option("--whole", is_flag=True, help="The whole suite against every mutant, not only against every dialect.")
@click.option("--report", metavar="DIR", default="paylera-selftest", show_default=True, help="Where the matrix goes.")
@click.option(
    "-n",
    "--workers",
    metavar="N",
    type=click.IntRange(1),
    help="Processes that run the variants.  [default: one more than the processors]",
)
@click.option(
    "--shard", metavar="I/N", default="1/1", help="Run the I-th of N parts, each of which may run on another machine."
)
@click.option(
    "--merge", metavar="DIR", multiple=True, help="Run nothing: one matrix of those that --report wrote there."
)
@click.argument("variants", nargs=-1)
def selftest(
    *,
    fast: bool,
    whole: bool,
    report: str,
    workers: int | None,
    shard: str,
    merge: tuple[str, ...],
    variants: tuple[str, ...],
) -> int:
    """Show what the suite catches, and what it lets pass.

    VARIANTS are servers that are wrong, or right in another dialect, or do nothing useful. Without VARIANTS all of them
    are run. Exit 0 where every mutant is caught by the clauses it breaks and by no other, every dialect is tolerated
    and no null server passes a clause; else 1. Against a mutant, cases of the clauses that it breaks run until each is
    violated, and one case of each clause that it may not violate, in a server with others that may not; against a hole
    (a rule dropped on one operation alone) every rule on its operation and on another. Holes and dialects that do not
    touch are in one server too. With --whole, the whole suite runs against each alone.
    """
    from paylera_conformance.selftest.command import merge_selftests, run_selftest
    from paylera_conformance.selftest.mutants import list_mutants
    from paylera_conformance.selftest.shards import parse_shard

    if merge and (variants or fast or whole or shard != "1/1"):
        raise UsageError("--merge runs nothing: leave out what is to be run")
    if fast and shard != "1/1":
        raise UsageError("--fast draws other servers each time, which has no parts: leave out --shard, or --fast")
    try:
        part = parse_shard(shard)
    except ValueError as error:
        raise UsageError(str(error)) from None
    known = {**list_mutants(), **list_mutants(holes=True)}
    if merge:
        return merge_selftests(known, merge, directory=report)
    for name in variants:
        if name not in known:
            raise UsageError(f"there is no variant {name!r}: {advise(name, known, 'see `paylera-mock mutants`')}")
    return run_selftest(known, variants, fast=fast, whole=whole, shard=part, directory=report, workers=workers)


@main.command()
@click.argument("run_dir", type=click.Path())
@click.option(
    "--level",
    type=click.Choice(["core", "full", "strict"]),
    help="The level to reach.  [default: core for guide, else full]",
)
@click.option("--key", metavar="FILE", help="Sign with this Ed25519 private key (PEM).")
@click.option("--output", "--out", metavar="FILE", help="The file to write.  [default: certificate.json in RUN_DIR]")
@click.option(
    "--days", metavar="N", type=click.IntRange(1, 366), default=90, show_default=True, help="How long it holds."
)
def certify(run_dir: str, **options: Any) -> int:
    """Make a certificate of the run in RUN_DIR.

    It is one file with the verdict and all its evidence. Exit 0 where it is issued, 1 where the run does not reach the
    level, with every reason.
    """
    from paylera_conformance.certificate.command import certify_run

    return certify_run(run_dir, **options)


@main.command()
@click.argument("bundle", type=click.Path())
@click.option("--key", metavar="FILE", help="The Ed25519 public key (PEM) that it has to be signed with.")
@click.option(
    "--max-age",
    metavar="DAYS",
    type=click.IntRange(1, 366),
    default=90,
    show_default=True,
    help="How old its evidence may be.",
)
def verify(bundle: str, key: str | None, max_age: int) -> int:
    """Say whether the certificate BUNDLE holds.

    Its verdict is found again from its evidence. Exit 0 where it holds, 1 where it does not, with every reason.
    """
    from paylera_conformance.certificate.command import verify_file

    return verify_file(bundle, key=key, max_age=max_age)


@main.command(cls=PytestCommand)
@click.argument("url_a")
@click.argument("url_b")
@click.option("--config-a", metavar="FILE", help="Configuration file of A.")
@click.option("--config-b", metavar="FILE", help="Configuration file of B.")
@click.option("--control-url-a", metavar="URL", help="Control API of A.")
@click.option("--control-url-b", metavar="URL", help="Control API of B.")
@run_options({"profile", "mode", "seed", "clause"})
@click.option("--report", metavar="DIR", help="Write diff.json there.")
def diff(url_a: str, url_b: str, pytest_args: tuple[str, ...], report: str | None, **options: Any) -> int:
    """Show clause by clause where two targets differ.

    In outcome, or in what was answered; profile, mode and seed are those of both. Exit 0 where they are the same, 1
    where they differ; a run that comes to nothing (exit 2, 3, 4, 5 or 13) ends this with its own exit code.
    """
    from paylera_conformance.reports.diff import Side, diff_targets

    sides = [
        Side(name, url, options.pop(f"config_{name}"), options.pop(f"control_url_{name}"))
        for name, url in (("a", url_a), ("b", url_b))
    ]
    options["seed"] = str(secrets.randbelow(2**32) if options["seed"] is None else options["seed"])
    return diff_targets(sides, options, directory=report, pytest_args=pytest_args)
