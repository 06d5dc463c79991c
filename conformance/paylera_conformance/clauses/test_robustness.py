"""Whatever is sent: no way in but by the front door, no answer but the application's own, no crash."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

import pytest

from paylera_conformance.model.messages import Exchange, Request
from paylera_conformance.model.outcomes import Blocked, TransportTrouble, Violation
from paylera_conformance.model.tokens import Credential, forged
from paylera_conformance.probe import refusals
from paylera_conformance.probe.baselines import NO_TOKEN
from paylera_conformance.probe.marks import covers
from paylera_conformance.probe.probe import Probe
from paylera_conformance.probe.refusals import describe
from paylera_conformance.scenarios.idempotency import lasting_state
from paylera_conformance.scenarios.malformed_input import READS, WRITES, MalformedInput
from paylera_conformance.scenarios.openapi_requests import GeneratedRequest, drafts, prefix_of
from paylera_conformance.scenarios.path_variants import OVERRIDES, READING, WRITING, PathVariant, knock, tells
from paylera_conformance.target.provisioner import Need, all_scopes_but
from paylera_conformance.target.settings import Mode
from paylera_fixtures.api.operations import BY_ID, Resource
from paylera_fixtures.tokens import new_secret

LIST_CUSTOMERS: Final = BY_ID["list_customers"]
CREATE_CUSTOMER: Final = BY_ID["create_customer"]
LIST_ENDPOINTS: Final = BY_ID["list_webhook_endpoints"]
DELETE_CUSTOMER: Final = BY_ID["delete_customer"]

VALID: Final = True
WRONG: Final = False
"""The kinds of drawn requests: what the document allows, and what it does not."""

SERVER_ERROR: Final = 500
FORBIDDEN: Final = frozenset({401, 403})
BEFORE_THE_APPLICATION: Final = frozenset({408, 413, 414, 431})
"""Statuses with which an HTTP layer refuses by itself; their bodies are its own."""


# Every operation of the document


@covers("robustness.auth-everywhere")
def test_every_operation_of_the_document_asks_for_a_token(probe: Probe) -> None:
    """An operation that was forgotten where tokens are looked at is open to everyone."""
    probe.require_proven(probe.factory.request_for(LIST_CUSTOMERS))
    stranger = forged(new_secret(probe.settings.environment), "unknown")
    tokens_come_first = asks_before_it_looks(probe)
    doubts = [asks_for_a_token(probe, draft, stranger, first=tokens_come_first) for draft in sendable(probe, VALID)]
    none_left(doubts)


def asks_before_it_looks(probe: Probe) -> bool:
    """Whether a stranger is told to bring a token even where there is nothing: then nothing is looked at before."""
    nowhere = Request("GET", f"/v1/{probe.factory.unique_name()}")
    return refusals.MISSING.accepts(probe.send(nowhere).response)


def asks_for_a_token(probe: Probe, draft: GeneratedRequest, stranger: Credential, *, first: bool) -> Blocked | None:
    """A drawn request is refused without a token and with an unknown one, and with a good one it gets further.

    Gives what is left in doubt, if anything is. Raises `Violation` where a stranger is served.
    """
    known = probe.send(draft.request.by(token_for(probe, draft)))
    if refusals.NO_CREDENTIAL.accepts(known.response):
        return Blocked(f"{draft.operation} refuses a good token too, so that nothing is proven", exchange=known)
    bare = refused_to(probe, draft, draft.request, refusals.MISSING, first=first, change=NO_TOKEN)
    unknown = refused_to(
        probe, draft, draft.request.by(stranger), refusals.INVALID, first=first, change="a token that nobody issued"
    )
    doubt = next((each for each in (bare, unknown) if each is not None and not alike(each, known)), None)
    if doubt is not None:
        return Blocked(
            f"{draft.operation} answered a stranger {describe(doubt.response)}: no effect, and not the refusal of a"
            " credential either (see credential.missing and token.unknown)",
            exchange=doubt,
        )
    probe.proofs += bare is None and unknown is None
    return None


def refused_to(
    probe: Probe, draft: GeneratedRequest, request: Request, as_: refusals.Refusal, *, first: bool, change: str
) -> Exchange | None:
    """A stranger's request is refused: `None` where it is as it should be, else the answer.

    Raises `Violation` where the stranger is served. Where the target looks at tokens first, any answer about the
    request itself is such; else a flaw of the request may be seen before its credential.
    """
    exchange = probe.send(request)
    response = exchange.response
    served = response.ok or (first and response.refused and response.status not in FORBIDDEN)
    probe.expect(
        f"{as_} from {draft.operation}",
        holds=not served,
        got=describe(response),
        change=change,
        exchange=exchange,
        hint="is this operation left out where tokens are checked?",
    )
    return None if as_.accepts(response) else exchange


def alike(stranger: Exchange, known: Exchange) -> bool:
    """Whether a stranger is answered as one with a good token is: then it was another flaw that was seen."""
    return (stranger.response.status, stranger.response.problem) == (known.response.status, known.response.problem)


def none_left(doubts: Iterable[Blocked | None]) -> None:
    """Raise the first doubt there is: an operation that is not proven to be closed may be the open one."""
    for doubt in doubts:
        if doubt is not None:
            raise doubt


# Side doors


@covers("robustness.no-side-door")
@pytest.mark.parametrize("family", READING)
def test_no_other_spelling_reads(probe: Probe, family: str) -> None:
    """Whoever may not read a list may not read it under another name either, with no token or too small a scope."""
    control = listed(probe)
    told = probe.require_proven(control)
    stays_out(probe, control.without_token(), told, READING[family], who="no token")
    weak = probe.provisioner.token(
        Need("lacks customers:read", scopes=all_scopes_but("customers:read", probe.settings.profile))
    )
    stays_out(probe, control.by(weak), told, READING[family], who="a token without customers:read")


@covers("robustness.no-side-door", each_operation=True)
@pytest.mark.parametrize("family", READING)
def test_no_other_spelling_opens_the_admin_api(probe: Probe, family: str) -> None:
    """A service token stays out of the Admin API, however that is spelled."""
    control = probe.factory.request_for(LIST_ENDPOINTS).at(LIST_ENDPOINTS.path)
    told = probe.require_proven(control)
    service = probe.tokens.service
    stays_out(probe, control.by(service), told, READING[family], who="a service token")


def listed(probe: Probe) -> Request:
    """The list of customers, with one to be seen in it where one may be made."""
    if probe.settings.mode is not Mode.OBSERVE:
        probe.factory.object_id(Resource.CUSTOMER)
    return Request("GET", LIST_CUSTOMERS.path, probe.tokens.service)


def stays_out(probe: Probe, request: Request, told: Exchange, doors: Iterable[PathVariant], *, who: str) -> None:
    """None of the doors tells what the accepted request told. Raises `Violation`."""
    for door in allowed(probe, doors):
        answer = knock(probe, request, door)
        if answer is not None and tells(answer, told):
            raise Violation(
                f"no 2xx that tells anything, to {who}",
                describe(answer.response),
                change=f"{door.change}, {who}",
                exchange=answer,
                hint="the credential is looked at under another path than the one that is served",
            )


def allowed(probe: Probe, doors: Iterable[PathVariant]) -> Iterator[PathVariant]:
    """The doors that the mode lets one knock at."""
    return (door for door in doors if probe.settings.mode is not Mode.OBSERVE or door.method is None)


@covers("robustness.no-side-door", mode=Mode.SANDBOX)
@pytest.mark.parametrize("family", WRITING)
def test_no_other_spelling_writes(probe: Probe, family: str) -> None:
    """Nor is anything made by way of another spelling, with no token or one that only reads."""
    control = probe.factory.request_for(CREATE_CUSTOMER)
    probe.require_proven(control)
    probe.require_listed(LIST_CUSTOMERS, control.json["email"])
    mark = probe.factory.unique_name()
    reader = probe.provisioner.token(Need("reads customers only", scopes=("customers:read",)))
    write = control.with_json(probe.factory.body_for(CREATE_CUSTOMER, mark))
    for door in WRITING[family]:
        knock(probe, write.without_token().keyed(probe.factory.unique_name()), door)
        knock(probe, write.by(reader).keyed(probe.factory.unique_name()), door)
    changes = ", ".join(door.change for door in WRITING[family])
    probe.expect_not_listed(LIST_CUSTOMERS, mark, change=f"one of these, by a stranger or a reader: {changes}")


@covers("robustness.no-side-door", mode=Mode.SANDBOX, each_operation=True)
def test_no_header_makes_a_read_a_deletion(probe: Probe) -> None:
    """Headers that override the method must not pass by the scope that the real method needs."""
    customer = probe.factory.object_id(Resource.CUSTOMER)
    deletion = Request("DELETE", DELETE_CUSTOMER.concrete(customer), probe.tokens.service)
    look = Request("GET", deletion.path, probe.tokens.service)
    probe.require_proven(look)
    before = lasting_state(probe, look)
    reader = probe.provisioner.token(Need("reads customers only", scopes=("customers:read",)))
    for door in OVERRIDES:
        knock(probe, look.without_token(), door)
        knock(probe, look.by(reader), door)
        untouched(probe, look, before, door)
    probe.require_accepted(deletion)
    is_seen(probe, look, before)


def untouched(probe: Probe, look: Request, before: object, door: PathVariant) -> None:
    """The object is as it was. Raises `Violation`."""
    after = probe.send(look)
    same = after.response.ok and lasting_state(probe, look) == before
    probe.expect(
        "the customer untouched",
        holds=same,
        got=describe(after.response),
        exchange=after,
        change=f"{door.change}, by a stranger or by a token that only reads",
        hint="the scope is looked up by one method and the effect by another",
    )


def is_seen(probe: Probe, look: Request, before: object) -> None:
    """A real deletion shows: the control of `untouched`. Raises `Blocked`."""
    after = probe.send(look)
    if after.response.ok and lasting_state(probe, look) == before:
        raise Blocked("a deletion is not to be seen in the object, so that no effect can be", exchange=after)


# Whatever is sent


@covers("robustness.errors-are-problems")
def test_what_the_document_draws_is_refused_with_a_problem(probe: Probe) -> None:
    """A client has one way to read errors, whatever it did wrong."""
    probe.require_proven(probe.factory.request_for(LIST_CUSTOMERS))
    for draft in sendable(probe, VALID, WRONG):
        exchange = probe.send(draft.request.by(token_for(probe, draft)))
        is_a_problem(probe, exchange, said=f" to {draft.operation} as drawn from the document")


@covers("robustness.errors-are-problems")
@pytest.mark.parametrize("family", READS)
def test_an_odd_read_is_refused_with_a_problem(probe: Probe, family: str) -> None:
    """What a framework refuses by itself comes in its own words, unless it was told otherwise."""
    for oddity, exchange in odd(probe, probe.factory.request_for(LIST_CUSTOMERS), READS[family]):
        is_a_problem(probe, exchange, oddity.change)


@covers("robustness.errors-are-problems", mode=Mode.SANDBOX)
@pytest.mark.parametrize("family", WRITES)
def test_an_odd_write_is_refused_with_a_problem(probe: Probe, family: str) -> None:
    """So do bodies that cannot be read: those are where frameworks answer most readily."""
    for oddity, exchange in odd(probe, probe.factory.request_for(CREATE_CUSTOMER), WRITES[family]):
        is_a_problem(probe, exchange, oddity.change)


def is_a_problem(probe: Probe, exchange: Exchange, change: str = "", *, said: str = "") -> None:
    """A 4xx is a problem document. Raises `Violation`."""
    response = exchange.response
    elsewhere = not response.refused or response.status in BEFORE_THE_APPLICATION
    probe.expect(
        f"a problem document{said}",
        holds=elsewhere or response.problem is not None,
        got=describe(response),
        change=change,
        exchange=exchange,
        hint="does another part than the API's own error handler answer here?",
    )


@covers("robustness.no-server-error")
def test_what_the_document_draws_breaks_nothing(probe: Probe) -> None:
    """A 5xx says that the server is at fault; whatever a client sends is its own."""
    probe.require_proven(probe.factory.request_for(LIST_CUSTOMERS))
    for draft in sendable(probe, VALID, WRONG):
        exchange = probe.send(draft.request.by(token_for(probe, draft)))
        is_no_server_error(probe, exchange, said=f" to {draft.operation} as drawn from the document")


@covers("robustness.no-server-error")
@pytest.mark.parametrize("family", READS)
def test_an_odd_read_breaks_nothing(probe: Probe, family: str) -> None:
    """Ids, cursors and sizes end up in queries to a database: what those cannot take is to be caught before."""
    for oddity, exchange in odd(probe, probe.factory.request_for(LIST_CUSTOMERS), READS[family]):
        is_no_server_error(probe, exchange, oddity.change)


@covers("robustness.no-server-error", mode=Mode.SANDBOX)
@pytest.mark.parametrize("family", WRITES)
def test_an_odd_write_breaks_nothing(probe: Probe, family: str) -> None:
    """A body is read by a parser that has its own limits, and then by code that expects certain types."""
    for oddity, exchange in odd(probe, probe.factory.request_for(CREATE_CUSTOMER), WRITES[family]):
        is_no_server_error(probe, exchange, oddity.change)


def is_no_server_error(probe: Probe, exchange: Exchange, change: str = "", *, said: str = "") -> None:
    """It is no 5xx. Raises `Violation`."""
    probe.expect(
        f"no 5xx{said}",
        holds=exchange.response.status < SERVER_ERROR,
        got=describe(exchange.response),
        change=change,
        exchange=exchange,
        hint="what cannot be read is the client's fault: answer 400 or 422",
    )


# What the stories above are told in


def odd(
    probe: Probe, control: Request, oddities: Iterable[MalformedInput]
) -> Iterator[tuple[MalformedInput, Exchange]]:
    """Make each oddity in an accepted request, and give what it is answered."""
    probe.require_proven(control)
    for oddity in oddities:
        exchange = answered(probe, oddity, control)
        if exchange is not None:
            yield oddity, exchange


def answered(probe: Probe, oddity: MalformedInput, control: Request) -> Exchange | None:
    """The application's answer, `None` where what stands before it may have answered in its place."""
    try:
        exchange = probe.send(oddity.apply(control))
    except TransportTrouble:
        if oddity.before:
            return None
        raise
    return None if oddity.before and exchange.response.refused and not exchange.response.problem else exchange


def sendable(probe: Probe, *kinds: bool) -> Iterator[GeneratedRequest]:
    """The drawn requests that the mode allows: reads, and where it is a test deployment all the others too.

    Elsewhere a write names an object, one that does not exist, or creates something outside the Admin API.
    """
    document, seed = probe.document(), probe.settings.seed or 0
    prefix = prefix_of(document, probe.settings.url)
    found = [draft for valid in kinds for draft in drafts(document, prefix, seed, valid=valid)]
    return (draft for draft in found if _may_send(probe, draft))


def _may_send(probe: Probe, draft: GeneratedRequest) -> bool:
    if draft.request.method == "GET" or probe.settings.mode is Mode.OBSERVE:
        return draft.request.method == "GET"
    creates = draft.request.method == "POST" and not draft.is_admin
    return probe.settings.driver == "control" or draft.names_object or creates


def token_for(probe: Probe, draft: GeneratedRequest) -> Credential:
    """A token that may do what a drawn request asks for, if that can be done at all."""
    return probe.tokens.admin if draft.is_admin else probe.tokens.service
