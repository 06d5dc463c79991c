"""The changes to an accepted call that bring a refusal about, and where each of them says something."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Final

from paylera_conformance.matrix.calls import Call
from paylera_conformance.matrix.features import Features, History
from paylera_conformance.matrix.population import expired_kind
from paylera_conformance.model.messages import Request
from paylera_conformance.model.outcomes import Blocked
from paylera_conformance.model.tokens import Credential, TokenState
from paylera_conformance.probe.probe import Probe
from paylera_conformance.scenarios.credential_forms import (
    ALTERED,
    ALTERED_ROLE,
    ELSEWHERE,
    ENCODED,
    MALFORMED_CREDENTIALS,
    SCHEMES,
    encode_credential,
    place_elsewhere,
    random_part,
    with_query,
    with_random_part,
)
from paylera_conformance.scenarios.token_lifecycle import may_be_counted_with
from paylera_conformance.target.provisioner import all_scopes_but
from paylera_conformance.target.settings import Mode
from paylera_fixtures.api.examples import EXAMPLES
from paylera_fixtures.api.operations import BY_ID, OPERATIONS, Operation
from paylera_fixtures.vocabulary import Audience, Header

_RECENT: Final = 10
"""So many exchanges back an accepted answer is looked for."""

_HALF: Final = 0.5
_NO_KEYS: Final = ("X-Idempotency-Key", "Idempotency-Token", "X-Request-Id", "Request-Id", "X-Correlation-Id")
_LIKELY: Final = ("no-scheme", "basic", "token-scheme", "basic-pair")
_WEIGHT: Final = 5
"""The forms that servers take by their own design rather than by a slip are drawn so much more often."""

_LISTS_BESIDE: Final = {
    operation.id: f"list_{operation.resource}s"
    for operation in OPERATIONS
    if not operation.is_list and f"list_{operation.resource}s" in BY_ID
}
"""What else may be done with the objects of an operation."""

_QUERIES: Final = [place for place in ELSEWHERE.values() if place[0]]
_HEADERS: Final = [place for place in ELSEWHERE.values() if place[1]]
_NOTHING: Final = "none"
"""What stands in the place of a token that a form has elsewhere."""

_REFERENCES: Final = frozenset({"customer_id", "plan_code", "product_code"})

_PARTS: Final = ("cut-by-one", "cut-in-half")
_ALTERATIONS: Final = tuple(name for name in ALTERED if name not in {*_PARTS, "prefix-alone"})
"""A prefix that stands alone is no secret: to keep it out of the evidence would hide every other token's."""


def without_token(call: Call) -> Request:
    """Without a token, and half of the time with what an accepted answer told its client to come back with."""
    request = call.request.without_token()
    accepted = next((each.response for each in reversed(call.probe.log[-_RECENT:]) if each.response.ok), None)
    if accepted is None or call.draw.random() < _HALF:
        return request
    cookies = [cookie.partition(";")[0] for cookie in accepted.all("Set-Cookie")]
    if cookies:
        request = request.with_header("Cookie", "; ".join(cookies))
    etag = accepted.header("ETag")
    return request.with_header("If-None-Match", etag) if etag and call.operation.is_read else request


def malformed(call: Call) -> Request:
    """With a valid token in a header that is not `Bearer <token>`, or written in other characters."""
    form = call.draw.choice([*MALFORMED_CREDENTIALS, *ENCODED, *_LIKELY * _WEIGHT])
    if form in MALFORMED_CREDENTIALS:
        return call.request.with_credential(MALFORMED_CREDENTIALS[form])
    return encode_credential(call.request, ENCODED[form], call.draw.choice(SCHEMES))


def in_query(call: Call) -> Request:
    """With the token in a query, under every name that some client gives it."""
    return _with_token_in(call, _QUERIES)


def in_header(call: Call) -> Request:
    """With the token in every header that some client puts it into."""
    return _with_token_in(call, _HEADERS)


def _with_token_in(call: Call, places: Sequence[tuple[str, str]]) -> Request:
    request = call.request
    for query, header in places:
        request = place_elsewhere(request.by(token_of(call)), query, header)
    return request


def beside_query(call: Call) -> Request:
    """With the token where it belongs, and a query under the same names without any."""
    request = call.request
    for query, _ in _QUERIES:
        request = with_query(request, query.replace("{}", _NOTHING))
    return request


def beside_header(call: Call) -> Request:
    """With the token where it belongs, and the other headers without any."""
    request = call.request
    for _, header in _HEADERS:
        name, _, value = header.replace("{}", _NOTHING).partition(": ")
        request = request.with_header(name, value)
    return request


def altered(call: Call) -> Request:
    """By a token with another random part."""
    token = token_of(call)
    alter = ALTERED[call.draw.choice(_ALTERATIONS)]
    return call.request.by(with_random_part(token, alter(random_part(token))))


def in_part(call: Call) -> Request:
    """By a part of a token: cut short, without its prefix; or by its id."""
    token = token_of(call)
    part = call.draw.choice([*_PARTS, "random part", *["id"] * bool(token.id)])
    if part == "id":
        return call.request.with_credential(f"Bearer {token.id}")
    if part == "random part":
        return call.request.by(token.with_secret(random_part(token), ALTERED_ROLE))
    return call.request.by(with_random_part(token, ALTERED[part](random_part(token))))


