"""The suite never leaks: canary secrets are listed, sent and echoed, and nothing that is written shows them."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias
from urllib.parse import quote

import pytest

from helpers.suite import Program

if TYPE_CHECKING:  # the stubs of the type checker alone have it
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

pytestmark = pytest.mark.slow

Serve: TypeAlias = Callable[["WSGIApplication"], str]

# One of the documented form, and two that are known by having been listed alone.
CANARIES = {
    "FORMED": "sk_sandbox_" + "Canary+/Canary".ljust(32, "7"),
    "ODD": "hunter2/of+no-known-form",
    "QUOTED": r"""quot"ed'\$canary&<of>::no-form""",
}
PROXY = {"ALL_PROXY": "http://guest:password-of-a-proxy@127.0.0.1:9"}
SENT_TO_PROXY = base64.b64encode(b"guest:password-of-a-proxy").decode()
FILE = """
[tokens.formed]
token = "${FORMED}"
[tokens.odd]
token = "${ODD}"
scopes = ["customers:read"]
[tokens.quoted]
token = "${QUOTED}"
[tokens.admin]
token = "${ODD}"
audience = "admin"
"""


def spellings(secret: str) -> set[str]:
    """The forms in which a secret could be found by who looks for one, and its beginning, where it was cut."""
    encoded = base64.b64encode(secret.encode()).decode().rstrip("=")
    return {secret, quote(secret, safe=""), encoded, json.dumps(secret)[1:-1], secret.removeprefix("sk_sandbox_")[:12]}


def answered(status: str, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Answer with what was sent: the worst that a target can do to its guest's reports."""
    sent = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    credential = environ.get("HTTP_AUTHORIZATION", "")
    long = f"{'x' * 180} Basic {SENT_TO_PROXY}, {'x' * 10} {credential}"
    told = {"problem": credential, "detail": long, "title": [long], "errors": [{"field": long}], "type": credential}
    body = json.dumps({**told, "sent": sent.decode("latin-1"), "data": [{"id": credential}]}).encode()
    headers = [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
    start_response(status, [*headers, ("X-Echo", credential.encode("ascii", "replace").decode())])
    return [body]


def accepting(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Accept everything."""
    return answered("200 OK", environ, start_response)


def refusing(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Refuse everything."""
    return answered("401 Unauthorized", environ, start_response)


RUNS = {"alone": (accepting,), "parallel": (accepting, "-n", "2"), "refused": (refusing,)}


@pytest.fixture(scope="module", params=RUNS.values(), ids=list(RUNS))
def written(request: pytest.FixtureRequest, serve: Serve, make_program: Callable[[], Program]) -> str:
    """Everything that a run wrote: its output, its report, and every other file of its folder."""
    program = make_program()
    program.configure(FILE)
    program.env = {**CANARIES, **PROXY}
    app, *arguments = request.param
    run = program.run(serve(app), "-k", "credential", *arguments, "--", "--junitxml", str(program.folder / "junit.xml"))
    files = [path.read_text("utf-8") for path in program.folder.rglob("*") if path.is_file()]
    return "\n".join([run.output, *files])


@pytest.mark.parametrize("canary", [*CANARIES.values(), "password-of-a-proxy"], ids=[*CANARIES, "proxy"])
def test_no_secret_is_written(written: str, canary: str) -> None:
    """In no spelling, in no artefact."""
    assert [spelling for spelling in spellings(canary) if spelling in written] == []


def test_token_is_named_by_its_role(written: str) -> None:
    """The search would find nothing in an empty report either: what was sent is there, under its label."""
    assert "‹formed #" in written


def test_literal_in_the_file_is_not_repeated(program: Program) -> None:
    """A token that was written where a reference belongs stays between its owner and the file."""
    program.configure(f'[target]\nurl = "http://127.0.0.1:9"\n[tokens.mine]\ntoken = "{CANARIES["FORMED"]}"\n')
    run = program.run()
    assert (run.code, CANARIES["FORMED"] in run.output) == (4, False)


@pytest.mark.parametrize("app", [accepting, refusing])
def test_token_of_the_control_api_is_not_told(
    app: WSGIApplication, serve: Serve, program: Program, tmp_path: Path
) -> None:
    """It opens more than any other."""
    url = serve(app)
    (tmp_path / "control.txt").write_text(CANARIES["ODD"], "utf-8")
    program.configure(f'[provision]\ncontrol_url = "{url}/_mock"\ncontrol_token = "file:control.txt"\n')
    run = program.run(url)
    assert (run.code, CANARIES["ODD"] in run.output + json.dumps(run.report)) == (4, False)
