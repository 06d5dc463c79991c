"""The verbs: nothing is proven alone, and what could not be proven is no failure of the target."""

from __future__ import annotations

import re
import socket
from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeAlias

import httpx
import pytest

from helpers.scripted_server import ScriptedServer
from helpers.suite import Target
from paylera_conformance.http.client import Client, ClientSettings
from paylera_conformance.http.habits import OWN_USER_AGENT
from paylera_conformance.model.messages import Request
from paylera_conformance.model.outcomes import Blocked, Inapplicable, NotOffered, NotRun, TransportTrouble, Violation
from paylera_conformance.model.tokens import Credential, forge_credential
from paylera_conformance.probe import refusals
from paylera_conformance.probe.probe import Probe
from paylera_conformance.probe.variation import Variation
from paylera_conformance.target.openapi import Document
from paylera_conformance.target.provisioner import Provisioner
from paylera_conformance.target.settings import Settings
from paylera_fixtures.api.openapi import build
from paylera_fixtures.api.operations import BY_ID
from paylera_fixtures.vocabulary import Profile

ProbeOn: TypeAlias = Callable[..., Probe]

Turns: TypeAlias = list[tuple[int, str | None]]

UNKNOWN = "sk_sandbox_" + "Unknown".ljust(32, "7")
REFUSED: Turns = [(401, "auth.invalid_token")]
CHANGE = "a token that nobody issued"


@pytest.fixture
def read(service: Credential) -> Request:
    """An accepted request."""
    return Request("GET", "/v1/customers", service)


@pytest.fixture
def consuming(service: Credential) -> Request:
    """An accepted request that uses its object up."""
    return Request("POST", "/v1/payments/pay_1/cancel", service, consumes=True)


def refuse(probe: Probe, read: Request) -> None:
    """State that an unknown token is refused as such."""
    probe.baseline(read).refuses(read.by(forge_credential(UNKNOWN, "unknown")), refusals.INVALID, change=CHANGE)


def test_refusal_stands_between_two_accepted_requests(
    probe_on: ProbeOn, target: Target, read: Request, canary: str
) -> None:
    """The accepted request before and after shows that the one change is the reason."""
    refuse(probe_on(target), read)
    assert target.credentials == [canary, UNKNOWN, canary]


def test_what_uses_its_object_up_is_sent_once_and_last(
    probe_on: ProbeOn, target: Target, consuming: Request, canary: str
) -> None:
    """The refused request comes first, and then the accepted one shows on the same object that it could be done."""
    refuse(probe_on(target), consuming)
    assert target.credentials == [UNKNOWN, canary]


def test_refusal_that_held_is_a_proof(probe_on: ProbeOn, target: Target, read: Request) -> None:
    """A case needs at least one."""
    probe = probe_on(target)
    refuse(probe, read)
    assert probe.proofs == 1


def test_every_exchange_is_kept(probe_on: ProbeOn, target: Target, read: Request) -> None:
    """As evidence."""
    probe = probe_on(target)
    refuse(probe, read)
    assert [exchange.response.status for exchange in probe.log] == [200, 401, 200]


# What the canary token and the unknown one are answered, in turn; what comes of it; and what its reason holds.
COMPARISONS: dict[str, tuple[Turns, Turns, type[Exception], str]] = {
    "accepted": ([(200, None)], [(200, None)], Violation, "wanted 401 auth.invalid_token, got 200"),
    "other-reason": ([(200, None)], [(401, "auth.expired_token")], Violation, "got 401 auth.expired_token"),
    "other-status": ([(200, None)], [(403, "auth.invalid_token")], Violation, "got 403 auth.invalid_token"),
    "no-reason": ([(200, None)], [(401, None)], Violation, "got 401 "),
    "server-error": ([(200, None)], [(500, None)], Violation, "got 500 "),
    "baseline-refused": ([(401, "auth.invalid_token")], REFUSED, Blocked, "CONFIG: is the token what"),
    "baseline-lacks-scope": ([(403, "auth.scope_required")], REFUSED, Blocked, "CONFIG: the token lacks"),
    "baseline-by-audience": ([(403, "auth.audience_required")], REFUSED, Blocked, "CONFIG: the token lacks"),
    "baseline-needs-aal2": ([(401, "auth.aal2_required")], REFUSED, Blocked, "CONFIG: declare under [operations] aal2"),
    "baseline-broken": ([(500, None)], REFUSED, Blocked, "TARGET: without an accepted request nothing is proven"),
    # The guide names GET /v1/customers, so that its absence cannot excuse anything.
    "baseline-not-found": ([(404, None)], REFUSED, Blocked, "TARGET: "),
    # What was refused for another reason, such as an outage, is nothing that the change brought about.
    "baseline-refused-afterwards": ([(200, None), (503, None)], REFUSED, Blocked, "TARGET: "),
    "outage-in-between": ([(200, None), (503, None)], [(503, None)], Blocked, "TARGET: "),
}


