"""Counts the tokens that the cases of a rehearsal take: where the figures of `token_counts.py` come from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from functools import partial

from paylera_conformance.model.tokens import Credential
from paylera_conformance.rehearsal.recorder import RehearsedCase, rehearse
from paylera_conformance.rehearsal.stand_in import lavish_stand_in
from paylera_conformance.rehearsal.token_counts import TokenCount, kind_of
from paylera_conformance.target.provisioner import Need
from paylera_conformance.target.settings import Mode, Settings, VersionSettings
from paylera_fixtures.api.operations import BY_ID
from paylera_fixtures.redaction import Secret
from paylera_fixtures.vocabulary import RELEASES, Profile, readings_for


def count_held(cases: Iterable[RehearsedCase]) -> dict[Need, TokenCount]:
    """How many tokens of each kind some case has at a time: so many do where none is used up, in all modes but full."""
    most: Counter[Need] = Counter()
    for case in cases:
        most |= Counter(kind_of(need) for need in case.lent)
    return {kind: TokenCount(count, count) for kind, count in most.items()}


def count_tokens(cases: Iterable[RehearsedCase], *, waits: bool) -> Counter[Need]:
    """How many tokens of each kind suffice for these cases, in whichever order they come.

    All that the others use up, and what one case holds at a time: whichever that is, there must be enough.

    - `waits`: of a run with `--state`, where a case that waits keeps what it has, and where only the new secret of a
      token that was rotated is handed out again.
    """
    used: Counter[Need] = Counter()
    most: Counter[Need] = Counter()
    for case in cases:
        returned = [] if waits and case.waits else case.rotated if waits else case.returned
        back = Counter(map(kind_of, returned))
        used.update(Counter(map(kind_of, case.lent)) - back)
        most |= back
    return used + most


def rehearse_full_run(profile: Profile, *, waits: bool, seed: int) -> Sequence[RehearsedCase]:
    """The cases of mode `full` on a target that makes no tokens, with as many listed as they ask for.

    - `waits`: they look at what happens later too, which a run with `--state` waits for;
    - `seed`: by which the requests of the matrix are drawn, some of which take a token more.
    """
    tokens = (
        Credential(Secret("", "old"), default_version=RELEASES[0]),
        Credential(Secret("", "old spare"), default_version=RELEASES[0], disposable=True, id="tok_1"),
        Credential(Secret("", "service"), default_version=RELEASES[-1], id="tok_2", may_cross=True),
    )
    settings = Settings(
        url="http://127.0.0.1",
        live_url="http://127.0.0.1/live",
        profile=profile,
        readings=readings_for(profile),
        mode=Mode.FULL,
        tokens=tokens,
        versions=VersionSettings(RELEASES, RELEASES[-1]),
        known_actor="actor_known",
        foreign_actor="actor_foreign",
        seed=seed,
    )
    make = partial(lavish_stand_in, lacking=(BY_ID["create_api_token"],), has_clock=waits)
    return rehearse(settings, make=make).cases
