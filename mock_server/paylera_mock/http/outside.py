"""What is answered to a request that is none to the API of a namespace."""

from __future__ import annotations

from http import HTTPStatus
from typing import Final

from paylera_fixtures.vocabulary import PROBLEM_MEDIA_TYPE, Header
from paylera_mock.core.ids import trace_id
from paylera_mock.core.json_text import encode_json
from paylera_mock.core.messages import Answer, Outcome, Reply
from paylera_mock.namespaces.namespace import Namespaces
from paylera_mock.pipeline import responses

NOT_KEPT_JSON: Final = (("Content-Type", "application/json"), ("Cache-Control", "no-store"))


def answer_outside(outcome: Outcome, path: str, namespaces: Namespaces) -> Answer:
    """A refusal as a problem document, with the version that the default namespace has; or JSON that nobody keeps."""
    default = namespaces.default
    version = (Header.VERSION, default.state.versions.current)
    if isinstance(outcome, Reply):
        body = b"" if outcome.body is None else encode_json(outcome.body).encode()
        return Answer(outcome.status, (version, *(NOT_KEPT_JSON if body else ())), body)
    challenge = responses.challenge_of(outcome) if outcome.status == HTTPStatus.UNAUTHORIZED else ()
    headers = (version, ("Content-Type", PROBLEM_MEDIA_TYPE), *outcome.headers, *challenge)
    trace = trace_id(namespaces.randomness, default.clock.epoch())
    return Answer(outcome.status, headers, responses.write_problem(outcome, path, trace))
