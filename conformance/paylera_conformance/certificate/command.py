"""The commands `certify` and `verify`: what they read, write and say."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from msgspec import convert

from paylera_conformance.certificate.bundle import encode_certificate, read_public_key, read_signer
from paylera_conformance.certificate.check import LevelNotReachedError, make_payload, verify_certificate
from paylera_conformance.certificate.levels import CertificateLevel, installed_suite, level_for
from paylera_conformance.model.outcomes import ExitCode
from paylera_conformance.reports.matrix import LookedAt
from paylera_conformance.reports.raw import read_run
from paylera_conformance.run.plan import planned_cases
from paylera_conformance.target.settings import read_file, write_file
from paylera_fixtures.printable import printable
from paylera_fixtures.terminal import Line, print_lines


def certify_run(folder: str, *, level: str | None, key: str | None, output: str | None, days: int) -> int:
    """Issue a certificate for a run: 0 where it is issued, 1 where the level is not reached. Raises `ConfigError`."""
    report = read_run(Path(folder))
    wanted = CertificateLevel(level) if level else level_for(report.facts.profile)
    signer = read_signer(key) if key else None
    try:
        payload = make_payload(report, wanted, installed_suite(planned_cases()), now=datetime.now(UTC), days=days)
    except LevelNotReachedError as error:
        refusal = _verdict(f"NO CERTIFICATE  {report.facts.target}, level {wanted}", "red")
        print_lines([refusal, *_reasons("because", error.reasons)])
        return ExitCode.FAILED
    path = Path(output) if output else Path(folder) / "certificate.json"
    write_file(path, encode_certificate(payload, signer))
    stated = payload["statement"]
    unsigned = [_verdict("  UNSIGNED: nobody vouches for it; give --key FILE", "yellow")] if signer is None else []
    print_lines(
        [
            _verdict(stated["title"], "yellow" if stated["local"] else "green"),
            _fact(f"{stated['target']}, level {wanted}, {stated['verdict']}, until {stated['expires_at']}"),
            _fact(f"looked at {convert(stated['looked_at'], LookedAt)}"),
            *unsigned,
            _fact(path),
        ]
    )
    return ExitCode.CONFORMANT


def verify_file(path: str, *, key: str | None, max_age: int) -> int:
    """Compare a certificate with its evidence: 0 where it holds, 1 where it does not. Raises `ConfigError`."""
    public = read_public_key(key) if key else None
    suite = installed_suite(planned_cases())
    content = read_file(path, "name the file that `certify` wrote")
    found = verify_certificate(content, suite, now=datetime.now(UTC), public_key=public, max_age=max_age)
    if found.problems:
        print_lines([_verdict("DOES NOT HOLD", "red"), *_reasons("because", found.problems)])
        return ExitCode.FAILED
    stated = found.statement
    by = f"suite {suite.version} {suite.sha256[:16]}"
    print_lines(
        [
            _verdict(f"HOLDS  {printable(stated['title'])}", "yellow" if stated["local"] else "green"),
            _fact(
                f"{printable(stated['target'])}, level {stated['level']}, {stated['verdict']}"
                f" in profile {stated['profile']}"
            ),
            _fact(f"seen {stated['run_ended_at']}, issued {stated['issued_at']}, holds until {stated['expires_at']}"),
            _fact(f"evidence from {', '.join(map(printable, stated['base_urls']))}"),
            _fact(f"looked at {convert(stated['looked_at'], LookedAt)}"),
            _fact(f"{by}, {len(stated['clauses'])} clauses, each found again"),
            *_reasons("note", found.notes, style="yellow"),
        ]
    )
    return ExitCode.CONFORMANT


def _verdict(text: str, colour: str) -> Line:
    return Line(text, style=f"bold {colour}", indent=2)


def _fact(text: object) -> Line:
    return Line(str(text), first="  ", indent=4)


def _reasons(word: str, texts: Iterable[str], *, style: str = "") -> Iterator[Line]:
    return (Line(f"{word}: {printable(text)}", first="  ", style=style, indent=4) for text in texts)
