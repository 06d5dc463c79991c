"""The same request twice: what the second is answered, and that it does nothing (Idempotency page, replay)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any
from urllib.parse import quote

import pytest

from paylera_conformance.model.messages import FRESH_KEY, Exchange, Request
from paylera_conformance.model.outcomes import Blocked, NotOffered
from paylera_conformance.probe import refusals
from paylera_conformance.probe.answers import require_id
from paylera_conformance.probe.marks import covers, each_operation
from paylera_conformance.probe.probe import Probe
from paylera_conformance.probe.refusals import Refusal, describe, refusal_like
from paylera_conformance.scenarios import changes, effects
from paylera_conformance.scenarios.changes import Change
from paylera_conformance.scenarios.further_cases import draw_some, drop_where_blocked
from paylera_conformance.scenarios.idempotency import (
    CREATE,
    customer_in,
    draw_movement,
    expect_one_acts,
    expect_one_moves,
    expect_replayed,
    new_customer,
    use_key,
    use_remembered_key,
    use_remembered_key_if_any,
)
from paylera_conformance.scenarios.replays import REPEATED, expect_same_answer, expect_same_headers
from paylera_conformance.scenarios.versions import older_version
from paylera_conformance.scenarios.workers import send_at_once
from paylera_conformance.target.settings import Mode
from paylera_fixtures.api.operations import BY_ID, Operation, Resource
from paylera_fixtures.api.shapes import METADATA_MAX_KEYS, METADATA_MAX_LENGTH

OTHER_BODY = "another body, under a key that was used"
WHOLE_BODY = "keep a digest of the whole body with the key, and compare it before anything is replayed"
LOOK_UP_FIRST = "look the key up before the effect"
UPDATE = BY_ID["update_customer"]

REPLAYED = {"create_customer", "create_invoice", "pay_invoice", "refund_payment", "credit_wallet"}
REPLAYED |= {"create_webhook_endpoint", "create_api_token"}  # these two issue a secret, which a replay may hide


@covers("idempotency.replay", each_operation=True)
@each_operation(lambda operation: operation.id in REPLAYED)
def test_a_replay_is_the_original_answer(probe: Probe, operation: Operation) -> None:
    """A client that never saw the first answer gets it now, and need not know that it is the second."""
    request = probe.factory.request_for(operation).with_key(probe.factory.unique_key())
    first = probe.require_proven(request)
    again = probe.send(request)
    expect_same_answer(probe, first, again)
    expect_same_headers(probe, first, again)


@covers("idempotency.replay", mode=Mode.SANDBOX, each_operation=True)
def test_a_replay_by_an_older_version_is_the_original_answer(probe: Probe) -> None:
    """That its version will end is said in headers, which belong to the answer as its media type does."""
    with drop_where_blocked():
        request = new_customer(probe, probe.factory.unique_key()).with_version(older_version(probe))
        first = probe.require_proven(request)
    again = probe.send(request)
    expect_same_answer(probe, first, again)
    expect_same_headers(probe, first, again)


METADATA = {f"note_{number}": "x" * METADATA_MAX_LENGTH for number in range(METADATA_MAX_KEYS)}
"""As much as the pages let a customer have: 25 kB of it."""


def large_customer(probe: Probe) -> Request:
    """A request that creates a customer with as much metadata as there may be, which ends its body."""
    request = new_customer(probe, probe.factory.unique_key())
    return request.with_json({**request.json, "metadata": METADATA})


@covers("idempotency.replay", mode=Mode.SANDBOX, each_operation=True)
def test_a_large_answer_is_replayed_too(probe: Probe) -> None:
    """However much there is to be kept of it."""
    large = large_customer(probe)
    with drop_where_blocked():  # what a target takes besides the guide is its own affair
        first = probe.require_proven(large)
    expect_same_answer(probe, first, probe.send(large))


@covers("idempotency.replay", mode=Mode.SANDBOX, each_operation=True)
def test_a_replay_is_the_answer_of_then(probe: Probe) -> None:
    """What has changed since does not show in a replay: it is what was sent, not what there is."""
    use = use_key(probe)
    update = probe.factory.request_for(UPDATE).at(UPDATE.concrete(quote(use.customer, safe="")))
    probe.require_accepted(update.with_json({"name": "Renamed Since"}))
    expect_same_answer(probe, use.exchange, probe.send(use.request))


@covers("idempotency.replay-has-no-effect", mode=Mode.SANDBOX)
def test_a_replay_makes_nothing(probe: Probe) -> None:
    """However often it is sent, one request makes one customer."""
    use = use_key(probe)
    effects.require_created_once(probe, use.request)
    for _ in range(2):
        probe.send(use.request)
    effects.expect_created_once(probe, use.request, change=REPEATED, hint=LOOK_UP_FIRST)


each_movement = each_operation(lambda operation: operation.id in {"refund_payment", "credit_wallet"})


@covers("idempotency.replay-has-no-effect", each_operation=True)
@each_movement
def test_a_replay_moves_no_money(probe: Probe, operation: Operation) -> None:
    """However often it is sent, one request moves money once."""
    request = probe.factory.request_for(operation).with_key(probe.factory.unique_key())
    before = effects.read_state(probe, request)
    probe.require_proven(request)
    effects.require_visible_effect(probe, before, request)
    moved_once = effects.read_state(probe, request)
    probe.send(request)
    moved = effects.read_state(probe, request)
    probe.expect(
        probe.log[-1],
        "the money moved once",
        holds=moved == moved_once,
        got="moved once more",
        change=REPEATED,
        hint=LOOK_UP_FIRST,
    )


UNAUTHORISED = {
    "no-token": changes.NO_TOKEN,
    "unknown": changes.UNKNOWN_TOKEN,
    "without-scope": changes.without_scope("customers:write"),
    "revoked": changes.REVOKED_TOKEN,
}
"""Who is refused a new request."""


@covers("idempotency.replay-is-authorised", mode=Mode.SANDBOX)
@pytest.mark.parametrize("change", UNAUTHORISED.values(), ids=UNAUTHORISED)
def test_a_replay_is_refused_to_whom_the_request_is(probe: Probe, change: Change) -> None:
    """A key is no credential: who knows or guesses one must not be shown what was answered to it."""
    creation = change.apply(probe, new_customer(probe))
    use = use_key(probe)
    refused = probe.require_refused(creation, see=change.clause, change=change.words)
    probe.baseline(use.request).refuses(
        replace(use.request, token=creation.token),
        refusal_like(refused),
        change=f"{change.words}, under a key that was used",
        hint="look the key up after the credential was checked",
    )


def refused_before_the_body(probe: Probe) -> list[tuple[Change, Request, Refusal]]:
    """Who is refused a request whose body is wrong too, and how: a target may look at the body first.

    Each with a request of theirs. Raises `NotOffered` where there is none.
    """
    found = []
    for change in UNAUTHORISED.values():
        try:
            creation = change.apply(probe, new_customer(probe))
        except Blocked:
            if change is not changes.REVOKED_TOKEN:
                raise
            continue  # the case of it alone says what it takes
        likewise = refusal_like(probe.require_refused(creation, see=change.clause, change=change.words))
        if likewise.accepts(probe.send(changes.INVALID_BODY.apply(probe, creation)).response):
            found.append((change, creation, likewise))
    if not found:
        raise NotOffered("the target looks at the body before it looks at who asks")
    return found


@covers("idempotency.replay-is-authorised", mode=Mode.SANDBOX)
def test_a_kept_error_is_refused_to_whom_the_request_is(probe: Probe) -> None:
    """What was wrong with somebody's request is nobody else's business either."""
    request = changes.INVALID_BODY.apply(probe, new_customer(probe, probe.factory.unique_key()))
    error = probe.require_refused(request, see="idempotency.replay-error")
    for change, creation, likewise in refused_before_the_body(probe):
        answer = probe.send(replace(request, token=creation.token))
        words = f"{change.words}, under a key that was answered {describe(error.response)}"
        likewise.check(answer, change=words, hint="look the key up after the credential was checked")
    # They are refused for who they are: whoever may send it is told what is wrong with it.
    probe.require_refused(request, refusal_like(error), see="idempotency.replay-error")
    probe.proofs += 1


def post(probe: Probe, path: str, body: dict[str, Any]) -> Request:
    """A request that acts on an object."""
    return Request("POST", path, probe.tokens.service, key=FRESH_KEY, consumes=True).with_json(body)


def pay_draft(probe: Probe) -> tuple[Request, Request]:
    """An invoice is paid while it is a draft; then it is finalised."""
    draft = f"/v1/invoices/{quote(probe.factory.create(Resource.INVOICE), safe='')}"
    body = probe.factory.body_for(BY_ID["pay_invoice"])
    return post(probe, f"{draft}/pay", body), post(probe, f"{draft}/finalize", {})


def pay_from_empty_wallet(probe: Probe) -> tuple[Request, Request]:
    """An invoice is paid from a wallet that is empty; then it is filled."""
    factory = probe.factory.for_customer(probe.factory.customer)
    wallet = f"/v1/wallets/{quote(factory.create(Resource.WALLET), safe='')}"
    invoice = f"/v1/invoices/{quote(factory.create(Resource.INVOICE), safe='')}"
    probe.require_accepted(post(probe, f"{invoice}/finalize", {}))
    credit = BY_ID["credit_wallet"]
    plenty = factory.fit_body(credit, {**factory.body_for(credit), "amount": "1000.00"})
    return post(probe, f"{invoice}/pay", {"source": "wallet"}), post(probe, f"{wallet}/credits", plenty)


def create_again(probe: Probe, operation_id: str) -> Request:
    """A request that creates what was created before, with all that two may not have in common."""
    request = probe.factory.request_for(BY_ID[operation_id])
    probe.require_accepted(request)
    return request


def take_a_code(probe: Probe) -> tuple[Request, None]:
    """A product has the code of another. No operation ends a product."""
    return create_again(probe, "create_product"), None


def take_an_address(probe: Probe) -> tuple[Request, Request]:
    """A customer has the address of another; then that one is deleted."""
    request = create_again(probe, "create_customer")
    removal = BY_ID["delete_customer"].concrete(quote(require_id(probe.log[-1], Resource.CUSTOMER), safe=""))
    return request, Request("DELETE", removal, probe.tokens.service)


MISHAPS: dict[str, Callable[[Probe], tuple[Request, Request | None]]] = {
    "unfinished-invoice": pay_draft,
    "empty-wallet": pay_from_empty_wallet,
    "taken-code": take_a_code,
    "taken-address": take_an_address,
}
"""A request that is refused for the state of things, and one that mends that, if any does."""


@covers("idempotency.replay-error", mode=Mode.SANDBOX, each_operation=True)
@pytest.mark.parametrize("stage", MISHAPS.values(), ids=MISHAPS)
def test_an_error_is_replayed_even_when_its_cause_is_gone(
    probe: Probe, stage: Callable[[Probe], tuple[Request, Request | None]]
) -> None:
    """A client learns one outcome for one key, whichever of its attempts got through."""
    use_remembered_key(probe)
    failing, remedy = stage(probe)
    request = failing.with_key(probe.factory.unique_key())
    error = require_error(probe, request)
    again = send_after(probe, remedy, request)
    expect_same_answer(probe, error, again)
    expect_same_headers(probe, error, again)


def require_error(probe: Probe, request: Request) -> Exchange:
    """An error of the application. Drops the case where there is none to be had this way."""
    exchange = probe.send(request)
    if not exchange.response.refused:
        raise NotOffered(
            f"the target answered {describe(exchange.response)} to {request}, which is no error", exchange=exchange
        )
    return exchange


def send_after(probe: Probe, remedy: Request | None, request: Request) -> Exchange:
    """What a request is answered when the cause of its error is gone, where anything mends that."""
    if remedy is None:
        return probe.send(request)
    probe.require_accepted(remedy)
    again = probe.send(request)
    require_remedied(probe, request, again)
    return again


def require_remedied(probe: Probe, request: Request, again: Exchange) -> None:
    """The cause of an error is gone: under another key the request is accepted, or was under the same."""
    if again.response.ok:
        return
    try:
        probe.require_proven(request.with_key(FRESH_KEY))
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
@pytest.mark.parametrize("alter", ALTERED.values(), ids=ALTERED)
def test_another_body_under_a_used_key_is_refused(
    probe: Probe, alter: Callable[[dict[str, Any]], dict[str, Any]]
) -> None:
    """Whoever sends it made a mistake, and must not be told that it was done."""
    use = use_key(probe)
    other = new_customer(probe)
    probe.baseline(other.with_json(alter(other.json))).refuses(
        use.request.with_json(alter(use.request.json)),
        refusals.BODY_MISMATCH,
        change=OTHER_BODY,
        hint=WHOLE_BODY,
    )


@covers("idempotency.body-mismatch", mode=Mode.SANDBOX, each_operation=True)
def test_a_large_body_is_compared_to_its_end(probe: Probe) -> None:
    """Two orders that begin alike are two orders."""
    used, accepted = large_customer(probe), large_customer(probe)
    last = [*METADATA][-1]
    changed = {"metadata": METADATA | {last: METADATA[last][:-1] + "y"}}
    with drop_where_blocked():  # what a target takes besides the guide is its own affair
        probe.require_proven(used)
        probe.baseline(accepted.with_json(accepted.json | changed)).refuses(
            used.with_json(used.json | changed), refusals.BODY_MISMATCH, change=OTHER_BODY, hint=WHOLE_BODY
        )


OTHER_ENTRIES: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "create_invoice": lambda body: {"lines": [{**line, "description": "Other seats"} for line in body["lines"]]},
    "create_plan": lambda body: {"components": [{**each, "code": "seats"} for each in body["components"]]},
    "create_webhook_endpoint": lambda _: {"events": ["invoice.paid", "customer.created"]},
}
"""As many entries of a list as the body of an operation has there, and others."""


@covers("idempotency.body-mismatch", mode=Mode.SANDBOX, each_operation=True)
def test_other_entries_of_a_list_are_another_body(probe: Probe) -> None:
    """What is asked for may stand in a list alone: it is as much of the body as all else."""
    [drawn] = draw_some(probe, [*OTHER_ENTRIES], 1, name="idempotency.body-mismatch")
    with drop_where_blocked():
        used, accepted = (probe.factory.request_for(BY_ID[drawn]) for _ in range(2))
        used = used.with_key(probe.factory.unique_key())
        probe.require_proven(used)
        changed = OTHER_ENTRIES[drawn](used.json)
        probe.baseline(accepted.with_json(accepted.json | changed)).refuses(
            used.with_json(used.json | changed), refusals.BODY_MISMATCH, change=OTHER_BODY, hint=WHOLE_BODY
        )


@covers("idempotency.body-mismatch", mode=Mode.SANDBOX)
def test_a_mismatch_makes_nothing(probe: Probe) -> None:
    """The second body is nowhere to be found."""
    use = use_key(probe)
    accepted, refused = new_customer(probe), new_customer(probe, str(use.request.key))
    effects.expect_refused_and_not_created(probe, refused, refusals.BODY_MISMATCH, accepted=accepted, change=OTHER_BODY)


@covers("idempotency.body-mismatch", each_operation=True)
@each_movement
def test_a_mismatch_moves_no_money(probe: Probe, operation: Operation) -> None:
    """The second amount does not move."""
    request = probe.factory.request_for(operation).with_key(probe.factory.unique_key())
    probe.require_proven(request)
    other = request.with_json(probe.factory.fit_body(operation, {**request.json, "amount": "0.50"}))
    effects.expect_refused_without_effect(
        probe, other, refusals.BODY_MISMATCH, accepted=other.with_key(FRESH_KEY), change=OTHER_BODY
    )


@covers("idempotency.body-mismatch", mode=Mode.SANDBOX)
def test_a_mismatch_leaves_the_first_answer_in_place(probe: Probe) -> None:
    """A mistake under a key does not cost the client the answer that the key was given for."""
    use = use_remembered_key_if_any(probe)
    probe.send(new_customer(probe, str(use.request.key)))
    expect_replayed(
        probe,
        use,
        use.request,
        change="the first body again, after another under its key was refused",
        hint="a mismatch neither replaces nor drops what the key was answered first",
    )


@covers("idempotency.concurrent", mode=Mode.SANDBOX)
@pytest.mark.parametrize("times", [2, 8, 32])
def test_of_parallel_requests_one_acts(probe: Probe, times: int) -> None:
    """A client that times out and tries again may have two requests under way."""
    change = f"{times} requests with one key at the same moment"
    probe.require_proven(probe.factory.request_for(CREATE))
    request = new_customer(probe, probe.factory.unique_key())
    customer = expect_one_acts(probe, send_at_once(probe, request, times), change)
    effects.expect_created_once(probe, request, change=change)
    again = probe.send(request)
    probe.expect(
        again,
        "the original in a replay afterwards",
        holds=again.response.ok and customer_in(again) == customer,
        change=change,
    )


@covers("idempotency.concurrent", mode=Mode.SANDBOX, each_operation=True)
def test_of_parallel_movements_of_money_one_acts(probe: Probe) -> None:
    """Whoever looks the key up and then moves money moves it for each that came before the first was done."""
    times = 8
    with drop_where_blocked():
        request = draw_movement(probe, "idempotency.concurrent").with_key(probe.factory.unique_key())
    answers = send_at_once(probe, request, times)
    require_possible(probe, request, answers)
    expect_one_moves(probe, request, answers, f"{times} requests with one key at the same moment")


def require_possible(probe: Probe, request: Request, answers: list[Exchange]) -> None:
    """Where none of several requests was accepted, one alone is. Drops the case where that is refused too."""
    if not any(answer.response.ok for answer in answers):
        with drop_where_blocked():
            probe.require_accepted(request.with_key(FRESH_KEY))
