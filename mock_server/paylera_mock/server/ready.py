"""The ready line: one line of JSON that a served fake prints once it has answered a request of its own."""

from __future__ import annotations

import http.client
import os
import ssl
import time
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from pathlib import Path
from types import MappingProxyType
from typing import Final, Literal, Self

import msgspec

from paylera_fixtures.tokens import WELL_KNOWN
from paylera_mock.core.messages import READY_HEADER
from paylera_mock.server.http_client import send_request
from paylera_mock.state.token_names import ready_name
from paylera_mock.version import version

READY_WITHIN_SECONDS: Final = 120.0
"""It only ends what hangs."""

_BETWEEN_TRIES_SECONDS: Final = 0.005
_SERVED: Final = frozenset({200, 401, 403, 429})
"""What shows that the API is there: a snapshot may know nothing of a token, or have revoked it."""


class NotServingError(Exception):
    """The server did not answer its own request in time, or not as it should."""


class Ready(msgspec.Struct, frozen=True, kw_only=True, tag_field="event", tag="ready"):
    """Where a served fake is found, and by which tokens it is used. Its members are those of the ready line.

    `tokens` gives the secret of every well-known token by its name; live's names begin with `live_`. `control_url` is
    `None` where there is no control API, `dashboard_url` where there is no dashboard, `ca_file`, the certificate to
    trust, where there is no TLS.
    """

    schema: Literal[1] = 1
    version: str
    pid: int
    url: str
    live_url: str
    control_url: str | None
    tokens: dict[str, str]
    ca_file: str | None = None
    dashboard_url: str | None = None

    @classmethod
    def at(cls, url: str, *, has_control: bool, has_dashboard: bool = False, ca_file: Path | None) -> Self:
        """The line of a fake that this process serves at a base URL."""
        return cls(
            version=version(),
            pid=os.getpid(),
            url=url,
            live_url=f"{url}/live",
            control_url=f"{url}/_mock" if has_control else None,
            tokens={ready_name(token): token.secret for token in WELL_KNOWN},
            ca_file=None if ca_file is None else str(ca_file),
            dashboard_url=f"{url}/_mock/ui" if has_control and has_dashboard else None,
        )

    def to_line(self) -> str:
        """One line of JSON, without the end of the line."""
        return msgspec.json.format(msgspec.json.encode(self), indent=0).decode()

    @classmethod
    def from_line(cls, line: str) -> Self:
        """Read what `to_line` wrote. Raises `ValueError` for anything else."""
        return msgspec.json.decode(line, type=cls)


def wait_until_served(ready: Ready, *, control_token: str | None, ready_secret: str) -> None:
    """Return once both the API and the control API have answered. `ready_secret`: by which the fake knows the request.

    Raises `NotServingError` where they have not in `READY_WITHIN_SECONDS`.
    """
    deadline = time.monotonic() + READY_WITHIN_SECONDS
    context = None if ready.ca_file is None else ssl.create_default_context(cafile=ready.ca_file)
    api, secret = f"{ready.url}/v1/customers", ready.tokens["serviceall"]
    own = {READY_HEADER: ready_secret}
    wait_for_status(_SERVED, api, secret, deadline=deadline, context=context, headers=own)
    if ready.control_url is not None:
        wait_for_status({200}, ready.control_url, control_token, deadline=deadline, context=context, headers=own)


def wait_for_status(
    wanted: AbstractSet[int],
    url: str,
    secret: str | None,
    *,
    deadline: float,
    context: ssl.SSLContext | None = None,
    headers: Mapping[str, str] = MappingProxyType({}),
) -> None:
    """Send GETs until one is answered with one of the statuses that are `wanted`.

    Raises `NotServingError` where none is by `deadline`, in the time of `time.monotonic`.
    """
    answer = "nothing"
    while time.monotonic() < deadline:
        try:
            status, _ = send_request("GET", url, secret=secret, headers=headers, context=context)
        except (OSError, http.client.HTTPException) as error:
            answer = str(error)
        else:
            if status in wanted:
                return
            answer = f"status {status}"
        time.sleep(_BETWEEN_TRIES_SECONDS)
    raise NotServingError(f"{url} should have answered 200, and the last answer was: {answer}")
