"""The other environment of the target, where a control API mints tokens for it: what is made there, and its lists."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from paylera_conformance.model.messages import FRESH_KEY, Request
from paylera_conformance.model.outcomes import Blocked, NotOffered
from paylera_conformance.model.tokens import Credential
from paylera_conformance.probe.answers import require_id, shows_object
from paylera_conformance.probe.probe import Probe
from paylera_conformance.target.provisioner import Need
from paylera_fixtures.api.examples import example
from paylera_fixtures.api.operations import BY_ID, Operation, Resource
from paylera_fixtures.vocabulary import Audience


@dataclass(frozen=True)
class OtherEnvironment:
    """The other environment, in a place that nobody else uses."""

    probe: Probe

    @classmethod
    def of(cls, probe: Probe) -> OtherEnvironment:
        """The other environment of a target. Raises `NotOffered` where it is not known, or somebody's."""
        probe.require_other_url()
        if probe.settings.driver != "control" or not probe.provisioner.vanishes:
            raise NotOffered("the other environment is written to where a control API hands out namespaces")
        return cls(probe)

    def token(self, audience: Audience = Audience.SERVICE, **members: Any) -> Credential:
        """A token of that environment that may do all that its audience may. `members`: further ones of its `Need`."""
        environment, aal = self.probe.settings.environment.other, 2 if audience is Audience.ADMIN else 1
        need = Need(f"{environment} {audience}", audience, aal=aal, environment=environment, at_least=True, **members)
        return self.probe.register_secret(self.probe.provisioner.token(need))

    def request(self, operation: Operation, token: Credential, **members: str) -> Request:
        """A request for a list, or one that makes something. `members`: further ones of its body."""
        request = Request(operation.method, operation.path, token, live=True)
        if operation.is_read:
            return request
        body = example(operation.id, suffix=f"-{self.probe.factory.unique_name()}") | members
        return request.with_json(self.probe.factory.fit_body(operation, body)).with_key(FRESH_KEY)

    def create(self, kind: Resource, token: Credential, **members: str) -> str:
        """The id of what is made there. Raises `Blocked` where it is refused."""
        creation = self.request(BY_ID[f"create_{kind}"], token, **members)
        return require_id(self.probe.require_accepted(creation), kind)

    def create_for(self, customer: str, kind: Resource, token: Credential) -> str:
        """The id of what a customer has there: the customer's own where it is that kind."""
        return customer if kind is Resource.CUSTOMER else self.create(kind, token, customer_id=customer)

    def expect_not_listed(self, identifier: str, kind: Resource, *, owner: Credential, stranger: Credential) -> None:
        """The clause is that a list which shows an object to one token does not show it to another.

        Raises `Violation`, or `Blocked` where it shows it to nobody.
        """
        operation = BY_ID[f"list_{kind}s"]
        shown, hidden = (self.probe.require_accepted(self.request(operation, token)) for token in (owner, stranger))
        if not shows_object(shown.response.json, kind, identifier):
            raise Blocked(f"{operation} of the other environment does not show what was made there", exchange=shown)
        self.probe.expect(
            hidden,
            "nothing that is somebody else's",
            holds=not shows_object(hidden.response.json, kind, identifier),
            got=identifier,
            change=f"the list of the other environment is read by {stranger}",
            hint="what is so of a list in one environment is so in the other",
        )
