"""A target that makes no tokens, and an owner who mints by hand: no more than `init` asks for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

import pytest

from helpers.deployment import Deployment
from helpers.suite import Run
from paylera_conformance.rehearsal.token_counts import TOKEN_COUNTS, TokenCount
from paylera_conformance.target.provisioner import OTHER, Need
from paylera_fixtures.vocabulary import Audience

pytestmark = pytest.mark.slow  # and those that are whole runs are for a release

Deploy: TypeAlias = Callable[..., Deployment]
Furnish: TypeAlias = Callable[[Deployment], Deployment]

NEEDED = TOKEN_COUNTS
PLENTY = 150
LACKS = "mint one and list it"
BEGIN: dict[str, tuple[tuple[str, ...], Callable[[TokenCount], int]]] = {
    "a-run-that-ends": ((), lambda count: count.at_once),
    "a-run-that-waits": (("--state", "state.json"), lambda count: count.waiting),
}
"""How a run is begun, and how many tokens it takes."""


def list_spares(target: Deployment, numbers: Mapping[Need, int]) -> None:
    """Mint so many disposable tokens of each kind, and list them too; the old one is there already."""
    already = len(target.lines)
    customer = target.call("/customers")["id"]
    tenant = target.call("/tenants")["id"]
    for place, (kind, number) in enumerate(numbers.items()):
        grants = {"aal": kind.aal}
        grants |= {"customer_id": customer} if kind.audience is Audience.CUSTOMER else {}
        grants |= {"tenant_id": tenant} if kind.tenant == OTHER else {}
        says = ["disposable = true"]
        says += [f'customer_id = "{customer}"'] if kind.audience is Audience.CUSTOMER else []
        says += ['tenant = "other"'] if kind.tenant == OTHER else []
        for each in range(0 if kind.older_than else number):
            target.mint(f"spare-{place}-{each}", kind.audience, list(kind.scopes), "\n".join(says), **grants)
    with (target.folder / "paylera-conformance.toml").open("a", encoding="utf-8") as file:
        file.write("\n" + "\n".join(target.lines[already:]))


@pytest.fixture
def certify(deploy: Deploy, furnish: Furnish) -> Callable[..., Run]:
    """Begins a run on a fake without `POST /v1/admin/api-tokens`, with so many tokens of each kind."""

    def begin(numbers: Mapping[Need, int], *arguments: str) -> Run:
        target = furnish(deploy())
        absent = {"at": "before_auth", "action": "answer", "status": 404, "problem": "route.not_found"}
        target.call("/faults", {**absent, "method": "POST", "route": "/v1/admin/api-tokens", "times": 1_000_000})
        list_spares(target, numbers)
        return target.suite("run", "--report", "out", "--seed", "1", "--run-id", "run1", *arguments)

    return begin


@pytest.mark.extended
@pytest.mark.parametrize(("arguments", "number_of"), BEGIN.values(), ids=BEGIN)
def test_the_fewest_prove_as_much_as_plenty(
    certify: Callable[..., Run], arguments: tuple[str, ...], number_of: Callable[[TokenCount], int]
) -> None:
    """What is blocked, or waits, does so for another reason than too few tokens."""
    fewest = certify({kind: number_of(count) for kind, count in NEEDED.items()}, *arguments)
    plenty = certify(dict.fromkeys(NEEDED, PLENTY), *arguments)
    assert (fewest.outcomes(), fewest.having("fail", "error", "not-run")) == (plenty.outcomes(), set())


TOKENS_ALONE = ("-k", "test_revocation or test_rotation")
"""The cases that use up most of the tokens."""


def test_cases_that_use_up_most_need_no_more(certify: Callable[..., Run]) -> None:
    """None is blocked for want of a token; a quarter of them is too few, and the message says what to mint."""
    fewest = certify({kind: count.at_once for kind, count in NEEDED.items()}, *TOKENS_ALONE)
    few = certify({kind: count.at_once // 4 for kind, count in NEEDED.items()}, *TOKENS_ALONE)
    lacking, lacking_of_few = ([text for text in run.messages().values() if LACKS in text] for run in (fewest, few))
    assert (lacking, bool(lacking_of_few)) == ([], True)