def token_of(call: Call) -> Credential:
    """The token of an accepted call."""
    assert call.request.token is not None  # noqa: S101 - it is by a token that it is accepted
    return call.request.token


def revoked(call: Call) -> Request:
    """By a token that was revoked."""
    return call.by(state=TokenState.REVOKED)


def expired(call: Call) -> Request:
    """By a secret whose grace has ended."""
    return call.request.by(call.population.get(expired_kind(call.kind)))


def of_other_environment(call: Call) -> Request:
    """By a real token where there is one that may be sent, whatever has become of it, else by a forged one."""
    live = not call.kind.live
    for history in (call.kind.history, History.FRESH):
        with suppress(Blocked):
            other = call.by(live=live, history=history, created=False)
            if other.token and other.token.may_cross:
                return other
    return call.request.by(call.population.forged(live=live))


def replace_header(request: Request, name: str, value: str) -> Request:
    """The request with one header, in place of the one of that name that it may have."""
    return request.without_header(name).with_header(name, value)


def _scope_of(probe: Probe, operation: Operation) -> str | None:
    return probe.document().scope_of(operation, probe.settings.profile)


def needs_scope(probe: Probe, operation: Operation, features: Features) -> bool:
    """Whether an operation needs a scope of its token."""
    # The guide does not say what a scope of an end-user's token is good for.
    return _scope_of(probe, operation) is not None and features.audience is not Audience.CUSTOMER


def without_needed_scope(call: Call) -> Request:
    """By a token with every scope but the needed one."""
    scope = str(_scope_of(call.probe, call.operation))
    changed = call.by(scopes=all_scopes_but(scope, call.probe.settings.profile))
    if call.operation.id not in _LISTS_BESIDE:
        return changed
    # Whoever keeps what a token may do with a kind of object has seen this one do something else with it.
    listing = BY_ID[_LISTS_BESIDE[call.operation.id]]
    if changed.token and not call.kind.live and _scope_of(call.probe, listing) != scope:
        call.probe.send(Request("GET", listing.path, changed.token))
    return changed


def needs_key(probe: Probe, operation: Operation, _features: Features) -> bool:
    """Whether a POST needs an idempotency key, under the readings of the run."""
    return operation.key_when_creating or probe.settings.readings["key_required_on"] == "every-post"


def without_key(call: Call) -> Request:
    """Without a key."""
    return call.request.with_key(None)


def key_elsewhere(call: Call) -> Request:
    """With a key in other headers, where some clients send one."""
    return key_everywhere(call).with_key(None)


def key_everywhere(call: Call) -> Request:
    """With a key in its own header, and in others."""
    request = call.request
    for name in _NO_KEYS:
        request = replace_header(request, name, call.probe.factory.unique_key())
    return request


def is_write(operation: Operation) -> bool:
    """Whether an operation changes something."""
    return not operation.is_read


def is_admin(operation: Operation) -> bool:
    """Whether an operation is part of the Admin API."""
    return operation.is_admin


def by_audience(audience: Audience) -> Callable[[Call], Request]:
    """By a token of an audience, without second factor."""

    def change(call: Call) -> Request:
        request = call.by(audience=audience, aal=1)
        # Whether an end-user may name an actor is another question.
        return request.without_header(Header.ACTING_AS) if audience is Audience.CUSTOMER else request

    return change


def absent_actor(call: Call) -> Request:
    """On behalf of an actor that is in no registry, or of what is no actor."""
    known = call.population.actors.known
    ids = [call.population.customer, token_of(call).id, known[:-1], f"{known}0"]
    others = [*(each for each in ids if each and not may_be_counted_with(each, known)), call.population.actors.address]
    actor = call.draw.choice([*[call.population.actors.absent] * 2, *filter(None, others)])
    return replace_header(call.request, Header.ACTING_AS, actor)


def foreign_actor(call: Call) -> Request:
    """On behalf of an actor of another tenant's registry."""
    return replace_header(call.request, Header.ACTING_AS, call.population.actors.foreign)


def refers_to_others(operation: Operation) -> bool:
    """Whether a body names an object that may be another tenant's."""
    return not _REFERENCES.isdisjoint(EXAMPLES.get(operation.id, {}))


def with_foreign_reference(call: Call) -> Request:
    """With an object of another tenant in the body: a customer, or a product or a plan by its code."""
    members = sorted(_REFERENCES & EXAMPLES[call.operation.id].keys())
    member = call.draw.choice(members)
    return call.request.with_json(
        {**call.request.json, member: call.population.foreign_reference(call.operation, member)}
    )


def by_service(probe: Probe, _operation: Operation, features: Features) -> bool:
    """Whether what is acted on is certain to be no end-user's own."""
    # What is found in a list, rather than made, may be the customer's own.
    is_made = probe.settings.driver == "control" and probe.settings.mode is not Mode.OBSERVE
    return is_made and features.audience is not Audience.CUSTOMER and not features.own


def in_other_tenant(_probe: Probe, _operation: Operation, features: Features) -> bool:
    """Whether another tenant's token may be told that there is no such object."""
    # An actor of this tenant is none of the other's, and what is not a customer's own need not be told from nothing.
    return not features.actor and features.audience is not Audience.CUSTOMER
