"""The suite's own client, without a network: what it sends again, what it never does, and what it tells."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from http.client import InvalidURL, RemoteDisconnected
from types import SimpleNamespace
from typing import TypeAlias
from uuid import UUID

import httpx
import pytest
import respx

from helpers.wire import HandlerWire
from paylera_conformance.http import client as client_module
from paylera_conformance.http import content
from paylera_conformance.http.client import (
    LONGEST_WAIT,
    RUN_HEADER,
    WAITS,
    Client,
    ClientSettings,
    Pace,
)
from paylera_conformance.http.content import BODY_LIMIT
from paylera_conformance.http.habits import OWN_USER_AGENT
from paylera_conformance.http.request_budget import Limits
from paylera_conformance.model.messages import FRESH_KEY, Request
from paylera_conformance.model.outcomes import NotRun, TransportTrouble
from paylera_conformance.model.tokens import Credential
from paylera_fixtures.redaction import Secret

URL = "http://target.test"
PATH = "/v1/customers"
LIST = Request("GET", PATH)
CREATE = Request("POST", PATH, key=FRESH_KEY).with_json({"email": "ada@example.com"})

Handler: TypeAlias = Callable[[httpx.Request], httpx.Response]


class Watch:
    """A clock that moves only when slept on or told to."""

    def __init__(self) -> None:
        self.now = 0.0
        self.sleeps: list[float] = []

    def __call__(self) -> float:
        """The time."""
        return self.now

    def sleep(self, seconds: float) -> None:
        """Pass the time."""
        self.sleeps.append(seconds)
        self.now += seconds


@pytest.fixture
def watch() -> Watch:
    """The time of one test."""
    return Watch()


@pytest.fixture
def routes() -> respx.Router:
    """What the target answers."""
    return respx.Router()


@pytest.fixture
def client(routes: respx.Router, watch: Watch) -> Client:
    """A client that waits on the test's clock."""
    return Client(ClientSettings(run_id="run1"), wire=HandlerWire(routes.handler), sleep=watch.sleep)


def too_many(retry_after: str | None = None) -> httpx.Response:
    """A 429."""
    return httpx.Response(429, headers={} if retry_after is None else {"Retry-After": retry_after})


OK = httpx.Response(200, json={"data": []})


@pytest.mark.parametrize(
    ("retry_after", "waits"),
    [
        ("2", 2.0),
        ("0.5", 0.5),
        ("0", 0.0),
        ("-3", 1.0),
        (None, 1.0),
        ("86400", LONGEST_WAIT),
        ("inf", 1.0),
        ("nan", 1.0),
    ],
)
def test_429_is_waited_for_as_told(
    routes: respx.Router, client: Client, watch: Watch, retry_after: str | None, waits: float
) -> None:
    """A polite guest comes back when told to, within reason."""
    routes.get(URL + PATH).mock(side_effect=[too_many(retry_after), OK])
    client.send(LIST, URL)
    assert watch.sleeps == [waits]


def test_429_is_sent_again_with_the_same_key_and_body(routes: respx.Router, client: Client) -> None:
    """Another key would be another request, which the target might then do twice."""
    route = routes.post(URL + PATH).mock(side_effect=[too_many("1"), too_many("1"), OK])
    client.send(CREATE, URL)
    sent = {(call.request.headers["Idempotency-Key"], call.request.content) for call in route.calls}
    assert (route.call_count, len(sent)) == (3, 1)


def test_patience_ends(routes: respx.Router, client: Client, watch: Watch) -> None:
    """A target that is never ready is trouble, after a bounded number of waits."""
    routes.get(URL + PATH).mock(return_value=too_many("1"))
    with pytest.raises(TransportTrouble, match=f"still answered 429 after {WAITS} waits"):
        client.send(LIST, URL)
    assert len(watch.sleeps) == WAITS


def test_target_that_limits_requests_for_ever_ends_the_run(routes: respx.Router, client: Client, watch: Watch) -> None:
    """Six waits of a minute for each of thousands of requests would take weeks."""
    routes.get(URL + PATH).mock(return_value=too_many("60"))
    with pytest.raises(TransportTrouble):
        client.send(LIST, URL)
    with pytest.raises(NotRun, match="or none but 429: nothing more was sent"):
        client.send(LIST, URL)
    assert watch.sleeps == [60.0] * WAITS