@pytest.mark.parametrize(("accepted", "refused", "end", "reason"), COMPARISONS.values(), ids=COMPARISONS)
def test_refusal_that_did_not_hold_ends_by_its_cause(
    probe_on: ProbeOn,
    target: Target,
    read: Request,
    canary: str,
    *,
    accepted: Turns,
    refused: Turns,
    end: type[Exception],
    reason: str,
) -> None:
    """A target that accepts or gives another reason has failed; one that refuses the baseline has shown nothing."""
    target.answers |= {canary: accepted, UNKNOWN: refused}
    probe = probe_on(target)
    with pytest.raises(end) as raised:
        refuse(probe, read)
    assert reason in str(raised.value)
    assert probe.proofs == 0


@pytest.mark.parametrize("text", ["POST /v1/payments/{id}/cancel", "POST /v1/payments/pay_1/cancel"])
def test_operation_that_the_configuration_names_and_the_target_lacks_is_its_mistake(
    probe_on: ProbeOn, target: Target, consuming: Request, canary: str, *, settings: Settings, text: str
) -> None:
    """A path that is misspelt there is to be found."""
    target.answers |= {canary: [(404, None)]}
    probe = probe_on(target)
    vars(probe)["settings"] = replace(settings, operations={"payments:write": (text,)})
    with pytest.raises(
        Inapplicable, match=re.escape(f"CONFIG: [operations] payments:write names it: is {text} right?")
    ):
        refuse(probe, consuming)


@pytest.mark.parametrize("status", [404, 405])
def test_operation_that_no_source_demands_may_be_missing(
    probe_on: ProbeOn, target: Target, consuming: Request, canary: str, status: int
) -> None:
    """Where the guide does not name it, its absence is no fault."""
    target.answers |= {canary: [(status, None)]}
    with pytest.raises(Inapplicable, match="the target has no POST /v1/payments/pay_1/cancel"):
        refuse(probe_on(target), consuming)


def test_violation_carries_the_change_and_the_exchange(probe_on: ProbeOn, target: Target, read: Request) -> None:
    """So that its message can tell both."""
    target.answers |= {UNKNOWN: [(200, None)]}
    with pytest.raises(Violation) as raised:
        refuse(probe_on(target), read)
    assert raised.value.change == CHANGE
    assert raised.value.exchange is not None
    assert raised.value.exchange.response.status == 200


def test_answer_of_the_other_reading_is_named(probe_on: ProbeOn, target: Target, read: Request) -> None:
    """A 403 where the guide has 401 is the Errors page's answer, which the message says."""
    target.answers |= {UNKNOWN: [(403, "auth.scope_required")]}
    probe = probe_on(target)
    with pytest.raises(Violation) as raised:
        probe.baseline(read).refuses(read.by(forge_credential(UNKNOWN, "lacking")), refusals.SCOPE, change="no scope")
    assert "reading `scope_refusal`" in raised.value.hint


def test_acceptance_is_preceded_by_the_bare_request(
    probe_on: ProbeOn, target: Target, read: Request, canary: str
) -> None:
    """That it is accepted counts only where a credential was needed."""
    probe = probe_on(target)
    probe.accepts(read)
    assert (target.credentials, probe.proofs) == ([None, canary], 1)


# What the bare request and the whole one are answered; what comes of it; and what its reason holds.
ACCEPTANCES: dict[str, tuple[tuple[int, str | None], tuple[int, str | None], type[Exception], str]] = {
    "open-to-all": ((200, None), (200, None), Blocked, "proves nothing (see credential.missing)"),
    "bare-refused-oddly": ((403, None), (200, None), Blocked, "proves nothing"),
    "refused": ((401, "auth.missing_token"), (401, "auth.invalid_token"), Violation, "wanted a 2xx, got 401"),
    "redirected": ((401, "auth.missing_token"), (302, None), Violation, "wanted a 2xx, got 302"),
    "guides-operation-missing": ((401, "auth.missing_token"), (404, None), Violation, "wanted a 2xx, got 404"),
}


@pytest.mark.parametrize(("bare", "whole", "end", "reason"), ACCEPTANCES.values(), ids=ACCEPTANCES)
def test_acceptance_that_did_not_hold_ends_by_its_cause(
    probe_on: ProbeOn,
    target: Target,
    read: Request,
    canary: str,
    *,
    bare: tuple[int, str | None],
    whole: tuple[int, str | None],
    end: type[Exception],
    reason: str,
) -> None:
    """A target that is open to everyone has proven nothing by being open to a token."""
    target.answers |= {None: [bare], canary: [whole]}
    probe = probe_on(target)
    with pytest.raises(end) as raised:
        probe.accepts(read)
    assert reason in str(raised.value)
    assert probe.proofs == 0


