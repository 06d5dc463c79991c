"""What people read: the greeting of a served fake, and the list of the well-known tokens. All of it fits 80 columns."""

from __future__ import annotations

import json
import shlex
import textwrap
from collections.abc import Sequence
from typing import Final

import click

from paylera_fixtures.tokens import WELL_KNOWN, WellKnownToken
from paylera_fixtures.vocabulary import Profile
from paylera_mock.mutants import all_mutants
from paylera_mock.server.ready import Ready
from paylera_mock.state.token_names import ready_name

_COLUMNS: Final = 80
_NAME_COLUMNS: Final = 2 + max(len(ready_name(token)) for token in WELL_KNOWN)


def greeting(ready: Ready, profile: Profile, mutants: Sequence[str] = ()) -> str:
    """The greeting: where the fake is, what to try first, how to stop it. Coloured; `click.echo` takes colours out."""
    places = {"sandbox": ready.url, "live": ready.live_url, "control": ready.control_url or "off (--no-control)"}
    title = click.style("paylera-mock", bold=True)
    lines = [
        f"{title} {ready.version}: a fake Paylera that keeps the contract (profile {profile})",
        "",
        *(f"  {name:<9}{click.style(place, fg='cyan')}" for name, place in places.items()),
        *(click.style(f"  mutant   {name}", fg="red") for name in mutants),
        "",
        "Try it:",
        "",
        *(click.style(f"  {line}", fg="green") for line in first_curl(ready)),
        "",
        "More tokens: paylera-mock tokens. Stop it: Ctrl-C.",
    ]
    return "\n".join(["", *lines, ""])


def first_curl(ready: Ready) -> tuple[str, ...]:
    """The lines of a shell command that the fake answers with seeded data."""
    return (
        f"curl {ready.url}/v1/customers \\",
        *([f"  --cacert {shlex.quote(ready.ca_file)} \\"] if ready.ca_file else []),
        f'  -H "Authorization: Bearer {ready.tokens["serviceall"]}"',
    )


def token_table() -> str:
    """Every well-known token with what it may do and what it is for."""
    return "\n".join(_row(token) for token in WELL_KNOWN)


def mutant_table() -> str:
    """Every mutant and every dialect with what is different."""
    return "\n".join(
        f"{click.style(name, bold=True)} ({mutant.kind})\n{_indent(mutant.description)}"
        for name, mutant in all_mutants().items()
    )


def _indent(text: str) -> str:
    return textwrap.fill(text, _COLUMNS, initial_indent="  ", subsequent_indent="  ", break_on_hyphens=False)


def mutant_json() -> str:
    """Every mutant and every dialect as JSON: an array of objects in the order of the table."""
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
        }
        for name, mutant in all_mutants().items()
    ]
    return json.dumps(rows, indent=2)


def token_exports() -> str:
    """Every well-known token as a line for a shell: `export PAYLERA_TOKEN_SERVICEALL=…`."""
    return "\n".join(f"export PAYLERA_TOKEN_{ready_name(token).upper()}={token.secret}" for token in WELL_KNOWN)


def token_json() -> str:
    """Every well-known token as JSON: an array of objects in the order of the table."""
    return json.dumps([_members(token) for token in WELL_KNOWN], indent=2)


def _members(token: WellKnownToken) -> dict[str, object]:
    return {
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


def _row(token: WellKnownToken) -> str:
    request = (
        f"{token.environment} {token.audience}, AAL {token.aal}, {token.state},"
        f" scopes: {' '.join(token.scopes) or 'none'}"
    )
    indent = " " * _NAME_COLUMNS
    # Scopes are broken between words only.
    wrapped = textwrap.fill(request, _COLUMNS, initial_indent=indent, subsequent_indent=indent, break_on_hyphens=False)
    head = f"{ready_name(token):<{_NAME_COLUMNS}}{click.style(token.secret, fg='cyan')}"
    return f"{head}\n{indent}{click.style(token.purpose, bold=True)}\n{wrapped}"