@pytest.mark.parametrize(
    ("value", "seconds"), [("Sun, 06 Nov 1994 08:49:37 GMT", 0), ("Fri, 31 Dec 2199 23:59:59 GMT", 60), ("soon", 1)]
)
def test_retry_after_may_be_a_date(
    routes: respx.Router, client: Client, watch: Watch, value: str, seconds: float
) -> None:
    """One that is past is no wait, and what cannot be read a short one."""
    routes.get(URL + PATH).mock(side_effect=[too_many(value), OK])
    client.send(LIST, URL)
    assert watch.sleeps == [seconds]


def test_last_wait_is_not_for_nothing(routes: respx.Router, client: Client) -> None:
    """After the last wait the request is sent once more."""
    routes.get(URL + PATH).mock(side_effect=[*[too_many("1")] * WAITS, OK])
    assert client.send(LIST, URL).response.status == 200


def test_429_is_an_answer_to_who_asks_for_it(routes: respx.Router, client: Client, watch: Watch) -> None:
    """The clause about the limit itself wants to see it."""
    routes.get(URL + PATH).mock(return_value=too_many("1"))
    assert (client.send(LIST, URL, wait_on_429=False).response.status, watch.sleeps) == (429, [])


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_redirect_is_not_followed(routes: respx.Router, client: Client, status: int) -> None:
    """A credential goes to the host that was named, and to no other."""
    routes.get(URL + PATH).mock(return_value=httpx.Response(status, headers={"Location": "http://elsewhere.test/"}))
    # respx knows no other host, so a request that went there would fail.
    assert client.send(LIST, URL).response.status == status


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_server_error_is_not_retried(routes: respx.Router, client: Client, status: int) -> None:
    """An answer is evidence, not an accident."""
    route = routes.get(URL + PATH).mock(return_value=httpx.Response(status))
    client.send(LIST, URL)
    assert route.call_count == 1


BREAKS = [ConnectionResetError("reset by peer"), RemoteDisconnected("Remote end closed connection without response")]


@pytest.mark.parametrize("error", BREAKS, ids=["reset", "disconnected"])
def test_safe_request_is_sent_again_once_the_connection_broke(
    routes: respx.Router, client: Client, error: Exception
) -> None:
    """A kept-alive connection may be closed at any time, which says nothing about the target."""
    routes.get(URL + PATH).mock(side_effect=[error, OK])
    assert client.send(LIST, URL).response.status == 200


@pytest.mark.parametrize("error", BREAKS, ids=["reset", "disconnected"])
def test_safe_request_is_sent_again_once_only(routes: respx.Router, client: Client, error: Exception) -> None:
    """A target that always breaks off is trouble."""
    route = routes.get(URL + PATH).mock(side_effect=error)
    with pytest.raises(TransportTrouble):
        client.send(LIST, URL)
    assert route.call_count == 2


@pytest.mark.parametrize("method", ["POST", "PATCH", "DELETE"])
@pytest.mark.parametrize("error", BREAKS, ids=["reset", "disconnected"])
def test_write_is_never_sent_again_once_the_connection_broke(
    routes: respx.Router, client: Client, method: str, error: Exception
) -> None:
    """It may have been done before the connection broke."""
    route = routes.route(method=method, url=URL + PATH).mock(side_effect=error)
    with pytest.raises(TransportTrouble):
        client.send(Request(method, PATH), URL)
    assert route.call_count == 1


@pytest.mark.parametrize(
    "error", [ConnectionRefusedError("refused"), TimeoutError("slow"), socket.gaierror("no such host")]
)
def test_what_never_came_is_not_asked_for_again(routes: respx.Router, client: Client, error: Exception) -> None:
    """Waiting twice for a target that is down helps nobody."""
    route = routes.get(URL + PATH).mock(side_effect=error)
    with pytest.raises(TransportTrouble, match=type(error).__name__):
        client.send(LIST, URL)
    assert route.call_count == 1


