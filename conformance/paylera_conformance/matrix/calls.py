"""The accepted calls of the matrix: for an operation, with some features, and with what a client may send besides."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import quote

from paylera_conformance.matrix.besides import Besides
from paylera_conformance.matrix.features import CHANGES, PLAIN, Features, Grants, Version
from paylera_conformance.matrix.population import Kind, Population
from paylera_conformance.model.messages import FRESH_KEY, Request
from paylera_conformance.model.tokens import Credential
from paylera_conformance.probe.probe import Probe
from paylera_fixtures.api.operations import BY_ID, Operation, Resource
from paylera_fixtures.vocabulary import WILDCARD, Audience, Header, scopes_of

_NAMED_BESIDE: Final = "catalog:read"


@dataclass(frozen=True)
class Call:
    """A call that is accepted, and what made it: what a rule changes.

    - `kind`: what its token is;
    - `draw`: chooses among forms of one change;
    - `besides`: what it carries that no rule is about, in words.
    """

    probe: Probe
    population: Population
    operation: Operation
    features: Features
    kind: Kind
    request: Request
    draw: random.Random
    besides: str = ""

    def by(self, **changes: object) -> Request:
        """The same by a token of another kind: `changes` are members of `Kind`."""
        return self.request.by(self.population.get(replace(self.kind, **changes)))  # type: ignore[arg-type]

    @property
    def company(self) -> str:
        """What it has besides what it must have, in words."""
        return ", ".join(filter(None, (str(self.features), self.besides)))


class CallFactory:
    """Makes the accepted calls of one matrix."""

    def __init__(self, probe: Probe, population: Population, draw: random.Random) -> None:
        self._probe = probe
        self._population = population
        self._draw = draw

    def kind_of(self, operation: Operation, features: Features) -> Kind:
        """What the token of an accepted call is."""
        is_admin = operation.is_admin or self._probe.tokens.needs_aal2(operation)
        audience = features.audience or (Audience.ADMIN if is_admin else Audience.SERVICE)
        return Kind(
            audience,
            scopes=self._scopes_of(operation, features.grants),
            aal=self._probe.tokens.admin.aal if audience is Audience.ADMIN else 1,
            history=features.history,
            created=features.created,
            live=features.live,
        )

    def _scopes_of(self, operation: Operation, grants: Grants) -> tuple[str, ...]:
        profile = self._probe.settings.profile
        needed = self._probe.document().scope_of(operation, profile)
        if grants in {Grants.WILDCARD, Grants.BOTH}:
            return (WILDCARD, *[_NAMED_BESIDE] * (grants is Grants.BOTH))
        if grants is Grants.NEEDED and needed is not None:
            return (needed,)
        return tuple(scope for scope in scopes_of(profile) if scope != WILDCARD)

    def call(self, operation: Operation, features: Features = PLAIN, besides: Besides | None = None) -> Call:
        """An accepted call of an operation of the contract. Raises `CaseEnd` where what it takes is missing."""
        kind = self.kind_of(operation, features)
        token = self._population.get(kind)
        factory = self._probe.factory
        is_own = features.own or kind.audience is Audience.CUSTOMER
        if is_own:
            factory = factory.for_customer(str(self._population.customer))
        request = factory.request_for(operation, token)
        if is_own and operation.resource is Resource.CUSTOMER and operation.has_parameter:
            request = request.at(operation.concrete(quote(str(self._population.customer), safe="")))
        if features.changed:
            self.change(operation, request)
        request = replace(request, live=features.live, method="HEAD" if features.head else request.method)
        if features.key:
            request = request.with_key(FRESH_KEY)
        if features.actor:
            request = request.acting_as(self._population.actors.known)
        if features.version is not Version.NONE:
            request = request.with_version(self._version(features.version, token))
        return self.of(operation, besides.add_to(request) if besides else request, features, str(besides or ""))

    def pinned_to_current(self, request: Request) -> Request:
        """The request by the current version, in place of the one that it names."""
        return request.without_header(Header.VERSION).with_version(str(self._population.versions().current))

    def _version(self, version: Version, token: Credential) -> str:
        """The current version, or an older one, which is another than the token's own where there are several."""
        versions = self._population.versions()
        current = str(versions.current)
        older = sorted(one for one in versions.supported if one < current)
        others = [one for one in older if one != self._population.default_of(token)]
        return current if version is Version.CURRENT else self._draw.choice(others or older)

    def change(self, operation: Operation, read: Request) -> None:
        """Change the object that a request reads. Raises `CaseEnd` where that is refused."""
        change = BY_ID[self._draw.choice(CHANGES[operation.id])]
        identifier = object_of(read)
        body = self._probe.factory.body_for(change)
        request = Request(change.method, change.concrete(identifier), self._probe.tokens.for_operation(change))
        request = request.with_json(body).with_key(FRESH_KEY if change.method == "POST" else None)
        self._probe.require_accepted(request)

    def of(self, operation: Operation, request: Request, features: Features = PLAIN, besides: str = "") -> Call:
        """A call by its request, whose token is what the features say."""
        kind = self.kind_of(operation, features)
        request = request.by(self._population.get(kind))
        return Call(self._probe, self._population, operation, features, kind, request, self._draw, besides)


def object_of(request: Request) -> str:
    """The part of a path that names the object: `/v1/payments/{id}/refunds`, `/v1/admin/actors/{id}`."""
    operation = request.operation
    assert operation is not None  # noqa: S101 - a call of one of the contract's
    place = next(number for number, segment in enumerate(operation.path.split("/")) if segment.startswith("{"))
    return request.path.split("/")[place]
