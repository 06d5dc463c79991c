# What a script of `repeat/` does, beside the steps of its case. It is copied into each, so it needs Python alone.
"""Repeats one case of a conformance run: its preparation, then the request on which its outcome rests.

Exit status: 1 where the target answers as it did in the run, 0 where it answers otherwise, 2 where the case could not
be repeated, with what is missing. A proxy is gone through as HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY say, but
not to this machine; SSL_CERT_FILE names the certificates that are trusted in place of the system's.
"""

from __future__ import annotations

import base64
import contextlib
import http.client
import ipaddress
import itertools
import json
import os
import re
import secrets
import ssl
import string
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit
from urllib.request import getproxies, proxy_bypass

URL = "PAYLERA_CONFORMANCE_URL"
CONTROL_URL = "PAYLERA_CONFORMANCE_CONTROL_URL"
CONTROL_TOKEN = "PAYLERA_CONFORMANCE_CONTROL_TOKEN"  # noqa: S105 - the name of a variable
BY_CHANCE = re.compile(r"\d|‹|[a-z]\w*[A-Z]")  # an id, a time, a secret, a part of one
HOLDS_CHANCE = re.compile(r"last4|secret|cursor|trace", re.IGNORECASE)  # names of what may be letters alone
VARYING = {"date", "content-length", "server", "connection", "keep-alive", "set-cookie", "age"}
TOLD = {"content-type", "www-authenticate", "idempotent-replayed", "paylera-version", "allow", "cache-control"}
READS = {"GET", "HEAD", "OPTIONS"}
REPRODUCED, OTHERWISE, NOT_REPEATED = 1, 0, 2
ASKS_FOR_USER = 407
TOO_MANY, WAITS, LONGEST_WAIT = 429, 6, 60
START_TOGETHER = 60.0  # seconds that requests to be sent at the same moment wait for the last of them
Answer = tuple[int, list[tuple[str, str]], str]  # status, headers and body


class CannotRepeat(Exception):  # noqa: N818 - what it says is all there is to it
    """What is missing, in a line."""


def repeat(case: Mapping[str, Any]) -> int:
    """Repeat a case, say what came of it, and give the exit status."""
    for name in ("clause", "says", "source", "case", "change", "wanted"):
        if case[name]:
            show(f"{name:<8}{case[name]}")
    show(f"{'in run':<8}{case['got']}")
    run = Repetition(case)
    try:
        text, status = run.send_all()
    except ssl.SSLCertVerificationError as error:
        advice = "where it is one of your own, name its authority by SSL_CERT_FILE=FILE"
        text, status = f"NOT REPEATED: {error.verify_message}: {advice}", NOT_REPEATED
    except (CannotRepeat, OSError, http.client.HTTPException) as error:
        text, status = f"NOT REPEATED: {type(error).__name__}: {error}", NOT_REPEATED
    finally:
        run.clean_up()
    show(text)
    return status


