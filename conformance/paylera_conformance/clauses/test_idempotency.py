"""The same request twice: what the second is answered, and that it does nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from paylera_conformance.model.messages import FRESH_KEY, Exchange, Request
from paylera_conformance.model.outcomes import Blocked, NotOffered
from paylera_conformance.model.tokens import Credential, forged
from paylera_conformance.probe import refusals
from paylera_conformance.probe.baselines import NO_TOKEN
from paylera_conformance.probe.marks import covers, each_operation
from paylera_conformance.probe.probe import Probe
from paylera_conformance.probe.refusals import describe, refusal_like
from paylera_conformance.scenarios.idempotency import (
    CREATE,
    LIST,
    blocked_unless_one,
    first_use,
    made_once,
    moves_nothing,
    must_show,
    new_customer,
    race,
    remembered_if_any,
    remembered_use,
    replays,
    same_answer,
    same_headers,
    state_of,
    won_by_one,
)
from paylera_conformance.scenarios.token_lifecycle import revoked
from paylera_conformance.target.provisioner import Need, all_scopes_but
from paylera_conformance.target.settings import Mode
from paylera_fixtures.api.operations import BY_ID, Operation, Resource
from paylera_fixtures.tokens import new_secret

AGAIN = "the same request again, under the same key"
OTHER_BODY = "another body, under a key that was used"

REPLAYED = {
    "create_customer",
    "create_invoice",
    "pay_invoice",
    "refund_payment",
    "credit_wallet",
    "create_webhook_endpoint",
    "create_api_token",  # these two issue a secret, which a replay may hide
}


@covers("idempotency.replay", each_operation=True)
@each_operation(lambda operation: operation.id in REPLAYED)
def test_a_replay_is_the_original_answer(probe: Probe, operation: Operation) -> None:
    """A client that never saw the first answer gets it now, and need not know that it is the second."""
    request = probe.factory.request_for(operation).keyed(probe.factory.unique_name())
    first = probe.require_proven(request)
    again = probe.send(request)
    same_answer(probe, first, again)
    same_headers(probe, first, again)


@covers("idempotency.replay", mode=Mode.SANDBOX, each_operation=True)
def test_a_replay_is_the_answer_of_then(probe: Probe) -> None:
    """What has changed since does not show in a replay: it is what was sent, not what there is."""
    use = first_use(probe)
    change = probe.factory.request_for(BY_ID["update_customer"]).at(f"/v1/customers/{use.made}")
    probe.require_accepted(change.with_json({"name": "Renamed Since"}))
    same_answer(probe, use.exchange, probe.send(use.request))


@covers("idempotency.replay-has-no-effect", mode=Mode.SANDBOX)
def test_a_replay_makes_nothing(probe: Probe) -> None:
    """However often it is sent, one request makes one customer."""
    use = first_use(probe)
    blocked_unless_one(probe, use.request.json["email"])
    for _ in range(2):
        probe.send(use.request)
    made_once(probe, use.request.json["email"], change=AGAIN, hint="look the key up before the effect")


each_movement = each_operation(lambda operation: operation.id in {"refund_payment", "credit_wallet"})


@covers("idempotency.replay-has-no-effect", each_operation=True)
@each_movement
def test_a_replay_moves_no_money(probe: Probe, operation: Operation) -> None:
    """However often it is sent, one request moves money once."""
    request = probe.factory.request_for(operation).keyed(probe.factory.unique_name())
    before = state_of(probe, request)
    probe.require_proven(request)
    must_show(probe, before, request)
    moved_once = state_of(probe, request)
    again = probe.send(request)
    probe.expect(
        "the money moved once",
        holds=state_of(probe, request) == moved_once,
        got="moved once more",
        exchange=again,
        change=AGAIN,
        hint="look the key up before the effect",
    )


def _without_scope(probe: Probe) -> Credential:
    scopes = all_scopes_but("customers:write", probe.settings.profile)
    return probe.provisioner.token(Need("lacks customers:write", scopes=scopes))


def _stranger(probe: Probe) -> Credential:
    return forged(new_secret(probe.settings.environment), "unknown")


UNAUTHORISED: dict[str, tuple[Callable[[Probe], Credential | None], str, str]] = {
    "no-token": (lambda _: None, NO_TOKEN, "credential.missing"),
    "unknown": (_stranger, "a token that nobody issued", "token.unknown"),
    "without-scope": (_without_scope, "a token without customers:write", "scope.required"),
    "revoked": (revoked, "a token that was revoked", "token.revoked"),
}
"""Who is refused a new request, why, and by which clause."""


@covers("idempotency.replay-is-authorised", mode=Mode.SANDBOX)
@pytest.mark.parametrize(("credential", "change", "see"), UNAUTHORISED.values(), ids=UNAUTHORISED.keys())
def test_a_replay_is_refused_to_whom_the_request_is(
    probe: Probe, credential: Callable[[Probe], Credential | None], change: str, see: str
) -> None:
    """A key is no credential: who knows or guesses one must not be shown what was answered to it."""
    token = credential(probe)
    use = first_use(probe)
    likewise = refusal_like(probe.require_refused(_by(new_customer(probe), token), change=change, see=see))
    probe.baseline(use.request).refuses(
        _by(use.request, token),
        likewise,
        change=f"{change}, under a key that was used",
        hint="look the key up after the credential was checked",
    )


def _by(request: Request, token: Credential | None) -> Request:
    return request.without_token() if token is None else request.by(token)


@dataclass(frozen=True)
class Mishap:
    """A request that is refused for the state of things, and what mends that."""

    request: Request
    cure: Request


def _post(probe: Probe, path: str, body: dict[str, str]) -> Request:
    return Request("POST", path, probe.tokens.service, key=FRESH_KEY, consumes=True).with_json(body)


def _unfinished(probe: Probe) -> Mishap:
    """An invoice is paid while it is a draft; then it is finalised."""
    draft = f"/v1/invoices/{probe.factory.create(Resource.INVOICE)}"
    pay = probe.factory.body_for(BY_ID["pay_invoice"])
    return Mishap(_post(probe, f"{draft}/pay", pay), _post(probe, f"{draft}/finalize", {}))


def _penniless(probe: Probe) -> Mishap:
    """An invoice is paid from a wallet that is empty; then it is filled."""
    shop = probe.factory.for_customer(probe.factory.customer)
    wallet = f"/v1/wallets/{shop.create(Resource.WALLET)}"
    invoice = f"/v1/invoices/{shop.create(Resource.INVOICE)}"
    probe.require_accepted(_post(probe, f"{invoice}/finalize", {}))
    plenty = {**shop.body_for(BY_ID["credit_wallet"]), "amount": "1000.00"}
    return Mishap(_post(probe, f"{invoice}/pay", {"source": "wallet"}), _post(probe, f"{wallet}/credits", plenty))


MISHAPS = {"unfinished-invoice": _unfinished, "empty-wallet": _penniless}


@covers("idempotency.replay-error", mode=Mode.SANDBOX, each_operation=True)
@pytest.mark.parametrize("mishap", MISHAPS.values(), ids=MISHAPS.keys())
def test_an_error_is_replayed_even_when_its_cause_is_gone(probe: Probe, mishap: Callable[[Probe], Mishap]) -> None:
    """A client learns one outcome for one key, whichever of its attempts got through."""
    remembered_use(probe)
    staged = mishap(probe)
    request = staged.request.keyed(probe.factory.unique_name())
    error = _fails(probe, request)
    probe.require_accepted(staged.cure)
    again = probe.send(request)
    _is_cured(probe, request, again)
    same_answer(probe, error, again)


def _fails(probe: Probe, request: Request) -> Exchange:
    """An error of the application. Drops the case where there is none to be had this way."""
    exchange = probe.send(request)
    if not exchange.response.refused:
        raise NotOffered(
            f"the target answered {describe(exchange.response)} to {request}, which is no error", exchange=exchange
        )
    return exchange


def _is_cured(probe: Probe, request: Request, again: Exchange) -> None:
    """That the cause of an error is gone: under another key the request is accepted, or was under the same."""
    if again.response.ok:
        return
    try:
        probe.require_proven(request.keyed(FRESH_KEY))
    except Blocked as still:
        raise NotOffered(f"the cause of the error did not go away: {still.reason}", exchange=still.exchange) from None


ALTERED: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "one-character": lambda body: {**body, "name": "Ada Lovelacf"},
    "case": lambda body: {**body, "name": "ada lovelace"},
    "member-more": lambda body: {**body, "metadata": {**body["metadata"], "note": "4712"}},
    "member-less": lambda body: {name: value for name, value in body.items() if name != "metadata"},
    "deep-inside": lambda body: {**body, "metadata": {"crm_id": "4712"}},
}
"""Bodies that ask for something else than the example does, if only a little."""


@covers("idempotency.body-mismatch", mode=Mode.SANDBOX)
@pytest.mark.parametrize("alter", ALTERED.values(), ids=ALTERED.keys())
def test_another_body_under_a_used_key_is_refused(
    probe: Probe, alter: Callable[[dict[str, Any]], dict[str, Any]]
) -> None:
    """Whoever sends it made a mistake, and must not be told that it was done."""
    use = first_use(probe)
    other = new_customer(probe)
    probe.baseline(other.with_json(alter(other.json))).refuses(
        use.request.with_json(alter(use.request.json)),
        refusals.BODY_MISMATCH,
        change=OTHER_BODY,
        hint="keep a digest of the whole body with the key, and compare it before anything is replayed",
    )


@covers("idempotency.body-mismatch", mode=Mode.SANDBOX)
def test_a_mismatch_makes_nothing(probe: Probe) -> None:
    """The second body is nowhere to be found."""
    use = first_use(probe)
    made, refused = (new_customer(probe) for _ in range(2))
    probe.baseline(made).refuses(refused.keyed(use.request.key), refusals.BODY_MISMATCH, change=OTHER_BODY)
    probe.require_listed(LIST, made.json["email"])
    probe.expect_not_listed(LIST, refused.json["email"], change=OTHER_BODY)


@covers("idempotency.body-mismatch", each_operation=True)
@each_movement
def test_a_mismatch_moves_no_money(probe: Probe, operation: Operation) -> None:
    """The second amount does not move."""
    request = probe.factory.request_for(operation).keyed(probe.factory.unique_name())
    probe.require_proven(request)
    other = request.with_json({**request.json, "amount": "0.50"})
    moves_nothing(probe, other, control=other.keyed(FRESH_KEY), as_=refusals.BODY_MISMATCH, change=OTHER_BODY)


@covers("idempotency.body-mismatch", mode=Mode.SANDBOX)
def test_a_mismatch_leaves_the_first_answer_in_place(probe: Probe) -> None:
    """A mistake under a key does not cost the client the answer that the key was given for."""
    use = remembered_if_any(probe)
    probe.send(new_customer(probe, str(use.request.key)))
    replays(
        probe,
        use,
        use.request,
        change="the first body again, after another under its key was refused",
        hint="a mismatch neither replaces nor drops what the key was answered first",
    )


@covers("idempotency.concurrent", mode=Mode.SANDBOX)
@pytest.mark.parametrize("racers", [2, 8, 32])
def test_of_parallel_requests_one_acts(probe: Probe, racers: int) -> None:
    """A client that times out and tries again may overtake itself."""
    change = f"{racers} requests with one key at the same moment"
    probe.require_proven(probe.factory.request_for(CREATE))
    request = new_customer(probe, probe.factory.unique_name())
    made = won_by_one(probe, race(probe, request, racers), change)
    made_once(probe, request.json["email"], change=change)
    again = probe.send(request)
    probe.expect(
        "the original in a replay afterwards",
        holds=again.response.ok and made in again.response.body.decode(),
        got=describe(again.response),
        change=change,
    )
