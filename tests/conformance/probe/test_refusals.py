"""A refusal counts by status and reason, under the readings of the run."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from paylera_conformance.model.messages import Exchange, Request, Response
from paylera_conformance.model.outcomes import Deviation, Violation
from paylera_conformance.probe import refusals
from paylera_conformance.probe.refusals import Refusal
from paylera_fixtures.vocabulary import Profile, readings_for


def answered(status: int, problem: object = None) -> Response:
    """An answer with a `problem`, or without."""
    return Response(status, (), b"" if problem is None else json.dumps({"problem": problem}).encode())


# The refusal, the answer, and whether it counts.
ANSWERS: dict[str, tuple[Refusal, Response, bool]] = {
    "exact": (refusals.MISSING, answered(401, "auth.missing_token"), True),
    "other-status": (refusals.MISSING, answered(403, "auth.missing_token"), False),
    "other-reason": (refusals.MISSING, answered(401, "auth.invalid_token"), False),
    "no-reason": (refusals.MISSING, answered(401), False),
    "reason-no-string": (refusals.MISSING, answered(401, ["auth.missing_token"]), False),
    "reason-in-other-case": (refusals.MISSING, answered(401, "AUTH.MISSING_TOKEN"), False),
    "accepted": (refusals.MISSING, answered(200, "auth.missing_token"), False),
    "either-of-two": (refusals.NO_CREDENTIAL, answered(401, "auth.invalid_token"), True),
    "neither-of-two": (refusals.NO_CREDENTIAL, answered(401, "auth.expired_token"), False),
    "any-reason": (refusals.AUDIENCE, answered(403, "made.up"), True),
    "any-reason-but-none": (refusals.AUDIENCE, answered(403), False),
    "bare-4xx": (refusals.ANY_REFUSAL, answered(431), True),
    "bare-5xx": (refusals.ANY_REFUSAL, answered(500), False),
    "not-found-bare": (refusals.NOT_FOUND, answered(404), False),
}


@pytest.mark.parametrize(("refusal", "answer", "counts"), ANSWERS.values(), ids=ANSWERS)
def test_refusal_counts_with_its_reason(refusal: Refusal, answer: Response, *, counts: bool) -> None:
    """A status alone shows only that something was refused, not that this was."""
    assert refusal.accepts(answer) is counts


@pytest.mark.parametrize(("problem", "end"), [("made.up", Deviation), (None, Violation)])
def test_a_hidden_admin_api_deviates_where_it_gives_a_reason(problem: str | None, end: type[Violation]) -> None:
    """RFC 9110, section 15.5.4: a server may say 404 of what somebody may not know of; the contract has 401 or 403."""
    exchange = Exchange(Request("GET", "/v1/admin/actors"), "", (), answered(404, problem))
    with pytest.raises(Violation) as caught:
        refusals.ADMIN_API.check(exchange, change="a service token")
    assert caught.type is end


@pytest.mark.parametrize(("profile", "status"), [(Profile.GUIDE, 401), (Profile.REFERENCE, 403)])
@pytest.mark.parametrize("refusal", [refusals.SCOPE, refusals.AAL2], ids=["scope", "aal2"])
def test_disputed_status_is_the_profiles(refusal: Refusal, profile: Profile, status: int) -> None:
    """The two pages differ; the profile says which counts."""
    assert refusal.under(readings_for(profile)).statuses == {status}


@pytest.mark.parametrize(
    ("profile", "other", "hint"),
    [
        (Profile.GUIDE, 403, "401 by the guide; the Errors page has 403 for this: see reading `scope_refusal`"),
        (Profile.REFERENCE, 401, "403 by the Errors page; the guide has 401 for this: see reading `scope_refusal`"),
    ],
)
def test_answer_of_the_other_reading_is_told_so(
    exchanged: Callable[..., Exchange], profile: Profile, other: int, hint: str
) -> None:
    """That two pages contradict each other is the first thing the target's owner must know."""
    exchange = exchanged(other, b'{"problem": "auth.scope_required"}')
    with pytest.raises(Violation) as raised:
        refusals.SCOPE.under(readings_for(profile)).check(exchange, change="no scope", hint="something else")
    assert raised.value.hint == hint


