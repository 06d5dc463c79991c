"""Dialects of the shape of an answer: where a list has its entries and its next page, what an object is wrapped in.

The Pagination page alone has a shape, so that its clauses may complain; nothing else may.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from functools import partial
from http import HTTPStatus
from typing import Any, Final

from paylera_fixtures.vocabulary import ProblemType
from paylera_mock.core import problems
from paylera_mock.core.json_text import encode_json
from paylera_mock.core.messages import Decision, Object, Outcome, Reply
from paylera_mock.core.problems import Problem
from paylera_mock.mutants.api_tokens import ROTATE, is_revoked
from paylera_mock.mutants.builders import (
    Mutation,
    change_headers,
    change_outcome,
    change_success,
    change_writer,
    combine,
    insert_rule,
    set_policy,
)
from paylera_mock.mutants.model import Mutant
from paylera_mock.operations.common import object_in_path
from paylera_mock.pipeline import responses, rules
from paylera_mock.pipeline.context import Context, Headers, Rule

_EVERYTHING: Final = 10**6
_QUERY_REFUSED: Final = ProblemType("request.query_refused", "No such parameter", documented=False)
_AMOUNT: Final = re.compile(r"-?[0-9]+\.[0-9]{2}")


def _is_page(body: Object) -> bool:
    return "has_more" in body


def _change_answers(change: Callable[[Object, Context], Any]) -> Mutation:
    """Every success is written as something else."""

    def write(body: bytes, context: Context, _reply: Reply) -> bytes:
        return encode_json(change(json.loads(body), context)).encode() if body else body

    return change_writer(responses.reply_body, write)


def _change_pages(change: Callable[[Object, Context], Any]) -> Mutation:
    return _change_answers(lambda body, context: change(body, context) if _is_page(body) else body)


def _wrap(name: Callable[[Object], str]) -> Mutation:
    """Every object that has a kind is wrapped in a member; lists are as they were."""
    return _change_answers(lambda body, _: {name(body): body} if "object" in body else body)


def _plural(context: Context) -> str:
    return f"{context.called_operation.resource}s"


def _next_url(page: Object, context: Context) -> str | None:
    cursor = page["next_cursor"]
    return f"{context.request.path}?cursor={cursor}" if cursor else None


def _link_to_next(headers: Headers, context: Context, decided: Decision) -> Headers:
    body = decided.body if isinstance(decided, Reply) else None
    url = _next_url(body, context) if body is not None and _is_page(body) else None
    return (*headers, ("Link", f'<https://api.paylera.example{url}>; rel="next"')) if url else headers


def _refuse_query(context: Context) -> Decision | None:
    if not context.request.query:
        return None
    return Problem(_QUERY_REFUSED, HTTPStatus.BAD_REQUEST, "No operation has such a parameter.")


def _answer_payment(outcome: Outcome, context: Context) -> Outcome:
    if not isinstance(outcome, Reply):
        return outcome
    return Reply(HTTPStatus.OK, object_in_path(context), outcome.object_id)


def _in_minor_units(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _in_minor_units(member) for name, member in value.items()}
    if isinstance(value, list):
        return [_in_minor_units(item) for item in value]
    is_amount = isinstance(value, str) and _AMOUNT.fullmatch(value)
    return int(value.replace(".", "")) if is_amount else value


_other_list: Final = partial(Mutant, may_break=("pagination.envelope",))

MUTANTS: Final[Mapping[str, Mutant]] = {
    "list-is-array": _other_list(
        "A list is an array, and its next page a link in a header.",
        combine(_change_pages(lambda page, _: page["data"]), change_headers(responses.MEDIA_TYPE, _link_to_next)),
    ),
    "list-under-items": _other_list(
        "The entries of a list are its `items`.",
        _change_pages(lambda page, _: {"items": page["data"], "pagination": {"next_cursor": page["next_cursor"]}}),
    ),
    "list-under-results": _other_list(
        "The entries of a list are its `results`, and the next page is a URL.",
        _change_pages(
            lambda page, context: {
                "next": _next_url(page, context),
                "previous": None,
                "facets": [],
                "results": page["data"],
            }
        ),
    ),
    "list-under-kind": _other_list(
        "The entries of a list have the name of their kind.",
        _change_pages(
            lambda page, context: {"meta": {"next_cursor": page["next_cursor"]}, _plural(context): page["data"]}
        ),
    ),
    "list-in-hal": _other_list(
        "Lists are HAL documents.",
        _change_pages(
            lambda page, context: {
                "_embedded": {f"paylera:{_plural(context)}": page["data"]},
                "_links": {
                    "self": {"href": context.request.path},
                    **({"next": {"href": url}} if (url := _next_url(page, context)) else {}),
                },
            }
        ),
    ),
    "object-under-kind": Mutant("An object is wrapped in its kind.", _wrap(lambda found: found["object"])),
    "object-under-data": Mutant("An object is wrapped in `data`.", _wrap(lambda _: "data")),
    "query-refused": _other_list(
        "A query that the guide does not name is refused, to everybody, and lists are whole.",
        combine(
            insert_rule(rules.CREDENTIAL_PRESENT, Rule("no-query", "pagination.envelope", _refuse_query)),
            set_policy(page_default=_EVERYTHING),
        ),
    ),
    "rotation-answers-secret-alone": Mutant(
        "Rotating answers the new secret and nothing else.",
        change_success(ROTATE, change=lambda body, _: {"secret": body["secret"]}),
    ),
    "refund-answers-payment": Mutant(
        "Refunding answers the payment.", change_outcome("refund_payment", change=_answer_payment)
    ),
    "revoked-tokens-not-found": Mutant(
        "A token that was revoked is not there to be read any more.",
        change_outcome(
            "get_api_token",
            change=lambda outcome, context: problems.not_found("API token") if is_revoked(context) else outcome,
        ),
    ),
    "money-as-integers": Mutant(
        "Amounts are integers in the smallest unit.", _change_answers(lambda body, _: _in_minor_units(body))
    ),
}
