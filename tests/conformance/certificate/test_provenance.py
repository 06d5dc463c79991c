"""What the suite's files are is told by their digests, and whether they are as released by the installed list."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path

import pytest

from paylera_conformance import provenance
from paylera_conformance.provenance import (
    ChangedSuiteError,
    Origin,
    canonical,
    contract_digest,
    digest,
    origin,
    suite_digest,
)
from paylera_conformance.run.plan import Plan, planned_cases
from paylera_fixtures.clauses import CLAUSES

FILES = {
    "paylera_conformance/clauses/test_token.py": b"assert True\n",
    "paylera_conformance/pytest.ini": b"[pytest]\n",
    "paylera_fixtures/__init__.py": b"",
}


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in which a small suite is installed, with the list of digests that an installer writes."""
    for name, content in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(content)
    about = tmp_path / "paylera_testkit-9.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.4\nName: paylera-testkit\nVersion: 9\n", "utf-8")
    (about / "RECORD").write_text("".join(recorded(name, content) for name, content in FILES.items()), "utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    for package in provenance.PACKAGES:
        monkeypatch.setitem(provenance.PACKAGES, package, tmp_path / package)
    return tmp_path


def recorded(name: str, content: bytes) -> str:
    """A line of RECORD (the packaging specifications' "Recording installed projects")."""
    encoded = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).decode().rstrip("=")
    return f"{name},sha256={encoded},{len(content)}\n"


def test_released_suite_is_known_as_that(installed: Path) -> None:
    """Each file is the one that the list names; what Python compiles is none of them."""
    (installed / "paylera_fixtures" / "__pycache__").mkdir()
    (installed / "paylera_fixtures" / "__pycache__" / "x.pyc").write_bytes(b"x")
    assert origin() is Origin.WHEEL


CHANGES = {
    "changed": ("paylera_conformance/clauses/test_token.py", b"assert True or None\n"),
    "added": ("paylera_conformance/conftest.py", b"pass\n"),
}


@pytest.mark.parametrize(("name", "content"), CHANGES.values(), ids=CHANGES)
def test_changed_suite_is_told_with_the_file(installed: Path, name: str, content: bytes) -> None:
    """One that was changed or added could pass anything."""
    (installed / name).write_bytes(content)
    with pytest.raises(ChangedSuiteError, match=name):
        origin()


def test_removed_file_is_told(installed: Path) -> None:
    """A clause whose tests are gone fails nobody."""
    (installed / "paylera_conformance/clauses/test_token.py").unlink()
    with pytest.raises(ChangedSuiteError, match=r"clauses/test_token\.py"):
        origin()


def test_working_tree_is_known_as_that(installed: Path) -> None:
    """An editable install lists no file of the packages, and none can be held against it."""
    (installed / "paylera_testkit-9.dist-info" / "RECORD").write_text("_editable.pth,,\n", "utf-8")
    assert origin() is Origin.CHECKOUT


@pytest.mark.parametrize(("name", "content"), CHANGES.values(), ids=CHANGES)
def test_digest_of_the_suite_changes_with_its_files(installed: Path, name: str, content: bytes) -> None:
    """In content and in name."""
    before = suite_digest()
    (installed / name).write_bytes(content)
    assert suite_digest() != before


def test_digests_have_one_form() -> None:
    """Of the contract as of the suite: SHA-256 in hexadecimal."""
    assert [len(bytes.fromhex(text)) for text in (suite_digest(), contract_digest())] == [32, 32]


@pytest.mark.parametrize(("one", "other"), [({"a": 1, "b": [2]}, {"b": [2], "a": 1}), ("ü", "\u00fc")])
def test_equal_values_have_one_digest(one: object, other: object) -> None:
    """However they were made."""
    assert (canonical(one), digest(one)) == (canonical(other), digest(other))


@pytest.fixture
def plan() -> Plan:
    """The plan of the suite."""
    return planned_cases()


def test_plan_has_cases_for_every_clause(plan: Plan) -> None:
    """Collected from the suite itself, whatever plugins its user has."""
    assert set(plan) == {clause.id for clause in CLAUSES}
    assert all(plan.values())


def test_plan_knows_the_cases_by_the_names_that_a_run_gives(plan: Plan) -> None:
    """Parameters and all."""
    assert "test_it_is_so_on_every_operation[revoked-list_customers]" in plan["token.revoked"]
    assert "test_a_service_token_is_accepted" in plan["credential.accepted"]
