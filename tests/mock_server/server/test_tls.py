"""`--tls`: HTTPS by a certificate authority of the user's own, which clients of any language can be told to trust."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import ssl
import stat
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click
import httpx
import pytest
from click.testing import CliRunner

from helpers.mock_program import Programs
from helpers.waiting import PATIENCE_SECONDS
from paylera_fixtures.vocabulary import Environment, Profile
from paylera_mock.cli.main import main
from paylera_mock.cli.text import format_banner
from paylera_mock.server.ready import Ready
from paylera_mock.server.tls import TlsError, authority_file, issue_identity

SHOW = "import json, os; print(json.dumps(dict(os.environ)))"
FETCH = """
fetch(process.env.PAYLERA_BASE_URL + "/v1/customers", {headers: {Authorization: "Bearer " + process.env.PAYLERA_KEY}})
  .then((answer) => console.log(answer.status));
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of this module's own, so that no test finds or leaves anything in the user's."""
    return tmp_path_factory.mktemp("tls")


@pytest.fixture(scope="module")
def secure(
    folder: Path, tmp_path_factory: pytest.TempPathFactory, served_by: type[Programs]
) -> Iterator[dict[str, Any]]:
    """The ready line of a fake that serves TLS."""
    started = served_by(tmp_path_factory.mktemp("served"))
    yield started.serve("--tls", f"--tls-dir={folder}").ready()
    started.end()


def customers(ready: dict[str, Any], verify: ssl.SSLContext, url: str = "") -> int:
    """What a list is answered, where the certificate is verified."""
    headers = {"Authorization": f"Bearer {ready['tokens']['serviceall']}"}
    with httpx.Client(verify=verify, trust_env=False, timeout=PATIENCE_SECONDS) as client:
        return client.get(f"{url or ready['url']}/v1/customers", headers=headers).status_code


def trusting(ready: dict[str, Any]) -> ssl.SSLContext:
    """A context that trusts the authority of the ready line, and no other."""
    return ssl.create_default_context(cafile=ready["ca_file"])


def test_who_trusts_the_authority_is_answered(secure: dict[str, Any]) -> None:
    """The certificate that is verified is for the address that the ready line gives."""
    assert (secure["url"].startswith("https://127.0.0.1:"), customers(secure, trusting(secure))) == (True, 200)


def test_who_does_not_trust_it_is_not(secure: dict[str, Any]) -> None:
    """Nothing is served to who is not sure of the server."""
    with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
        customers(secure, ssl.create_default_context())


def test_localhost_is_a_name_of_it(secure: dict[str, Any]) -> None:
    """People type names."""
    assert customers(secure, trusting(secure), secure["url"].replace("127.0.0.1", "localhost")) == 200


@pytest.mark.parametrize("environment", Environment)
def test_production_names_are_names_of_it(secure: dict[str, Any], environment: Environment) -> None:
    """For who maps the hosts of production to this machine."""
    port = urlsplit(secure["url"]).port
    with closing(trusting(secure).wrap_socket(_connected(port), server_hostname=environment.production_host)) as held:
        assert held.version() in {"TLSv1.2", "TLSv1.3"}


def _connected(port: int | None) -> Any:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_SECONDS)
    connection.connect()
    return connection.sock


def test_the_control_api_is_served_too(secure: dict[str, Any]) -> None:
    """Under the scheme that the ready line names, and it names itself so."""
    with httpx.Client(verify=trusting(secure), trust_env=False, timeout=PATIENCE_SECONDS) as client:
        described = client.get(secure["control_url"]).json()
    assert described["url"] == secure["url"]


def test_who_says_nothing_holds_up_nobody(secure: dict[str, Any]) -> None:
    """A connection without a handshake is that client's business alone."""
    with closing(_connected(urlsplit(secure["url"]).port)):
        assert customers(secure, trusting(secure)) == 200


def test_curl_trusts_the_file_that_ca_path_prints(secure: dict[str, Any], folder: Path) -> None:
    """The one line of a shell."""
    curl = shutil.which("curl") or pytest.skip("there is no curl here")
    printed = CliRunner().invoke(main, ["ca-path", f"--tls-dir={folder}"]).output.strip()
    headers = ["-H", f"Authorization: Bearer {secure['tokens']['serviceall']}"]
    asked = [curl, "-s", "-o", "/dev/null", "-w", "%{http_code}", "--cacert", printed, *headers]
    said = subprocess.run([*asked, f"{secure['url']}/v1/customers"], capture_output=True, text=True, check=True)
    assert said.stdout == "200"


