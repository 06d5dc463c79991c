"""What a run is told: where each setting comes from, and what stands where nothing was said."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from paylera_conformance.model.tokens import TokenState
from paylera_conformance.target.settings import Mode, Settings, VersionSettings, load
from paylera_fixtures.vocabulary import Audience, Environment, Profile

Load: TypeAlias = Callable[..., Settings]
URL = "http://target.test"


@pytest.fixture
def load_from(tmp_path: Path) -> Load:
    """Loads settings from the text of a file, options and an environment, in a folder of its own."""

    def load_it(text: str | None = None, environ: Mapping[str, str] | None = None, **options: Any) -> Settings:
        if text is not None:
            (tmp_path / "paylera-conformance.toml").write_text(text, "utf-8")
        return load(options, environ=environ or {}, cwd=tmp_path)

    return load_it


# Member of [target] or [provision], in the file, in the environment, as an option; and what each of them becomes.
PLACES = [
    ("url", '"http://file.test"', "http://env.test", "http://option.test"),
    ("live_url", '"http://file.test"', "http://env.test", "http://option.test"),
    ("control_url", '"http://file.test"', "http://env.test", "http://option.test"),
    ("adapter", '"mine:file"', "mine:env", "mine:option"),
    ("profile", '"guide"', "reference", "guide"),
    ("mode", '"observe"', "sandbox", "full"),
    ("timeout", "1", "2", "3"),
    ("rps", "1", "2", "3"),
    ("environment", '"sandbox"', "live", "sandbox"),
    ("strict", "false", "true", "false"),
]


def shown(settings: Settings, member: str) -> str:
    """A member as the table above spells it."""
    value = getattr(settings, member)
    return f"{value:g}" if isinstance(value, float) else str(value).lower()


def table_of(member: str) -> str:
    """The table of the file that has a member."""
    return "provision" if member in {"control_url", "adapter"} else "target"


@pytest.mark.parametrize(("member", "in_file", "in_environment", "as_option"), PLACES, ids=[row[0] for row in PLACES])
def test_option_outweighs_environment_and_file(
    load_from: Load, member: str, in_file: str, in_environment: str, as_option: str
) -> None:
    """What was typed for this run counts most."""
    text = f"[{table_of(member)}]\n{member} = {in_file}\n"
    environ = {f"PAYLERA_CONFORMANCE_{member.upper()}": in_environment}
    settings = load_from(text, environ, **{"url": URL, "mode": "observe", member: as_option})
    assert shown(settings, member) == as_option


@pytest.mark.parametrize(
    ("member", "in_file", "in_environment"), [row[:3] for row in PLACES], ids=[row[0] for row in PLACES]
)
def test_environment_outweighs_file(load_from: Load, member: str, in_file: str, in_environment: str) -> None:
    """What a CI job exports counts more than what is checked in."""
    text = f"[{table_of(member)}]\n{member} = {in_file}\n"
    environ = {
        "PAYLERA_CONFORMANCE_URL": URL,
        "PAYLERA_CONFORMANCE_MODE": "observe",
        f"PAYLERA_CONFORMANCE_{member.upper()}": in_environment,
    }
    assert shown(load_from(text, environ), member) == in_environment


def test_file_counts_where_nothing_else_speaks(load_from: Load) -> None:
    """The file in the working directory is found."""
    assert load_from('[target]\nurl = "http://file.test/"\n').url == "http://file.test"


@pytest.mark.parametrize("place", ["option", "environment"])
def test_file_may_be_named(load_from: Load, tmp_path: Path, place: str) -> None:
    """A file by any other name is read where it is named, and not the one that would be found."""
    (tmp_path / "other.toml").write_text('[target]\nurl = "http://other.test"\n', "utf-8")
    named = str(tmp_path / "other.toml")
    options, environ = {"option": ({"config": named}, {}), "environment": ({}, {"PAYLERA_CONFORMANCE_CONFIG": named})}[
        place
    ]
    assert load_from('[target]\nurl = "http://found.test"\n', environ, **options).url == "http://other.test"


ALSO = {
    "file": ('[target]\nalso = ["https://a.test", "https://B.test.:443/x"]\n', {}, {}),
    "environment": ("", {"PAYLERA_CONFORMANCE_ALSO": "https://a.test https://b.test"}, {}),
    "option": ("", {}, {"also": ["https://a.test", "https://b.test/"]}),
}


@pytest.mark.parametrize(("text", "environ", "options"), ALSO.values(), ids=ALSO)
def test_further_origins_may_be_listed(
    load_from: Load, text: str, environ: dict[str, str], options: dict[str, Any]
) -> None:
    """However they are spelled, and wherever."""
    assert load_from(text, environ, url=URL, **options).also == ("https://a.test", "https://b.test")


def test_defaults(load_from: Load) -> None:
    """A URL is all that must be said."""
    assert load_from(url=URL) == Settings(url=URL)


@pytest.mark.parametrize(
    ("options", "driver", "mode"),
    [
        ({}, "static", Mode.SANDBOX),
        ({"control_url": URL}, "control", Mode.FULL),
        ({"control_url": URL, "mode": "observe"}, "control", Mode.OBSERVE),
        ({"control_url": URL, "driver": "static"}, "static", Mode.SANDBOX),
        ({"mode": "full"}, "static", Mode.FULL),
    ],
)
def test_control_api_means_a_test_deployment(load_from: Load, options: dict[str, str], driver: str, mode: Mode) -> None:
    """Where there is a control API everything may be done, unless less is asked for."""
    settings = load_from(url=URL, **options)
    assert (settings.driver, settings.mode) == (driver, mode)


@pytest.mark.parametrize(
    ("profile", "readings", "scope_refusal", "aal2_refusal"),
    [
        ("guide", [], "401", "401"),
        ("reference", [], "403", "403"),
        ("guide", ["scope_refusal=403"], "403", "401"),
        ("reference", ["scope_refusal=401", "aal2_refusal=401"], "401", "401"),
    ],
)
def test_reading_is_set_on_top_of_a_profile(
    load_from: Load, profile: str, readings: list[str], scope_refusal: str, aal2_refusal: str
) -> None:
    """One disputed point may be taken otherwise without giving up the profile."""
    found = load_from(url=URL, profile=profile, reading=readings).readings
    assert (found["scope_refusal"], found["aal2_refusal"]) == (scope_refusal, aal2_refusal)


def test_reading_given_as_option_outweighs_the_file(load_from: Load) -> None:
    """As every other setting."""
    settings = load_from("[readings]\nscope_refusal = 403\n", url=URL, reading=["scope_refusal=401"])
    assert settings.readings["scope_refusal"] == "401"


TOKENS = """
[target]
url = "http://target.test"
profile = "reference"
[tokens.everything]
token = "${ONE}"
[tokens.odd]
token = "file:secret.txt"
audience = "customer"
scopes = ["payments:read"]
aal = 2
environment = "live"
id = "tok_1"
tenant = "other"
customer_id = "cus_1"
default_version = "2025-10-01"
state = "grace"
disposable = true
may_cross = true
[versions]
supported = ["2025-10-01", "2026-04-01"]
current = "2026-04-01"
[actors]
known = "actor_1"
foreign = "actor_2"
[operations]
aal2 = "POST /v1/payments/{id}/cancel"
"""


@pytest.fixture
def full(load_from: Load, tmp_path: Path) -> Settings:
    """Settings from a file that says everything."""
    (tmp_path / "secret.txt").write_text("sk_live_two\n", "utf-8")
    return load_from(TOKENS, {"ONE": " sk_sandbox_one "})


def test_secrets_come_from_environment_and_file(full: Settings) -> None:
    """References are followed, and what surrounds a secret is no part of it."""
    assert [token.secret.reveal() for token in full.tokens] == ["sk_sandbox_one", "sk_live_two"]


def test_token_has_its_tables_name_as_role(full: Settings) -> None:
    """Reports name a token as its owner does."""
    assert [token.secret.role for token in full.tokens] == ["everything", "odd"]


def test_token_is_a_service_token_of_the_sandbox_unless_said(full: Settings) -> None:
    """The most common token needs no more than its secret."""
    token = full.tokens[0]
    assert (token.audience, token.scopes, token.aal, token.environment, token.state, token.disposable) == (
        Audience.SERVICE,
        ("*",),
        1,
        Environment.SANDBOX,
        TokenState.ACTIVE,
        False,
    )


def test_token_is_what_its_table_says(full: Settings) -> None:
    """Every member of the table arrives."""
    token = full.tokens[1]
    assert (token.audience, token.scopes, token.aal, token.environment) == (
        Audience.CUSTOMER,
        ("payments:read",),
        2,
        Environment.LIVE,
    )
    assert (token.id, token.tenant_id, token.customer_id, token.default_version) == (
        "tok_1",
        "other",
        "cus_1",
        "2025-10-01",
    )
    assert (token.state, token.disposable, token.may_cross) == (TokenState.GRACE, True, True)


def test_tables_arrive(full: Settings) -> None:
    """So do the tables that are not about tokens."""
    assert full.profile is Profile.REFERENCE
    assert full.versions == VersionSettings(("2025-10-01", "2026-04-01"), "2026-04-01")
    assert (full.known_actor, full.foreign_actor) == ("actor_1", "actor_2")
    assert full.operations == {"aal2": ("POST /v1/payments/{id}/cancel",)}


def test_every_secret_is_known(load_from: Load) -> None:
    """Redaction takes out the control API's token too."""
    text = f'[target]\nurl = "{URL}"\n[provision]\ncontrol_token = "${{TWO}}"\n[tokens.one]\ntoken = "${{ONE}}"\n'
    settings = load_from(text, {"ONE": "first-one", "TWO": "second-one"})
    assert [secret.reveal() for secret in settings.secrets] == ["first-one", "second-one"]


def test_settings_print_no_secret(full: Settings) -> None:
    """Whatever logs or asserts on the settings shows roles and fingerprints."""
    assert "sk_sandbox_one" not in repr(full)


@pytest.mark.parametrize(
    ("url", "loopback"),
    [
        ("http://127.0.0.1:4242", True),
        ("http://localhost", True),
        ("http://[::1]:1", True),
        ("https://api.sandbox.paylera.io", False),
        ("http://localhost.example", False),
    ],
)
def test_politeness_is_due_to_other_machines(load_from: Load, url: str, *, loopback: bool) -> None:
    """Only this machine may be asked as fast as it can answer."""
    assert load_from(url=url).is_loopback is loopback


@pytest.mark.parametrize(
    "options",
    [{"url": URL, "environment": "live"}, {"url": "https://api.paylera.io"}, {"url": "https://API.paylera.io./"}],
)
def test_live_is_observed(load_from: Load, options: dict[str, str]) -> None:
    """Reading is all that may be done in production."""
    assert load_from(mode="observe", **options).mode is Mode.OBSERVE