class Repetition:
    """The steps of a case against a target. `known`: what stands now for what stood in the run."""

    def __init__(self, case: Mapping[str, Any]) -> None:
        self.case = case
        target = os.environ.get(URL) or case["target"]
        control = os.environ.get(CONTROL_URL) or case["control_url"]
        self.bases = {"target": target, "live": "", "control": control, "deployment": control, "": ""}
        self.known: dict[str, str] = {}
        self.namespace = ""
        self.answers: list[Answer] = []

    def send_all(self) -> tuple[str, int]:
        """Send every step; gives what to say of the last, and the exit status. Raises `CannotRepeat`."""
        self.take_tokens()
        steps, answers = self.case["steps"], list[Answer]()
        for _, group in itertools.groupby(range(len(steps)), key=lambda number: steps[number].get("together", number)):
            sent = [steps[number] for number in group]
            answers = self.send_together(sent)
            self.answers += answers
            for step, answer in zip(sent, answers):  # noqa: B905 - Python 3.9 has no strict
                show(f"  {answer[0]} {step['method']} {self.fill(step['path'])}")
                if sent[-1] is not steps[-1]:
                    self.keep(step, [answer, *answers])
        show(f"{'now':<8}{describe(answers[-1])}")
        difference = self.difference(steps[-1], answers)
        if difference:
            return f"NOT REPRODUCED: the answer is another than in the run ({difference})", OTHERWISE
        return "REPRODUCED: the target answers as it did in the run", REPRODUCED

    def take_tokens(self) -> None:
        """Make up what nobody issues, and take the tokens that nothing here makes. Raises `CannotRepeat`."""
        for text, like in self.case["made_up"].items():
            drawn = "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(32))
            self.known[text] = f"{like}{drawn}" if like else text[:-8] + secrets.token_hex(4)
        missing = []
        for text, (variable, what) in self.case["tokens"].items():
            self.known[text] = os.environ.get(variable, "")
            if not self.known[text]:
                missing.append(f"\n  {variable}: {what}")
        if missing:
            raise CannotRepeat("set to a token's secret, in the environment:" + "".join(missing))

    def fill(self, text: str) -> str:
        """A text of the run with what stands for it now."""
        for before in sorted(self.known, key=len, reverse=True):
            text = text.replace(before, self.known[before])
        return text

    def send_together(self, steps: Sequence[Mapping[str, Any]]) -> list[Answer]:
        """Send steps at the same moment, each on a connection of its own."""
        line = threading.Barrier(len(steps))

        def send(step: Mapping[str, Any]) -> Answer:
            line.wait(START_TOGETHER)
            return self.send(step)

        with ThreadPoolExecutor(len(steps)) as pool:
            return list(pool.map(send, steps))

    def send(self, step: Mapping[str, Any]) -> Answer:
        """Send one step, again where it comes too soon. Raises `CannotRepeat` where it always does."""
        for _ in range(1 + WAITS):
            answer = self.send_once(step)
            if answer[0] != TOO_MANY or self.case["clause"].startswith("rate-limit."):
                return answer
            told = next((value for name, value in answer[1] if name.lower() == "retry-after"), "")
            time.sleep(min(int(told), LONGEST_WAIT) if re.fullmatch("[0-9]{1,9}", told) else 1)
        raise CannotRepeat(f"{step['method']} {step['path']} was answered 429 each time: try again later")

    def send_once(self, step: Mapping[str, Any]) -> Answer:
        """Send one step: status, headers and body of its answer."""
        url = urlsplit(self.bases[step["to"]] + self.fill(step["path"]))
        is_control = step["to"] in {"control", "deployment"} and bool(os.environ.get(CONTROL_TOKEN))
        connection, before, more = open_connection(url, is_secret=is_control)
        body = None if step["body"] is None else self.fill(step["body"]).encode("utf-8", "surrogatepass")
        names = {name.lower() for name, _ in step["headers"]}
        try:
            path = url.path + (f"?{url.query}" if url.query else "")
            target = before + (path or "/")
            connection.putrequest(step["method"], target, skip_host="host" in names, skip_accept_encoding=True)
            for name, value in more.items():
                connection.putheader(name, value)
            for name, value in step["headers"]:
                connection.putheader(name, self.fill(value).encode("latin-1", "replace"))
            if is_control:
                connection.putheader("Authorization", f"Bearer {os.environ[CONTROL_TOKEN]}")
            if "content-length" not in names and (body is not None or step["method"] in {"POST", "PUT", "PATCH"}):
                connection.putheader("Content-Length", str(len(body or b"")))
            connection.endheaders(body)
            answer = connection.getresponse()
            if before and answer.status == ASKS_FOR_USER:
                raise CannotRepeat("the proxy asks for a user and a password: put them in its URL")
            return answer.status, answer.getheaders(), answer.read().decode("utf-8", "backslashreplace")
        finally:
            connection.close()

    def keep(self, step: Mapping[str, Any], answers: Sequence[Answer]) -> None:
        """Keep of the first answer that has it what later steps name. Raises `CannotRepeat` where none has."""
        for text, places in step["keep"].items():
            found = (find(answer[2], places) for answer in answers)
            value = next((each for each in found if each is not None), None)
            if value is None and step["method"] in READS:
                continue  # perhaps it was another case's, and only looks like something that is named later
            if value is None:
                place = "/".join(map(str, places))
                got = describe(answers[0])
                raise CannotRepeat(f"{step['method']} {step['path']} was answered {got}, without {place}")
            self.known[text] = value
        if step["to"] == "deployment" and step["path"] == "/namespaces":
            made = json.loads(answers[0][2])
            self.namespace = str(made["id"])
            self.bases |= {"target": made["url"], "live": made.get("live_url") or "", "control": made["control_url"]}

    def difference(self, step: Mapping[str, Any], answers: Sequence[Answer]) -> str:
        """In what an answer is another than in the run; empty where it is as it was.

        Of several that were sent at the same moment it is chance which is answered how: one is to be as it was.
        """
        differences = [self.difference_of(step, answer) for answer in answers]
        if all(differences):
            return differences[-1]
        bodies = {answer[2] for answer in answers if answer[0] == step["answer"]["status"]}
        if len(answers) > 1 and (len(bodies) > 1) != step["answer"]["several"]:
            return "one body in all of them, then several" if step["answer"]["several"] else "several bodies, then one"
        return ""

    def difference_of(self, step: Mapping[str, Any], now: Answer) -> str:
        """The same of one answer."""
        before = (step["answer"]["status"], step["answer"]["headers"], step["answer"]["body"])
        if before[0] != now[0]:
            return f"status {now[0]}, then {before[0]}"
        if header_facts(before[1]) != header_facts(now[1]):
            return "other headers"
        if not is_same_body(before[2], now[2]):
            return "another body"
        for word, count in step["answer"].get("counts", {}).items():
            found = now[2].count(self.fill(word))
            if not self.is_as_often(found, count):
                return f"{self.fill(word)} stands in it {found} times, then {count}"
        same = [any(self.answers[number][2] == now[2] for number in numbers) for numbers, _ in step["alike"]]
        is_as_it_was = same == [is_alike for _, is_alike in step["alike"]]
        return "" if is_as_it_was else "another body beside the answers before it"

    def is_as_often(self, now: int, before: int) -> bool:
        """Whether something is there as often as it was; how many of simultaneous requests act is chance."""
        is_chance = any("together" in step for step in self.case["steps"])
        return min(now, 2) == min(before, 2) if is_chance else now == before

    def clean_up(self) -> None:
        """Remove the namespace that was made."""
        if self.namespace:
            step = {"to": "deployment", "method": "DELETE", "path": f"/namespaces/{self.namespace}", "headers": []}
            try:
                self.send({**step, "body": None})
            except (OSError, http.client.HTTPException) as error:
                show(f"the namespace {self.namespace} is left behind: {error}")