def test_node_trusts_the_fake_that_exec_started(programs: Programs, folder: Path) -> None:
    """Without a line of set-up."""
    node = shutil.which("node") or pytest.skip("there is no Node here")
    program = programs.start("exec", "--tls", f"--tls-dir={folder}", "--", node, "-e", FETCH)
    assert (program.rest_of_stdout().strip(), program.status()) == ("200", 0)


def test_a_command_is_told_what_to_trust(programs: Programs, folder: Path) -> None:
    """And `SSL_CERT_FILE` is left alone, which would take away its trust in all others."""
    program = programs.start("exec", "--tls", f"--tls-dir={folder}", "--", sys.executable, "-c", SHOW)
    told = json.loads(program.rest_of_stdout())
    ca_file, before = str(authority_file(folder)), os.environ.get("SSL_CERT_FILE")
    assert (told["PAYLERA_CA_FILE"], told["NODE_EXTRA_CA_CERTS"], told.get("SSL_CERT_FILE")) == (
        ca_file,
        ca_file,
        before,
    )


def test_healthcheck_trusts_it(secure: dict[str, Any], folder: Path) -> None:
    """A container that serves TLS is healthy too."""
    result = CliRunner().invoke(main, ["healthcheck", "--url", secure["url"], f"--tls-dir={folder}"])
    assert (result.exit_code, result.output) == (0, f"{secure['url']} is healthy\n")


def test_the_greeting_shows_what_curl_must_trust() -> None:
    """The first line that people copy works."""
    url = "https://127.0.0.1:1"
    ready = Ready.at(url, has_control=False, ca_file=Path("/home/ada lovelace/ca.pem"))
    assert "--cacert '/home/ada lovelace/ca.pem' \\" in click.unstyle(format_banner(ready, Profile.GUIDE))


def test_the_authority_is_made_once(tmp_path: Path) -> None:
    """Who trusts it does so for good."""
    first = authority_file(tmp_path).read_bytes()
    assert authority_file(tmp_path).read_bytes() == first


def test_its_key_is_the_users_alone(tmp_path: Path) -> None:
    """It could vouch for any host."""
    key = authority_file(tmp_path).with_name("ca-key.pem")
    assert stat.S_IMODE(key.stat().st_mode) == 0o600


def test_many_at_once_make_one_authority(tmp_path: Path) -> None:
    """As under xdist, with nothing kept yet: key and certificate are of one pair, and no draft is left behind."""
    with ThreadPoolExecutor(8) as pool:
        made = {file.read_bytes() for file in pool.map(authority_file, [tmp_path] * 8)}
    with issue_identity(tmp_path, "127.0.0.1") as identity:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(identity.certificate, identity.key)
    assert (len(made), len(list(tmp_path.iterdir()))) == (1, 1)


def test_the_files_of_a_run_are_gone_at_its_end(tmp_path: Path) -> None:
    """Only the authority is kept."""
    with issue_identity(tmp_path, "127.0.0.1") as identity:
        pass
    assert not identity.key.exists()


def test_an_authority_that_cannot_be_read_says_what_to_do(tmp_path: Path) -> None:
    """It is not replaced in silence: somebody trusts it."""
    authority_file(tmp_path).with_name("ca-key.pem").write_text("no key")
    with pytest.raises(TlsError, match="remove it, and it is made anew"), issue_identity(tmp_path, "127.0.0.1"):
        pass


def test_a_folder_that_cannot_be_made_says_what_to_do(tmp_path: Path) -> None:
    """In one line, with the option to use."""
    (tmp_path / "file").write_text("in the way")
    result = CliRunner().invoke(main, ["ca-path", f"--tls-dir={tmp_path / 'file' / 'below'}"])
    assert (result.exit_code, "choose another with --tls-dir" in result.output) == (1, True)


def test_a_missing_extra_says_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In one line that can be pasted."""
    monkeypatch.setitem(sys.modules, "trustme", None)
    result = CliRunner().invoke(main, ["serve", "--port=0", "--tls", f"--tls-dir={tmp_path}"])
    assert (result.exit_code, result.output) == (
        1,
        "Error: TLS needs the extra `tls`: pip install 'paylera-testkit[tls]'\n",
    )


def test_the_folder_can_be_named_by_a_variable(tmp_path: Path) -> None:
    """A CI job keeps it in its cache."""
    result = CliRunner().invoke(main, ["ca-path"], env={"PAYLERA_MOCK_TLS_DIR": str(tmp_path)})
    assert result.output.strip() == str(authority_file(tmp_path))
