"""An answer as it arrives: its head read exactly, and an end to everything."""

from __future__ import annotations

import io
import re
import socket
import time
from collections import defaultdict
from http import HTTPStatus
from http.client import BadStatusLine, HTTPException, HTTPResponse, RemoteDisconnected
from typing import Any, Final

_LINE: Final = 64 * 1024
"""Bytes of a line of the head, at the most."""

_FIELDS: Final = 256
"""Headers, at the most."""

_HEAD: Final = 256 * 1024
"""Bytes of a head, at the most: every answer is kept."""

_BLANK: Final = " \t"
_TLS_ALERT: Final = b"\x15"
"""The first byte of what a TLS port answers to plain HTTP (RFC 8446, section 5.1)."""

_CHUNK_SIZE: Final = re.compile(r"[0-9A-Fa-f]{1,16}", re.ASCII)
_WITHOUT_BODY: Final = frozenset({HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED})
_HTTP_1_0: Final = 10
_HTTP_1_1: Final = 11


class BoundedResponse(HTTPResponse):
    """An answer of which nothing is read after `deadline`, or after `timeout` seconds without a byte: `TimeoutError`.

    Interim answers (RFC 9110, section 15.2) are passed over. The head is read here, since the library reads it as mail:
    that takes as long as all the rest, and a header may come out as another than it was.
    """

    def __init__(self, sock: socket.socket, *, method: str | None, deadline: float, timeout: float) -> None:
        super().__init__(sock, method=method)
        self._is_head = method == "HEAD"
        self._fields: list[tuple[str, str]] = []
        self._values: defaultdict[str, list[str]] = defaultdict(list)
        self.fp = io.BufferedReader(_BoundedReader(self.fp.detach(), sock, deadline, timeout))

    def begin(self) -> None:
        """Read the head. Raises `HTTPException` where it is none, `RemoteDisconnected` where it does not come."""
        version = self._read_head()
        while self.status < HTTPStatus.OK and self.status != HTTPStatus.SWITCHING_PROTOCOLS:
            version = self._read_head()
        self.code, self.version = self.status, _HTTP_1_0 if version == "HTTP/1.0" else _HTTP_1_1
        # What follows is RFC 9112, sections 6.3 and 9.3.
        self.chunked, self.chunk_left = self._joined("transfer-encoding") == "chunked", None
        self.length = None if self.chunked else self._content_length()
        if self._is_head or self.status < HTTPStatus.OK or self.status in _WITHOUT_BODY:  # whatever its head says
            self.chunked, self.length = False, 0
        connection = self._joined("connection")
        is_kept = "close" not in connection if self.version == _HTTP_1_1 else "keep-alive" in connection
        self.will_close = not is_kept or (self.length is None and not self.chunked)

    def getheaders(self) -> list[tuple[str, str]]:
        """The headers in order, repeats included."""
        return self._fields

    def _read_head(self) -> str:
        """Read one head, which may be an interim answer's; gives the version of HTTP."""
        line = self._read_line()
        version, _, rest = line.partition(" ")
        if not version.startswith("HTTP/1.") or not rest[:3].isdecimal():
            raise BadStatusLine(line)
        self.status, self.reason = int(rest[:3]), rest[3:].strip()
        fields: list[tuple[str, str]] = []
        size = len(line)
        while line := self._read_line():
            size += len(line)
            name, colon, value = line.partition(":")
            if line[0] in _BLANK and fields:  # folded (RFC 9112, section 5.2)
                fields[-1] = (fields[-1][0], f"{fields[-1][1]} {line.strip(_BLANK)}")
            elif not colon or not name.strip() or len(fields) == _FIELDS or size > _HEAD:
                raise HTTPException("the head of the answer has a line that is no header, or too much of them")
            else:
                fields.append((name, value.strip(_BLANK)))
        self._fields = fields
        self._values = defaultdict(list)
        for name, value in fields:
            self._values[name.lower()].append(value)
        return version

    def _read_line(self) -> str:
        line: bytes = self.fp.readline(_LINE)
        if not line:
            raise RemoteDisconnected("the connection was closed without an answer")
        if not line.endswith(b"\n"):
            if line[:1] == _TLS_ALERT:
                raise BadStatusLine("an alert of TLS")
            raise HTTPException("the head of the answer has no end")
        return line.decode("latin-1").rstrip("\r\n")

    def _read_next_chunk_size(self) -> int:
        """As RFC 9112, section 7.1, has it: the library takes a sign too, and reads a chunk of -1 byte to the end."""
        size = self._read_line().partition(";")[0].strip(_BLANK)
        if not _CHUNK_SIZE.fullmatch(size):
            raise HTTPException("a chunk of the answer has no size")
        return int(size, 16)

    def _joined(self, name: str) -> str:
        return ", ".join(self._values.get(name, ())).lower()

    def _content_length(self) -> int | None:
        lengths = {length.strip() for length in self._joined("content-length").split(",")}
        if lengths == {""}:
            return None
        if len(lengths) > 1 or not (length := lengths.pop()).isdecimal():
            raise HTTPException("the Content-Length of the answer is no number")
        return int(length)


class _BoundedReader(io.RawIOBase):
    def __init__(self, raw: io.RawIOBase, sock: socket.socket, deadline: float, timeout: float) -> None:
        self._raw = raw
        self._sock = sock
        self._deadline = deadline
        self._timeout = timeout

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int | None:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("the answer did not end in time")
        if left < self._timeout:  # else it is the socket's already
            self._sock.settimeout(left)
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()
