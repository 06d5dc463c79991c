"""The driver `python`: somebody else's class provisions, and what goes wrong in it is nobody's failure."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from typing import TypeAlias

import pytest

from helpers.deployment import Deployment
from helpers.paths import EXAMPLES
from helpers.suite import Run

EXAMPLE = EXAMPLES / "adapter" / "acme_conformance.py"
CANARY = "sk_sandbox_" + "AdapterCanary".ljust(32, "7")

Certify: TypeAlias = Callable[..., "Run"]


@pytest.fixture(scope="module")
def target(deploy: Callable[..., Deployment]) -> Deployment:
    """A deployment whose owner wrote an adapter."""
    made = deploy()
    shutil.copy(EXAMPLE, made.folder)
    made.env["ACME_TOOLS_URL"] = made.control_url
    return made


@pytest.fixture
def certify(target: Deployment) -> Certify:
    """Runs the suite with an adapter: its name, and the text of `mine.py` beside the configuration file."""

    def run(adapter: str, *arguments: str, text: str = "") -> Run:
        (target.folder / "mine.py").write_text(text, "utf-8")
        target.configure(
            f'[target]\nurl = "{target.url}"\nmode = "full"',
            f'[provision]\ndriver = "python"\nadapter = "{adapter}"',
            '[operations]\naal2 = "POST /v1/payments/{id}/cancel"',
        )
        return target.suite("run", "--report", "out", *arguments)

    return run


@pytest.mark.slow
def test_example_proves_what_needs_tokens_and_time(certify: Certify) -> None:
    """The example in the documentation is one that works."""
    cells = "test_every_operation and (scope or expired or aal2)"
    ended = certify("acme_conformance:Provisioner", "-k", f"test_scope or test_rotation or test_aal2 or ({cells})")
    wanted = {"scope.required", "scope.granted", "rotation.grace-holds", "rotation.grace-ends", "aal2.required"}
    assert (wanted - ended.having("pass"), ended.having("fail", "error")) == (set(), set())


BASE = "from paylera_conformance.target.adapter import Adapter\n"
MINE = BASE + "class Mine(Adapter):\n    def token(self, need):\n        "
# What the method `token` of an adapter does, and what the report says of it.
TROUBLES = {
    "exception": ("raise LookupError('no such realm')", "failed in token: LookupError: no such realm"),
    "secret-in-it": (f"raise LookupError('{CANARY}')", "failed in token: LookupError: ‹"),
    "no-credential": (f"return '{CANARY}'", "gave str for token, which gives Credential"),
    "exit": ("import sys; raise OSError('gone')", "failed in token: OSError: gone"),
}


@pytest.mark.parametrize(("does", "said"), TROUBLES.values(), ids=TROUBLES.keys())
def test_trouble_in_an_adapter_blocks(certify: Certify, does: str, said: str) -> None:
    """It is set-up, and set-up is never a failure of the target."""
    ended = certify("mine:Mine", "-k", "test_the_one_scope_is_enough", text=MINE + does)
    clause = ended.clause("scope.granted")
    assert (clause["outcome"], f"the adapter mine:Mine {said}" in clause["message"]) == ("blocked", True)


def test_adapter_leaks_no_secret(certify: Certify) -> None:
    """What it raises is redacted like all else."""
    ended = certify("mine:Mine", "-k", "test_the_one_scope_is_enough", text=MINE + TROUBLES["secret-in-it"][0])
    assert CANARY not in ended.output + str(ended.report)


def test_what_an_adapter_does_not_do_comes_from_the_file(certify: Certify) -> None:
    """The base class is the static driver."""
    ended = certify("mine:Mine", "-k", "test_the_one_scope_is_enough", text=BASE + "class Mine(Adapter):\n    pass\n")
    assert "mint one and list it under [tokens]" in ended.clause("scope.granted")["message"]


# Adapters that cannot be had, and what is said in one line.
UNUSABLE = {
    "no-module": ("nowhere:Mine", "", "cannot be imported: ModuleNotFoundError"),
    "no-class": ("mine:Other", BASE, "cannot be imported: AttributeError"),
    "broken-module": ("mine:Mine", "1 / 0", "cannot be imported: ZeroDivisionError"),
    "no-settings": ("mine:Mine", "class Mine:\n    pass\n", "cannot be made from the settings: TypeError"),
    "too-little": (
        "mine:Mine",
        "class Mine:\n    def __init__(self, settings): pass\n",
        "has no token, known_actor, foreign_actor",
    ),
    "no-name": ("mine", "", 'set [provision] adapter = "package.module:Class"'),
}


@pytest.mark.parametrize(("adapter", "text", "said"), UNUSABLE.values(), ids=UNUSABLE.keys())
def test_adapter_that_cannot_be_had_is_a_mistake(certify: Certify, adapter: str, text: str, said: str) -> None:
    """Of whoever configured it, and not the target's."""
    ended = certify(adapter, "-k", "test_token", text=text)
    assert (ended.code, said in " ".join(ended.output.split()), "Traceback" in ended.output) == (4, True, False)


@pytest.mark.parametrize("member", ["url", "live_url"])
def test_adapter_that_leads_elsewhere_is_a_mistake(certify: Certify, member: str) -> None:
    """Exit 4: another server would be judged, and get the credentials."""
    text = f"{BASE}class Mine(Adapter):\n    {member} = property(lambda self: 'http://other.test', lambda *_: None)\n"
    ended = certify("mine:Mine", "-k", "scheme_is_found or wrong_environment", text=text)
    told = f"{member} of the adapter mine:Mine is at http://other.test"
    assert (ended.code, told in " ".join(ended.output.split())) == (4, True)
