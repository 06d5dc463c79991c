"""The commands `certify` and `verify`: what they read, write and say."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import click

from paylera_conformance.certificate.bundle import pack, read_private_key, read_public_key
from paylera_conformance.certificate.check import BarredError, Findings, payload_for, verify_bundle
from paylera_conformance.certificate.levels import CertificateLevel, installed_suite, level_for
from paylera_conformance.certificate.plan import planned_cases
from paylera_conformance.model.outcomes import ExitCode
from paylera_conformance.reports.raw import read_run
from paylera_conformance.target.settings import ConfigError
from paylera_conformance.verdict.evidence import printable

CERTIFICATE_NAME: Final = "certificate.json"


def certify_run(folder: str, *, level: str | None, key: str | None, out: str | None, days: int) -> int:
    """Issue a bundle for the run in a folder: 0 where it is issued, 1 where the run does not reach the level.

    Raises `ConfigError` where the folder holds no run, or the key is none.
    """
    report = read_run(Path(folder))
    wanted = CertificateLevel(level) if level else level_for(report.facts.profile)
    private = read_private_key(key) if key else None
    try:
        payload = payload_for(report, wanted, installed_suite(planned_cases()), now=datetime.now(UTC), days=days)
    except BarredError as barred:
        click.secho(f"NO CERTIFICATE  {report.facts.target}, level {wanted}", fg="red", bold=True)
        _list("because", barred.reasons)
        return ExitCode.FAILED
    path = _written(Path(out) if out else Path(folder) / CERTIFICATE_NAME, pack(payload, private))
    said = payload["statement"]
    click.secho(f"{said['title']}", fg="yellow" if said["local"] else "green", bold=True)
    click.echo(f"  {said['target']}, level {wanted}, {said['verdict']}, until {said['expires_at']}")
    if private is None:
        click.secho("  UNSIGNED: nobody vouches for it; give --key FILE", fg="yellow", bold=True)
    click.echo(f"  {path}")
    return ExitCode.CONFORMANT


def _written(path: Path, content: bytes) -> Path:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    except OSError as error:
        raise ConfigError(f"{path} cannot be written: {error.strerror}") from None
    return path


def verify_file(path: str, *, key: str | None) -> int:
    """Hold a bundle to its evidence: 0 where it holds, 1 where it does not.

    Raises `ConfigError` where there is no such file, or the key is none.
    """
    public = read_public_key(key) if key else None
    try:
        content = Path(path).read_bytes()
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}") from None
    found = verify_bundle(content, installed_suite(planned_cases()), now=datetime.now(UTC), public_key=public)
    _tell(found)
    return ExitCode.FAILED if found.problems else ExitCode.CONFORMANT


def _tell(found: Findings) -> None:
    if found.problems:
        click.secho("DOES NOT HOLD", fg="red", bold=True)
        _list("because", found.problems)
        return
    said = found.statement
    click.secho(f"HOLDS  {printable(said['title'])}", fg="yellow" if said["local"] else "green", bold=True)
    click.echo(f"  {printable(said['target'])}, level {said['level']}, {said['verdict']} in profile {said['profile']}")
    click.echo(f"  seen {said['run_ended_at']}, issued {said['issued_at']}, holds until {said['expires_at']}")
    suite = said["suite"]
    click.echo(f"  suite {suite['version']} {suite['sha256'][:16]}, {len(said['clauses'])} clauses, each found again")
    _list("note", found.notes)


def _list(word: str, lines: list[str]) -> None:
    for line in lines:
        click.secho(f"  {word}: {printable(line)}", fg="yellow" if word == "note" else None)