def test_what_an_answer_says_counts_where_a_token_was_needed(probe_on: ProbeOn, target: Target, read: Request) -> None:
    """A clause about answers rests on one that is accepted, and refused without its credential."""
    probe = probe_on(target)
    assert (probe.require_proven(read).response.status, probe.proofs) == (200, 1)


def test_what_an_open_target_says_proves_nothing(probe_on: ProbeOn, target: Target, read: Request) -> None:
    """Without a credential it would have said the same."""
    target.answers |= {None: [(200, None)]}
    with pytest.raises(Blocked, match="proves nothing"):
        probe_on(target).require_proven(read)


# What the baseline and the changed request are answered, and what comes of a change that must make no difference.
NO_DIFFERENCE: dict[str, tuple[Turns, Turns, type[Exception]]] = {
    "changed-refused": ([(200, None)], [(400, None)], Violation),
    "both-refused": ([(400, None)], [(400, None)], Blocked),
}


@pytest.mark.parametrize(("accepted", "changed", "end"), NO_DIFFERENCE.values(), ids=NO_DIFFERENCE)
def test_change_that_makes_a_difference_ends_by_its_cause(
    probe_on: ProbeOn,
    target: Target,
    read: Request,
    canary: str,
    *,
    accepted: Turns,
    changed: Turns,
    end: type[Exception],
) -> None:
    """A target that refuses the baseline too has shown nothing about the change."""
    target.answers |= {canary: accepted, UNKNOWN: changed}
    with pytest.raises(end):
        probe_on(target).baseline(read).accepts(read.by(forge_credential(UNKNOWN, "another")), change=CHANGE)


def test_refusal_that_another_clause_asks_for_is_no_violation_here(
    probe_on: ProbeOn, target: Target, read: Request
) -> None:
    """Where it does not come the case is blocked, and names the clause that fails."""
    target.answers |= {UNKNOWN: [(200, None)]}
    with pytest.raises(Blocked, match=r"so there is no refusal to look at \(see token.unknown\)"):
        probe_on(target).baseline(read).require_refused(
            read.by(forge_credential(UNKNOWN, "unknown")), change=CHANGE, see="token.unknown"
        )


def test_accepted_operation_that_no_source_demands_may_be_missing(
    probe_on: ProbeOn, target: Target, consuming: Request, canary: str
) -> None:
    """A 404 to an operation that the guide does not name says that there is none."""
    target.answers |= {canary: [(404, None)]}
    with pytest.raises(Inapplicable):
        probe_on(target).accepts(consuming)


def test_real_token_is_kept_from_the_other_environment(
    probe_on: ProbeOn, target: Target, read: Request, live_credential: Credential
) -> None:
    """A credential of live is not shown to a sandbox because a test would like to see it refused."""
    probe = probe_on(target)
    with pytest.raises(Blocked, match="set may_cross = true"):
        probe.send(read.by(live_credential))
    assert target.requests == []


def test_forged_token_may_cross(probe_on: ProbeOn, target: Target, read: Request, live_credential: Credential) -> None:
    """Nobody loses anything by it."""
    probe_on(target).send(read.by(forge_credential(live_credential.secret.reveal(), "forged")))
    assert len(target.requests) == 1


def test_live_request_needs_a_live_url(probe_on: ProbeOn, target: Target) -> None:
    """Where it would go is not guessed."""
    with pytest.raises(Blocked, match=r"set \[target\] live_url"):
        probe_on(target).send(Request("GET", "/v1/customers", live=True))


def test_case_about_the_other_url_drops_out_without_one(probe_on: ProbeOn, target: Target) -> None:
    """The clause rests on the cases about this environment's URL."""
    with pytest.raises(NotOffered, match="live_url"):
        probe_on(target).require_other_url()


def test_trouble_on_the_way_is_no_violation(probe_on: ProbeOn, read: Request) -> None:
    """A network that fails says nothing about the contract."""

    def broken(_: httpx.Request) -> httpx.Response:
        raise ConnectionRefusedError("refused")

    with pytest.raises(TransportTrouble, match="ConnectionRefusedError"):
        refuse(probe_on(broken), read)


def test_statement_that_holds_says_nothing(probe_on: ProbeOn, target: Target, read: Request) -> None:
    """And is no proof by itself: the comparison that it rests on is."""
    probe = probe_on(target)
    probe.expect(probe.send(read), "a list", holds=True, got="a list")
    assert probe.proofs == 0


def test_statement_that_does_not_hold_is_a_violation(probe_on: ProbeOn, target: Target, read: Request) -> None:
    """Its evidence is the answer that it is about."""
    probe = probe_on(target)
    exchange = probe.send(read)
    with pytest.raises(Violation, match="wanted a list, got 5") as raised:
        probe.expect(exchange, "a list", holds=False, got=5, hint="look")
    assert raised.value.exchange is exchange


