"""The changes by which an accepted request becomes one that is refused, and how each is refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from paylera_conformance.model.messages import Exchange, Request
from paylera_conformance.model.outcomes import Blocked
from paylera_conformance.model.tokens import Credential, forge_credential
from paylera_conformance.probe import refusals
from paylera_conformance.probe.probe import Probe
from paylera_conformance.probe.refusals import Refusal
from paylera_conformance.scenarios.token_lifecycle import expired_token, revoked_token
from paylera_conformance.target.provisioner import Need
from paylera_fixtures.api.operations import BY_ID, Operation
from paylera_fixtures.vocabulary import Audience

_CREATE: Final = BY_ID["create_customer"]
FORGED: Final = "forged, other environment"
"""The role of a token of the other environment that nobody issued."""


@dataclass(frozen=True)
class Change:
    """One change to an accepted request, and the refusal that it brings about.

    - `words`: the change, as messages name it;
    - `clause`: the clause that asks for the refusal, empty where none does;
    - `apply`: gives the changed request. Raises `Blocked` where what the change takes is not to be had;
    - `require`: looks at the changed request, and raises `Blocked` where its refusal would prove nothing.
    """

    words: str
    clause: str
    refusal: Refusal
    apply: Callable[[Probe, Request], Request]
    require: Callable[[Probe, Request], None] = lambda _probe, _changed: None

    def expect_refused(self, probe: Probe, accepted: Operation | Request, *, hint: str = "") -> Exchange:
        """The clause is that an accepted request, so changed, is refused. Raises `Violation`, or `Blocked`."""
        baseline = probe.baseline(accepted)
        changed = self.apply(probe, baseline.request)
        self.require(probe, changed)
        return baseline.refuses(changed, self.refusal, change=self.words, hint=hint)

    def require_refused(self, probe: Probe, request: Request) -> Exchange:
        """A request is refused, for whatever reason, when it is so changed; gives the refusal. Raises `Blocked`."""
        return probe.require_refused(self.apply(probe, request), see=self.clause, change=self.words)


def by_token(words: str, clause: str, refusal: Refusal, token: Callable[[Probe], Credential], **more: Any) -> Change:
    """The change of a request's token for another."""
    return Change(words, clause, refusal, lambda probe, request: request.by(token(probe)), **more)


def without_scope(scope: str) -> Change:
    """The change of a request's token for one that has every scope but the one given."""
    words = f"a token without {scope}"
    return by_token(words, "scope.required", refusals.SCOPE, lambda probe: probe.tokens.without(scope))


def _token_of_other_environment(probe: Probe) -> Credential:
    """A real one where there is one that may be sent, else a forged one."""
    other = probe.settings.environment.other
    try:
        token = probe.provisioner.token(Need("other environment", environment=other))
    except Blocked:
        return forge_credential(probe.variation.secret(other), FORGED)
    return token if token.may_cross else forge_credential(probe.variation.secret(other), FORGED)


def _require_not_unknown(probe: Probe, changed: Request) -> None:
    """A forged token that is refused as merely unknown has proven nothing about its environment."""
    if changed.token is None or changed.token.secret.role != FORGED:
        return
    exchange = probe.send(changed)
    if refusals.INVALID.accepts(exchange.response):
        raise Blocked(
            "a forged token of the other environment was refused as unknown, which proves nothing: list a real one with"
            " may_cross = true",
            exchange=exchange,
        )


def _under_used_key(probe: Probe, request: Request) -> Request:
    first = probe.factory.request_for(_CREATE).with_key(probe.factory.unique_key())
    probe.accepts(first)
    return request.with_key(first.key)


NO_TOKEN: Final = Change(
    "no Authorization header", "credential.missing", refusals.MISSING, lambda _, request: request.without_token()
)
UNKNOWN_TOKEN: Final = by_token(
    "a token that nobody issued", "token.unknown", refusals.INVALID, lambda probe: probe.tokens.unknown()
)
REVOKED_TOKEN: Final = by_token("a token that was revoked", "token.revoked", refusals.INVALID, revoked_token)
EXPIRED_TOKEN: Final = by_token(
    "a secret that was rotated out more than 24 hours ago", "rotation.grace-ends", refusals.EXPIRED, expired_token
)
OTHER_ENVIRONMENT: Final = by_token(
    "a token of the other environment",
    "token.wrong-environment",
    refusals.WRONG_ENVIRONMENT,
    _token_of_other_environment,
    require=_require_not_unknown,
)
OTHER_SCHEME: Final = Change(
    "the scheme Token",
    "credential.malformed",
    refusals.NO_CREDENTIAL,
    lambda _, request: request.with_credential("Token {}"),
)
WITHOUT_AAL2: Final = by_token(
    "a token whose principal has not asserted AAL2",
    "aal2.required",
    refusals.AAL2,
    lambda probe: probe.provisioner.token(Need("admin without AAL2", audience=Audience.ADMIN)),
)
NOT_ADMIN: Final = by_token(
    "a service token in place of an admin's",
    "audience.admin-api-needs-admin",
    refusals.KEPT_OUT,
    lambda probe: probe.tokens.service,
)
NO_KEY: Final = Change(
    "no Idempotency-Key header",
    "idempotency.required",
    refusals.KEY_REQUIRED,
    lambda _, request: request.with_key(None),
)
USED_KEY: Final = Change(
    "a key that was used for another body", "idempotency.body-mismatch", refusals.BODY_MISMATCH, _under_used_key
)
ABSENT_ID: Final = Change(
    "the id of no object",
    "token.one-tenant",
    refusals.NOT_FOUND,
    lambda probe, request: request.at(BY_ID["get_customer"].concrete(f"cus_{probe.factory.unique_name()}")),
)
UNKNOWN_PATH: Final = Change(
    "a path that is no route",
    "problem.unknown-route",
    refusals.NOT_FOUND,
    lambda probe, request: request.at(f"/v1/{probe.factory.unique_name()}"),
)
UNKNOWN_METHOD: Final = Change(
    "a method that the path does not have",
    "problem.unknown-route",
    refusals.NO_SUCH_ROUTE,
    lambda _, request: Request("PUT", request.path.partition("?")[0], request.token).with_json({}),
)
INVALID_BODY: Final = Change(
    "a number as e-mail address",
    "",
    refusals.MALFORMED_INPUT,
    lambda _, request: request.with_json({**request.json, "email": 4711}),
)
