"""What the program prints without serving, and the values it makes of its options."""

from __future__ import annotations

import json
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from paylera_fixtures.api.operations import OPERATIONS
from paylera_fixtures.secret_reference import resolve_secret
from paylera_fixtures.tokens import WELL_KNOWN
from paylera_fixtures.vocabulary import Profile
from paylera_mock.cli.main import main
from paylera_mock.cli.options import fake_options
from paylera_mock.cli.settings_json import encode_settings
from paylera_mock.cli.text import format_banner
from paylera_mock.mutants import all_mutants
from paylera_mock.mutants.holes import all_holes
from paylera_mock.server.port import CannotListenError, reserve, resolves_to_loopback
from paylera_mock.server.ready import Ready
from paylera_mock.server.settings import FakeSettings, LogLevel

READY = Ready.at("http://127.0.0.1:1", has_control=False, ca_file=None)
SETTINGS = [
    FakeSettings(),
    FakeSettings(Profile.REFERENCE, {"scope_refusal": "401", "key_required_on": "creating"}, rate_limits=True),
    FakeSettings(explain=False, control=False, log_level=LogLevel.DEBUG),
    FakeSettings(mutants=("no-challenge", "page-of-101"), webhooks_anywhere=True),
    FakeSettings(cors=("http://localhost:5173", "*")),
    FakeSettings(seed=-7, tls=Path("folder/of certificates")),
    FakeSettings(control_token="${HOME}"),  # noqa: S106 - a reference, not a secret
]


def printed(*arguments: str) -> str:
    """The output of a run that succeeds."""
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 0, result.output
    return result.stdout


def test_tokens_fit_a_terminal() -> None:
    """The table is read at 80 columns."""
    assert max(map(len, printed("tokens").splitlines())) <= 80


def test_mutants_fit_a_terminal() -> None:
    """The list is read at 80 columns."""
    assert max(map(len, printed("mutants").splitlines())) <= 80


def test_mutants_lists_every_one() -> None:
    """By the id that --mutant takes."""
    text = printed("mutants")
    assert [name for name in all_mutants() if f"{name} (" not in text] == []


def test_holes_are_listed_in_the_place_of_mutants() -> None:
    """There are hundreds of them, so that they are listed only when asked for; each says its operation."""
    rows = json.loads(printed("mutants", "--holes", "--json"))
    assert [row["id"] for row in rows] == list(all_holes())
    assert {row["operation"] for row in rows} == {str(operation) for operation in OPERATIONS}


def test_mutants_as_json_say_what_each_breaks() -> None:
    """A program that shows what a suite catches goes by it."""
    rows = json.loads(printed("mutants", "--json"))
    assert [row["id"] for row in rows] == list(all_mutants())
    assert next(row for row in rows if row["id"] == "rotation-drops-scopes") == {
        "id": "rotation-drops-scopes",
        "kind": "mutant",
        "description": "The new secret has no scope.",
        "breaks": ["rotation.keeps-grants"],
        "may_break": [
            "rotation.again",
            "rotation.new-works",
        ],
        "subtle": False,
        "profile": "guide",
        "readings": {},
    }


def test_the_greeting_names_the_mutants() -> None:
    """Nobody takes a fake that is wrong on purpose for a right one."""
    assert "mutant     no-challenge" in click.unstyle(format_banner(READY, Profile.GUIDE, ["no-challenge"]))


def test_an_unknown_mutant_is_wrong_usage() -> None:
    """It is said before anything is served, with a near one."""
    result = CliRunner().invoke(main, ["serve", "--mutant", "no-chalenge"])
    assert (result.exit_code, "did you mean no-challenge" in result.output.replace("\n", " ")) == (2, True)


@pytest.mark.parametrize("form", [(), ("--json",), ("--env",)])
def test_tokens_lists_every_well_known_one(form: tuple[str, ...]) -> None:
    """In each form each secret can be copied whole."""
    text = printed("tokens", *form)
    assert [token.name for token in WELL_KNOWN if token.secret not in text] == []


def test_tokens_as_json_say_what_each_may_do() -> None:
    """A script can choose by audience, scope, assurance, environment and state."""
    row = json.loads(printed("tokens", "--json"))[0]
    assert (row["name"], row["audience"], row["scopes"], row["aal"], row["environment"], row["state"]) == (
        "serviceall",
        "service",
        ["*"],
        1,
        "sandbox",
        "active",
    )


def test_tokens_in_two_forms_at_once_are_refused() -> None:
    """Neither form wins in silence."""
    assert CliRunner().invoke(main, ["tokens", "--json", "--env"]).exit_code == 2


