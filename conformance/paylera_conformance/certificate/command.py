"""The commands `certify` and `verify`: what they read, write and say."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click
from msgspec import convert

from paylera_conformance.certificate.bundle import encode_certificate, read_public_key, read_signer
from paylera_conformance.certificate.check import LevelNotReachedError, make_payload, verify_certificate
from paylera_conformance.certificate.levels import CertificateLevel, installed_suite, level_for
from paylera_conformance.model.outcomes import ExitCode
from paylera_conformance.reports.matrix import LookedAt
from paylera_conformance.reports.raw import read_run
from paylera_conformance.run.plan import planned_cases
from paylera_conformance.target.settings import read_file, write_file
from paylera_conformance.verdict.evidence import printable


def certify_run(folder: str, *, level: str | None, key: str | None, out: str | None, days: int) -> int:
    """Issue a certificate for a run: 0 where it is issued, 1 where the level is not reached. Raises `ConfigError`."""
    report = read_run(Path(folder))
    wanted = CertificateLevel(level) if level else level_for(report.facts.profile)
    signer = read_signer(key) if key else None
    try:
        payload = make_payload(report, wanted, installed_suite(planned_cases()), now=datetime.now(UTC), days=days)
    except LevelNotReachedError as error:
        click.secho(f"NO CERTIFICATE  {report.facts.target}, level {wanted}", fg="red", bold=True)
        _print_lines("because", error.reasons)
        return ExitCode.FAILED
    path = Path(out) if out else Path(folder) / "certificate.json"
    write_file(path, encode_certificate(payload, signer))
    stated = payload["statement"]
    click.secho(f"{stated['title']}", fg="yellow" if stated["local"] else "green", bold=True)
    click.echo(f"  {stated['target']}, level {wanted}, {stated['verdict']}, until {stated['expires_at']}")
    click.echo(f"  looked at {convert(stated['looked_at'], LookedAt)}")
    if signer is None:
        click.secho("  UNSIGNED: nobody vouches for it; give --key FILE", fg="yellow", bold=True)
    click.echo(f"  {path}")
    return ExitCode.CONFORMANT


def verify_file(path: str, *, key: str | None, max_age: int) -> int:
    """Compare a certificate with its evidence: 0 where it holds, 1 where it does not. Raises `ConfigError`."""
    public = read_public_key(key) if key else None
    suite = installed_suite(planned_cases())
    found = verify_certificate(read_file(path), suite, now=datetime.now(UTC), public_key=public, max_age=max_age)
    if found.problems:
        click.secho("DOES NOT HOLD", fg="red", bold=True)
        _print_lines("because", found.problems)
        return ExitCode.FAILED
    stated = found.statement
    click.secho(f"HOLDS  {printable(stated['title'])}", fg="yellow" if stated["local"] else "green", bold=True)
    click.echo(
        f"  {printable(stated['target'])}, level {stated['level']}, {stated['verdict']} in profile {stated['profile']}"
    )
    click.echo(f"  seen {stated['run_ended_at']}, issued {stated['issued_at']}, holds until {stated['expires_at']}")
    click.echo(f"  evidence from {', '.join(map(printable, stated['base_urls']))}")
    click.echo(f"  looked at {convert(stated['looked_at'], LookedAt)}")
    by = f"suite {suite.version} {suite.sha256[:16]}"
    click.echo(f"  {by}, {len(stated['clauses'])} clauses, each found again")
    _print_lines("note", found.notes)
    return ExitCode.CONFORMANT


def _print_lines(word: str, lines: list[str]) -> None:
    for line in lines:
        click.secho(f"  {word}: {printable(line)}", fg="yellow" if word == "note" else None)
