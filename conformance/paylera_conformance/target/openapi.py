"""The target's OpenAPI document: what it says of itself, where it says anything."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from functools import cached_property
from typing import Any, Final
from urllib.parse import unquote

from paylera_conformance.http.client import Client
from paylera_conformance.model.messages import Request
from paylera_conformance.model.outcomes import TransportTrouble
from paylera_fixtures.api.openapi import build
from paylera_fixtures.api.operations import Operation
from paylera_fixtures.vocabulary import Profile

PATH: Final = "/openapi/v1.json"
METHODS: Final = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE"})
"""The methods of the operations that are looked at."""

_API: Final = "/v1"
_LONGEST_CHAIN: Final = 20
"""References that lead one to the other, at the most: a longer chain may be a circle."""


class Document:
    """An OpenAPI document, the target's own or, where it publishes none, the contract's.

    Two are equal where they describe the same operations, wherever those are served.

    - `published`: whether the target published it;
    - `content`: the document; `server_url`: its first server, empty where it names none;
    - `has_whole_amounts`: whether the target takes amounts as integers, of which the document says nothing: `None` as
      long as nobody has found out.
    """

    def __init__(self, content: Mapping[str, Any], *, published: bool) -> None:
        self.content = content
        self.published = published
        self.has_whole_amounts: bool | None = None
        servers = content.get("servers")
        first = servers[0].get("url") if isinstance(servers, list) and servers and isinstance(servers[0], dict) else ""
        self.server_url = str(first).rstrip("/")
        # Some documents have `/v1` in the URL of their server, and not before every path.
        self._root = _API if self.server_url.endswith(_API) else ""
        self._paths = {without_names(self._root + path): item for path, item in content.get("paths", {}).items()}

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
        item = self._paths.get(without_names(path), {})
        found = item.get(method.lower(), {}) if isinstance(item, dict) else {}
        return found if isinstance(found, dict) else {}

    def names_more_than(self, known: Collection[str]) -> bool:
        """Whether it may have an operation beyond some: a reference may lead to one.

        - `known`: these, by method and path without the names of parameters.
        """

        def may_be_more(path: str, item: object) -> bool:
            names = item if isinstance(item, dict) else ("$ref",)
            methods = [name.upper() for name in names if name.upper() in METHODS]
            return "$ref" in names or any(without_names(f"{method} {path}") not in known for method in methods)

        is_odd = _API in self.server_url.removesuffix(_API)  # what is below it may be something else
        # Each path as it stands: two may differ in the names of their parameters alone.
        return is_odd or any(
            may_be_more(self._root + path, item) for path, item in self.content.get("paths", {}).items()
        )

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

    def request_schema(self, operation: Operation) -> Mapping[str, Any]:
        """The schema of the JSON body that an operation takes; empty where the document gives none."""
        body = self.resolve(self.operation(operation).get("requestBody"))
        content = body.get("content")
        media = content.get("application/json") if isinstance(content, Mapping) else None
        return self.resolve(media.get("schema") if isinstance(media, Mapping) else None)

    def resolve(self, part: object) -> Mapping[str, Any]:
        """A part of the document, or what it refers to within the document; empty where that is no object."""
        for _ in range(_LONGEST_CHAIN):
            if not isinstance(part, Mapping):
                break
            reference = part.get("$ref")
            if not isinstance(reference, str):
                return part
            part = self._find(reference)
        return {}

    def _find(self, reference: str) -> object:
        """What stands at a JSON pointer in the document (RFC 6901); `None` where nothing does, or it is elsewhere."""
        found: object = self.content if reference.startswith("#") else None
        for step in reference.partition("/")[2].split("/"):
            name = unquote(step).replace("~1", "/").replace("~0", "~")
            found = found.get(name) if isinstance(found, Mapping) else None
        return found

    def _security_of(self, said: Mapping[str, Any]) -> object:
        return said.get("security", self.content.get("security"))

    def declares_aal2(self, operation: Operation) -> bool:
        """Whether the target itself says that the operation needs AAL2."""
        return self.published and self.operation(operation).get("x-paylera-aal2") is True


def without_names(path: str) -> str:
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
