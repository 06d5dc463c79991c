"""How an answer crosses the wire, whoever sends it: the length that its head says, and the pieces of its body."""

from __future__ import annotations

from typing import Final, NamedTuple

from paylera_mock.core.messages import BODILESS_STATUSES, Answer
from paylera_mock.faults.model import Action, Fault

GARBAGE: Final = b"\x16\x03\x01\x00\xffHTTP/9.9 two hundred\r\n\r\n\x00\xfe"
"""What is no HTTP, and is sent in the place of an answer."""

_LENGTH: Final = "Content-Length"


class FramedAnswer(NamedTuple):
    """An answer that is ready to be sent.

    - `pieces`: what is sent of the body; none where an answer of its status has none;
    - `cut_from`: the bytes that the head declares, where the connection is to end before they have come;
    - `in_chunks`: each piece is a chunk, and the head says so, but to a client of HTTP/1.0.
    """

    status: int
    headers: tuple[tuple[str, str], ...]
    pieces: tuple[bytes, ...]
    cut_from: int | None = None
    in_chunks: bool = False


def frame(answer: Answer, broken_by: Fault | None = None) -> FramedAnswer:
    """An answer with its length, unless it is sent in chunks. `broken_by`: the fault that breaks it off."""
    status, headers, body = answer.status, answer.headers, answer.body
    if broken_by is not None:
        # It claims never to be empty: that would be whole.
        length = 0 if status in BODILESS_STATUSES else max(1, len(body))
        sent = body[: broken_by.size] if broken_by.action is Action.TRUNCATE else b""
        return FramedAnswer(status, (*headers, (_LENGTH, str(length))), (sent,), length)
    if status in BODILESS_STATUSES:  # neither a length nor chunks (RFC 9110, section 8.6; RFC 9112, section 6.1)
        return FramedAnswer(status, headers, ())
    if answer.chunked:
        half = len(body) // 2
        pieces = (body[:half], body[half:]) if half else (body,)
        return FramedAnswer(status, headers, pieces, in_chunks=True)
    if not any(name.lower() == "content-length" for name, _ in headers):
        headers = (*headers, (_LENGTH, str(len(body))))
    return FramedAnswer(status, headers, (body,))