class Body(httpx.SyncByteStream):
    """The body of an answer, made while it is read."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks

    def __iter__(self) -> Iterator[bytes]:
        return self._chunks


@pytest.fixture
def client_reading() -> Callable[[Callable[[], Iterator[bytes]]], tuple[Client, list[httpx.Request]]]:
    """Makes clients whose target answers 200 with such a body, and the list of what it was sent."""

    def make(chunks: Callable[[], Iterator[bytes]]) -> tuple[Client, list[httpx.Request]]:
        seen: list[httpx.Request] = []

        def answer(request: httpx.Request) -> httpx.Response:
            seen.append(request)
            return httpx.Response(200, stream=Body(chunks()))

        return Client(ClientSettings(run_id="run1"), wire=HandlerWire(answer)), seen

    return make


ClientReading: TypeAlias = Callable[[Callable[[], Iterator[bytes]]], tuple[Client, list[httpx.Request]]]


def test_endless_body_is_given_up(client_reading: ClientReading) -> None:
    """A body that goes on is trouble, not a full memory."""

    def endless() -> Iterator[bytes]:
        while True:
            yield b"x" * 65536

    client, _ = client_reading(endless)
    with pytest.raises(TransportTrouble, match=f"goes on beyond {BODY_LIMIT} bytes"):
        client.send(LIST, URL)


def test_dripping_body_is_given_up(
    client_reading: ClientReading, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A byte now and then keeps every read timeout from ending, so the whole answer has a deadline too."""
    for module in (client_module, content):
        monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=watch))

    def dripping() -> Iterator[bytes]:
        for _ in range(1000):
            watch.sleep(7)
            yield b"x"

    client, _ = client_reading(dripping)
    with pytest.raises(TransportTrouble, match="did not end in time"):
        client.send(LIST, URL)
    assert watch.now == 21, "the deadline is 20 s"


def test_body_that_breaks_off_is_not_asked_for_again(client_reading: ClientReading) -> None:
    """An answer had arrived: what is wrong with it is the target's business."""

    def breaking() -> Iterator[bytes]:
        yield b"{"
        raise ConnectionResetError("reset by peer")

    client, seen = client_reading(breaking)
    with pytest.raises(TransportTrouble, match="ConnectionResetError"):
        client.send(LIST, URL)
    assert len(seen) == 1


# Exceptions whose text repeats what was sent, as HTTP libraries' do.
TELLTALES = {
    "header": lambda secret: ValueError(f"Illegal header value b'Bearer {secret}'"),
    "dump": lambda secret: ConnectionResetError(f"[(b'authorization', b'Bearer {secret}')]"),
    "url": lambda secret: OSError(f"cannot connect to http://x/?token={secret}"),
    "invalid-url": lambda secret: InvalidURL(f"Invalid URL: http://{secret}"),
}


@pytest.mark.parametrize("secret", ["sk_sandbox_" + "Canary".ljust(32, "7"), "hunter2-of-no-known-form"])
@pytest.mark.parametrize("telling", TELLTALES.values(), ids=TELLTALES)
def test_trouble_tells_no_secret(
    routes: respx.Router, client: Client, telling: Callable[[str], Exception], secret: str
) -> None:
    """What a library puts into its exceptions goes on redacted."""
    routes.post(URL + PATH).mock(side_effect=telling(secret))
    with pytest.raises(TransportTrouble) as raised:
        client.send(CREATE.by(Credential(Secret(secret, "canary"))), URL)
    assert secret not in f"{raised.value} {raised.value.reason}"
    assert raised.value.__cause__ is None


def test_fresh_key_is_another_each_time(routes: respx.Router, client: Client) -> None:
    """A request that stands for many is never a replay of itself."""
    route = routes.post(URL + PATH).mock(return_value=OK)
    for _ in range(3):
        client.send(CREATE, URL)
    assert len({call.request.headers["Idempotency-Key"] for call in route.calls}) == 3


def test_fresh_key_is_as_clients_make_them(routes: respx.Router, client: Client) -> None:
    """Nobody can tell by it who asks."""
    route = routes.post(URL + PATH).mock(return_value=OK)
    client.send(CREATE, URL)
    assert UUID(route.calls.last.request.headers["Idempotency-Key"]).version == 4


@pytest.mark.parametrize("key", ["mine", ""])
def test_other_key_is_sent_as_it_is(routes: respx.Router, client: Client, key: str) -> None:
    """An empty one is a probe too."""
    route = routes.post(URL + PATH).mock(return_value=OK)
    client.send(CREATE.with_key(key), URL)
    assert route.calls.last.request.headers["Idempotency-Key"] == key


def test_key_that_is_none_is_not_sent(routes: respx.Router, client: Client) -> None:
    """Its absence is what some clauses are about."""
    route = routes.post(URL + PATH).mock(return_value=OK)
    client.send(CREATE.with_key(None), URL)
    assert "Idempotency-Key" not in route.calls.last.request.headers


