"""Operations that only the target names: what the guide says of every call is looked at there too."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import pytest

from paylera_mock.app import create_app

if TYPE_CHECKING:  # in typeshed only, and what only annotations need
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

    from helpers.suite import Program

pytestmark = pytest.mark.slow

Serve: TypeAlias = Callable[["WSGIApplication"], str]

REVOKED: Final = ("-k", "operations_of_the_target or challenge")
DOCUMENT: Final = "/openapi/v1.json"
REPORTS: Final = "/v1/revenue-reports"
NOTES: Final = "/v1/customers/{id}/notes"


@dataclass
class Extended:
    """A server with two operations more than the contract has; both do what one of the contract's does.

    - `open_to`: a path of the two which everybody may call, as if with the first token that was ever accepted;
    - `declared`: whether its document says that they ask for a token.
    """

    open_to: str = ""
    declared: bool = True
    app: WSGIApplication = field(default_factory=create_app)
    accepted: str = ""

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        path = environ["PATH_INFO"]
        if path.endswith(DOCUMENT):
            return [self._document(environ, start_response)]
        if path.endswith(REPORTS):
            return self._as_other(environ, start_response, path.replace(REPORTS, "/v1/customers"), opened=REPORTS)
        if path.endswith("/notes"):
            return self._as_other(environ, start_response, path.removesuffix("/notes"), opened=NOTES)
        return self.app(environ, start_response)

    def _as_other(
        self, environ: WSGIEnvironment, start_response: StartResponse, path: str, *, opened: str
    ) -> Iterable[bytes]:
        def note(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
            if status.startswith("200") and environ["PATH_INFO"] == path:
                self.accepted = self.accepted or environ.get("HTTP_AUTHORIZATION", "")
            return start_response(status, headers, *rest)

        if self.open_to == opened and self.accepted:
            environ["HTTP_AUTHORIZATION"] = self.accepted
        environ["PATH_INFO"] = path
        return self.app(environ, note)

    def _document(self, environ: WSGIEnvironment, start_response: StartResponse) -> bytes:
        document = json.loads(b"".join(self.app(environ, lambda *_args: lambda _data: None)))
        listed, one = document["paths"]["/v1/customers"]["get"], document["paths"]["/v1/customers/{id}"]
        document["paths"][REPORTS] = {"get": {**listed, "operationId": "reports"}}
        document["paths"][NOTES] = {**one, "patch": {**one["patch"], "operationId": "note"}}
        del document["paths"][NOTES]["get"], document["paths"][NOTES]["delete"]
        if not self.declared:
            for path, method in ((REPORTS, "get"), (NOTES, "patch")):
                document["paths"][path][method] |= {"security": []}
                document["paths"][path][method].pop("x-paylera-scope", None)
        body = json.dumps(document).encode()
        start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
        return body


@pytest.fixture
def judge(serve: Serve, program: Program) -> Callable[[Extended], Any]:
    """Run the suite against a server, with the cases about such operations alone."""

    def run(server: Extended) -> Any:
        url = serve(server)
        return program.run(url, "--control-url", f"{url}/_mock", *REVOKED)

    return run


def test_right_ones_are_columns_of_the_matrix(judge: Callable[[Extended], Any]) -> None:
    """Each rule that says something of them was seen to hold there."""
    run = judge(Extended())
    columns = {
        rule: {cell["operation"] for cell in run.report["matrix"] if (cell["rule"], cell["outcome"]) == (rule, "pass")}
        for rule in ("revoked", "other-tenant")
    }
    assert (run.having("fail"), columns) == (
        set(),
        {"revoked": {f"GET {REPORTS}", f"PATCH {NOTES}"}, "other-tenant": {f"GET {REPORTS}", f"PATCH {NOTES}"}},
    )


@pytest.mark.parametrize("path", [REPORTS, NOTES])
def test_open_one_fails_the_clauses_and_is_named(judge: Callable[[Extended], Any], path: str) -> None:
    """A list and a change of one object; the other operation is not blamed."""
    run = judge(Extended(open_to=path))
    assert run.having("fail") >= {"credential.missing", "token.unknown", "token.revoked", "rotation.grace-ends"}
    blamed = {cell["operation"] for cell in run.report["matrix"] if cell["outcome"] == "fail"}
    assert {name.partition(" ")[2] for name in blamed} == {path}


def test_what_the_document_declares_public_is_nobodys_failure(judge: Callable[[Extended], Any]) -> None:
    """A health check asks for no token, and its document says so."""
    run = judge(Extended(open_to=REPORTS, declared=False))
    assert run.having("fail") == set()
