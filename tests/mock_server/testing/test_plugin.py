"""The pytest plugin: what a run costs that does not use it, and what a test gets that does."""

from __future__ import annotations

import ast
import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pytest

import paylera_mock.testing
from paylera_mock.testing.reporting import LAST

SECTION = "paylera: last requests"
PLUGINS = ("paylera_conformance.plugin", "paylera_mock.testing.plugin")
HEAVY = {"anyio", "faker", "flask", "httpx", "requests", "respx", "urllib3", "werkzeug"}

FAILING = """
    import httpx

    def test_it(paylera, paylera_transport, paylera_token):
        with httpx.Client(transport=paylera_transport, base_url=paylera.url) as client:
            for number in range(12):
                client.get("/v1/customers", headers={"Authorization": f"Bearer {paylera_token}"})
            paylera.faults.add("answer", status=500)
            client.get("/v1/customers/" + "c" * 200, headers={"Authorization": f"Bearer {paylera_token}"})
            client.get("/v1/customers/" + paylera_token, headers={"Authorization": f"Bearer  {paylera_token}x"})
        print("secret", len(paylera_token))
        assert "it" == "fails"
"""


def test_loading_it_imports_nothing_but_pytest() -> None:
    """Pytest loads it in every run of every user who has the package."""
    program = "import sys, paylera_mock.testing.plugin; print(*sorted({name.split('.')[0] for name in sys.modules}))"
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()
    assert HEAVY & set(loaded) == set()


def names_in(module: str) -> set[str]:
    """The functions that a module defines."""
    found = importlib.util.find_spec(module)
    assert found is not None
    tree = ast.parse(Path(str(found.origin)).read_text("utf-8"))
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


def test_its_fixtures_are_no_other_plugins() -> None:
    """Both plugins are loaded in every run: of what they define only the hooks may have the same name."""
    shared = names_in(PLUGINS[0]) & names_in(PLUGINS[1])
    assert {name for name in shared if not name.startswith("pytest_")} == set()


def test_its_fixtures_say_whose_they_are() -> None:
    """A fixture called `token` would be somebody's own."""
    public = {name for name in names_in(PLUGINS[1]) if not name.startswith(("_", "pytest_"))}
    assert {name for name in public if not name.startswith("paylera")} == set()


@pytest.mark.parametrize("name", paylera_mock.testing.__all__)
def test_its_types_are_there_for_annotations(name: str) -> None:
    """Each is imported when it is asked for."""
    assert getattr(paylera_mock.testing, name).__name__ == name


def test_a_type_that_is_not_there_is_missed() -> None:
    """As in any module."""
    assert not hasattr(paylera_mock.testing, "Payler")


@pytest.mark.parametrize("options", [(), ("-n", "1")], ids=["alone", "in a worker"])
def test_faults_that_never_happened_are_named_at_the_end(pytester: pytest.Pytester, options: tuple[str, ...]) -> None:
    """Of tests that pass too: they may have shown nothing."""
    pytester.makepyfile(
        """
        import httpx

        def test_it(paylera, paylera_transport):
            paylera.faults.add("drop", method="POST")
            paylera.faults.add("answer")
            with httpx.Client(transport=paylera_transport, base_url=paylera.url) as client:
                assert client.get("/v1/customers").status_code == 503

        def test_another(paylera):
            pass
        """
    )
    ended = pytester.runpytest_subprocess(*options)
    ended.stdout.fnmatch_lines(["*faults that never happened*", "*::test_it: flt_1: drop at before_auth, POST"])
    assert "flt_2" not in ended.stdout.str()


def test_each_test_has_a_fake_of_its_own(pytester: pytest.Pytester) -> None:
    """Neither objects nor tokens nor time go from one to the next, in the one application of the run."""
    pytester.makepyfile(
        """
        import pytest

        seen = set()

        @pytest.mark.parametrize("number", range(3))
        def test_it(paylera, paylera_token, paylera_app, number):
            seen.add((paylera.namespace.id, paylera_token))
            assert (len(seen), len({id(paylera_app)})) == (number + 1, 1)
            assert len(paylera.journal) == 0
            paylera.clock.advance(60)
        """
    )
    pytester.runpytest().assert_outcomes(passed=3)


