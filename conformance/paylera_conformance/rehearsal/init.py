"""The command `init`: a configuration file to fill in, and the tokens worth minting.

Which tokens those are is found by a rehearsal of the suite's own cases, in which each gets every token it needs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from paylera_conformance.rehearsal.config_text import config_text
from paylera_conformance.rehearsal.counting import count_held
from paylera_conformance.rehearsal.recorder import RehearsedCase, rehearse
from paylera_conformance.rehearsal.stand_in import generous_stand_in
from paylera_conformance.rehearsal.token_counts import TOKEN_COUNTS, kind_of
from paylera_conformance.rehearsal.wanted_token import WantedToken
from paylera_conformance.target.config_file import parse_url
from paylera_conformance.target.provisioner import Need
from paylera_conformance.target.settings import ConfigError, Mode, Settings, check_environment, write_file
from paylera_fixtures.terminal import Line
from paylera_fixtures.vocabulary import Profile, readings_for

DEFAULT_URL: Final = "https://api.sandbox.paylera.io"
WIDTH: Final = 100


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
    for token in sorted(wanted.values(), key=_place_in_file):
        name = token.name(profile)
        # Scopes that look alike, as odd ones do, come to the same word.
        alike = sum(other == name or other.startswith(f"{name}-like-") for other in named)
        named[f"{name}-like-{alike}" if alike else name] = token
    return named


def _place_in_file(token: WantedToken) -> tuple[object, ...]:
    """Those that unlock most come first, and those that unlock the same stand together."""
    return token.need.odd, token.need.disposable, -len(token.clauses), token.clauses_text


def initialise(path: Path, *, url: str, profile: Profile, mode: Mode, force: bool) -> Iterator[Line]:
    """Write the file, and give the lines that say what to mint. Raises `ConfigError`."""
    if path.exists() and not force:
        raise ConfigError(f"{path} is there already: give another name, or --force to write it anew")
    try:
        settings = Settings(url=parse_url(url, "url"), profile=profile, readings=readings_for(profile), mode=mode)
    except ValueError as error:
        raise ConfigError(str(error)) from None
    check_environment(settings)
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
