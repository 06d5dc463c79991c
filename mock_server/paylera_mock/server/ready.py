"""The ready line: what a served fake says, in JSON, once it has answered a request of its own."""

from __future__ import annotations

import http.client
import json
import ssl
import time
from dataclasses import asdict, dataclass
from typing import Final, Self
from urllib.parse import urlsplit

from paylera_fixtures.tokens import WELL_KNOWN
from paylera_mock.core.messages import READY_AGENT
from paylera_mock.state.token_names import ready_name

READY_SCHEMA: Final = 1
READY_WITHIN_SECONDS: Final = 120.0
_ONE_TRY_SECONDS: Final = 5.0
_BETWEEN_TRIES_SECONDS: Final = 0.005
_SERVED: Final = frozenset({200, 401, 403, 429})
"""What shows that the API is there: a snapshot may know nothing of a token, or have revoked it."""


class NotServingError(Exception):
    """The server did not answer its own request in time, or not as it should."""


@dataclass(frozen=True)
class Ready:
    """Where a served fake is found, and by which tokens it is used.

    `tokens` gives the secret of every well-known token by its name; live's names begin with `live_`. `control_url` is
    `None` where there is no control API, `ca_file`, the authority to trust, where there is no TLS.
    """

    version: str
    pid: int
    url: str
    live_url: str
    control_url: str | None
    tokens: dict[str, str]
    ca_file: str | None = None

    def to_line(self) -> str:
        """One line of JSON, without the end of the line."""
        return json.dumps({"event": "ready", "schema": READY_SCHEMA, **asdict(self)})

    @classmethod
    def from_line(cls, line: str) -> Self:
        """Read what `to_line` wrote. Raises `ValueError` for anything else."""
        members = json.loads(line)
        if not isinstance(members, dict) or (members.pop("event", None), members.pop("schema", None)) != ("ready", 1):
            raise ValueError(f"not a ready line of schema {READY_SCHEMA}: {line!r}")
        return cls(**members)


def well_known_secrets() -> dict[str, str]:
    """The secret of each well-known token by its name in the ready line."""
    return {ready_name(token): token.secret for token in WELL_KNOWN}


def wait_until_served(ready: Ready, *, control_token: str | None, within: float = READY_WITHIN_SECONDS) -> None:
    """Return once both the API and the control API have answered.

    Raises `NotServingError` where they have not `within` so many seconds.
    """
    deadline = time.monotonic() + within
    await_ok(
        f"{ready.url}/v1/customers",
        ready.tokens["serviceall"],
        deadline=deadline,
        ca_file=ready.ca_file,
        statuses=_SERVED,
    )
    if ready.control_url is not None:
        await_ok(ready.control_url, control_token, deadline=deadline, ca_file=ready.ca_file)


def await_ok(
    url: str,
    secret: str | None,
    *,
    deadline: float,
    ca_file: str | None = None,
    statuses: frozenset[int] = frozenset({200}),
) -> None:
    """Ask until the status is 200, or another of `statuses`.

    Raises `NotServingError` where it is not by `deadline`, in the time of `monotonic`.
    """
    answer = "nothing"
    trusting = None if ca_file is None else ssl.create_default_context(cafile=ca_file)
    while time.monotonic() < deadline:
        try:
            status = _get(url, secret, trusting)
        except (OSError, http.client.HTTPException) as error:
            answer = str(error)
        else:
            if status in statuses:
                return
            answer = f"status {status}"
        time.sleep(_BETWEEN_TRIES_SECONDS)
    raise NotServingError(f"{url} should have answered 200, and the last answer was: {answer}")


def connect(url: str, trusting: ssl.SSLContext | None) -> http.client.HTTPConnection:
    """A connection to the server of a URL, not yet made."""
    parts = urlsplit(url)
    if parts.scheme == "https":
        return http.client.HTTPSConnection(parts.hostname or "", parts.port, timeout=_ONE_TRY_SECONDS, context=trusting)
    return http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=_ONE_TRY_SECONDS)


def _get(url: str, secret: str | None, trusting: ssl.SSLContext | None) -> int:
    parts = urlsplit(url)
    connection = connect(url, trusting)
    headers = {"User-Agent": READY_AGENT, **({"Authorization": f"Bearer {secret}"} if secret else {})}
    try:
        connection.request("GET", parts.path, headers=headers)
        return connection.getresponse().status
    finally:
        connection.close()
