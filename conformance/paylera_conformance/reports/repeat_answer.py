"""What a script of `repeat/` compares the answer with that it gets to its last request."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any, Final

from paylera_conformance.model.messages import ExchangeRecord
from paylera_fixtures.api.examples import EXAMPLES

_WORD: Final = re.compile(r"[\w-]+")
_SHORTEST_DRAWN: Final = 8
_DATE: Final = re.compile(r"\d{4}-\d\d-\d\d.*")


def answer_to_compare(records: Sequence[ExchangeRecord], groups: Sequence[Sequence[int]]) -> dict[str, Any]:
    """The last answer, and what of it is to be as it was.

    - `groups`: the numbers of requests that were sent at the same moment.

    Its `counts`: how often it holds each word that only this case has sent; `several`: whether the answers beside it
    had several bodies; `alike`: whether an earlier answer to the same request, or one of several, had the same body.
    """
    answer, words = records[-1].answer, own_words(records)
    *before, last = groups
    bodies = {records[number].answer.body for number in last if records[number].answer.status == answer.status}
    same = [group for group in before if any(_is_same(records[number], records[-1]) for number in group)]
    return {
        "answer": {
            "status": answer.status,
            "headers": list(answer.headers),
            "body": answer.body,
            "counts": {word: count for word in sorted(words) if (count := answer.body.count(word))},
            "several": len(bodies) > 1,
        },
        "alike": [(group, any(records[number].answer.body == answer.body for number in group)) for group in same],
    }


def own_words(records: Sequence[ExchangeRecord]) -> set[str]:
    """The words in bodies that were sent and that nobody else has: no example's, and none that an answer gave."""
    usual = set(_WORD.findall(json.dumps(EXAMPLES)))
    own: set[str] = set()
    for record in records:
        sent = {word for word in _WORD.findall(record.body or "") if _is_drawn(word)}
        own |= sent - usual
        usual |= set(_WORD.findall(record.answer.body)) - own
    return own


def _is_drawn(word: str) -> bool:
    return len(word) >= _SHORTEST_DRAWN and any(map(str.isdigit, word)) and not _DATE.fullmatch(word)


def _is_same(record: ExchangeRecord, other: ExchangeRecord) -> bool:
    """Whether two requests to one URL were answered with one status."""
    return (record.method, record.url, record.answer.status) == (other.method, other.url, other.answer.status)
