"""A right server behind nginx: TLS of its own authority, a prefix, compressed answers, connections closed soon."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import trustme

from helpers.nginx import require_nginx, running_nginx
from paylera_fixtures.tokens import WELL_KNOWN
from paylera_mock.cli.subprocess_server import running_fake

if TYPE_CHECKING:  # only annotations need it
    from helpers.suite import Program

pytestmark = pytest.mark.slow

SERVER = """
server {
  listen 127.0.0.1:{port} ssl;
  ssl_certificate {folder}/cert.pem; ssl_certificate_key {folder}/key.pem;
  keepalive_timeout 10ms; gzip on; gzip_types *; gzip_min_length 1; gzip_proxied any;
  location /api/ { proxy_pass {fake}/; proxy_set_header Host $http_host; }
}
"""
# What it limits does not depend on how fast this machine is: one request of ten, whichever.
LIMITED = """
log_format statuses $status; split_clients $request_id $limited { 10% 1; * ""; }
server {
  listen 127.0.0.1:{port}; access_log {folder}/statuses statuses;
  error_page 429 = @limited;
  location @limited { internal; add_header Retry-After 0 always; return 429 "later"; }
  location / { if ($limited) { return 429; } proxy_pass {fake}; proxy_set_header Host $http_host; }
}
"""
SOME = ("-k", "scheme_is_found or no_other_spelling_reads or pagination or members_everywhere")


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    """Where nginx passes on to a fake."""
    require_nginx()
    authority = trustme.CA()
    certificate = authority.issue_cert("localhost")
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    certificate.private_key_pem.write_to_path(tmp_path / "key.pem")
    (tmp_path / "cert.pem").write_bytes(b"".join(blob.bytes() for blob in certificate.cert_chain_pems))
    with running_fake() as ready, running_nginx(tmp_path, SERVER.replace("{fake}", ready.url)) as port:
        yield f"https://localhost:{port}/api"


def test_it_is_judged_as_it_is(program: Program, url: str, tmp_path: Path) -> None:
    """Nothing of that is a failure, or an error of the suite's."""
    program.env |= {"SSL_CERT_FILE": str(tmp_path / "ca.pem"), "EVERYTHING": WELL_KNOWN[0].secret}
    program.configure('[tokens.everything]\ntoken = "${EVERYTHING}"')
    run = program.run(url, *SOME)
    assert run.having("fail") | run.having("error") == set(), run.output
    assert run.having("pass") >= {"credential.scheme-case"}


def test_authority_that_is_not_trusted_is_named(program: Program, url: str) -> None:
    """With what to do about it."""
    run = program.run(url, *SOME)
    assert (run.code, "--ca-file FILE" in " ".join(run.output.split())) == (13, True), run.output


def test_what_it_limits_is_sent_again(program: Program, tmp_path: Path) -> None:
    """Its 429 has a text of its own, and meets raw requests too."""
    require_nginx()
    program.env |= {"EVERYTHING": WELL_KNOWN[0].secret}
    program.configure('[tokens.everything]\ntoken = "${EVERYTHING}"')
    with running_fake() as ready, running_nginx(tmp_path, LIMITED.replace("{fake}", ready.url)) as port:
        run = program.run(
            f"http://127.0.0.1:{port}",
            "-k",
            "hostile_bytes or two_headers or scheme_is_found or no_other_spelling_reads",
        )
    assert run.having("fail") | run.having("error") == set(), run.output
    cases = json.loads((program.folder / "out" / "run.json").read_text("utf-8"))["cases"]
    assert [case["case"] for case in cases if "429" in case.get("headline", "")] == [], run.output
    assert (tmp_path / "statuses").read_text("utf-8").split().count("429") > 0