def open_connection(url: SplitResult, *, is_secret: bool) -> tuple[http.client.HTTPConnection, str, dict[str, str]]:
    """A connection to a host or its proxy, what stands before the path, and headers for the proxy.

    Raises `CannotRepeat`, also where what `is_secret` would go to a proxy in clear.
    """
    host, is_secure = url.hostname or "", url.scheme == "https"
    kind = http.client.HTTPSConnection if is_secure else http.client.HTTPConnection
    proxies = getproxies()
    named = "" if is_direct(host, url.port or kind.default_port) else proxies.get(url.scheme) or proxies.get("all", "")
    if not named:
        return kind(host, url.port, timeout=60), "", {}
    try:
        proxy = urlsplit(named if "://" in named else f"http://{named}")
        is_usable, port = proxy.scheme == "http" and bool(proxy.hostname), proxy.port or 80
    except ValueError:
        is_usable = False
    if not is_usable:
        raise CannotRepeat(f"the proxy before {host} is none by http://: name another, or list {host} in NO_PROXY")
    if is_secret and not is_secure:
        raise CannotRepeat(f"{CONTROL_TOKEN} would go to the proxy in clear: list {host} in NO_PROXY, or use https://")
    user = f"{unquote(proxy.username or '')}:{unquote(proxy.password or '')}"
    credentials = base64.b64encode(user.encode()).decode()
    headers = {} if proxy.username is None else {"Proxy-Authorization": f"Basic {credentials}"}
    connection = kind(proxy.hostname or "", port, timeout=60)
    if not is_secure:
        return connection, f"http://{url.netloc}", headers
    connection.set_tunnel(host, url.port or kind.default_port, headers=headers)
    return connection, "", {}


