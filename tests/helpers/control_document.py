"""The OpenAPI document of the control API, which every answer that a test gets of it is compared with."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from helpers.document import Document
from paylera_mock.control import CALLS, document
from paylera_mock.core.path_table import find_by_path


@cache
def control_document() -> Document:
    """The document, whose validators are made once."""
    return Document(document("http://127.0.0.1:4242/_mock"))


def described_call(method: str, path: str) -> dict[str, Any] | None:
    """What the document says of a call; `None` where the path or the method is none of it."""
    found = find_by_path({each: f"/{each}" for each in CALLS}, path)
    paths: dict[str, dict[str, dict[str, Any]]] = control_document().content["paths"]
    return paths[found[0]].get(method.lower()) if found else None


def flaws_of_call(method: str, path: str, body: Mapping[str, Any], answer: Any) -> list[str]:
    """In what an answer, or a body that was accepted, is not as the document has it; empty where both are."""
    described = described_call(method, path.partition("?")[0].rstrip("/"))
    if described is None:
        return []
    response = described["responses"].get(str(answer.status_code))
    if response is None:
        return [f"it names no {answer.status_code}: {answer.text}"]
    if "$ref" in response:
        response = control_document().content["components"]["responses"][response["$ref"].rpartition("/")[2]]
    flaws = _flaws_of_content(response.get("content"), answer)
    if answer.status_code < 300 and "requestBody" in described:
        schema = described["requestBody"]["content"]["application/json"]["schema"]
        flaws += [f"the body: {flaw}" for flaw in control_document().flaws(schema, body)]
    return flaws


def _flaws_of_content(content: Mapping[str, Any] | None, answer: Any) -> list[str]:
    if content is None:
        return ["it names no body"] if answer.data else []
    media_type = answer.headers["Content-Type"]
    if media_type not in content:
        return [f"it is answered in {media_type}"]
    return control_document().flaws(content[media_type]["schema"], answer.json)
