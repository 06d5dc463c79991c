"""The driver `static` has again what a case has not used up."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from helpers.suite import CANARY, URL
from paylera_conformance.model.outcomes import Blocked
from paylera_conformance.model.tokens import Credential, TokenState
from paylera_conformance.target.provisioner import ACTED_ON, Need, StaticProvisioner
from paylera_conformance.target.settings import Settings
from paylera_fixtures.redaction import Secret

SPARE = Need("spare", disposable=True)


def listed(name: str, **members: Any) -> Credential:
    """A token that may be used up."""
    token = Credential(Secret(f"{CANARY}-{name}", name), id=f"tok_{name}", disposable=True)
    return replace(token, **members)


def provisioner(*tokens: Credential) -> StaticProvisioner:
    """What hands out these."""
    return StaticProvisioner(Settings(url=URL, tokens=tokens))


def rotated(token: Credential) -> Credential:
    """The token with another secret."""
    return token.with_secret(f"{token.secret.reveal()}-rotated", token.secret.role)


def test_token_that_is_taken_back_serves_another_case() -> None:
    """With the secret that the last case has left it."""
    root = provisioner(listed("a"))
    first, second = root.isolate(), root.isolate()
    token = first.token(SPARE)
    first.take_back(token, rotated(token))
    assert second.token(SPARE) == rotated(token)


def test_token_is_lent_to_one_case_at_a_time() -> None:
    """Another would find it rotated, or revoked."""
    root = provisioner(listed("a"))
    root.isolate().token(SPARE)
    with pytest.raises(Blocked, match="mint one and list it"):
        root.isolate().token(SPARE)


def test_token_that_nobody_knows_about_is_lent_no_more() -> None:
    """A case that ended half-way may have rotated it."""
    root = provisioner(listed("a"))
    case = root.isolate()
    case.take_back(case.token(SPARE), None)
    assert case.lent == ()
    with pytest.raises(Blocked):
        root.isolate().token(SPARE)


def test_case_knows_what_it_was_lent() -> None:
    """And not what others were: a case gives back its own."""
    root = provisioner(listed("a"), listed("b"))
    case, other = root.isolate(), root.isolate()
    token = case.token(SPARE)
    other.token(SPARE)
    assert case.lent == ((token, SPARE),)


def test_token_that_was_never_rotated_comes_first() -> None:
    """Where there are plenty, each case has one that nothing has happened to."""
    root = provisioner(listed("a"), listed("b"))
    case = root.isolate()
    token = case.token(SPARE)
    case.take_back(token, rotated(token))
    assert root.isolate().token(SPARE) == listed("b")


def test_revoked_token_serves_who_needs_a_revoked_one() -> None:
    """And nobody else."""
    root = provisioner(listed("a"))
    case = root.isolate()
    token = case.token(SPARE)
    over = replace(token, state=TokenState.REVOKED)
    case.take_back(token, over)
    assert root.revoked_token(Need("revoked")) == over
    with pytest.raises(Blocked):
        root.token(Need(""))


@pytest.mark.parametrize("need", [Need("revoked", aal=2), Need("revoked", scopes=())])
def test_revoked_token_of_another_kind_is_none(need: Need) -> None:
    """A refused request differs from the accepted one in one thing only."""
    root = provisioner(listed("a"))
    case = root.isolate()
    token = case.token(SPARE)
    case.take_back(token, replace(token, state=TokenState.REVOKED))
    assert root.revoked_token(need) is None


def test_token_listed_as_revoked_is_not_one_that_the_run_revoked() -> None:
    """Nobody has seen it revoked."""
    assert provisioner(listed("a", state=TokenState.REVOKED, disposable=False)).revoked_token(Need("")) is None


@pytest.mark.parametrize("need", [Need("", at_least=True, scopes=(), disposable=True), Need(ACTED_ON, disposable=True)])
def test_whoever_takes_any_leaves_the_rarer_to_others(need: Need) -> None:
    """A token of one scope is listed for the cases that need just that."""
    root = provisioner(listed("one", scopes=("customers:read",)), listed("all"))
    assert root.token(need) == listed("all")


def test_what_is_acted_on_may_have_any_scopes() -> None:
    """Nothing is sent by it."""
    root = provisioner(listed("one", scopes=("customers:read",)))
    assert root.token(Need(ACTED_ON, scopes=("catalog:read",), disposable=True)) == listed(
        "one", scopes=("customers:read",)
    )
