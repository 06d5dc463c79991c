"""Whatever is sent: no other way in, no answer but the application's own, no crash (Errors page, introduction)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import pytest

from paylera_conformance.model.messages import Exchange, Request
from paylera_conformance.model.outcomes import Blocked, NotOffered, TransportTrouble
from paylera_conformance.model.tokens import Credential
from paylera_conformance.probe import refusals
from paylera_conformance.probe.answers import mentions
from paylera_conformance.probe.marks import covers
from paylera_conformance.probe.probe import Probe
from paylera_conformance.probe.refusals import describe
from paylera_conformance.scenarios import openapi_requests, path_variants
from paylera_conformance.scenarios.changes import NO_TOKEN, UNKNOWN_TOKEN, without_scope
from paylera_conformance.scenarios.effects import read_lasting_state
from paylera_conformance.scenarios.further_cases import drop_where_blocked
from paylera_conformance.scenarios.malformed_input import READS, WRITES, MalformedInput
from paylera_conformance.scenarios.openapi_requests import GeneratedRequest, sendable_requests, token_for
from paylera_conformance.scenarios.path_variants import (
    OVERRIDES,
    READING,
    WRITING,
    PathVariant,
    draw_changes,
    draw_spellings,
    has_ended,
    send_variant,
)
from paylera_conformance.target.provisioner import Need
from paylera_conformance.target.settings import Mode
from paylera_fixtures.api.operations import BY_ID, Operation, Resource

LIST: Final = BY_ID["list_customers"]
CREATE: Final = BY_ID["create_customer"]
LIST_ENDPOINTS: Final = BY_ID["list_webhook_endpoints"]

OTHER_PATH: Final = "the credential is looked at under another path than the one that is served"
NOT_THE_SPELLING: Final = "it is not the spelling: the plain request is answered alike, so whoever sends it may read"
READER: Final = "a token that reads customers only"
SERVER_ERROR: Final = 500
FORBIDDEN: Final = frozenset({401, 403})
BEFORE_THE_APPLICATION: Final = frozenset({408, 413, 414, 431})
"""Statuses with which an HTTP layer refuses by itself; their bodies are its own."""


# Every operation of the document


@covers("robustness.auth-everywhere")
@pytest.mark.xdist_group(openapi_requests.GROUP)
def test_every_operation_of_the_document_asks_for_a_token(probe: Probe) -> None:
    """An operation that was forgotten where tokens are looked at is open to everyone."""
    probe.require_proven(probe.factory.request_for(LIST))
    unknown = probe.tokens.unknown()
    # A request without a good token may be told so even where there is nothing: then nothing is looked at before.
    nowhere = probe.send(Request("GET", f"/v1/{probe.factory.unique_name()}"))
    tokens_first = refusals.MISSING.accepts(nowhere.response)
    sendable = [drawn for drawn in sendable_requests(probe, valid=True) if not drawn.is_open]
    require_no_doubt([expect_closed(probe, drawn, unknown, tokens_first=tokens_first) for drawn in sendable])


def expect_closed(probe: Probe, drawn: GeneratedRequest, unknown: Credential, *, tokens_first: bool) -> Blocked | None:
    """A drawn request is refused without a token and with an unknown one, and with a good one it gets further.

    - `tokens_first`: the target looks at tokens first, so that any answer about the request itself shows that no
      token was needed; else a flaw of the request may be seen before its credential.

    Gives what is left in doubt, if anything is. Raises `Violation` where a request without a good token is served.
    """
    known = probe.send(drawn.request.by(token_for(probe, drawn)))
    if refusals.NO_CREDENTIAL.accepts(known.response):
        return Blocked(f"{drawn.operation} refuses a good token too, so that nothing is proven", exchange=known)
    others = []
    for request, change in ((drawn.request, NO_TOKEN), (drawn.request.by(unknown), UNKNOWN_TOKEN)):
        exchange = probe.send(request)
        response = exchange.response
        served = response.ok or (tokens_first and response.refused and response.status not in FORBIDDEN)
        probe.expect(
            exchange,
            f"{change.refusal} from {drawn.operation}",
            holds=not served,
            change=change.words,
            hint="is this operation left out where tokens are checked?",
        )
        others += [] if change.refusal.accepts(response) else [exchange]
    # Whoever is answered without a good token as with one was told of another flaw.
    for other in others:
        if (other.response.status, other.response.problem) != (known.response.status, known.response.problem):
            return Blocked(
                f"{drawn.operation} answered {describe(other.response)} without a good token: no effect, and not the"
                " refusal of a credential either (see credential.missing and token.unknown)",
                exchange=other,
            )
    probe.proofs += not others
    return None


def require_no_doubt(doubts: Sequence[Blocked | None]) -> None:
    """Raise the first doubt there is: an operation that is not proven to be closed may be the open one."""
    for doubt in doubts:
        if doubt is not None:
            raise doubt


# Other spellings


@covers("robustness.no-side-door")
@pytest.mark.parametrize("family", READING)
def test_no_other_spelling_reads(probe: Probe, family: str) -> None:
    """Whoever may not read a list may not read it under another name either, with no token or too small a scope."""
    request = list_request(probe)
    accepted = probe.require_proven(request)
    for change in (NO_TOKEN, without_scope("customers:read")):
        expect_nothing_disclosed(probe, change.apply(probe, request), accepted, READING[family], who=change.words)


@covers("robustness.no-side-door", each_operation=True)
@pytest.mark.parametrize("family", READING)
def test_no_other_spelling_opens_the_admin_api(probe: Probe, family: str) -> None:
    """A service token stays out of the Admin API, however that is spelled."""
    request = probe.factory.request_for(LIST_ENDPOINTS).at(LIST_ENDPOINTS.path)
    accepted = probe.require_proven(request)
    by_service = request.by(probe.tokens.service)
    expect_nothing_disclosed(probe, by_service, accepted, READING[family], who="a service token")


@covers("robustness.no-side-door", each_operation=True)
def test_no_other_spelling_opens_any_list(probe: Probe) -> None:
    """Nor may any other list be read so: what stands before a server may know only some of its paths."""
    probe.require_proven(list_request(probe))
    with drop_where_blocked():
        reader = reader_of_customers(probe)
    keep_method = probe.settings.mode is Mode.OBSERVE
    for operation, variant, with_token in draw_spellings(probe.settings.seed, keep_method=keep_method):
        expect_list_closed(probe, Request("GET", operation.path, reader if with_token else None), variant)


def expect_list_closed(probe: Probe, request: Request, variant: PathVariant) -> None:
    """A variant of a refused request for a list discloses nothing. Raises `Violation`."""
    answer = send_variant(probe, request, variant)
    operation = request.operation
    if answer is not None and answer.response.ok and operation is not None:
        accepted = probe.require_accepted(request.by(probe.tokens.for_operation(operation)))
        expect_variant_tells_nothing(probe, request, variant, answer, accepted, who=describe_reader(request))


def describe_reader(request: Request) -> str:
    """Who sends a request: nobody, or somebody who may do something else."""
    return NO_TOKEN.words if request.token is None else READER


def list_request(probe: Probe) -> Request:
    """The list of customers, with one to be seen in it where one may be made."""
    if probe.settings.mode is not Mode.OBSERVE:
        probe.factory.object_id(Resource.CUSTOMER)
    return Request("GET", LIST.path, probe.tokens.service)


def expect_nothing_disclosed(
    probe: Probe, request: Request, accepted: Exchange, variants: Sequence[PathVariant], *, who: str
) -> None:
    """No variant of a request discloses what the accepted one did; `observe` sends GETs only. Raises `Violation`."""
    for variant in variants:
        if variant.method is not None and probe.settings.mode is Mode.OBSERVE:
            continue
        answer = send_variant(probe, request, variant)
        if answer is not None:
            expect_variant_tells_nothing(probe, request, variant, answer, accepted, who=who)


def expect_variant_tells_nothing(
    probe: Probe, request: Request, variant: PathVariant, answer: Exchange, accepted: Exchange, *, who: str
) -> None:
    """The answer to a variant of a refused request does not disclose what an accepted one did. Raises `Violation`."""
    if path_variants.discloses(answer, accepted):
        is_open = path_variants.discloses(probe.send(request), accepted)
        probe.expect(
            answer,
            f"no 2xx that tells anything, with {who}",
            holds=False,
            change=f"{variant.change}, {who}",
            hint=NOT_THE_SPELLING if is_open else OTHER_PATH,
        )


@covers("robustness.no-side-door", mode=Mode.SANDBOX)
@pytest.mark.parametrize("family", WRITING)
def test_no_other_spelling_writes(probe: Probe, family: str) -> None:
    """Nor is anything made by way of another spelling, with no token or one that only reads."""
    creation = probe.factory.request_for(CREATE)
    probe.require_proven(creation)
    probe.require_listed(LIST, creation.json["email"])
    mark = probe.factory.unique_name()
    reader = reader_of_customers(probe)
    write = creation.with_json(probe.factory.body_for(CREATE, mark))
    for variant in WRITING[family]:
        for request in (write.without_token(), write.by(reader)):
            send_variant(probe, request.with_key(probe.factory.unique_key()), variant)
    spellings = ", ".join(variant.change for variant in WRITING[family])
    probe.expect_not_listed(LIST, mark, change=f"one of these, without a token or by one that only reads: {spellings}")


def reader_of_customers(probe: Probe) -> Credential:
    """A token that may read customers, and nothing else."""
    return probe.provisioner.token(Need("reads customers only", scopes=("customers:read",)))


@covers("robustness.no-side-door", mode=Mode.SANDBOX, each_operation=True)
def test_no_header_makes_a_read_a_deletion(probe: Probe) -> None:
    """Headers that override the method must not pass by the scope that the real method needs."""
    customer = probe.factory.object_id(Resource.CUSTOMER)
    read = probe.factory.read_request(Resource.CUSTOMER, customer)
    probe.require_proven(read)
    before = read_lasting_state(probe, read)
    reader = reader_of_customers(probe)
    for variant in OVERRIDES:
        for request in (read.without_token(), read.by(reader)):
            send_variant(probe, request, variant)
        expect_untouched(probe, read, before, variant)
    probe.require_accepted(Request("DELETE", read.path, probe.tokens.service))
    require_visible_deletion(probe, read, before)


KINDS: Final = 5
"""So many kinds of object, drawn anew in each run, are looked at besides customers."""


@covers("robustness.no-side-door", mode=Mode.SANDBOX, each_operation=True)
@pytest.mark.parametrize("number", range(KINDS))
def test_no_other_method_changes_an_object(probe: Probe, number: int) -> None:
    """Whichever method a request says it has, without a token or by one for something else it does nothing."""
    kind, variants = draw_changes(probe.settings.seed, KINDS)[number]
    read = read_of_own(probe, kind)
    with drop_where_blocked():
        before = probe.require_proven(read)
    mark = probe.factory.unique_name()
    change = read.with_json({"name": mark, "description": mark, "metadata": {"note": mark}})
    # The last by somebody who may do something else.
    changes = (change.without_token(), change.without_token(), change.by(reader_of_customers(probe)))
    for request, variant in zip(changes, variants, strict=True):
        send_change(probe, request, variant, before)
    after = probe.send(read)
    probe.expect(
        after,
        f"the {kind} untouched",
        holds=not (has_ended(before, after, kind) or mentions(after.response.json, mark)),
        change=f"one of these, without a token or, the last, by {READER}: {', '.join(map(str, variants))}",
        hint="the credential is looked at by one method and the effect by another",
    )


def read_of_own(probe: Probe, kind: Resource) -> Request:
    """A read of an object of this case alone. Drops the case where none is to be had. Raises `NotOffered` there."""
    if kind is Resource.API_TOKEN and probe.settings.driver != "control":
        raise NotOffered("tokens that are listed are too dear for this")
    with drop_where_blocked():
        return probe.factory.read_request(kind, probe.factory.object_id(kind))


def send_change(probe: Probe, request: Request, variant: PathVariant, before: Exchange) -> None:
    """Send a variant of a change; its answer discloses nothing of the object either. Raises `Violation`."""
    answer = send_variant(probe, request, variant)
    if answer is not None:
        read, who = request.with_body(None), describe_reader(request)
        expect_variant_tells_nothing(probe, read, variant, answer, before, who=who)


def expect_untouched(probe: Probe, read: Request, before: object, variant: PathVariant) -> None:
    """The object is as it was. Raises `Violation`."""
    after = probe.send(read)
    probe.expect(
        after,
        "the customer untouched",
        holds=after.response.ok and read_lasting_state(probe, read) == before,
        change=f"{variant.change}, without a token or by one that only reads",
        hint="the scope is looked up by one method and the effect by another",
    )


def require_visible_deletion(probe: Probe, read: Request, before: object) -> None:
    """A real deletion shows, so that one by another spelling would. Raises `Blocked`."""
    after = probe.send(read)
    if after.response.ok and read_lasting_state(probe, read) == before:
        raise Blocked("a deletion is not to be seen in the object, so that no effect can be", exchange=after)


# Whatever is sent

Check = Callable[[Probe, Exchange, str, str], None]
"""States something of an answer: the probe, the answer, what was changed, and where it is from."""


def expect_problem(probe: Probe, exchange: Exchange, change: str, where: str = "") -> None:
    """A 4xx is a problem document. Raises `Violation`."""
    response = exchange.response
    probe.expect(
        exchange,
        f"a problem document{where}",
        holds=not response.refused or response.status in BEFORE_THE_APPLICATION or response.problem is not None,
        change=change,
        hint="does another part than the API's own error handler answer here?",
    )


def expect_no_server_error(probe: Probe, exchange: Exchange, change: str, where: str = "") -> None:
    """It is no 5xx. Raises `Violation`."""
    probe.expect(
        exchange,
        f"no 5xx{where}",
        holds=exchange.response.status < SERVER_ERROR,
        change=change,
        hint="what cannot be read is the client's fault: answer 400 or 422",
    )


@covers("robustness.errors-are-problems", hostile=True)
@pytest.mark.xdist_group(openapi_requests.GROUP)
def test_what_the_document_draws_is_refused_with_a_problem(probe: Probe) -> None:
    """A client has one way to read errors, whatever it did wrong."""
    check_generated(probe, expect_problem)


@covers("robustness.errors-are-problems")
@pytest.mark.parametrize("family", READS)
def test_an_odd_read_is_refused_with_a_problem(probe: Probe, family: str) -> None:
    """What a framework refuses by itself comes in its own words, unless it was told otherwise."""
    check_malformed(probe, LIST, READS[family], expect_problem)


@covers("robustness.errors-are-problems", mode=Mode.SANDBOX, hostile=True)
@pytest.mark.parametrize("family", WRITES)
def test_an_odd_write_is_refused_with_a_problem(probe: Probe, family: str) -> None:
    """So do bodies that cannot be read: those are where frameworks answer most readily."""
    check_malformed(probe, CREATE, WRITES[family], expect_problem)


@covers("robustness.no-server-error", hostile=True)
@pytest.mark.xdist_group(openapi_requests.GROUP)
def test_what_the_document_draws_breaks_nothing(probe: Probe) -> None:
    """A 5xx says that the server is at fault; whatever a client sends is its own."""
    check_generated(probe, expect_no_server_error)


@covers("robustness.no-server-error")
@pytest.mark.parametrize("family", READS)
def test_an_odd_read_breaks_nothing(probe: Probe, family: str) -> None:
    """Ids, cursors and sizes end up in queries to a database: what those cannot take is to be caught before."""
    check_malformed(probe, LIST, READS[family], expect_no_server_error)


@covers("robustness.no-server-error", mode=Mode.SANDBOX, hostile=True)
@pytest.mark.parametrize("family", WRITES)
def test_an_odd_write_breaks_nothing(probe: Probe, family: str) -> None:
    """A body is read by a parser that has its own limits, and then by code that expects certain types."""
    check_malformed(probe, CREATE, WRITES[family], expect_no_server_error)


def check_malformed(probe: Probe, operation: Operation, inputs: Sequence[MalformedInput], check: Check) -> None:
    """Make each change in an accepted request for an operation, and check what it is answered."""
    accepted = probe.factory.request_for(operation)
    probe.require_proven(accepted)
    list_of_made = Request("GET", LIST.path, accepted.token)
    for malformed in inputs:
        try:
            exchange = probe.send(malformed.apply(accepted))
        except TransportTrouble:
            if not malformed.before_application:
                raise
            continue
        by_http_layer = malformed.before_application and exchange.response.refused and not exchange.response.problem
        if not by_http_layer:
            check(probe, exchange, malformed.change, "")
        if operation is CREATE and exchange.response.ok:
            # What was taken may be what the target cannot give back.
            check(probe, probe.send(list_of_made), malformed.change, " from the list of what was made")


def check_generated(probe: Probe, check: Check) -> None:
    """Send the requests drawn from the document, valid and invalid ones, and check what each is answered."""
    probe.require_proven(probe.factory.request_for(LIST))
    for drawn in (*sendable_requests(probe, valid=True), *sendable_requests(probe, valid=False)):
        exchange = probe.send(drawn.request.by(token_for(probe, drawn)))
        check(probe, exchange, "", f" to {drawn.operation} as drawn from the document")
