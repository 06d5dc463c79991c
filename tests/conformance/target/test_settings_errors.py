"""A mistake in the configuration is said in one line that names the fix, and the thing that it names exists."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from paylera_conformance.run.options import OPTIONS
from paylera_conformance.target.settings import CONFIG_NAME, ConfigError, load

URL = "http://target.test"
TARGET = f'[target]\nurl = "{URL}"\n'
LITERAL = "sk_sandbox_" + "Literal".ljust(32, "7")
TABLES = {"target", "readings", "provision", "tokens", "versions", "actors", "operations"}


def token_table(members: str) -> str:
    """A file with one token."""
    return f"{TARGET}[tokens.mine]\n{members}\n"


# The file (`None`: none), the options, and what the message must say.
MISTAKES: dict[str, tuple[str | None, dict[str, Any], str]] = {
    "no-target": (None, {}, "give a URL, or set [target] url in paylera-conformance.toml"),
    "no-such-file": (None, {"config": "/nowhere.toml"}, "/nowhere.toml: check the path given to --config"),
    "no-toml": ("[target", {}, "is not valid TOML"),
    "user-agent-of-two-lines": (TARGET, {"user_agent": "a\nb"}, "--user-agent is to be one line of printable ASCII"),
    "user-agent-of-nothing": (TARGET, {"user_agent": " "}, "--user-agent is to be one line of printable ASCII"),
    "unknown-table": ("[targets]", {}, "no table is called 'targets': did you mean target?"),
    "unknown-member": ('[target]\nurll = "x"', {}, "no member of [target] is called 'urll': did you mean url?"),
    "far-from-any": (
        "[target]\nxyzzy = 1",
        {},
        "there are also, ca_file, environment, live_url, max_requests, max_seconds, mode, profile",
    ),
    "unknown-reading": ("[readings]\nscope_refusals = 401", {}, "did you mean scope_refusal?"),
    "unknown-token-member": (
        token_table("scope = []"),
        {},
        "no member of [tokens.mine] is called 'scope': did you mean scopes?",
    ),
    "no-table": ("target = 1", {}, "[target] must be a table"),
    "token-is-no-table": ('[tokens]\nmine = "x"', {}, "[tokens.mine] must be a table"),
    "token-is-a-number": (
        token_table("token = 77"),
        {},
        '[tokens.mine] token must be a reference to a secret, "${NAME}"',
    ),
    "tokens-in-the-place-of-one": (token_table(f'token = ["{LITERAL}"]'), {}, "must be a reference to a secret"),
    "token-in-the-place-of-a-word": (
        token_table(f'token = "${{SET}}"\nstate = "{LITERAL}"'),
        {},
        "not '‹unknown token #",
    ),
    "id-is-a-number": (token_table('token = "${SET}"\nid = 5'), {}, "[tokens.mine] id must be a string"),
    "version-is-a-date": (
        TARGET + "[versions]\nsupported = [2026-04-01]",
        {},
        "[versions] supported must be a list of",
    ),
    "number-in-the-file": (
        '[target]\ntimeout = "soon"',
        {},
        "[target] timeout must be a number above zero, not 'soon'",
    ),
    "no-token": (token_table('id = "x"'), {}, 'write token = "${NAME}" and export NAME'),
    "unset-variable": (token_table('token = "${UNSET_ONE}"'), {}, "export UNSET_ONE"),
    "blank-variable": (token_table('token = "${BLANK}"'), {}, "export BLANK"),
    "no-secret-file": (token_table('token = "file:gone.txt"'), {}, "/gone.txt, which cannot be read: check the path"),
    "short-secret": (token_table('token = "${SHORT}"'), {}, "[tokens.mine] token refers to a secret of fewer than 8"),
    "short-control-token": (
        TARGET + f'[provision]\ncontrol_url = "{URL}"\ncontrol_token = "${{SHORT}}"',
        {},
        "[provision] control_token refers to a secret of fewer than 8 characters",
    ),
    "empty-secret-file": (token_table('token = "file:empty.txt"'), {}, "empty.txt, which is empty"),
    "literal": (token_table(f'token = "{LITERAL}"'), {}, 'write "${NAME}" or "file:PATH"'),
    "literal-control-token": (
        TARGET + f'[provision]\ncontrol_url = "{URL}"\ncontrol_token = "{LITERAL}"',
        {},
        'write "${NAME}" or',
    ),
    "scopes-no-list": (token_table('token = "${SET}"\nscopes = "*"'), {}, 'as in ["customers:read"]'),
    "audience": (
        token_table('token = "${SET}"\naudience = "robot"'),
        {},
        "[tokens.mine] audience must be one of service, customer, admin",
    ),
    "state": (token_table('token = "${SET}"\nstate = "old"'), {}, "one of active, grace, expired, revoked"),
    "aal": (
        token_table('token = "${SET}"\naal = "two"'),
        {},
        "[tokens.mine] aal must be a whole number above zero, not 'two'",
    ),
    "flag": (
        token_table('token = "${SET}"\ndisposable = "perhaps"'),
        {},
        "[tokens.mine] disposable must be true or false, not 'perhaps'",
    ),
    "operation": (
        TARGET + '[operations]\naal2 = "cancel"',
        {},
        '[operations] aal2 must be an operation, as in "POST /v1/payments/{id}/cancel"',
    ),
    "operations-for-one": (
        TARGET + '[operations]\n"payments:refund" = ["POST /v1/a", "POST /v1/b"]',
        {},
        "only aal2 may be a list",
    ),
    "operation-half-a-parameter": (
        TARGET + '[operations]\n"payments:refund" = "POST /v1/payments/{id/refund"',
        {},
        "[operations] payments:refund must be an operation",
    ),
    "operation-by-no-scope": (
        TARGET + '[operations]\n"payments:refnd" = "POST /v1/payments/{id}/refund"',
        {},
        "no member of [operations] is called 'payments:refnd': did you mean payments:refund",
    ),
    "operation-by-every-scope": (
        TARGET + '[operations]\n"*" = "GET /v1/customers"',
        {},
        "there are aal2, admin:read",
    ),
    "driver": (None, {"url": URL, "driver": "ruby"}, "--driver must be one of static, control, python, not 'ruby'"),
    "driver-control": (None, {"url": URL, "driver": "control"}, "give --control-url or set it in [provision]"),
    "profile": (None, {"url": URL, "profile": "strict"}, "--profile must be one of guide, reference"),
    "max-requests": (
        None,
        {"url": URL, "max_requests": "1.5"},
        "--max-requests must be a whole number above zero, not '1.5'",
    ),
    "no-requests": (
        None,
        {"url": URL, "max_requests": "0"},
        "--max-requests must be a whole number above zero, not '0'",
    ),
    "no-seconds": (None, {"url": URL, "max_seconds": "0"}, "--max-seconds must be a number above zero, not '0'"),
    "mode": (None, {"url": URL, "mode": "all"}, "one of observe, sandbox, full"),
    "environment": (None, {"url": URL, "environment": "test"}, "one of sandbox, live"),
    "timeout": (None, {"url": URL, "timeout": "soon"}, "--timeout must be a number above zero, not 'soon'"),
    "no-time": (None, {"url": URL, "timeout": "0"}, "--timeout must be a number above zero, not '0'"),
    "not-a-number": (None, {"url": URL, "rps": "nan"}, "--rps must be a number above zero"),
    "reading-option": (None, {"url": URL, "reading": ["scope_refusal"]}, "as in scope_refusal=403"),
    "reading-name": (None, {"url": URL, "reading": ["x=1"]}, "there are scope_refusal, aal2_refusal"),
    "reading-value": (None, {"url": URL, "reading": ["scope_refusal=404"]}, "one of 401, 403"),
    "url-scheme": (None, {"url": "ftp://x"}, "should read like https://host:port"),
    "url-bare": (None, {"url": "localhost:4242"}, "should read like https://host:port"),
    "url-port": (None, {"url": "http://x:99999"}, "should read like https://host:port"),
    "url-query": (None, {"url": "http://x/?a=1"}, "give the base URL alone"),
    "url-secret-in-query": (None, {"url": f"http://x/?token={LITERAL}"}, "give the base URL alone"),
    "url-user-and-bad-port": (None, {"url": f"http://me:{LITERAL}@x:99999"}, "credentials go in [tokens]"),
    "url-user": (None, {"url": f"http://me:{LITERAL}@x"}, "a target's credentials go in [tokens]"),
    "live-environment": (None, {"url": URL, "environment": "live"}, "give --mode observe"),
    "live-host": (None, {"url": "https://api.paylera.io", "mode": "sandbox"}, "give --mode observe"),
    "live-host-in-full": (None, {"url": "https://API.paylera.io./x", "mode": "full"}, "give --mode observe"),
}


@pytest.fixture
def mistake(tmp_path: Path) -> Any:
    """Gives the message of a mistake."""
    (tmp_path / "empty.txt").write_text(" \n", "utf-8")

    def message(text: str | None, options: dict[str, Any]) -> str:
        if text is not None:
            (tmp_path / CONFIG_NAME).write_text(text, "utf-8")
        with pytest.raises(ConfigError) as raised:
            load(options, environ={"SET": LITERAL, "BLANK": "  ", "SHORT": "qzqzqzq"}, cwd=tmp_path)
        return str(raised.value)

    return message


@pytest.mark.parametrize(("text", "options", "says"), MISTAKES.values(), ids=MISTAKES)
def test_message_names_the_fix(mistake: Any, text: str | None, options: dict[str, Any], says: str) -> None:
    """The reader knows what to write, without looking anything up."""
    assert says in mistake(text, options)


each_mistake = pytest.mark.parametrize(("text", "options"), [row[:2] for row in MISTAKES.values()], ids=MISTAKES.keys())


@each_mistake
def test_message_is_one_line(mistake: Any, text: str | None, options: dict[str, Any]) -> None:
    """A user's mistake is no traceback."""
    assert "\n" not in mistake(text, options)


