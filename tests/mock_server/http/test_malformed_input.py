"""Whatever is sent gets a problem document: no 5xx, no way around a check."""

from __future__ import annotations

import gzip
import io
import json
import sys
from typing import Any, Final
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from werkzeug.test import TestResponse

from helpers.fake import Fake
from paylera_fixtures.api.operations import OPERATIONS, Operation
from paylera_fixtures.api.schemas import REQUEST_BODIES
from paylera_mock.core import request_bodies
from paylera_mock.core.problems import Problem
from paylera_mock.http.wsgi import locate

CUSTOMERS: Final = "/v1/customers"
LIMIT: Final = 1024 * 1024
# A fixture of one function is fine here: no example depends on what another one left behind.
HOSTILE: Final = settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])

JSON: Final = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
WRITES: Final = [operation for operation in OPERATIONS if operation.id in REQUEST_BODIES]


def is_problem(answer: TestResponse) -> bool:
    """Whether a refusal is a document with the status that it has."""
    return answer.content_type == "application/problem+json" and (answer.json or {})["status"] == answer.status_code


def created(fake: Fake, body: bytes, **more: Any) -> TestResponse:
    """Send bytes as a customer."""
    sent = {"content_type": "application/json", **more}
    return fake.call("POST", CUSTOMERS, fake.secret(), key="k", data=body, **sent)


MALFORMED: Final = {
    "no JSON": (b"{", "this is no JSON"),
    "text": (b"hello", "this is no JSON"),
    "a list": (b"[]", "must be a JSON object"),
    "a number": (b"1", "must be a JSON object"),
    "null": (b"null", "must be a JSON object"),
    "NaN": (b'{"email":NaN}', "NaN stands in it"),
    "infinity": (b'{"email":-Infinity}', "-Infinity stands in it"),
    "a number beyond a float": (b'{"email":1e999}', "too large"),
    "a number of 5000 digits": (b'{"email":' + b"9" * 5000 + b"}", "has more than 4300 digits"),
    "a member twice": (b'{"email":"a@b.c","email":"d@e.f"}', "twice in one object"),
    "no UTF-8": (b'{"email":"\xff@b.c"}', "not UTF-8"),
    "UTF-16": ('{"email":"a@b.c"}'.encode("utf-16"), "not UTF-8"),
    "half a surrogate pair": (rb'{"email":"a@b.c","name":"\ud800"}', "half a surrogate pair"),
    "nested 33 deep": (b'{"a":' * 33 + b"1" + b"}" * 33, "at most 32 levels"),
    "nested 100 000 deep": (b"[" * 100_000, "nested too deep"),
    "nested 100 000 deep in an object": (b'{"a":' * 100_000, "nested too deep"),
    "control characters": (b'{"email":"a\x00@b.c"}', "this is no JSON"),
}
"""Bodies, and what is said of each."""


@pytest.mark.parametrize(("body", "said"), MALFORMED.values(), ids=MALFORMED)
def test_what_cannot_be_read_is_400(fake: Fake, body: bytes, said: str) -> None:
    """With the reason (clause robustness.errors-are-problems)."""
    answer = created(fake, body)
    found = answer.json or {}
    assert (answer.status_code, is_problem(answer), found["problem"]) == (400, True, "request.malformed")
    assert said in found["detail"]


@pytest.mark.parametrize("case", ["a number of 5000 digits", "half a surrogate pair", "a member twice"])
def test_the_control_api_names_what_it_cannot_read(fake: Fake, case: str) -> None:
    """As the API does."""
    body, said = MALFORMED[case]
    answer = fake.client.post(f"{fake.control_base}/clock", data=body, content_type="application/json")
    assert (answer.status_code, said in (answer.json or {})["detail"]) == (400, True)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"email": None},
        {"email": "nobody"},
        {"email": "a@b.c", "name": 5},
        {"email": "a@b.c", "name": "\x00"},
        {"email": "a@b.c", "metadata": {"k": 1}},
        {"email": "a@b.c", "metadata": {"\x00": "v"}},
        {"email": "a@b.c", "billing_address": {"country": "Germany"}},
        {"email": "a" * 300 + "@b.c"},
    ],
    ids=repr,
)
def test_what_does_not_fit_is_422(fake: Fake, body: dict[str, Any]) -> None:
    """With the member that is wrong, a code, and a sentence."""
    answer = created(fake, json.dumps(body).encode())
    error = (answer.json or {})["errors"][0]
    assert (answer.status_code, is_problem(answer), sorted(error)) == (422, True, ["code", "field", "message"])


