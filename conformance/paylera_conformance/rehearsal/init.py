"""The command `init`: a configuration file to fill in, and the tokens worth minting.

Which tokens those are is read off the suite's own cases, by a rehearsal in which every token asked for is to be had.
"""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from paylera_conformance.model.tokens import TokenState
from paylera_conformance.rehearsal.recorder import RehearsedCase, rehearse
from paylera_conformance.target.provisioner import OTHER, Need, all_scopes_but
from paylera_conformance.target.settings import ConfigError, Mode, Settings
from paylera_fixtures.vocabulary import READINGS, WILDCARD, Audience, Profile, readings_for, scopes_of

DEFAULT_URL: Final = "https://api.sandbox.paylera.io"
_WIDTH: Final = 100
_MANY: Final = 30


@dataclass
class WantedToken:
    """A token worth minting.

    - `need`: what it must be;
    - `clauses`: those of which some case asks for it;
    - `asked`: how often it was asked for; where it is used up, so many of its kind are needed.
    """

    need: Need
    clauses: set[str] = field(default_factory=set)
    asked: int = 0

    def name(self, profile: Profile) -> str:
        """What the file calls it."""
        need = self.need
        words = [need.audience.value, _scopes_in_a_word(need, profile)]
        words += [f"aal{need.aal}"] if need.aal > 1 else []
        words += [need.environment.value] if need.environment else []
        words += ["other-tenant"] if need.tenant == OTHER else []
        words += [need.state.value] if need.state is not TokenState.ACTIVE else []
        words += ["disposable"] if need.disposable else []
        return "-".join(word for word in words if word)


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


def wishes(cases: Iterable[RehearsedCase]) -> list[WantedToken]:
    """The tokens that the cases asked for, those that most clauses rest on first."""
    found: dict[Need, WantedToken] = {}
    asked = [(_kind_of(need), case.clause) for case in cases for need in case.needs]
    # Those that any issuer grants come first: some of them are asked for as odd ones too.
    for kind, clause in sorted(asked, key=lambda pair: pair[0].odd):
        wish = found.get(replace(kind, odd=False)) or found.setdefault(kind, WantedToken(kind))
        wish.clauses.add(clause)
        wish.asked += 1
    return sorted(found.values(), key=lambda wish: (wish.need.odd, wish.need.disposable, -len(wish.clauses)))


def named(found: Iterable[WantedToken], profile: Profile) -> dict[str, WantedToken]:
    """The wishes by what the file calls them, each name once."""
    names: dict[str, WantedToken] = {}
    for wish in found:
        name = wish.name(profile)
        # Scopes that look alike, as odd ones do, come to the same word.
        alike = sum(other == name or other.startswith(f"{name}-like-") for other in names)
        names[f"{name}-like-{alike}" if alike else name] = wish
    return names


def _kind_of(need: Need) -> Need:
    """The need without what differs from case to case: any token that may at least this much may as well do all."""
    scopes = (WILDCARD,) if need.at_least else need.scopes
    return replace(need, role="", scopes=scopes, at_least=False, customer_id=None)


def initialise(path: Path, *, url: str, profile: Profile, mode: Mode, force: bool) -> Iterator[str]:
    """Write the file, and give the lines that say what to mint. Raises `ConfigError`."""
    if path.exists() and not force:
        raise ConfigError(f"{path} is there already: give another name, or --force to write it anew")
    settings = Settings(url=url, profile=profile, readings=readings_for(profile), mode=mode)
    found = named(wishes(rehearse(settings, all_to_be_had=True).cases), profile)
    try:
        path.write_text("\n".join(file_lines(settings, found)) + "\n", "utf-8")
    except OSError as error:
        raise ConfigError(f"{path} cannot be written: {error.strerror}") from None
    yield f"Wrote {path}. Tokens worth minting for profile {profile}, mode {mode}, and what each unlocks:"
    for name, wish in found.items():
        yield ""
        yield from _told(name, wish, profile)
    yield ""
    yield "Export each under the name that the file has for it, then: paylera-conformance doctor"


def _told(name: str, wish: WantedToken, profile: Profile) -> Iterator[str]:
    many = f", {wish.asked} of them (each is used up)" if wish.need.disposable else ""
    odd = " (no issuer need grant it: a refusal to mint is as good)" if wish.need.odd else ""
    yield f"{name}: {_says(wish.need, profile)}{many}{odd}"
    yield textwrap.fill(_clauses(wish), _WIDTH, initial_indent="    ", subsequent_indent="    ", break_on_hyphens=False)