def test_settings_are_overridden(pytester: pytest.Pytester) -> None:
    """By a fixture of the same name, as pytest's users know it."""
    pytester.makepyfile(
        """
        import httpx
        import pytest

        @pytest.fixture
        def paylera_settings():
            return {"profile": "reference"}

        def test_it(paylera, paylera_transport):
            token = paylera.token()
            with httpx.Client(transport=paylera_transport, base_url=paylera.url) as client:
                assert client.get("/v1/customers", headers=token.headers).status_code == 403
        """
    )
    pytester.runpytest().assert_outcomes(passed=1)


def test_bad_settings_are_named(pytester: pytest.Pytester) -> None:
    """The error says what there is."""
    pytester.makepyfile(
        """
        import pytest

        @pytest.fixture
        def paylera_settings():
            return {"profile": "guidance"}

        def test_it(paylera):
            pass
        """
    )
    ran = pytester.runpytest()
    ran.assert_outcomes(errors=1)
    ran.stdout.fnmatch_lines(["*POST namespaces is refused: profile: This must be one of guide, reference."])


def last_requests_in(output: str) -> list[str]:
    """The lines of the report's section."""
    _, found, rest = output.partition(f" {SECTION} ")
    assert found, output
    return [line for line in rest.splitlines()[1:] if line.startswith(("#", "("))]


@pytest.mark.parametrize("arguments", [[], pytest.param(["-n1"], marks=pytest.mark.slow)], ids=["alone", "xdist"])
def test_a_failing_test_shows_its_last_requests(pytester: pytest.Pytester, arguments: list[str]) -> None:
    """Each on a line, with what it was answered and what decided."""
    pytester.makepyfile(FAILING)
    lines = last_requests_in(pytester.runpytest(*arguments).stdout.str())
    assert lines[0] == "(4 before these)"
    assert lines[1] == "#5 GET /v1/customers 200 [effect; credential.accepted]"
    assert len(lines) == LAST + 1


@pytest.mark.parametrize("columns", [60, 200])
def test_the_last_requests_are_whole(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, columns: int) -> None:
    """Each word is there, in lines as wide as the terminal; what is longer than a line stays whole."""
    monkeypatch.setenv("COLUMNS", str(columns))
    pytester.makepyfile(
        """
        import httpx

        def test_it(paylera, paylera_transport, paylera_token):
            with httpx.Client(transport=paylera_transport, base_url=paylera.url) as client:
                client.get("/v1/plans", headers={"Authorization": f"Bearer {paylera_token[:-1]}"})
                client.get("/v1/customers/" + "c" * 300)
            assert "it" == "fails"
        """
    )
    _, _, rest = pytester.runpytest().stdout.str().partition(f" {SECTION} ")
    first, second = rest.partition("\n=")[0].split("\n#")[1:]
    assert max(map(len, f"#{first}".splitlines())) <= columns
    assert "hint: " in first
    assert " ".join(first.split()).endswith(".")
    assert f"/v1/customers/{'c' * 300} 401 auth.missing_token" in " ".join(second.split())


WIDER = """
    import httpx
    import pytest

    def ask(fake):
        with httpx.Client(transport=fake.transport, base_url=fake.url) as client:
            client.get("/v1/plans")

    def test_first(FIXTURE):
        ask(FIXTURE)
        assert len(FIXTURE.journal) == 1

    def test_second(FIXTURE):
        ask(FIXTURE)
        assert len(FIXTURE.journal) == 1, "it is shared"

    def test_third(FIXTURE):
        assert 0, "it has sent nothing"

    def test_fourth():
        assert 0, "it has no fake"
"""