def test_a_flaw_does_not_repeat_what_was_sent(fake: Fake) -> None:
    """A secret in the wrong member does not come back."""
    answer = created(fake, json.dumps({"email": "hunter2", "name": {"hunter2": 1}}).encode())
    assert (answer.status_code, "hunter2" in answer.text) == (422, False)


def test_unknown_members_are_ignored(fake: Fake) -> None:
    """No source refuses them."""
    assert created(fake, b'{"email":"a@b.c","unknown":[1,{}]}').status_code == 201


def test_a_body_of_the_limit_is_read(fake: Fake) -> None:
    """1 MiB to the byte."""
    body = b'{"email":"a@b.c"}'
    assert created(fake, body + b" " * (LIMIT - len(body))).status_code == 201


@pytest.mark.parametrize("extra", [1, LIMIT])
def test_a_body_beyond_the_limit_is_413(fake: Fake, extra: int) -> None:
    """And is not read."""
    answer = created(fake, b" " * (LIMIT + extra))
    assert (answer.status_code, is_problem(answer)) == (413, True)


def test_a_body_of_unknown_length_is_bounded_too(fake: Fake) -> None:
    """As in a chunked request, whose end the server knows."""
    stream = io.BytesIO(b" " * (LIMIT + 1))
    answer = created(fake, b"", input_stream=stream, environ_overrides={"wsgi.input_terminated": True})
    assert answer.status_code == 413


@pytest.mark.parametrize(
    "media_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "json", ","]
)
def test_another_media_type_is_415(fake: Fake, media_type: str) -> None:
    """Whatever the body says."""
    assert created(fake, b'{"email":"a@b.c"}', content_type=media_type).status_code == 415


@pytest.mark.parametrize(
    "media_type", ["application/json; charset=utf-8", "APPLICATION/JSON", "application/vnd.x+json", ""]
)
def test_json_by_another_name_is_read(fake: Fake, media_type: str) -> None:
    """With parameters, in capitals, by suffix, or undeclared."""
    assert created(fake, b'{"email":"a@b.c"}', content_type=media_type).status_code == 201


def test_a_compressed_body_is_415(fake: Fake) -> None:
    """With the header that is to be left out, and what would be taken in its place."""
    answer = created(fake, b'{"email":"a@b.c"}', headers={"Content-Encoding": "GZIP"})
    assert (answer.status_code, "`Content-Encoding`" in answer.text) == (415, True)
    assert answer.headers["Accept-Encoding"] == "identity"


@pytest.mark.parametrize("length", ["x", "-1", "1e3", ""])
def test_a_strange_content_length_does_no_harm(fake: Fake, length: str) -> None:
    """It is taken for none."""
    answer = created(fake, b"{}", environ_overrides={"CONTENT_LENGTH": length})
    assert 400 <= answer.status_code < 500


@pytest.mark.parametrize(("encoding", "status"), [("gzip", 415), ("identity", 204)])
def test_the_control_api_reads_no_compressed_body_either(fake: Fake, encoding: str, status: int) -> None:
    """It says why, instead of calling it no JSON."""
    sent = gzip.compress(b"{}") if encoding == "gzip" else b"{}"
    url = f"{fake.control_base}/reset"
    answer = fake.client.post(url, data=sent, headers={"Content-Encoding": encoding})
    assert (answer.status_code, "`Content-Encoding`" in answer.text) == (status, status == 415), answer.text


def test_a_body_that_ends_too_early_is_a_problem(fake: Fake) -> None:
    """The connection may be gone; the fake is not."""
    answer = created(fake, b"{}", environ_overrides={"CONTENT_LENGTH": "100"})
    assert (answer.status_code, is_problem(answer)) == (400, True)


@pytest.mark.parametrize("host", ["", "evil", "[", "]:x", "a b", "é", "localhost:99999999", "a" * 5000])
def test_a_strange_host_gets_no_further(fake: Fake, host: str) -> None:
    """Without a token it stays a refusal, whatever name the server is called by."""
    answer = fake.call("GET", CUSTOMERS, environ_overrides={"HTTP_HOST": host})
    assert (400 <= answer.status_code < 500, is_problem(answer)) == (True, True)


@HOSTILE
@given(body=st.binary(max_size=300))
def test_no_bytes_break_it(fake: Fake, body: bytes) -> None:
    """Any bytes as a body (clause robustness.no-server-error)."""
    answer = created(fake, body)
    assert 400 <= answer.status_code < 500
    assert is_problem(answer)


