"""What `init` writes: a configuration file to fill in, each token on a line of its own."""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Iterator, Mapping
from itertools import groupby
from typing import Any, Final

from paylera_conformance.model.tokens import TokenState
from paylera_conformance.rehearsal.wanted_token import WantedToken
from paylera_conformance.target.provisioner import OTHER
from paylera_conformance.target.settings import Settings
from paylera_fixtures.vocabulary import READINGS, RELEASES, Audience

_WIDTH: Final = 100
_FILE: Final = """\
# What paylera-conformance needs to know of its target. `paylera-conformance doctor` checks it with reads only.

[target]
url = {url}
environment = {environment}
# live_url = "https://…"      # the other environment: wrong-environment is then probed both ways
# guide: the guide binds · reference: the pages behind it too
profile = {profile}
# observe: sends GETs only · sandbox: creates objects · full: rotates, revokes, spends the rate limit
mode = {mode}
rps = {rps:g}                    # requests a second, at the most
# max_requests = 2000        # and in all: what is left is not run

# Questions that two pages answer differently; without an entry the profile's answer holds.
[readings]
{readings}

# Tokens, with the clauses that each unlocks: those that unlock most come first, and few are needed to begin.
# Names are yours: a token is found by what it is. Secrets are references: ${{NAME}} or file:PATH.
[tokens]
{essential}

# Further ones: take away the # of those that you have minted.
#   customer_id       the customer that it is bound to
#   may_cross         it may be sent to the other environment, to be refused there
#   default_version   the version that was current when it was made
#   disposable        it is rotated or revoked by its id, and cannot be used again
{further}

# The versions that the target supports, and its current default.
[versions]
# supported = {versions}
# current = {current}

# Actors of the tenant's registry, and of another tenant's.
[actors]
# known = "actor_…"
# foreign = "actor_…"

# Where the target's operations differ from the documented ones.
[operations]
# aal2 = "POST /v1/payments/{{id}}/cancel"
"""


def config_text(settings: Settings, tokens: Mapping[str, WantedToken]) -> str:
    """The configuration file; `run` reads it once the variables of its essential tokens are set."""
    essential = {name: token for name, token in tokens.items() if token.is_essential}
    further = {name: token for name, token in tokens.items() if not token.is_essential}
    return _FILE.format(
        url=json.dumps(settings.url),
        environment=json.dumps(settings.environment),
        profile=json.dumps(settings.profile),
        mode=json.dumps(str(settings.mode)),
        rps=settings.rps,
        readings="\n".join(
            f"# {row.name} = {json.dumps(row.default(settings.profile))}   # {row.question}: {' · '.join(row.values)}"
            for row in READINGS.values()
        ),
        versions=json.dumps(RELEASES),
        current=json.dumps(RELEASES[-1]),
        essential="\n".join(_rows(essential, "")),
        further="\n".join(_rows(further, "# ")),
    )


def _rows(tokens: Mapping[str, WantedToken], mark: str) -> Iterator[str]:
    """A line for each token; those that follow one another and unlock the same stand below one comment."""
    for clauses, alike in groupby(tokens.items(), key=lambda item: item[1].clauses_text):
        yield ""
        yield textwrap.fill(f"# {clauses}", _WIDTH, subsequent_indent="#   ", break_on_hyphens=False)
        for name, token in alike:
            used_up = f"   # it is used up: list {token.count}" if token.need.disposable else ""
            yield f"{mark}{name} = {{ {', '.join(_members(name, token))} }}{used_up}"


def _members(name: str, token: WantedToken) -> Iterator[str]:
    """What is said of one token."""
    need = token.need
    variable = "PAYLERA_" + re.sub(r"\W", "_", name).upper()
    members: dict[str, tuple[Any, object]] = {
        "token": (f"${{{variable}}}", True),
        "audience": (need.audience, True),
        "aal": (need.aal, need.aal > 1),
        "environment": (need.environment, need.environment),
        "may_cross": (True, need.environment),
        "tenant": ("other", need.tenant == OTHER),
        "customer_id": ("cus_…", need.audience is Audience.CUSTOMER),
        "state": (need.state, need.state is not TokenState.ACTIVE),
        "default_version": ("…", need.older_than),
        "disposable": (True, need.disposable),
        "id": ("tok_…", need.disposable),
        "scopes": (list(need.scopes), True),
    }
    return (f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, (value, is_said) in members.items() if is_said)