def is_direct(host: str, port: int) -> bool:
    """Whether a host needs no proxy: it is this machine, or NO_PROXY has its name, a domain of it or its network."""
    host = host.lower()
    if host == "localhost" or host.endswith(".localhost") or proxy_bypass(host):
        return True
    with contextlib.suppress(ValueError):  # it is a name
        if ipaddress.ip_address(host).is_loopback:
            return True
    entries = getproxies().get("no", "").replace(",", " ").lower().split()
    return any(is_exempt(entry, host, port) for entry in entries)


def is_exempt(entry: str, host: str, port: int) -> bool:
    """Whether an entry of NO_PROXY is a host's: its name, a domain of it, its address or network, and its port."""
    if entry == "*":
        return True
    try:
        return ipaddress.ip_address(host) in ipaddress.ip_network(
            re.sub(r"^\[(.*)\](?=/|$)", r"\1", entry), strict=False
        )
    except ValueError:  # one of them is a name, or has a port
        before, colon, digits = entry.rpartition(":")
        if colon and digits.isdecimal():
            return int(digits) == port and is_exempt(before, host, port)
    name = entry.removeprefix("*").strip(".")
    return bool(name) and (host == name or host.endswith(f".{name}"))


def show(text: str) -> None:
    """Print a line in which nothing of a target's moves the cursor."""
    lines = text.split("\n")
    print("\n".join("".join(c if c.isprintable() else ascii(c)[1:-1] for c in line) for line in lines))  # noqa: T201 - what a script is for


def describe(answer: Answer) -> str:
    """An answer in a line: status and problem."""
    return f"{answer[0]} {find(answer[2], ['problem']) or ''}".strip()


def find(body: str, places: list[Any]) -> str | None:
    """The text at a place of a JSON body; `None` where there is none."""
    try:
        value = json.loads(body)
        for place in places:
            value = value[place]
    except (ValueError, LookupError, TypeError, RecursionError):
        return None
    return None if value is None or isinstance(value, (dict, list)) else str(value)


def header_facts(headers: list[tuple[str, str]]) -> set[tuple[str, str]]:
    """The names of an answer's headers, and the values of those that do not differ by chance."""
    pairs = {(name.lower(), value) for name, value in headers if name.lower() not in VARYING}
    return {(name, value if name in TOLD else "") for name, value in pairs}


def is_same_body(before: str, now: str) -> bool:
    """Whether two bodies say the same, but for what differs by chance."""
    try:
        return is_alike(json.loads(before), json.loads(now))
    except (ValueError, RecursionError):
        return bool(before) == bool(now)


def is_alike(before: Any, now: Any) -> bool:
    """The same of two values of JSON: members, types, and words that are not by chance; of a list, its first entry."""
    if isinstance(before, dict) and isinstance(now, dict):
        return before.keys() == now.keys() and all(
            is_alike(before[name], now[name])
            or (HOLDS_CHANCE.search(name) and isinstance(before[name], str) and isinstance(now[name], str))
            for name in before
        )
    if isinstance(before, list) and isinstance(now, list):
        return len(before[:1]) == len(now[:1]) and all(map(is_alike, before[:1], now[:1]))
    if isinstance(before, str) and isinstance(now, str):
        return before == now or any(map(BY_CHANCE.search, (before, now)))
    if isinstance(before, bool) or isinstance(now, bool) or before is None or now is None:
        return before is now
    return isinstance(before, (int, float)) and isinstance(now, (int, float))


def start(case: Mapping[str, Any]) -> None:
    """Repeat a case as a program."""
    sys.exit(repeat(case))