@pytest.mark.parametrize(
    "command", [("-h",), ("serve", "-h"), ("tokens", "-h"), ("exec", "-h"), ("ca-path", "-h"), ("healthcheck", "-h")]
)
def test_every_command_explains_itself(command: tuple[str, ...]) -> None:
    """The short option works everywhere."""
    assert printed(*command).startswith("Usage: ")


@pytest.mark.parametrize("settings", SETTINGS)
def test_settings_survive_the_command_line(settings: FakeSettings) -> None:
    """What `exec` was asked for is what it asks `serve` for."""
    assert settings_of(f"--settings={encode_settings(settings)}") == settings


def settings_of(*options: str) -> FakeSettings:
    """What a command is given for its options."""
    received: list[FakeSettings] = []

    @click.command()
    @fake_options
    def probe(*, settings: FakeSettings) -> None:
        received.append(settings)

    probe.main(options, standalone_mode=False)
    return received[0]


@pytest.mark.parametrize(
    ("options", "settings"),
    [
        ((), FakeSettings()),
        (("--profile=reference", "--rate-limits=on"), FakeSettings(Profile.REFERENCE, rate_limits=True)),
        (("--reading=scope_refusal=401",), FakeSettings(readings={"scope_refusal": "401"})),
        (("--no-explain", "--no-control"), FakeSettings(explain=False, control=False)),
        (
            ("--log-level=debug",),
            FakeSettings(log_level=LogLevel.DEBUG),
        ),
        (
            ("--mutant=no-challenge", "--webhooks-anywhere"),
            FakeSettings(mutants=("no-challenge",), webhooks_anywhere=True),
        ),
        (("--seed=-7", "--journal-size=3"), FakeSettings(seed=-7, journal_size=3)),
        (("--tls", "--tls-dir=a folder"), FakeSettings(tls=Path("a folder"))),
        (("--control-token=${HOME}",), FakeSettings(control_token="${HOME}")),  # noqa: S106 - a reference
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_options_make_the_settings(options: tuple[str, ...], settings: FakeSettings) -> None:
    """Each member has the type that it is declared with."""
    assert settings_of(*options) == settings


def test_settings_of_another_program_are_wrong_usage() -> None:
    """The option is `exec`'s own, and yet what it cannot read ends in one line."""
    result = CliRunner().invoke(main, ["serve", "--settings={}x"])
    assert (result.exit_code, "--settings" in result.output) == (2, True)


def test_ready_line_can_be_read_back() -> None:
    """A launcher in Python need not know the members."""
    assert Ready.from_line(READY.to_line()) == READY


@pytest.mark.parametrize("line", ["{}", "[]", '{"event": "ready", "schema": 2}', "listening on 4242"])
def test_other_lines_are_no_ready_lines(line: str) -> None:
    """A line of another program, or of a later schema, is not taken for one."""
    with pytest.raises(ValueError, match=r".+"):
        Ready.from_line(line)


def test_a_secret_is_read_from_a_variable() -> None:
    """`${NAME}` names it."""
    assert resolve_secret("${SESAME}", "it", environ={"SESAME": "open"}) == "open"


def test_a_secret_is_read_from_a_file(tmp_path: Path) -> None:
    """Editors end files with a line break, which is no part of the secret."""
    (tmp_path / "token").write_text("open\n")
    assert resolve_secret(f"file:{tmp_path / 'token'}", "it") == "open"


@pytest.mark.parametrize("secret", ["two words", "two\nlines", "schlüssel"])
def test_what_no_header_can_carry_is_no_secret(secret: str) -> None:
    """It would never match, and nobody would know why."""
    with pytest.raises(ValueError, match="visible ASCII"):
        resolve_secret("${SESAME}", "it", environ={"SESAME": secret})


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("::ffff:127.0.0.1", True),
        ("localhost", True),
        ("0.0.0.0", False),  # noqa: S104
        ("::", False),
        ("::ffff:10.0.0.1", False),
    ],
)
def test_loopback_is_told_from_the_rest(host: str, *, loopback: bool) -> None:
    """What listens on every address is reached from everywhere."""
    assert resolves_to_loopback(host) is loopback


def test_a_reserved_port_is_taken() -> None:
    """Two reservations of one port cannot be."""
    first = reserve("127.0.0.1", 0)
    with first.socket, pytest.raises(CannotListenError, match="is taken"):
        reserve("127.0.0.1", first.port)


@pytest.mark.parametrize(("host", "name"), [("127.0.0.1", "127.0.0.1"), ("0.0.0.0", "127.0.0.1"), ("::1", "[::1]")])  # noqa: S104
def test_url_is_one_that_this_machine_reaches(host: str, name: str) -> None:
    """An address that stands for all of them cannot be called."""
    reservation = reserve(host, 0)
    with reservation.socket:
        assert reservation.url() == f"http://{name}:{reservation.port}"
