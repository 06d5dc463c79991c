"""The file that `init` writes can be read by a person, and by `run` once its lines are taken in."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import pytest

from paylera_conformance.model.tokens import TokenState
from paylera_conformance.rehearsal.config_text import config_text
from paylera_conformance.rehearsal.init import initialise
from paylera_conformance.rehearsal.wanted_token import WantedToken
from paylera_conformance.target.config_file import read_config
from paylera_conformance.target.provisioner import OTHER, Need
from paylera_conformance.target.settings import ConfigError, Mode, Settings
from paylera_fixtures.vocabulary import Audience, Environment, Profile

TOKENS: Final = {
    "all": WantedToken(Need("", Audience.SERVICE), {"credential.accepted"}),
    "second": WantedToken(Need("", Audience.ADMIN, aal=2), {"aal2.required", "token.one-tenant"}),
    "gone": WantedToken(Need("", Audience.SERVICE, state=TokenState.REVOKED), {"token.revoked"}),
    "live": WantedToken(Need("", Audience.SERVICE, environment=Environment.LIVE), {"token.revoked"}),
    "other": WantedToken(Need("", Audience.SERVICE, tenant=OTHER), {"token.one-tenant"}),
    "bound": WantedToken(Need("", Audience.CUSTOMER, ("customers:read",)), {"scope.granted"}),
    "spent": WantedToken(Need("", Audience.SERVICE, disposable=True), {"rotation.again"}),
}
TEXT: Final = config_text(Settings(url="https://api.acme.example"), TOKENS)


def test_essential_tokens_alone_are_asked_for(tmp_path: Path) -> None:
    """All others are comments."""
    path = tmp_path / "mine.toml"
    path.write_text(TEXT, "utf-8")
    assert list(read_config(path, {}, {}).tokens) == ["all", "second"]


def test_every_line_can_be_taken_in(tmp_path: Path) -> None:
    """Without its #, it says what the token is."""
    path = tmp_path / "mine.toml"
    path.write_text(re.sub(r"^# (?=\S+ = \{ token)", "", TEXT, flags=re.MULTILINE), "utf-8")
    found = read_config(path, {}, {}).tokens
    assert list(found) == list(TOKENS)
    assert {name: (token.audience, token.scopes, token.aal, token.state) for name, token in found.items()} == {
        name: (token.need.audience, token.need.scopes, token.need.aal, token.need.state)
        for name, token in TOKENS.items()
    }
    assert (found["live"].environment, found["live"].may_cross) == (Environment.LIVE, True)
    assert (found["other"].tenant_id, found["spent"].disposable) == ("other", True)


def test_tokens_that_unlock_the_same_stand_together() -> None:
    """Below one comment."""
    lines = TEXT.splitlines()
    place = lines.index("# token.revoked")
    assert [line.split(" = ")[0] for line in lines[place + 1 : place + 4]] == ["# gone", "# live", ""]


def test_file_that_is_there_is_seen_before_the_rehearsal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Which takes a minute."""
    monkeypatch.setattr("paylera_conformance.rehearsal.init.rehearse", None)
    lines = initialise(tmp_path, url="https://a.example", profile=Profile.GUIDE, mode=Mode.FULL, force=False)
    with pytest.raises(ConfigError, match="is there already: give another name, or --force"):
        list(lines)
