"""What people read: the banner of a served fake, and the lists of the well-known tokens and of the mutants."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Final

import click

from paylera_fixtures.terminal import Line
from paylera_fixtures.tokens import WELL_KNOWN
from paylera_fixtures.vocabulary import Profile
from paylera_mock.state.token_names import ready_name

if TYPE_CHECKING:
    from paylera_mock.mutants.model import Mutant  # all of the fake, which the other texts need not
    from paylera_mock.server.ready import Ready  # what it imports takes longer than `--help`

_NAME_COLUMNS: Final = 2 + max(len(ready_name(token)) for token in WELL_KNOWN)


def format_banner(ready: Ready, profile: Profile, mutants: Sequence[str] = ()) -> str:
    """Where the fake is, what to try first, how to stop it. Coloured; `click.echo` removes colours from files.

    Nothing of it is wrapped, so that it needs no rich, which would delay the ready line.
    """
    urls = {
        "sandbox": ready.url,
        "live": ready.live_url,
        "control": ready.control_url or "off (--no-control)",
        "dashboard": ready.dashboard_url or "off",
    }
    curl = (
        f"curl {ready.url}/v1/customers \\",
        *([f"  --cacert {shlex.quote(ready.ca_file)} \\"] if ready.ca_file else []),
        f'  -H "Authorization: Bearer {ready.tokens["serviceall"]}"',
    )
    title = click.style("paylera-mock", bold=True)
    lines = [
        "",
        f"{title} {ready.version}: a fake Paylera that keeps the contract (profile {profile})",
        "",
        *(f"  {name:<11}{click.style(url, fg='cyan')}" for name, url in urls.items()),
        *(click.style(f"  mutant     {name}", fg="red") for name in mutants),
        "",
        "Try it:",
        "",
        *(click.style(f"  {line}", fg="green") for line in curl),
        "",
        "More tokens: paylera-mock tokens. Stop it: Ctrl-C.",
        "",
    ]
    return "\n".join(lines)


def mutant_list(*, holes: bool) -> Iterator[Line]:
    """Every mutant and every dialect, or every hole, with what is different."""
    for name, mutant in _mutants(holes=holes).items():
        yield Line(f"({mutant.kind})", first=[(f"{name} ", "bold")])
        yield Line(mutant.description, first="  ")


def mutant_json(*, holes: bool) -> str:
    """The same as JSON: an array of objects in the order of the list."""
    rows = [
        {
            "id": name,
            "kind": mutant.kind,
            "description": mutant.description,
            "breaks": mutant.breaks,
            "may_break": mutant.may_break,
            "subtle": mutant.subtle,
            "profile": mutant.profile,
            "readings": mutant.readings,
            **({"operation": str(mutant.operation)} if mutant.operation else {}),
        }
        for name, mutant in _mutants(holes=holes).items()
    ]
    return json.dumps(rows, indent=2)


def _mutants(*, holes: bool) -> Mapping[str, Mutant]:
    from paylera_mock.mutants import all_mutants  # noqa: PLC0415 - start-up time, as above
    from paylera_mock.mutants.holes import all_holes  # noqa: PLC0415 - as above

    return all_holes() if holes else all_mutants()


def token_list() -> Iterator[Line]:
    """Every well-known token with what it is for and what it may do."""
    for token in WELL_KNOWN:
        grants = f"{token.environment} {token.audience}, AAL {token.aal}, {token.state}"
        yield Line(token.secret, first=f"{ready_name(token):<{_NAME_COLUMNS}}", style="cyan")
        yield Line(token.purpose, first=" " * _NAME_COLUMNS, style="bold")
        yield Line(f"{grants}, scopes: {' '.join(token.scopes) or 'none'}", first=" " * _NAME_COLUMNS)


def token_exports() -> str:
    """Every well-known token as a line for a shell: `export PAYLERA_TOKEN_SERVICEALL=…`."""
    return "\n".join(f"export PAYLERA_TOKEN_{ready_name(token).upper()}={token.secret}" for token in WELL_KNOWN)


def token_json() -> str:
    """Every well-known token as JSON: an array of objects in the order of the list."""
    rows = [
        {
            "name": ready_name(token),
            "secret": token.secret,
            "id": token.token_id,
            "audience": token.audience,
            "scopes": list(token.scopes),
            "aal": token.aal,
            "environment": token.environment,
            "tenant_id": token.tenant,
            "customer_id": token.customer_id,
            "state": token.state,
            "purpose": token.purpose,
        }
        for token in WELL_KNOWN
    ]
    return json.dumps(rows, indent=2)