def customers(*emails: str) -> Callable[[httpx.Request], httpx.Response]:
    """A target whose list of customers shows these addresses."""
    entries = [{"id": f"cus_{email}", "email": email} for email in emails]
    return lambda _: httpx.Response(200, json={"data": entries, "has_more": False, "next_cursor": None})


def test_trace_of_a_refused_request_is_a_violation(probe_on: ProbeOn) -> None:
    """What was refused must not have happened."""
    with pytest.raises(Violation, match="no trace of the refused request"):
        probe_on(customers("ada@x")).expect_not_listed(BY_ID["list_customers"], "ada@x", change="no key")


def test_no_trace_is_no_violation(probe_on: ProbeOn) -> None:
    """Others may add to a shared list meanwhile: the value is what is looked for."""
    probe_on(customers("bob@x")).expect_not_listed(BY_ID["list_customers"], "ada@x", change="no key")


def test_list_that_does_not_show_what_was_made_blocks(probe_on: ProbeOn) -> None:
    """Where an accepted request leaves no trace either, a refused one proves nothing by leaving none."""
    with pytest.raises(Blocked, match="no effect can be seen"):
        probe_on(customers()).require_listed(BY_ID["list_customers"], "ada@x")


def test_listed_secret_is_redacted_before_it_is_sent(probe_on: ProbeOn, target: Target, canary: str) -> None:
    """A target may know it from elsewhere, and say it."""
    assert canary not in probe_on(target).redactor().redact(f"Bearer {canary}x")


def test_sent_secret_is_redacted(probe_on: ProbeOn, target: Target, read: Request) -> None:
    """So is one of no known form that a test made up."""
    probe = probe_on(target)
    probe.send(read.by(forge_credential("hunter2-of-no-known-form", "forged")))
    assert "hunter2" not in probe.redactor().redact("it was hunter2-of-no-known-form")


def test_a_flaw_of_a_body_is_no_refusal_of_its_token(probe_on: ProbeOn) -> None:
    """A server that wants a member more refuses everybody so: the member is named, and nothing is proven."""
    flaw = {"problem": "validation.failed", "errors": [{"field": "country"}]}
    narrow = forge_credential(UNKNOWN, "customers:write only")
    creation = Request("POST", "/v1/customers", narrow, key="k").with_json({"email": "ada@example.com"})
    probe = probe_on(lambda _: httpx.Response(422, json=flaw))
    with pytest.raises(Blocked, match="naming country"):
        probe.accepts(creation)


def test_a_flaw_that_one_token_alone_is_told_of_is_a_refusal_of_it(
    probe_on: ProbeOn, target: Target, canary: str
) -> None:
    """What is accepted from another token has no flaw."""
    target.answers[canary], target.answers[UNKNOWN] = [(201, None)], [(422, "validation.failed")]
    narrow = forge_credential(UNKNOWN, "customers:write only")
    creation = Request("POST", "/v1/customers", narrow, key="k").with_json({"email": "ada@example.com"})
    with pytest.raises(Violation):
        probe_on(target).accepts(creation)


def probe_over_sockets(settings: Settings, **of_client: Any) -> Probe:
    """A probe that sends what it sends."""
    return Probe(
        Client(ClientSettings(run_id="run1"), **of_client),
        Provisioner(settings),
        settings,
        variation=Variation("1", OWN_USER_AGENT),
        document=lambda: Document(build(Profile.GUIDE), published=False),
    )


def test_target_that_answers_no_raw_request_is_asked_no_more(settings: Settings, service: Credential) -> None:
    """It may hang on malformed requests alone, each for as long as the timeout."""
    raw = Request("GET", "/v1/customers", service), [("Authorization", b"Bearer")]
    with socket.create_server(("127.0.0.1", 0)) as server:  # which accepts nothing
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
        probe = probe_over_sockets(replace(settings, url=url, timeout=0.02))
        for _ in range(10):
            with pytest.raises(TransportTrouble):
                probe.send_raw(*raw)
        with pytest.raises(NotRun, match="answered none of 10 requests"):
            probe.send_raw(*raw)


def test_a_raw_request_waits_for_its_turn_too(
    scripted: Callable[..., ScriptedServer], settings: Settings, service: Credential
) -> None:
    """A proxy that limits requests limits those over a bare socket as well."""
    limited = b"HTTP/1.1 429 Too Many Requests\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n"
    server = scripted([limited], [b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n"])
    slept: list[float] = []
    probe = probe_over_sockets(replace(settings, url=server.url), sleep=slept.append)
    exchange = probe.send_raw(Request("GET", "/v1/customers", service), [("Authorization", b"Bearer")])
    assert (exchange and exchange.response.status, slept) == (401, [7.0])