@each_mistake
def test_message_repeats_no_secret(mistake: Any, text: str | None, options: dict[str, Any]) -> None:
    """The message goes to terminals and logs, where a secret that was written in the wrong place must not follow."""
    message = mistake(text, options)
    assert (LITERAL in message, "qzqzqzq" in message) == (False, False)


@each_mistake
def test_option_that_a_message_names_exists(mistake: Any, text: str | None, options: dict[str, Any]) -> None:
    """Advice that cannot be followed is worse than none."""
    named = set(re.findall(r"--([a-z-]+)", mistake(text, options)))
    assert named <= {name for name, _ in OPTIONS}


@each_mistake
def test_table_that_a_message_names_exists(mistake: Any, text: str | None, options: dict[str, Any]) -> None:
    """So it is with tables of the file."""
    named = set(re.findall(r"\[([a-z]+)[\].]", mistake(text, options)))
    assert named <= TABLES


WRONG_LINES: dict[str, tuple[str, int]] = {
    # A file, and the line in which the mistake is.
    "operation": ('[target]\nurl = "http://a"\n[operations]\naal2 = "GET /a"\n"payments:refund" = "cancel"', 5),
    "operation-of-several": ('[operations]\naal2 = "GET /a"\n\n"payments:refund" = ["GET /a", "GET /b"]', 4),
    "name": ("# payments:refnd = 1\n\n[operations]  # all\n'payments:refnd' = \"GET /a\"", 4),
    "member-of-another-table": ('[target]\nurl = "http://a"\n[versions]\ncurrent = 5\n[actors]\ncurrent = 1', 4),
    "member": ("[target]\ntimeout = 5\n  mode = 'all'", 3),
    "what-lacks-a-member": ('[target]\nurl = "http://a"\n[tokens."my own"]\nscopes = []', 3),
    "table": ("[target]\n\n[targets]", 3),
    "no-table": ("\ntarget = 1", 2),
    "url": ("[target]\n# url = 1\nurl = 'localhost:4242'", 3),
    "live-url": (TARGET + "live_url = 'https://me@host'", 3),
    "one-of-several-urls": (TARGET + "also = [\n  'http://a',\n  'ftp://b',\n]", 3),
    "control-url": (TARGET + "[provision]\ncontrol_url = 'http://a?b=1'", 4),
    "control-token": (TARGET + "[provision]\ncontrol_url = 'http://a'\ncontrol_token = '${GONE}'", 5),
    "driver": (TARGET + "[provision]\ndriver = 'control'", 4),
    "adapter": (TARGET + "[provision]\n\ndriver = 'python'", 5),
    "authority": (TARGET + "ca_file = 'gone.pem'", 3),
    "reading-value": ("[readings]\naal2_refusal = 401\nscope_refusal = 404", 3),
    "reading-is-a-list": ("[readings]\nscope_refusal = [401]", 2),
    "reading": ("[readings]\naal2_refusal = 401\nscope_refusals = 401", 3),
}