@pytest.mark.slow
@pytest.mark.parametrize("operation", WRITES, ids=str)
@HOSTILE
@given(data=st.data())
def test_no_members_break_an_operation(fake: Fake, operation: Operation, data: st.DataObject) -> None:
    """The members that an operation has, with any JSON in them."""
    members = REQUEST_BODIES[operation.id]["properties"]
    body = data.draw(st.fixed_dictionaries({}, optional=dict.fromkeys(members, JSON)))
    path = operation.concrete("x")
    answer = fake.call(operation.method, path, fake.admin(), key=str(uuid4()), json=body)
    assert answer.status_code < 500


@HOSTILE
@given(path=st.text(max_size=40), method=st.sampled_from(["GET", "POST", "PATCH", "DELETE", "PUT"]))
def test_no_path_breaks_it(fake: Fake, path: str, method: str) -> None:
    """Any text as a path, with a token that may everything."""
    answer = fake.client.open(
        "/", method=method, headers={"Authorization": f"Bearer {fake.secret()}"}, environ_overrides=wsgi_path(path)
    )
    assert answer.status_code < 500


@HOSTILE
@given(path=st.text(alphabet="/.%2eEfFv1customers_mocknslive;?#\\ ", max_size=40))
def test_no_spelling_of_a_path_gets_in(fake: Fake, path: str) -> None:
    """Without a token nothing but the control API and the document answers."""
    answer = fake.client.get("/", environ_overrides=wsgi_path(f"/v1/{path}"))
    assert 400 <= answer.status_code < 500


@HOSTILE
@given(query=st.text(max_size=60))
def test_no_query_breaks_it(fake: Fake, query: str) -> None:
    """Any text as a query."""
    answer = fake.call("GET", CUSTOMERS, fake.secret(), query_string=query)
    assert answer.status_code in {200, 422}


@HOSTILE
@given(value=st.text(st.characters(max_codepoint=255, exclude_characters="\r\n\0"), max_size=60))
@pytest.mark.parametrize(
    "name", ["Authorization", "Paylera-Version", "X-Paylera-Acting-As", "Idempotency-Key", "Content-Type"]
)
def test_no_header_breaks_it(fake: Fake, name: str, value: str) -> None:
    """Any value of a header that the contract looks at."""
    headers = {"Authorization": f"Bearer {fake.secret()}", "Idempotency-Key": "k", name: value}
    answer = fake.call("POST", CUSTOMERS, headers=headers, data=b"{}")
    assert 400 <= answer.status_code < 500


def wsgi_path(path: str) -> dict[str, str]:
    """A path as WSGI has it: its bytes, each as one character (PEP 3333)."""
    return {"PATH_INFO": path.encode("utf-8", "surrogatepass").decode("latin-1")}


@pytest.mark.parametrize(
    ("path", "namespace_id", "live", "below"),
    [
        ("/v1/customers", None, False, "/v1/customers"),
        ("/live/v1/customers", None, True, "/v1/customers"),
        ("/ns/abc/v1/customers", "abc", False, "/v1/customers"),
        ("/ns/abc/live/v1/customers", "abc", True, "/v1/customers"),
        # What only looks like a prefix is a path like any other.
        ("/live", None, False, "/live"),
        ("/LIVE/v1/customers", None, False, "/LIVE/v1/customers"),
        ("/live/live/v1", None, True, "/live/v1"),
        ("//live/v1", None, False, "//live/v1"),
        ("/ns", None, False, "/ns"),
        ("/ns/", "", False, "/"),
        ("/ns/abc", "abc", False, "/"),
        ("/ns/abc//v1", "abc", False, "//v1"),
        ("/live/ns/abc/v1", None, True, "/ns/abc/v1"),
        ("", None, False, ""),
    ],
)
def test_a_path_is_taken_apart(path: str, namespace_id: str | None, below: str, *, live: bool) -> None:
    """The prefixes come off once, in one order, and nothing else is touched."""
    found = locate(path, "localhost", by_host=False)
    assert (found.namespace_id, found.environment.value == "live", found.path) == (namespace_id, live, below)


@HOSTILE
@given(value=st.dictionaries(st.text(), JSON, max_size=4))
def test_reading_json_never_raises(value: dict[str, Any]) -> None:
    """It is read, or refused with a reason; what is read can be written again."""
    found = request_bodies.read_json(json.dumps(value).encode(), depth=32)
    text = found.detail if isinstance(found, Problem) else json.dumps(found, ensure_ascii=False)
    assert text.encode()


def test_the_limit_of_depth_is_below_the_interpreters() -> None:
    """So that what is read can also be walked and written."""
    assert sys.getrecursionlimit() > 10 * 32
