"""`paylera-mock serve` tells where it is once it answers, and serves what it was asked for."""

from __future__ import annotations

import importlib.metadata
import json
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from helpers.http_client import http_client
from helpers.mock_program import Answer, Programs
from helpers.terminal import on_terminal
from paylera_fixtures.tokens import WELL_KNOWN

Ask = Callable[..., Answer]


def test_ready_line_comes_when_the_api_answers(programs: Programs, ask: Ask) -> None:
    """Whoever has read the line may send requests at once."""
    ready = programs.serve().ready()
    assert ask(f"{ready['url']}/v1/customers", ready["tokens"]["serviceall"]).status == 200


def test_ready_line_has_the_promised_members(served: dict[str, Any]) -> None:
    """Launchers in other languages read these members by name."""
    members = ["event", "schema", "version", "pid", "url", "live_url", "control_url", "tokens", "ca_file"]
    members += ["dashboard_url"]
    assert (list(served), served["event"], served["schema"]) == (members, "ready", 1)


def test_ready_line_names_the_installed_version(served: dict[str, Any]) -> None:
    """A report can say what it was made against."""
    assert served["version"] == importlib.metadata.version("paylera-testkit")


def test_ready_line_gives_the_pid_of_the_program(programs: Programs) -> None:
    """The process to signal is the one that was started."""
    program = programs.serve()
    assert program.ready()["pid"] == program.process.pid


def test_ready_line_gives_every_well_known_token(served: dict[str, Any]) -> None:
    """Nothing need be minted; the names are unique although both environments have a `serviceall`."""
    assert sorted(served["tokens"].values()) == sorted(token.secret for token in WELL_KNOWN)


def test_live_answers_at_its_url(served: dict[str, Any], ask: Ask) -> None:
    """Live has a URL and a token of its own."""
    assert ask(f"{served['live_url']}/v1/customers", served["tokens"]["live_serviceall"]).status == 200


def test_control_api_answers_at_its_url(served: dict[str, Any], ask: Ask) -> None:
    """The test-support protocol is where the ready line says."""
    assert ask(served["control_url"]).status == 200


def test_stdout_holds_the_ready_line_alone(programs: Programs) -> None:
    """What reads stdout need not tell lines apart, however much the server says."""
    program = programs.serve("--log-level=debug")
    program.ready()
    program.stop()
    assert program.rest_of_stdout() == ""


def test_banner_fits_a_terminal(programs: Programs) -> None:
    """People read the greeting at 80 columns, and in a file find no colours."""
    program = programs.start("serve", "--port=0")
    program.ready()
    greeting = program.errors.read_text()
    assert (max(map(len, greeting.splitlines())) <= 80, "\x1b" in greeting) == (True, False)


def test_each_request_is_logged_on_stderr(programs: Programs, ask: Ask) -> None:
    """One line each, and none of what the fake asks itself; in a file without colours."""
    program = programs.start("serve", "--port=0", "--no-banner")
    ask(f"{program.ready()['url']}/v1/customers")
    (line,) = program.errors.read_text().splitlines()
    assert line.startswith("GET /v1/customers 401 auth.missing_token [")


def test_each_request_is_logged_as_json(programs: Programs, ask: Ask) -> None:
    """Where a program reads it."""
    program = programs.start("serve", "--port=0", "--no-banner", "--log-format=json")
    ask(f"{program.ready()['url']}/v1/customers")
    assert json.loads(program.errors.read_text())["problem"] == "auth.missing_token"


@pytest.mark.slow
@pytest.mark.parametrize(("variables", "styled"), [({}, True), ({"NO_COLOR": "1"}, False)], ids=["colours", "none"])
def test_a_terminal_shows_the_log_in_colour(ask: Ask, variables: dict[str, str], styled: bool) -> None:  # noqa: FBT001
    """Unless `NO_COLOR` asks for none."""
    command = [sys.executable, "-m", "paylera_mock", "serve", "--port=0", "--no-banner", "--max-seconds=600"]
    with on_terminal(command, variables=variables) as program:
        program.read_until("}\r\n")
        ask(f"{json.loads(program.written)['url']}/v1/customers")
        program.read_until("auth.missing_token")
    assert ("\x1b[33m401\x1b[0m" in program.written, "GET /v1/customers" in program.written) == (styled, True)