@pytest.mark.parametrize(("text", "line"), WRONG_LINES.values(), ids=WRONG_LINES)
def test_message_names_the_file_and_the_line(tmp_path: Path, text: str, line: int) -> None:
    """Where a mistake is in a file of a hundred tokens."""
    (tmp_path / CONFIG_NAME).write_text(text, "utf-8")
    with pytest.raises(ConfigError, match=rf"^{re.escape(str(tmp_path / CONFIG_NAME))}, line {line}: "):
        load({}, environ={}, cwd=tmp_path)


@pytest.mark.parametrize(("options", "environ"), [({"url": "here"}, {}), ({}, {"PAYLERA_CONFORMANCE_URL": "here"})])
def test_file_is_not_blamed_for_what_stands_elsewhere(
    tmp_path: Path, options: dict[str, Any], environ: dict[str, str]
) -> None:
    """A URL on the command line or in a variable goes before that of the file, whose line is right."""
    (tmp_path / CONFIG_NAME).write_text(TARGET, "utf-8")
    with pytest.raises(ConfigError, match=r"^(url|\$PAYLERA_CONFORMANCE_URL) 'here' is no http or https URL"):
        load(options, environ=environ, cwd=tmp_path)


@pytest.mark.parametrize("table", sorted(TABLES))
def test_table_of_that_list_is_known(tmp_path: Path, table: str) -> None:
    """The list above is the loader's own: an empty table of each name is taken."""
    text = TARGET + f"[{table}]\n".removeprefix("[target]\n")
    (tmp_path / CONFIG_NAME).write_text(text, "utf-8")
    assert load({}, environ={}, cwd=tmp_path).url == URL


