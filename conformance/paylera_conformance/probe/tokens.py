"""The credentials of one case: good tokens, and tokens that lack one thing."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

from paylera_conformance.model.outcomes import Blocked
from paylera_conformance.model.tokens import Credential, forge_credential
from paylera_conformance.probe.variation import Variation
from paylera_conformance.target.openapi import Document
from paylera_conformance.target.provisioner import OTHER, Need, Provisioner, all_scopes_but
from paylera_conformance.target.settings import Settings
from paylera_fixtures.api.operations import Operation, parse_operation
from paylera_fixtures.vocabulary import WILDCARD, Audience, Profile


class Tokens:
    """Credentials for one case. Each is asked of the provisioner once; `Blocked` is raised where it has none."""

    def __init__(
        self, provisioner: Provisioner, settings: Settings, document: Callable[[], Document], variation: Variation
    ) -> None:
        self._provisioner = provisioner
        self._settings = settings
        self._document = document
        self._variation = variation

    @cached_property
    def service(self) -> Credential:
        """A service token that may do all that a service token may."""
        return self._with_every_scope(Audience.SERVICE, aal=1)

    @cached_property
    def admin(self) -> Credential:
        """An admin token that may do everything, with second factor where there is one."""
        try:
            return self.admin_aal2
        except Blocked:
            return self._with_every_scope(Audience.ADMIN, aal=1)

    @cached_property
    def admin_aal2(self) -> Credential:
        """An admin token with second factor."""
        return self._with_every_scope(Audience.ADMIN, aal=2)

    def _with_every_scope(self, audience: Audience, *, aal: int) -> Credential:
        need = Need(f"{audience} aal{aal}", audience=audience, scopes=(WILDCARD,), aal=aal, at_least=True)
        return self._provisioner.token(need)

    @cached_property
    def customer(self) -> Credential:
        """A token of an end-user, with every scope, so that the audience alone decides what it opens."""
        return self._provisioner.token(Need("customer", audience=Audience.CUSTOMER, scopes=(WILDCARD,), at_least=True))

    @cached_property
    def other_tenant(self) -> Credential:
        """A token of another tenant that may do everything there."""
        return self._provisioner.token(Need("other tenant", tenant=OTHER, at_least=True))

    def without(self, scope: str) -> Credential:
        """A service token with every scope but one, and without the wildcard."""
        return self._provisioner.token(Need(f"lacks {scope}", scopes=all_scopes_but(scope, self._settings.profile)))

    def unknown(self, role: str = "unknown") -> Credential:
        """A credential of the right form and environment that nobody issued."""
        return forge_credential(self._variation.secret(self._settings.environment), role)

    def for_operation(self, operation: Operation) -> Credential:
        """A token that an operation is expected to accept."""
        if self.needs_aal2(operation):
            return self.admin_aal2
        return self.admin if operation.is_admin else self.service

    def needs_aal2(self, operation: Operation) -> bool:
        """Whether an operation needs AAL2, as the file, the target's own document or the reference profile says."""
        declared = self._settings.operations.get("aal2", ())
        if str(operation) in declared or any(parse_operation(text) is operation for text in declared):
            return True
        if self._settings.profile is Profile.REFERENCE and operation.aal2:
            return True
        return self._document().declares_aal2(operation)