def test_a_stderr_that_nobody_reads_holds_up_no_request(ask: Ask) -> None:
    """A harness may take the ready line, and leave the rest of what is written."""
    command = [sys.executable, "-m", "paylera_mock", "serve", "--port=0", "--max-seconds=600"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        url = json.loads(process.stdout.readline())["url"]
        statuses = {ask(f"{url}/v1/{'x' * 2000}").status for _ in range(60)}
        process.terminate()
    assert statuses == {401}


def test_quiet_says_nothing(programs: Programs, ask: Ask) -> None:
    """Neither a greeting nor a line for each request."""
    program = programs.start("serve", "--port=0", "-q")
    ask(f"{program.ready()['url']}/v1/customers")
    assert program.errors.read_text() == ""


def test_banner_gives_a_curl_that_works(programs: Programs, ask: Ask) -> None:
    """The first thing to try succeeds."""
    program = programs.start("serve", "--port=0")
    program.ready()
    curl = re.search(r'curl (\S+) \\\n +-H "Authorization: Bearer (\S+)"', program.errors.read_text())
    assert curl is not None
    assert ask(curl[1], curl[2]).status == 200


def test_two_fakes_get_ports_of_their_own(programs: Programs) -> None:
    """Port 0 never gives the same port twice."""
    first, second = programs.serve(), programs.serve()
    assert first.ready()["url"] != second.ready()["url"]


def test_ready_file_holds_the_ready_line(programs: Programs, tmp_path: Path) -> None:
    """What cannot read stdout can watch for a file."""
    program = programs.serve(f"--ready-file={tmp_path / 'ready.json'}")
    ready = program.ready()
    assert f'"pid": {ready["pid"]}' in (tmp_path / "ready.json").read_text()


def test_ready_file_goes_with_the_fake(programs: Programs, tmp_path: Path) -> None:
    """A file that is there means a fake that is there."""
    program = programs.serve(f"--ready-file={tmp_path / 'ready.json'}")
    program.ready()
    program.stop()
    assert not list(tmp_path.glob("ready.json*"))


def test_ready_file_takes_the_place_of_an_earlier_one(programs: Programs, tmp_path: Path) -> None:
    """Which a fake leaves behind that was killed."""
    path = tmp_path / "ready.json"
    killed = programs.serve(f"--ready-file={path}")
    killed.ready()
    killed.stop(signal.SIGKILL)
    ready = programs.serve(f"--ready-file={path}").ready()
    assert f'"pid": {ready["pid"]}' in path.read_text()


def test_ready_file_takes_the_place_of_an_empty_one(programs: Programs, tmp_path: Path) -> None:
    """Such as `mktemp` makes."""
    path = tmp_path / "ready.json"
    path.touch()
    ready = programs.serve(f"--ready-file={path}").ready()
    assert f'"pid": {ready["pid"]}' in path.read_text()


def test_a_fake_leaves_the_ready_file_of_another(programs: Programs, tmp_path: Path) -> None:
    """That one is still there."""
    path = tmp_path / "ready.json"
    first = programs.serve(f"--ready-file={path}")
    first.ready()
    second = programs.serve(f"--ready-file={path}").ready()
    first.stop()
    assert f'"pid": {second["pid"]}' in path.read_text()


def test_no_control_means_none(programs: Programs, ask: Ask) -> None:
    """Without a control API the ready line has no URL for it, and nothing answers there."""
    ready = programs.serve("--no-control").ready()
    assert (ready["control_url"], ask(f"{ready['url']}/_mock").status) == (None, 404)


@pytest.mark.parametrize(
    ("options", "status"),
    [
        ((), 401),
        (("--reading=scope_refusal=403",), 403),
        (("--profile=reference",), 403),
        (("--profile=reference", "--reading=scope_refusal=401"), 401),
    ],
)
def test_profile_and_readings_decide(programs: Programs, ask: Ask, options: tuple[str, ...], status: int) -> None:
    """A reading goes over its profile, here for the status of a missing scope."""
    ready = programs.serve(*options).ready()
    assert ask(f"{ready['url']}/v1/customers", ready["tokens"]["servicenoscope"]).status == status


@pytest.mark.parametrize(("choice", "refused"), [("on", True), ("off", False)])
def test_rate_limits_are_enforced_where_asked(programs: Programs, ask: Ask, choice: str, *, refused: bool) -> None:
    """The sandbox's Admin API takes five requests a second; here the second does not pass."""
    ready = programs.serve(f"--rate-limits={choice}").ready()
    with http_client() as client:
        client.post(f"{ready['control_url']}/clock", json={"running": False}).raise_for_status()
    answers = [ask(f"{ready['url']}/v1/admin/actors", ready["tokens"]["adminaal1"]) for _ in range(12)]
    assert any(answer.status == 429 for answer in answers) is refused


@pytest.mark.parametrize(("options", "explained"), [((), True), (("--no-explain",), False)])
def test_explanations_can_be_switched_off(
    programs: Programs, ask: Ask, options: tuple[str, ...], *, explained: bool
) -> None:
    """Exactly the contract goes over the wire where that is wanted."""
    answer = ask(f"{programs.serve(*options).ready()['url']}/v1/customers")
    assert any(name.startswith("paylera-mock-") for name in answer.headers) is explained


def test_a_loopback_address_mapped_into_ipv6_is_loopback(programs: Programs, ask: Ask) -> None:
    """No other machine reaches it, so nothing has to allow it."""
    ready = programs.serve("--host=::ffff:127.0.0.1").ready()
    assert ask(f"{ready['url']}/v1/customers", ready["tokens"]["serviceall"]).status == 200


@pytest.mark.parametrize(("secret", "status"), [(None, 401), ("not-it", 401), ("open-sesame", 200)])
def test_control_token_guards_the_control_api(programs: Programs, ask: Ask, secret: str | None, status: int) -> None:
    """With a token, which is named and not given, only who knows it may steer the fake, from everywhere."""
    options = ("--host=0.0.0.0", "--allow-remote", "--control-token=${SESAME}")
    ready = programs.serve(*options, SESAME="open-sesame").ready()
    assert ask(ready["control_url"], secret).status == status


def test_a_seed_makes_two_fakes_alike(programs: Programs, ask: Ask) -> None:
    """To the byte of what they answer."""
    fakes = [programs.serve("--seed=7").ready() for _ in range(2)]
    first, second = (ask(f"{ready['url']}/v1/customers", ready["tokens"]["serviceall"]).body for ready in fakes)
    assert first == second


def test_control_token_is_taken_from_its_own_variable(programs: Programs, ask: Ask) -> None:
    """The variable that is meant for it need not be named."""
    ready = programs.serve(PAYLERA_MOCK_CONTROL_TOKEN="open-sesame").ready()  # noqa: S106 - not a secret
    assert ask(ready["control_url"]).status == 401


def test_a_variable_of_the_environment_is_no_header(programs: Programs, ask: Ask, served: dict[str, Any]) -> None:
    """`HTTP_AUTHORIZATION` in a shell must not let everybody in."""
    secret = served["tokens"]["serviceall"]
    ready = programs.serve(HTTP_AUTHORIZATION=f"Bearer {secret}").ready()
    assert ask(f"{ready['url']}/v1/customers").status == 401


def test_a_variable_of_the_environment_is_no_media_type(programs: Programs) -> None:
    """`CONTENT_TYPE` and `CONTENT_LENGTH` in a shell are not those of a request that declares none."""
    ready = programs.serve(CONTENT_TYPE="text/plain", CONTENT_LENGTH="3").ready()
    headers = {"Authorization": f"Bearer {ready['tokens']['serviceall']}", "Idempotency-Key": "k"}
    with http_client() as client:
        answer = client.post(f"{ready['url']}/v1/customers", headers=headers, content=b'{"email":"ada@example.com"}')
    assert answer.status_code == 201


@pytest.mark.parametrize(("options", "status"), [((), 200), (("--no-dashboard",), 404), (("--no-control",), 404)])
def test_dashboard_is_where_the_ready_line_says(
    programs: Programs, ask: Ask, options: tuple[str, ...], status: int
) -> None:
    """Or nowhere, where it is not to be."""
    ready = programs.serve(*options).ready()
    assert ready["dashboard_url"] == (f"{ready['url']}/_mock/ui" if status == 200 else None)
    assert ask(f"{ready['url']}/_mock/ui/requests").status == status