@pytest.mark.parametrize("fixture", ["paylera_module", "paylera_session"])
def test_a_wider_fake_is_shared(pytester: pytest.Pytester, fixture: str) -> None:
    """A test that fails shows its own requests, and those of no other test."""
    pytester.makepyfile(WIDER.replace("FIXTURE", fixture))
    ran = pytester.runpytest()
    ran.assert_outcomes(passed=1, failed=3)
    sections = ran.stdout.str().split(f" {fixture}: last requests ")[1:]
    first_lines = [section.splitlines()[1] for section in sections]
    assert [line[:16] for line in first_lines] == ["#2 GET /v1/plans", "none: the client"]


SHOW_IDS = """
    def test_it(paylera_module, paylera_session):
        print("ids", paylera_module.namespace.id, paylera_session.namespace.id)
"""


def test_a_module_has_a_fake_of_its_own(pytester: pytest.Pytester) -> None:
    """And the session one for all."""
    pytester.makepyfile(test_one=SHOW_IDS, test_two=SHOW_IDS)
    said = pytester.runpytest("-s").stdout.str()
    modules, sessions = zip(*re.findall(r"ids (\w+) (\w+)", said), strict=True)
    assert (len(set(modules)), len(set(sessions))) == (2, 1)


def test_the_last_requests_hold_no_secret(pytester: pytest.Pytester) -> None:
    """Reports are kept, and sent about. The test's own lines are shown as they stand."""
    pytester.makepyfile(FAILING)
    output = pytester.runpytest("--tb=no", "-rN").stdout.str()
    pytester.runpytest("--junitxml=report.xml", "-o", "junit_logging=all")
    written = output + (pytester.path / "report.xml").read_text("utf-8")
    assert re.findall(r"sk_(?:sandbox|live)_\w+", written) == []


def test_faults_and_hints_are_shown(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was done on purpose, and what is wrong with a token that is almost right."""
    monkeypatch.setenv("COLUMNS", "300")
    pytester.makepyfile(
        """
        import httpx

        def test_it(paylera, paylera_transport):
            paylera.faults.add("answer", status=500)
            with httpx.Client(transport=paylera_transport, base_url=paylera.url) as client:
                client.get("/v1/plans")
                client.get("/v1/plans", headers={"Authorization": "Bearer $PAYLERA_KEY"})
            assert "it" == "fails"
        """
    )
    first, second = last_requests_in(pytester.runpytest().stdout.str())
    assert first.startswith("#1 GET /v1/plans 500")
    assert first.endswith("fault: answer before_auth (flt_1)")
    assert "401 auth.invalid_token" in second
    assert "hint: " in second


SILENT = {
    "a test that passes": "def test_it(paylera): pass",
    "a test without a fake": "def test_it(): assert 0",
}


@pytest.mark.parametrize("source", SILENT.values(), ids=SILENT)
def test_nothing_is_shown_of(pytester: pytest.Pytester, source: str) -> None:
    """The section is for a failing test that has a fake."""
    pytester.makepyfile(source)
    assert SECTION not in pytester.runpytest("-rA").stdout.str()


def test_a_client_that_sent_nothing_is_told_so(pytester: pytest.Pytester) -> None:
    """Mostly it has another URL."""
    pytester.makepyfile("def test_it(paylera): assert 0")
    pytester.runpytest().stdout.fnmatch_lines(["none: the client under test has sent no*"])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("fixture", "library"),
    [("paylera_transport", "httpx"), ("paylera_requests", "requests"), ("paylera_respx", "respx")],
)
def test_a_missing_extra_is_named(pytester: pytest.Pytester, fixture: str, library: str) -> None:
    """In one line, without a traceback."""
    pytester.makepyfile(f"def test_it({fixture}): pass")
    pytester.makeconftest(f"import sys\nsys.modules[{library!r}] = None")
    ran = pytester.runpytest_subprocess("--tb=short")
    ran.assert_outcomes(errors=1)
    ran.stdout.fnmatch_lines([f"{fixture} needs {library}: pip install 'paylera-testkit[[]sdk]'"])
    ran.stdout.no_fnmatch_line("*Traceback*")
