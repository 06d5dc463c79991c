"""The target's OpenAPI document: what it says of itself, where it says anything."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import cached_property
from typing import Any, Final

from paylera_conformance.http.client import Client
from paylera_conformance.model.messages import Request
from paylera_conformance.model.outcomes import TransportTrouble
from paylera_fixtures.api.openapi import build
from paylera_fixtures.api.operations import Operation
from paylera_fixtures.vocabulary import Profile

PATH: Final = "/openapi/v1.json"
_API: Final = "/v1"


class Document:
    """An OpenAPI document, the target's own or, where it publishes none, the contract's.

    Two are equal where they describe the same operations, wherever those are served.

    - `published`: whether the target published it;
    - `content`: the document; `server_url`: its first server, empty where it names none.
    """

    def __init__(self, content: Mapping[str, Any], *, published: bool) -> None:
        self.content = content
        self.published = published
        servers = content.get("servers")
        first = servers[0].get("url") if isinstance(servers, list) and servers and isinstance(servers[0], dict) else ""
        self.server_url = str(first).rstrip("/")
        # Some documents have `/v1` in the URL of their server, and not before every path.
        root = _API if self.server_url.endswith(_API) else ""
        self._paths = {_without_names(root + path): item for path, item in content.get("paths", {}).items()}

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Document) and self._content_json == other._content_json

    def __hash__(self) -> int:
        return hash(self._content_json)

    @cached_property
    def _content_json(self) -> str:
        return json.dumps({name: value for name, value in self.content.items() if name != "servers"}, sort_keys=True)

    def operation(self, operation: Operation) -> Mapping[str, Any]:
        """What the document says of an operation; empty where it says nothing."""
        return self._said_of(operation.method, operation.path)

    def _said_of(self, method: str, path: str) -> Mapping[str, Any]:
        item = self._paths.get(_without_names(path), {})
        found = item.get(method.lower(), {}) if isinstance(item, dict) else {}
        return found if isinstance(found, dict) else {}

    def scope_of(self, operation: Operation, profile: Profile) -> str | None:
        """The scope that the target itself says the operation needs, else the profile's; `None` where it needs none."""
        said = self.operation(operation) if self.published else {}
        scope = said.get("x-paylera-scope", operation.scope_in(profile))
        return scope if isinstance(scope, str) and scope else None

    def protects(self, operation: Operation) -> bool:
        """Whether the target itself says that the operation asks for a token (OpenAPI 3.1, Security Requirement)."""
        said = self.operation(operation)
        asks = self._security_of(said) and not self.opens(operation.method, operation.path)
        return self.published and (bool(asks) or "x-paylera-scope" in said or self.declares_aal2(operation))

    def opens(self, method: str, path: str) -> bool:
        """Whether the document says that an operation is for everybody, or may be asked for without a token."""
        security = self._security_of(self._said_of(method, path))
        return isinstance(security, list) and (security == [] or {} in security)

    def _security_of(self, said: Mapping[str, Any]) -> object:
        return said.get("security", self.content.get("security"))

    def declares_aal2(self, operation: Operation) -> bool:
        """Whether the target itself says that the operation needs AAL2."""
        return self.published and self.operation(operation).get("x-paylera-aal2") is True


def _without_names(path: str) -> str:
    """A path template without the names of its parameters, which are the author's to choose."""
    return re.sub(r"\{[^}]*\}", "{}", path)


def fetch_document(client: Client, url: str, profile: Profile) -> Document:
    """The document at `url`, or the contract's own where none is published there."""
    try:
        answer = client.send(Request("GET", PATH), url).response
    except TransportTrouble:
        answer = None
    if answer is not None and answer.ok and isinstance(answer.object.get("paths"), dict):
        return Document(answer.object, published=True)
    return Document(build(profile), published=False)
