"""What an OpenAPI document says, to compare with what is sent and answered: to the letter, with no member beyond it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

import jsonschema_rs

from paylera_fixtures.api.operations import Operation, find_operation


class Document:
    """A document, and the validators of what it describes."""

    def __init__(self, content: Mapping[str, Any]) -> None:
        self.content = content
        self._components = {"schemas": _closed(content["components"]["schemas"])}
        self._validators: dict[str, jsonschema_rs.Validator] = {}

    def described(self, operation: Operation) -> dict[str, Any]:
        """What it says of an operation."""
        found: dict[str, Any] = self.content["paths"][operation.path][operation.method.lower()]
        return found

    def flaws(self, schema: Mapping[str, Any], value: object) -> list[str]:
        """Why a value is none of a schema, or has a member beyond it; empty where it fits."""
        name = json.dumps(schema)
        if name not in self._validators:
            whole = {**_closed(schema), "components": self._components}
            self._validators[name] = jsonschema_rs.validator_for(whole, validate_formats=True)
        errors = self._validators[name].iter_errors(value)
        return [f"{'.'.join(map(str, error.instance_path))}: {error.message}" for error in errors]

    def flaws_of_answer(self, operation: Operation, answer: Any) -> list[str]:
        """In what an answer is not as the document has it; empty where it is."""
        responses = self.described(operation)["responses"]
        response = responses.get(str(answer.status_code))
        if response is None:
            return [f"{operation.id} is answered with {answer.status_code}, and has {', '.join(responses)}"]
        flaws = [f"{operation.id} names no header {name}" for name in self._unnamed(response, answer.headers)]
        content = response.get("content")
        if content is None:
            return flaws + ([f"{operation.id} is answered with a body"] if answer.data else [])
        media_type = answer.headers["Content-Type"]
        if media_type not in content:
            return [*flaws, f"{operation.id} is answered in {media_type}"]
        body = answer.json
        flaws += [f"{operation.id}: {flaw}" for flaw in self.flaws(content[media_type]["schema"], body)]
        if answer.status_code >= 400 and f"`{body['problem']}`" not in response["description"]:
            flaws.append(f"{operation.id} names no {body['problem']} under {answer.status_code}")
        return flaws

    def _unnamed(self, response: Mapping[str, Any], headers: Any) -> Iterator[str]:
        named = {name.lower() for name in response["headers"]} | OF_EVERY_ANSWER
        return (name for name in headers.keys() if name.lower() not in named)  # noqa: SIM118 - not a dict's


OF_EVERY_ANSWER = frozenset({"content-type", "content-length", "cache-control", "connection"}) | {
    # With these the fake explains beside the contract.
    f"paylera-mock-{name}"
    for name in ("verdict", "journal", "hint", "fault")
}


def _closed(schema: Any) -> Any:
    """A schema that allows no member that it does not name."""
    if isinstance(schema, list):
        return [_closed(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {name: _closed(value) for name, value in schema.items()}
    is_object = closed.get("type") == "object" and "properties" in closed
    return {"additionalProperties": False, **closed} if is_object else closed


class Checked:
    """A client of a fake whose answers are compared with the fake's own document.

    - `flaws`: in what they were not as it has them; `answers`: every one, with its operation.
    """

    def __init__(self, client: Any) -> None:
        self._client = client
        self.application = client.application
        self.document = Document(client.get("/openapi/v1.json").json)
        self.flaws: list[str] = []
        self.answers: list[tuple[Operation, Any]] = []

    def open(self, path: str, **request: Any) -> Any:
        """Send a request as werkzeug's client does."""
        answer = self._client.open(path, **request)
        operation = find_operation(request["method"], urlsplit(path).path)
        if operation is not None:
            self.answers.append((operation, answer))
            self.flaws += self.document.flaws_of_answer(operation, answer)
        return answer