def test_user_agent_names_the_suite_unless_another_is_given(routes: respx.Router, client: Client) -> None:
    """Not the run: that is for who asks for it."""
    route = routes.get(URL + PATH).mock(return_value=OK)
    client.send(LIST, URL)
    client.send(LIST, URL, user_agent="curl/8")
    assert [call.request.headers["User-Agent"] for call in route.calls] == [OWN_USER_AGENT, "curl/8"]


@pytest.mark.parametrize(("announces", "named"), [(False, None), (True, "run%201")])
def test_run_is_named_where_that_is_asked_for(routes: respx.Router, announces: bool, named: str | None) -> None:  # noqa: FBT001 - a case
    """The target's owner knows whom to ask; otherwise the target cannot tell the suite from its clients."""
    route = routes.get(URL + PATH).mock(return_value=OK)
    Client(ClientSettings("run 1", announces=announces), wire=HandlerWire(routes.handler)).send(LIST, URL)
    assert route.calls.last.request.headers.get(RUN_HEADER) == named


def test_header_of_the_request_takes_the_place_of_a_usual_one(routes: respx.Router, client: Client) -> None:
    """No client sends two."""
    route = routes.get(URL + PATH).mock(return_value=OK)
    client.send(LIST.with_header("accept", "text/html"), URL)
    assert route.calls.last.request.headers.get_list("Accept") == ["text/html"]


def test_credential_is_written_as_the_request_says(routes: respx.Router, client: Client) -> None:
    """Another header, another scheme: that is what the probes of a credential's form are."""
    route = routes.get(URL + PATH).mock(return_value=OK)
    client.send(LIST.by(Credential(Secret("abc"))).with_credential("Basic {}", carrier="X-Api-Key"), URL)
    assert route.calls.last.request.headers["X-Api-Key"] == "Basic abc"
    assert "Authorization" not in route.calls.last.request.headers


def test_every_sending_is_counted(routes: respx.Router, client: Client) -> None:
    """Those again after a 429 too: the target had to answer them."""
    client.limits = Limits(most=3)
    routes.get(URL + PATH).mock(side_effect=[too_many("1"), OK, OK, OK])
    client.send(LIST, URL)
    client.send(LIST, URL)
    with pytest.raises(NotRun, match="--max-requests 3 were sent"):
        client.send(LIST, URL)


def test_nothing_is_sent_after_the_time_of_the_run(routes: respx.Router, client: Client, watch: Watch) -> None:
    """But for what removes what was made."""
    client.limits = Limits(seconds=60, clock=watch)
    routes.route().mock(return_value=OK)
    client.send(LIST, URL)
    watch.sleep(61)
    with pytest.raises(NotRun, match="--max-seconds 60 were over"):
        client.send(LIST, URL)
    assert client.send(Request("DELETE", PATH), URL).response.ok


def test_target_that_answers_nothing_is_asked_no_more(routes: respx.Router, client: Client) -> None:
    """Each request takes up to the timeout, and a run sends thousands."""
    route = routes.get(URL + PATH).mock(side_effect=TimeoutError("slow"))
    for _ in range(10):
        with pytest.raises(TransportTrouble):
            client.send(LIST, URL)
    with pytest.raises(NotRun, match="answered none of 10 requests in a row"):
        client.send(LIST, URL)
    assert route.call_count == 10


def test_target_that_hangs_now_and_then_ends_the_run() -> None:
    """Each hang takes up to the timeout, and answers between them make no end of it: a run would last for hours."""
    limits = Limits()
    for was_answered in [True, False] * 15:
        limits.admit("GET")
        limits.note_loss(10, was_answered=was_answered)
        limits.note_answer()
    limits.note_loss(1, was_answered=False)
    with pytest.raises(NotRun, match="for 300 s in all no answer came"):
        limits.admit("GET")


@pytest.mark.parametrize(("rps", "sleeps"), [(None, []), (10.0, [0.1, 0.1, 0.1]), (0.5, [2.0, 2.0, 2.0])])
def test_pace_spaces_requests(watch: Watch, rps: float | None, sleeps: list[float]) -> None:
    """The first goes out at once, each further one when its turn has come."""
    pace = Pace(rps, clock=watch, sleep=watch.sleep)
    for _ in range(4):
        pace.wait()
    assert watch.sleeps == pytest.approx(sleeps)


def test_pace_lets_the_slow_pass(watch: Watch) -> None:
    """Who comes late enough need not wait, and saves up no turns."""
    pace = Pace(1.0, clock=watch, sleep=watch.sleep)
    pace.wait()
    watch.now = 10.0
    pace.wait()
    pace.wait()
    assert watch.sleeps == [1.0]