@pytest.mark.parametrize(
    ("variable", "value"),
    [("TIMEOUT", "soon"), ("MODE", ""), ("MAX_REQUESTS", ""), ("RPS", "null"), ("STRICT", "perhaps")],
)
def test_message_names_the_variable(tmp_path: Path, variable: str, value: str) -> None:
    """An empty one is a mistake too, where a run would otherwise go further than it was meant to."""
    name = f"PAYLERA_CONFORMANCE_{variable}"
    with pytest.raises(ConfigError, match=rf"^\${name} must be .*, not '{value}'$"):
        load({"url": URL}, environ={name: value}, cwd=tmp_path)


@pytest.mark.parametrize(
    ("name", "meant"),
    [("TIMEOT", "TIMEOUT"), ("ULR", "URL"), ("CONTROL_TOKE", "CONTROL_TOKEN"), ("STATE_KEYS", "STATE_KEY")],
)
def test_misspelt_variable_is_told(name: str, meant: str) -> None:
    """It would pass for none at all."""
    prefix = "PAYLERA_CONFORMANCE_"
    with pytest.raises(ConfigError, match=rf"^\${prefix}{name} .* did you mean \${prefix}{meant}\?$"):
        load({"url": URL}, environ={f"{prefix}{name}": "5"})


def test_variables_of_others_are_no_mistake(tmp_path: Path) -> None:
    """A file may refer to any, and an adapter read any."""
    file = tmp_path / "mine.toml"
    file.write_text(token_table('token = "${PAYLERA_CONFORMANCE_MODES}"'), "utf-8")
    environ = {"PAYLERA_CONFORMANCE_MODES": LITERAL, "PAYLERA_CONFORMANCE_OPERATOR": "x"}
    assert load({"config": str(file)}, environ=environ).url == URL


def test_folder_is_no_configuration_file(tmp_path: Path) -> None:
    """The file in it may be."""
    with pytest.raises(
        ConfigError, match=f"is a folder: name the file in it, as {re.escape(str(tmp_path / CONFIG_NAME))}"
    ):
        load({"config": str(tmp_path)}, environ={})


def test_file_that_is_no_text_is_told(tmp_path: Path) -> None:
    """As an editor of another language may save it."""
    file = tmp_path / "mine.toml"
    file.write_bytes("# für uns\n".encode("latin-1"))
    with pytest.raises(ConfigError, match="is no text in UTF-8: save it as such"):
        load({"config": str(file)}, environ={})