def test_answer_of_no_reading_keeps_the_hint(exchanged: Callable[..., Exchange]) -> None:
    """A 200 is no question of readings."""
    with pytest.raises(Violation) as raised:
        refusals.SCOPE.under(readings_for(Profile.GUIDE)).check(exchanged(200), change="no scope", hint="look here")
    assert raised.value.hint == "look here"


@pytest.mark.parametrize(
    ("status", "body", "hint"),
    [
        (403, b'{"problem": "auth.invalid_token"}', "for this reason: the status alone is not 401 auth.invalid_token"),
        (401, b"{}", "the body alone names no such `problem`"),
        (401, b'{"problem": "auth.expired_token"}', "it is refused, but as auth.expired_token"),
        (404, b"{}", "empty your cache"),
        (500, b"{}", "empty your cache"),
        (200, b"{}", "empty your cache"),
    ],
)
def test_hint_on_an_acceptance_is_not_given_for_another_refusal(
    exchanged: Callable[..., Exchange], status: int, body: bytes, hint: str
) -> None:
    """Where it is refused, if otherwise than it should be, why it may be accepted is no matter."""
    with pytest.raises(Violation) as raised:
        refusals.INVALID.check(exchanged(status, body), change="revoked", hint="empty your cache")
    assert hint in raised.value.hint


@pytest.mark.parametrize(
    ("refusal", "words"),
    [
        (refusals.MISSING, "401 auth.missing_token"),
        (refusals.NO_CREDENTIAL, "401 auth.missing_token or auth.invalid_token"),
        (refusals.AUDIENCE, "401 or 403 with a problem code"),
        (refusals.ANY_REFUSAL, "a 4xx"),
        (refusals.ANY_PROBLEM, "a 4xx with a problem code"),
    ],
)
def test_refusal_reads_as_what_was_wanted(refusal: Refusal, words: str) -> None:
    """It stands in messages after `wanted`."""
    assert str(refusal) == words


@pytest.mark.parametrize(
    ("response", "words"),
    [
        (answered(401, "auth.invalid_token"), "401 auth.invalid_token"),
        (answered(204), "204, no body"),
        (Response(502, (("Content-Type", "text/html; charset=utf-8"),), b"<html>"), "502 (text/html, 6 bytes)"),
        (Response(500, (), b"oops"), "500 (no media type, 4 bytes)"),
    ],
)
def test_answer_reads_as_what_came(response: Response, words: str) -> None:
    """And the answer after `got`."""
    assert refusals.describe(response) == words


# What a problem document holds, and the members that are named.
FLAWS: dict[str, tuple[dict[str, object], str]] = {
    "field": ({"errors": [{"field": "country", "code": "required"}]}, "naming country"),
    "pointer": ({"errors": [{"detail": "is missing", "pointer": "#/country"}]}, "naming #/country"),
    "source": ({"errors": [{"source": {"pointer": "/data/country"}}]}, "naming /data/country"),
    "place": ({"errors": [{"loc": ["body", "country"]}]}, "naming body.country"),
    "by-name": ({"errors": {"country": ["is missing"], "city": ["is missing"]}}, "naming country, city"),
    "params": ({"invalid-params": [{"name": "country"}]}, "naming country"),
    "own-pointer": ({"detail": "is missing", "pointer": "/country"}, "naming /country"),
    "sentence": ({"detail": "Give a country."}, ": Give a country."),
    "nothing": ({"errors": [4711]}, "422 (no media type, 18 bytes)"),
}


@pytest.mark.parametrize(("body", "named"), FLAWS.values(), ids=FLAWS)
def test_the_members_that_an_answer_names_are_found(body: dict[str, object], named: str) -> None:
    """Whoever runs the suite learns what the target wants without reading the exchange."""
    assert refusals.describe_flaw(Response(422, (), json.dumps(body).encode())).endswith(named)
