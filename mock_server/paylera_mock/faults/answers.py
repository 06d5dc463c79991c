"""What a fault answers: a problem, anything else that it was given, or the true answer with changes."""

from __future__ import annotations

import json
from email.utils import formatdate
from math import ceil
from typing import Any

from paylera_fixtures.vocabulary import Header
from paylera_mock.core.json_text import encode_json
from paylera_mock.core.messages import Answer
from paylera_mock.faults.model import Fault, RetryAfterForm


def retry_after_header(fault: Fault, now: float) -> tuple[tuple[str, str], ...]:
    """The header `Retry-After`, if the fault has one. A date is in whole seconds, and never too early."""
    if fault.retry_after is None:
        return ()
    is_date = fault.retry_after_as is RetryAfterForm.DATE
    text = formatdate(ceil(now + fault.retry_after), usegmt=True) if is_date else str(fault.retry_after)
    return ((Header.RETRY_AFTER, text),)


def plain_answer(fault: Fault, body: bytes, now: float) -> Answer:
    """An answer of which every part is the fault's: none of the headers that the API sends is there by itself."""
    headers = (("Content-Type", "application/json"), *retry_after_header(fault, now))
    return Answer(fault.status, replace_headers(headers, fault), body)


def changed_answer(fault: Fault, answer: Answer) -> Answer:
    """The true answer with the members and headers of a fault; its body stays as it is where it is no JSON object."""
    status = fault.status if fault.changes_status else answer.status
    return answer._replace(
        status=status, headers=replace_headers(answer.headers, fault), body=_merge_body(answer.body, fault)
    )


def replace_headers(headers: tuple[tuple[str, str], ...], fault: Fault) -> tuple[tuple[str, str], ...]:
    """Headers with those of a fault in the place of others of the same name; `None` takes one away."""
    replaced = {name.lower() for name, _ in fault.headers}
    kept = (header for header in headers if header[0].lower() not in replaced)
    return (*kept, *((name, value) for name, value in fault.headers if value is not None))


def _merge_body(body: bytes, fault: Fault) -> bytes:
    try:
        document = json.loads(body)
    except ValueError:
        return body
    if not isinstance(document, dict):
        return body
    if isinstance(document.get("data"), list):
        changed = {**document, "data": [merge_json(each, fault.merge) for each in document["data"]]}
    else:
        changed = merge_json(document, fault.merge)
    return encode_json(changed).encode()


def merge_json(target: Any, patch: Any) -> Any:
    """A JSON Merge Patch (RFC 7396): members that are `null` are taken away, objects merged, all else replaced."""
    if not isinstance(patch, dict):
        return patch
    merged = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            merged.pop(name, None)
        else:
            merged[name] = merge_json(merged.get(name), value)
    return merged
