"""The command `init`: a configuration file to fill in, and the tokens worth minting.

Which tokens those are is found by a rehearsal of the suite's own cases, in which each gets every token it needs.
"""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from paylera_conformance.model.tokens import TokenState
from paylera_conformance.rehearsal.recorder import RehearsedCase, rehearse
from paylera_conformance.rehearsal.stand_in import generous_stand_in
from paylera_conformance.rehearsal.token_counts import ONE, TOKEN_COUNTS, TokenCount, count_held, kind_of
from paylera_conformance.target.provisioner import OTHER, Need, all_scopes_but
from paylera_conformance.target.settings import ConfigError, Mode, Settings, write_file
from paylera_fixtures.terminal import Line
from paylera_fixtures.vocabulary import READINGS, RELEASES, WILDCARD, Audience, Profile, readings_for, scopes_of

DEFAULT_URL: Final = "https://api.sandbox.paylera.io"
WIDTH: Final = 100
_MANY: Final = 30

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

# Tokens. Names are yours: a token is found by what it is. Secrets are references: ${{NAME}} or file:PATH.
{essential}
# Further tokens, each with the clauses that it unlocks: take away the # of those that you have minted.
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


@dataclass
class WantedToken:
    """A token worth minting.

    - `need`: what it must be;
    - `clauses`: those of which some case asks for it;
    - `count`: how many of the kind are needed where it is used up.
    """

    need: Need
    clauses: set[str] = field(default_factory=set)
    count: TokenCount = ONE

    def name(self, profile: Profile) -> str:
        """What the file calls it."""
        need = self.need
        words = [
            need.audience.value,
            _scopes_in_a_word(need, profile),
            f"aal{need.aal}" if need.aal > 1 else "",
            need.environment.value if need.environment else "",
            "other-tenant" if need.tenant == OTHER else "",
            need.state.value if need.state is not TokenState.ACTIVE else "",
            "older" if need.older_than else "",
            "disposable" if need.disposable else "",
        ]
        return "-".join(word for word in words if word)

    @property
    def is_essential(self) -> bool:
        """Whether no certification goes without it: everything for a service, and for an admin with AAL2."""
        aal = 2 if self.need.audience is Audience.ADMIN else 1
        return self.need.audience is not Audience.CUSTOMER and self.need == Need("", self.need.audience, aal=aal)

    @property
    def clauses_text(self) -> str:
        """The clauses, or how many they are."""
        return f"{len(self.clauses)} clauses" if len(self.clauses) > _MANY else "  ".join(sorted(self.clauses))


def _scopes_in_a_word(need: Need, profile: Profile) -> str:
    if need.scopes == (WILDCARD,):
        return ""
    if not need.scopes:
        return "no-scope"
    if need.odd:
        return "odd-" + (re.sub(r"\W+", "-", need.scopes[0]).strip("-") or "sign")
    for scope in scopes_of(profile):
        if set(need.scopes) == set(all_scopes_but(scope, profile)):
            return "all-but-" + scope.replace(":", "-")
    return "only-" + "-".join(scope.replace(":", "-") for scope in need.scopes)


def wanted_tokens(cases: Sequence[RehearsedCase], profile: Profile, mode: Mode) -> dict[str, WantedToken]:
    """The tokens that the cases asked for, by what the file calls them; those that most clauses rest on come first."""
    wanted: dict[Need, WantedToken] = {}
    asked = dict.fromkeys(kind_of(need) for case in cases for need in case.needs)
    rests = {(kind_of(need), case.result.clause) for case in cases for need in case.rests_on}
    counts = TOKEN_COUNTS if mode is Mode.FULL else count_held(cases)
    # Those that any issuer grants come first: some of them are asked for as odd ones too.
    for kind in sorted(asked, key=lambda kind: kind.odd):
        token = wanted.get(replace(kind, odd=False)) or wanted.setdefault(kind, WantedToken(kind))
        token.clauses |= {clause for other, clause in rests if other == kind}
        token.count = counts.get(kind, token.count)
    named: dict[str, WantedToken] = {}
    for token in sorted(wanted.values(), key=lambda each: (each.need.odd, each.need.disposable, -len(each.clauses))):
        name = token.name(profile)
        # Scopes that look alike, as odd ones do, come to the same word.
        alike = sum(other == name or other.startswith(f"{name}-like-") for other in named)
        named[f"{name}-like-{alike}" if alike else name] = token
    return named


def initialise(path: Path, *, url: str, profile: Profile, mode: Mode, force: bool) -> Iterator[Line]:
    """Write the file, and give the lines that say what to mint. Raises `ConfigError`."""
    if path.exists() and not force:
        raise ConfigError(f"{path} is there already: give another name, or --force to write it anew")
    settings = Settings(url=url, profile=profile, readings=readings_for(profile), mode=mode)
    tokens = wanted_tokens(rehearse(settings, make=generous_stand_in).cases, profile, mode)
    write_file(path, config_text(settings, tokens).encode())
    yield Line(first=f"Wrote {path}. Tokens worth minting for profile {profile}, mode {mode}, and what each unlocks:")
    for name, token in tokens.items():
        many = f", {token.count}" if token.need.disposable else ""
        odd = " (no issuer need grant it: a refusal to mint is as good)" if token.need.odd else ""
        yield Line()
        yield Line(first=[(name, "bold"), (f": {token.need.describe()}{many}{odd}", "")])
        yield Line(token.clauses_text, first="    ")
    yield Line()
    yield Line(
        "Those that are used up need not be listed where the target has POST /v1/admin/api-tokens: it makes them."
    )
    yield Line("Export each under the name that the file has for it, then: paylera-conformance doctor")


def config_text(settings: Settings, tokens: Mapping[str, WantedToken]) -> str:
    """The configuration file; `run` reads it once the variables of its essential tokens are set."""
    essential = [_table(name, token) for name, token in tokens.items() if token.is_essential]
    further = [_table(name, token) for name, token in tokens.items() if not token.is_essential]
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
        essential="".join(f"\n{table}" for table in essential),
        further="".join("\n" + re.sub(r"^(?=[^#\n])", "# ", table, flags=re.MULTILINE) for table in further),
    )


def _table(name: str, token: WantedToken) -> str:
    """One token's table."""
    need = token.need
    unlocks = textwrap.wrap(f"# unlocks: {token.clauses_text}", WIDTH, subsequent_indent="#   ", break_on_hyphens=False)
    variable = "PAYLERA_" + re.sub(r"\W", "_", name).upper()
    lines = {
        f"[tokens.{name}]": True,
        f'token = "${{{variable}}}"': True,
        f"audience = {json.dumps(need.audience)}": True,
        f"scopes = {json.dumps(list(need.scopes))}": True,
        f"aal = {need.aal}": need.aal > 1,
        f"environment = {json.dumps(need.environment)}": need.environment,
        "may_cross = true             # it may be sent to the other environment, to be refused": need.environment,
        'tenant = "other"': need.tenant == OTHER,
        'customer_id = "cus_…"        # the customer that it is bound to': need.audience is Audience.CUSTOMER,
        f"state = {json.dumps(need.state)}": need.state is not TokenState.ACTIVE,
        'default_version = "…"         # the one that was current when it was made': need.older_than,
        f"disposable = true           # it is used up: list {token.count}": need.disposable,
        'id = "tok_…"                 # by which it is rotated and revoked': need.disposable,
    }
    return "\n".join([*unlocks, *(line for line, is_needed in lines.items() if is_needed), ""])
