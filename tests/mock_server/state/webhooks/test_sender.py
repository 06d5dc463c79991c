"""One POST over the network: where it may go, and what comes of receivers that misbehave."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, Final

import pytest

from helpers.waiting import BRIEF_SECONDS, PATIENCE_SECONDS
from helpers.webhooks import Hooks, Receiver
from paylera_fixtures.api.operations import Resource
from paylera_mock.app import EXTENSION
from paylera_mock.server.serve import build_app
from paylera_mock.server.settings import FakeSettings
from paylera_mock.state.webhooks.sender import PostResult, obstacle, post

FOREIGN: Final = "192.0.2.1"

LOCAL: Final = (
    "http://127.0.0.1/",
    "http://127.8.8.8:1/x",
    "https://[::1]:8443/x?y",
    "http://[::ffff:127.0.0.1]/",
    "http://localhost:8000/hooks",
    "http://LOCALHOST/",
    "http://hooks.localhost/",
)
NOT_LOCAL: Final = (
    "https://example.com/hooks",
    f"http://{FOREIGN}/",
    "http://0.0.0.0/",
    "http://10.0.0.1/",
    "http://169.254.169.254/latest",
    "http://[::ffff:10.0.0.1]/",
    "http://[::]/",
    "http://127.0.0.1.example.com/",
    "http://localhost.example.com/",
    "http://127.0.0.1@example.com/",
    "http://2130706433/",
)
UNREADABLE: Final = (
    "http://",
    "http:///x",
    "http://[::1/",
    "http://localhost:x/",
    "http://localhost:0/",
    "http://a:99999/",
)


@pytest.mark.parametrize("url", LOCAL)
def test_loopback_may_be_sent_to(url: str) -> None:
    """By every name that it has."""
    assert obstacle(url, anywhere=False) is None


@pytest.mark.parametrize("url", NOT_LOCAL)
def test_nothing_leaves_the_machine(url: str) -> None:
    """Whatever a URL looks like; the reason names the option."""
    assert "--webhooks-anywhere" in str(obstacle(url, anywhere=False))


@pytest.mark.parametrize("url", NOT_LOCAL)
def test_anything_may_be_sent_to_where_that_was_asked_for(url: str) -> None:
    """By the option."""
    assert obstacle(url, anywhere=True) is None


@pytest.mark.parametrize("url", UNREADABLE)
def test_a_url_that_cannot_be_read_says_so(url: str) -> None:
    """With one that can."""
    assert "write it as http://127.0.0.1:8000/path" in str(obstacle(url, anywhere=True))


def test_what_may_not_be_sent_to_is_not_even_looked_up(hooks: Hooks, monkeypatch: pytest.MonkeyPatch) -> None:
    """The endpoint is registered, and its delivery remembered with the reason."""
    asked: list[Any] = []
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **_: asked.append(args))
    hooks.register("https://example.com/hooks", "customer.created")
    hooks.customer(hooks.fake.secret())
    hooks.flush()
    [listed] = hooks.deliveries()
    assert (listed["state"], listed["attempts"], asked) == ("not_sent", [], [])
    assert listed["reason"] == obstacle("https://example.com/hooks", anywhere=False)


def test_an_endpoint_that_moves_away_is_not_followed(hooks: Hooks, receiver: Receiver) -> None:
    """It was loopback when the delivery was made."""
    receiver.answers = [500]
    endpoint = hooks.register(receiver.url, "customer.created")
    hooks.customer(hooks.fake.secret())
    hooks.flush()
    path = f"/v1/admin/webhook-endpoints/{endpoint['id']}"
    hooks.fake.call("PATCH", path, hooks.fake.admin(), json={"url": "http://example.com/"})
    hooks.fake.advance(15)
    hooks.flush()
    assert "--webhooks-anywhere" in hooks.deliveries()[0]["attempts"][1]["reason"]


def send(url: str, *, timeout: float = PATIENCE_SECONDS, anywhere: bool = False) -> PostResult:
    """Send something."""
    return post(url, {"X-Test": "1"}, b"{}", timeout=timeout, anywhere=anywhere)


def resolving(addresses: list[str]) -> Callable[..., list[tuple[Any, ...]]]:
    """A resolver that knows one answer."""
    return lambda _host, port, **_: [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, port)) for each in addresses]


@pytest.mark.parametrize("name", ["localhost", "hooks.localhost", "HOOKS.LOCALHOST."])
def test_a_local_name_is_looked_up_nowhere(name: str, receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    """It stands for this machine (RFC 6761, section 6.3), whatever a resolver says."""
    monkeypatch.setattr(socket, "getaddrinfo", _lookup_of_addresses)
    assert send(receiver.url.replace("127.0.0.1", name)).status == 200


def _lookup_of_addresses(*args: Any, **more: Any) -> Any:
    assert args[0] in {"127.0.0.1", "::1"}
    return _getaddrinfo(*args, **more)


def test_a_host_is_looked_up_once(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    """And the connection goes to what was found then, with the name in `Host`."""
    answers = iter([resolving(["127.0.0.1"])])
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **more: _first_lookup(answers, args, more))
    port = receiver.url.split(":")[2].partition("/")[0]
    result = send(f"http://hooks.example:{port}/x", anywhere=True)
    [(_, headers, _)] = receiver.received
    assert (result, headers["Host"]) == (PostResult(200), f"hooks.example:{port}")


def _first_lookup(answers: Iterator[Callable[..., Any]], args: tuple[Any, ...], more: dict[str, Any]) -> Any:
    # The socket module looks an address up too, which is no look-up of a name.
    return next(answers)(*args, **more) if args[0] != "127.0.0.1" else _getaddrinfo(*args, **more)


_getaddrinfo: Final = socket.getaddrinfo


def test_another_address_is_tried_where_one_does_not_answer(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As `localhost` has two, and receivers often listen at one."""
    found = [(socket.AF_INET6, socket.SOCK_STREAM, 6, "", ("::1", 1, 0, 0))]
    port = int(receiver.url.split(":")[2].partition("/")[0])
    names = {"localhost": [*found, (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]}
    monkeypatch.setattr(
        socket, "getaddrinfo", lambda host, *args, **more: names.get(host) or _getaddrinfo(host, *args, **more)
    )
    assert send(f"http://localhost:{port}/") == PostResult(200)


@contextmanager
def server(*chunks: bytes, ends: bool = True) -> Iterator[str]:
    """A server that takes one connection, sends bytes whatever it is asked, and then ends it or falls silent."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        done = threading.Event()
        threading.Thread(target=_serve, args=(listening, chunks, None if ends else done), daemon=True).start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/"
        done.set()


def _serve(listening: socket.socket, chunks: tuple[bytes, ...], until: threading.Event | None) -> None:
    connection, _ = listening.accept()
    # Whoever was to be answered may have lost its patience first.
    with suppress(OSError), connection:
        connection.recv(65536)
        for chunk in chunks:
            connection.sendall(chunk)
        if until is not None:
            until.wait(PATIENCE_SECONDS)


HEAD: Final = b"HTTP/1.1 200 OK\r\n"

# What the receiver sends before it falls silent.
SILENT: Final[tuple[bytes, ...]] = (b"", HEAD, HEAD + b"Content-Length: 5\r\n\r\n12", HEAD + b"\r\n12")


@pytest.mark.parametrize("begun", SILENT)
def test_a_receiver_that_falls_silent_is_not_waited_for(begun: bytes) -> None:
    """Wherever in its answer it does."""
    with server(begun, ends=False) as url:
        assert send(url, timeout=BRIEF_SECONDS) == PostResult(None, "no answer within 0.05 seconds")


def test_a_receiver_that_drips_is_not_waited_for() -> None:
    """There is a deadline for the whole answer, not for each byte."""
    stop = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listening:
        threading.Thread(target=_drip, args=(listening, stop), daemon=True).start()
        result = send(f"http://127.0.0.1:{listening.getsockname()[1]}/", timeout=4 * BRIEF_SECONDS)
        stop.set()
    assert result.reason == "no answer within 0.2 seconds"


def _drip(listening: socket.socket, stop: threading.Event) -> None:
    connection, _ = listening.accept()
    with suppress(OSError), connection:
        connection.sendall(HEAD)
        while not stop.wait(BRIEF_SECONDS):
            connection.send(b"a")


@pytest.mark.parametrize("answer", [b"", b"\r\n\r\n", b"garbage\r\n\r\n", b"HTTP/1.1 x\r\n\r\n", HEAD + b"a" * 70_000])
def test_what_is_no_http_is_a_failure(answer: bytes) -> None:
    """Without a word of it in the reason."""
    with server(answer) as url:
        result = send(url)
    assert (result.status, result.reason.startswith("no connection, or no answer that is HTTP")) == (None, True)


def test_a_long_answer_is_taken_as_it_is() -> None:
    """Its status counts; no more of its body is read than a little."""
    with server(HEAD + b"Content-Length: 1000000\r\n\r\n" + b"a" * 100_000, ends=False) as url:
        assert send(url) == PostResult(200)


def test_nobody_there_is_a_failure() -> None:
    """As when the developer's receiver is down."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    assert send(f"http://127.0.0.1:{port}/").status is None


def test_tls_to_what_speaks_none_is_a_failure() -> None:
    """And not an error of the fake's."""
    with server(HEAD) as url:
        assert send(url.replace("http:", "https:")).status is None


def test_an_endpoint_without_a_known_secret_is_sent_nothing(hooks: Hooks, receiver: Receiver) -> None:
    """As after a state was loaded: nothing goes out unsigned, and rotating helps."""
    endpoint = hooks.register(receiver.url, "customer.*")
    namespace = hooks.namespace
    namespace.state.webhooks.signing_secrets.remove(endpoint["id"])
    secret = hooks.fake.secret()
    ada = hooks.customer(secret)
    hooks.fake.call("POST", f"/v1/admin/webhook-endpoints/{endpoint['id']}/rotate-secret", hooks.fake.admin())
    hooks.rename(secret, ada)
    hooks.flush()
    assert ([each["state"] for each in hooks.deliveries()], receiver.types) == (
        ["not_sent", "delivered"],
        [f"{Resource.CUSTOMER}.updated"],
    )


def unreachable(*_: object, **__: object) -> Any:
    """A resolver that knows nothing."""
    raise OSError


@pytest.mark.parametrize("body", [{}, {"profile": "reference"}])
def test_a_namespace_reaches_as_far_as_its_fake(
    with_terms: Callable[..., Hooks], monkeypatch: pytest.MonkeyPatch, body: dict[str, str]
) -> None:
    """Also one that follows another profile."""
    parent = with_terms(anywhere=True)
    hooks = parent.child(**body)
    monkeypatch.setattr(socket, "getaddrinfo", unreachable)
    hooks.register("https://example.com/hooks", "customer.created")
    hooks.customer(hooks.fake.secret())
    hooks.flush()
    assert [len(listed["attempts"]) for listed in hooks.deliveries()] == [1]


@pytest.mark.parametrize("anywhere", [True, False])
def test_the_option_reaches_the_fake(anywhere: bool) -> None:  # noqa: FBT001 - a case
    """As `--webhooks-anywhere` is passed on."""
    app = build_app(FakeSettings(webhooks_anywhere=anywhere), control_token=None)
    assert app.extensions[EXTENSION].namespaces.default.policy.webhooks.anywhere is anywhere
