"""What a request has done, by what the target shows afterwards: customers in its list, an object's state.

A refused request must have done nothing; that an accepted one was seen to do something shows that it would be seen.
"""

from __future__ import annotations

from typing import Final

from paylera_conformance.model.messages import Exchange, Request
from paylera_conformance.model.outcomes import Blocked
from paylera_conformance.probe.answers import mentions
from paylera_conformance.probe.probe import Probe
from paylera_conformance.probe.refusals import Refusal
from paylera_fixtures.api.operations import BY_ID

LIST: Final = BY_ID["list_customers"]
DIFFERS: Final = "\0differs"
"""Stands in a state for what two readings do not agree on."""

_LATE_REFUSAL: Final = "the refusal must come before the effect"


def expect_not_created(probe: Probe, refused: Request, *, accepted: Request, change: str) -> None:
    """The clause is that a refused creation of a customer has created none; an accepted one is listed.

    Raises `Violation`, or `Blocked` where the accepted one is not listed.
    """
    probe.require_listed(LIST, accepted.json["email"])
    probe.expect_not_listed(LIST, refused.json["email"], change=change)


def expect_refused_and_not_created(
    probe: Probe, refused: Request, as_: Refusal, *, accepted: Request, change: str, hint: str = ""
) -> None:
    """The clause is that the creation of a customer is refused as `as_`, and has created none.

    - `accepted`: the creation of another customer, without the change.

    Raises `Violation`, or `Blocked`.
    """
    probe.baseline(accepted).refuses(refused, as_, change=change, hint=hint)
    expect_not_created(probe, refused, accepted=accepted, change=change)


def expect_created_once(probe: Probe, creation: Request, *, change: str, hint: str = "") -> None:
    """The clause is that a customer was created once, not twice. Raises `Violation`, or `Blocked` where none was."""
    count = _count_customers(probe, creation)
    probe.expect(probe.log[-1], "one customer made", holds=count == 1, got=f"{count} of them", change=change, hint=hint)


def require_created_once(probe: Probe, creation: Request) -> None:
    """What was sent so far made one customer: a second is the next request's. Raises `Blocked`."""
    count = _count_customers(probe, creation)
    if count != 1:
        raise Blocked(
            f"{count} customers were made before anything was repeated (see credential.refusal-has-no-effect)"
        )


def _count_customers(probe: Probe, creation: Request) -> int:
    count = sum(mentions(entry, creation.json["email"]) for entry in probe.factory.list_entries(LIST))
    if count == 0:
        raise Blocked(f"{LIST} does not show what an accepted request made, so that no effect can be counted there")
    return count


def read_state(probe: Probe, request: Request) -> object:
    """What the target shows of the object below which a request acts, as `/v1/payments/{id}` of its refunds."""
    return read_lasting_state(probe, Request("GET", request.path.rpartition("/")[0], request.token))


def read_lasting_state(probe: Probe, read: Request) -> object:
    """What two reads in a row agree on: a signed link or a request's own number is no state of the object."""
    one, other = (probe.require_accepted(read).response.json for _ in range(2))
    return agreement(one, other)


def agreement(one: object, other: object) -> object:
    """What two readings of one object agree on, with `DIFFERS` wherever they do not."""
    if isinstance(one, dict) and isinstance(other, dict):
        return {
            name: agreement(one[name], other[name]) if name in one and name in other else DIFFERS
            for name in (one | other)
        }
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        return [agreement(*pair) for pair in zip(one, other, strict=True)]
    return one if one == other else DIFFERS


def require_visible_effect(probe: Probe, before: object, request: Request) -> None:
    """An accepted request was seen to change its object. Raises `Blocked`."""
    if read_state(probe, request) == before:
        raise Blocked(f"the target does not show what an accepted {request} moved, so that no effect can be seen there")


def expect_unchanged(
    probe: Probe, before: object, after: object, shown: Exchange, *, change: str, hint: str = _LATE_REFUSAL
) -> None:
    """The clause is that an object's state before and after a refused request is the same. Raises `Violation`.

    - `shown`: the answer that shows the state after it, which decides: the refusal is as it should be.
    """
    probe.expect(
        shown,
        "the object as it was",
        holds=before == after,
        got="a change of it",
        change=change,
        hint=hint,
    )


def expect_refused_without_effect(
    probe: Probe, changed: Request, as_: Refusal, *, accepted: Request, change: str
) -> None:
    """The clause is that a request is refused, and leaves the object as it was.

    - `accepted`: acts on the same object, to show that an effect would be seen.

    Raises `Violation`, or `Blocked`.
    """
    before = read_state(probe, changed)
    refused = probe.send(changed)
    after, shown = read_state(probe, changed), probe.log[-1]
    if refused.response.ok:
        as_.check(refused, change=change)
    probe.require_proven(accepted)
    require_visible_effect(probe, after, accepted)
    as_.check(refused, change=change)
    expect_unchanged(probe, before, after, shown, change=change)