def _says(need: Need, profile: Profile) -> str:
    """The need in words, without a list of eleven scopes."""
    for scope in scopes_of(profile):
        others = " ".join(all_scopes_but(scope, profile))
        if need.scopes == tuple(others.split()):
            return need.describe().replace(f"scopes {others}", f"every scope but {scope}, and without *")
    return need.describe()


def _clauses(wish: WantedToken) -> str:
    if len(wish.clauses) > _MANY:
        return f"{len(wish.clauses)} clauses"
    return "  ".join(sorted(wish.clauses))


# The file


def file_lines(settings: Settings, found: Mapping[str, WantedToken]) -> Iterator[str]:
    """The lines of the configuration file; without an edit but the variables it is one that `run` reads."""
    yield from _head(settings)
    yield ""
    yield "# Tokens. Names are yours: a token is found by what it is. Secrets are references: ${NAME} or file:PATH."
    for name, wish in found.items():
        if _is_essential(wish.need):
            yield ""
            yield from _table(name, wish)
    yield ""
    yield "# Further tokens, each with the clauses that it unlocks: take away the # of those that you have minted."
    for name, wish in found.items():
        if not _is_essential(wish.need):
            yield ""
            yield from (line if line.startswith("#") else f"# {line}" for line in _table(name, wish))
    yield from _tail()


def _head(settings: Settings) -> Iterator[str]:
    yield "# What paylera-conformance is told about its target. `paylera-conformance doctor` checks it with reads only."
    yield ""
    yield "[target]"
    yield f"url = {json.dumps(settings.url)}"
    yield f"environment = {json.dumps(settings.environment)}"
    yield '# live_url = "https://…"      # the other environment: wrong-environment is then probed both ways'
    yield "# guide: the guide binds · reference: the pages behind it too"
    yield f"profile = {json.dumps(settings.profile)}"
    yield "# observe: sends GETs only · sandbox: creates objects · full: rotates, revokes, spends the rate limit"
    yield f"mode = {json.dumps(str(settings.mode))}"
    yield f"rps = {settings.rps:g}                    # requests a second, at the most"
    yield "# max_requests = 2000        # and in all: what is left is not run"
    yield ""
    yield "# Questions that two pages answer differently; without an entry the profile's answer holds."
    yield "[readings]"
    for reading in READINGS.values():
        values = " · ".join(reading.values)
        yield f"# {reading.name} = {json.dumps(reading.default(settings.profile))}   # {reading.question}: {values}"


def _is_essential(need: Need) -> bool:
    at_home = need.environment is None and need.tenant != OTHER and need.state is TokenState.ACTIVE
    strength = 2 if need.audience is Audience.ADMIN else 1
    plain = need.audience is not Audience.CUSTOMER and not need.odd and not need.disposable
    return at_home and plain and need.scopes == (WILDCARD,) and need.aal == strength


def _table(name: str, wish: WantedToken) -> Iterator[str]:
    """One token's table."""
    need = wish.need
    yield from textwrap.wrap(f"# unlocks: {_clauses(wish)}", _WIDTH, subsequent_indent="#   ", break_on_hyphens=False)
    yield f"[tokens.{name}]"
    yield f'token = "${{{variable(name)}}}"'
    yield f"audience = {json.dumps(need.audience)}"
    yield f"scopes = {json.dumps(list(need.scopes))}"
    members = {
        "aal = 2": need.aal > 1,
        f"environment = {json.dumps(need.environment)}": need.environment is not None,
        "may_cross = true             # it may be sent to the other environment, to be refused": need.environment,
        'tenant = "other"': need.tenant == OTHER,
        'customer_id = "cus_…"        # the customer that it is bound to': need.audience is Audience.CUSTOMER,
        f"state = {json.dumps(need.state)}": need.state is not TokenState.ACTIVE,
        f"disposable = true           # it is used up: list {wish.asked} of the kind": need.disposable,
        'id = "tok_…"                 # by which it is rotated and revoked': need.disposable,
    }
    yield from (line for line, is_so in members.items() if is_so)


def variable(name: str) -> str:
    """The environment variable of a token."""
    return "PAYLERA_" + re.sub(r"\W", "_", name).upper()


def _tail() -> Iterator[str]:
    yield ""
    yield "# The versions that the target supports, and its current default."
    yield "[versions]"
    yield '# supported = ["2025-10-01", "2026-04-01"]'
    yield '# current = "2026-04-01"'
    yield ""
    yield "# Actors of the tenant's registry, and of another tenant's."
    yield "[actors]"
    yield '# known = "actor_…"'
    yield '# foreign = "actor_…"'
    yield ""
    yield "# Where the target's operations differ from the documented ones."
    yield "[operations]"
    yield '# aal2 = "POST /v1/payments/{id}/cancel"'
