"""The accepted calls of the matrix: for an operation, with some features, and with what a client may send besides."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from urllib.parse import quote

from paylera_conformance.matrix.besides import Besides
from paylera_conformance.matrix.features import PLAIN, Features, Grants, Version
from paylera_conformance.matrix.population import Kind, Population
from paylera_conformance.model.messages import FRESH_KEY, Request
from paylera_conformance.probe.probe import Probe
from paylera_fixtures.api.operations import Operation, Resource
from paylera_fixtures.vocabulary import WILDCARD, Audience, scopes_of


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
        named = tuple(scope for scope in scopes_of(self._probe.settings.profile) if scope != WILDCARD)
        return Kind(
            audience,
            scopes=named if features.grants is Grants.NAMED else (WILDCARD,),
            aal=self._probe.tokens.admin.aal if audience is Audience.ADMIN else 1,
            history=features.history,
            live=features.live,
        )

    def call(self, operation: Operation, features: Features = PLAIN, besides: Besides | None = None) -> Call:
        """An accepted call of an operation of the contract. Raises `CaseEnd` where what it takes is missing."""
        kind = self.kind_of(operation, features)
        token = self._population.get(kind)
        factory = self._probe.factory
        if kind.audience is Audience.CUSTOMER:
            factory = factory.for_customer(str(self._population.customer))
        request = factory.request_for(operation, token)
        if kind.audience is Audience.CUSTOMER and operation.resource is Resource.CUSTOMER and operation.has_parameter:
            request = request.at(operation.concrete(quote(str(self._population.customer), safe="")))
        request = replace(request, live=features.live, method="HEAD" if features.head else request.method)
        if features.key:
            request = request.with_key(FRESH_KEY)
        if features.actor:
            request = request.acting_as(self._population.actor)
        versions = self._probe.provisioner.versions()
        if features.version is Version.CURRENT:
            request = request.with_version(str(versions.current))
        if features.version is Version.OLDER:
            request = request.with_version(max(one for one in versions.supported if one < str(versions.current)))
        return self.of(operation, besides.add_to(request) if besides else request, features, str(besides or ""))

    def of(self, operation: Operation, request: Request, features: Features = PLAIN, besides: str = "") -> Call:
        """A call by its request, whose token is what the features say."""
        kind = self.kind_of(operation, features)
        request = request.by(self._population.get(kind))
        return Call(self._probe, self._population, operation, features, kind, request, self._draw, besides)
