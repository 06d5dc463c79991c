"""The site is made of the tables in the code, and what its pages tell a reader to do is so."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import re
import shlex
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import pytest

from helpers.paths import DOCS
from paylera_conformance.cli import main as suite
from paylera_conformance.target.config_file import ConfigFile
from paylera_fixtures.clauses import CLAUSES
from paylera_fixtures.vocabulary import PROBLEM_TYPES
from paylera_mock.cli.main import main as mock
from paylera_mock.control import CALLS
from paylera_mock.faults.presets import PRESETS
from paylera_mock.findings.catalog import KINDS
from paylera_mock.mutants import all_mutants

PROGRAMS: Final = {"paylera-mock": mock, "paylera-conformance": suite}
SCRIPTS: Final = sysconfig.get_path("scripts")
TUTORIALS: Final = sorted((DOCS / "tutorials").glob("*.md"))
STEP: Final = re.compile(r"```(\w+)(?: title=\"(\S+)\"| exit=(\d+))?\n(.*?)```", re.DOTALL)
FIXTURES: Final = (
    *("paylera", "paylera_app", "paylera_module", "paylera_requests", "paylera_respx", "paylera_server"),
    *("paylera_session", "paylera_settings", "paylera_token", "paylera_transport"),
)


def builder() -> ModuleType:
    """The script that builds the site."""
    spec = importlib.util.spec_from_file_location("build_site", DOCS / "build_site.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@cache
def page(name: str) -> str:
    """The text of a page of the reference."""
    return "\n\n".join(builder().PAGES[f"reference/{name}.md"]())


def anchors(name: str) -> list[str]:
    """The anchors of a page, in its order."""
    return re.findall(r"\{ #(\S+) \}$", page(name), re.MULTILINE)


def test_every_id_has_its_anchor() -> None:
    """Whoever reads a message looks it up by what it names."""
    assert set(anchors("clauses")) == {clause.id for clause in CLAUSES} | {clause.group for clause in CLAUSES}
    assert anchors("problems") == [problem.code for problem in PROBLEM_TYPES]
    assert anchors("findings") == list(dict.fromkeys(kind.id for kind in KINDS))
    assert anchors("mutants") == list(all_mutants())
    assert anchors("paylera-mock") == sorted(mock.commands)
    assert anchors("paylera-conformance") == sorted(suite.commands)
    assert sorted(anchors("fixtures")) == sorted(FIXTURES)
    assert anchors("configuration") == [*ConfigFile.__struct_fields__]


def test_every_call_and_every_fault_has_its_line() -> None:
    """And no other."""
    calls = {f"{method} C/{path}".rstrip("/") for path, methods in CALLS.items() for method in methods}
    assert set(re.findall(r"^\| `(\w+ C\S*)` \|", page("control-api"), re.MULTILINE)) == calls
    assert set(re.findall(r"^\| `([\w-]+)` \|", page("faults"), re.MULTILINE)) == set(PRESETS)


def test_every_clause_names_what_looks_at_it() -> None:
    """A test of the suite's, or a rule of the matrix."""
    assert [name for name, cases in builder().cases_of_clauses().items() if not cases] == []


@pytest.mark.slow
def test_site_is_built_strictly(tmp_path: Path) -> None:
    """Every link and every anchor leads somewhere; nothing is loaded from elsewhere."""
    command = [sys.executable, str(DOCS / "build_site.py"), str(tmp_path / "built")]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    site = tmp_path / "built" / "site"
    html = (site / "reference" / "clauses" / "index.html").read_text("utf-8")
    assert 'id="token.revoked"' in html
    loaded = {
        url
        for file in site.rglob("*.html")
        for url in re.findall(r'<(?:script|img)[^>]* src="(http[^"]+)', file.read_text())
    }
    assert loaded == set()


@pytest.mark.slow
def test_link_that_leads_nowhere_fails_the_build(tmp_path: Path) -> None:
    """Else the builder would be no check."""
    module = builder()
    folder = tmp_path / "built"
    folder.mkdir()
    module.assemble(folder)
    with (folder / "pages" / "index.md").open("a") as index:
        index.write("\n[gone](how-to/suite.md#no-such-heading)\n")
    assert module.build(folder) != 0


@contextlib.contextmanager
def served(*options: str) -> Iterator[str]:
    """The URL of a fake on a free port."""
    command = [sys.executable, "-m", "paylera_mock", "serve", *options, "--port=0", "--quiet", "--max-seconds=600"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield json.loads(process.stdout.readline())["url"]
        process.terminate()


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """The URL of a fake that all problems are asked of."""
    with served() as url:
        yield url


def run_in_shell(script: str, folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run the lines of a block, by the programs of this environment."""
    env = {**os.environ, "PATH": f"{SCRIPTS}{os.pathsep}{os.environ['PATH']}", "NO_PROXY": "*", **variables}
    return subprocess.run(
        ["/bin/bash", "-ec", script], capture_output=True, text=True, check=False, cwd=folder, env=env
    )


@pytest.mark.slow
@pytest.mark.parametrize("code", [problem.code for problem in PROBLEM_TYPES])
def test_problem_is_provoked(url: str, tmp_path: Path, code: str) -> None:
    """By the commands of its section: the last answer has the code."""
    written = builder().problems()[code]["provoke"]
    script = written.replace("http://127.0.0.1:4242", url).replace("curl ", "curl -s ")
    ended = run_in_shell(script + ("; true" if written.startswith("paylera-mock") else ""), tmp_path)
    wanted = rf"\b\d{{3}} {re.escape(code)}\b" if written.startswith("paylera-mock") else f'"problem":"{code}"'
    assert re.search(wanted, ended.stdout), ended.stdout + ended.stderr


def test_every_problem_is_written_of() -> None:
    """And nothing else."""
    rows = builder().problems()
    assert {code: set(row) for code, row in rows.items()} == {
        problem.code: {"means", "causes", "provoke"} for problem in PROBLEM_TYPES
    }


def follow(tutorial: Path, folder: Path) -> Iterator[tuple[str, int, Any]]:
    """Do what a tutorial says in its order: each command, the status that it has to end with, and how it ended.

    What it serves on port 4242, until it serves something else, has a free port here.
    """
    with contextlib.ExitStack() as servers:
        url = ""
        for language, file, status, text in STEP.findall(tutorial.read_text("utf-8")):
            if file:
                (folder / file).write_text(text, "utf-8")
            elif text.startswith("paylera-mock serve"):
                servers.close()
                url = servers.enter_context(served(*shlex.split(text)[2:]))
            elif language == "console" and "pip install" not in text:
                yield text, int(status or 0), run_in_shell(text.replace("http://127.0.0.1:4242", url), folder)


@pytest.mark.slow
@pytest.mark.parametrize("tutorial", TUTORIALS, ids=lambda path: path.stem)
def test_tutorial_can_be_followed(tutorial: Path, tmp_path: Path) -> None:
    """From an empty folder to its end; what a text block shows was printed by the command before."""
    printed = ""
    for command, status, ended in follow(tutorial, tmp_path):
        printed += ended.stdout + ended.stderr
        assert ended.returncode == status, f"{command}{ended.stdout}{ended.stderr}"
    shown = [text.strip() for language, _, _, text in STEP.findall(tutorial.read_text("utf-8")) if language == "text"]
    assert [text for text in shown if text not in printed] == []


def test_a_pytest_on_the_path_comes_before_the_one_beside_the_fake(tmp_path: Path) -> None:
    """Which the tutorial says of `pipx run`, where the folder of the fake is not on the PATH."""
    (tmp_path / "pytest").write_text("#!/bin/sh\necho one of mine\n", "utf-8")
    (tmp_path / "pytest").chmod(0o755)
    command = [sys.executable, "-m", "paylera_mock", "exec", "--", "pytest"]
    env = {**os.environ, "PATH": str(tmp_path)}
    ended = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    assert ended.stdout == "one of mine\n", ended.stderr
    assert "`exec -- pytest` runs a pytest of yours" in (DOCS / "tutorials" / "sdk.md").read_text("utf-8")


def unknown_words(program: str, line: str) -> list[str]:
    """What a command line names of a program that it does not have."""
    words = shlex.split(line.partition("  #")[0].partition(" -- ")[0].replace("'", "").replace('"', ""))
    name = words[0].strip(")")
    command = PROGRAMS[program].commands.get(name)
    if command is None:
        return [name] * (name not in {"", "|", "--help"})
    known = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
    return [word for word in words if word.startswith("--") and word.partition("=")[0] not in known]


@pytest.mark.parametrize("path", sorted(DOCS.rglob("*.md")), ids=lambda path: str(path.relative_to(DOCS)))
def test_every_command_of_a_page_exists(path: Path) -> None:
    """With its options, on every page."""
    blocks = "\n".join(text for language, _, _, text in STEP.findall(path.read_text("utf-8")) if language == "console")
    lines = re.findall(r"(paylera-(?:mock|conformance)) ([^\n]+)", blocks.replace("\\\n", " "))
    assert [(line, wrong) for program, line in lines if (wrong := unknown_words(program, line))] == []


@pytest.mark.parametrize("path", sorted(DOCS.rglob("*.md")), ids=lambda path: str(path.relative_to(DOCS)))
def test_every_link_of_a_page_leads_to_a_file(path: Path) -> None:
    """In the repository itself; the site has the anchors looked at too."""
    links = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", path.read_text("utf-8"))
    assert [link for link in links if not is_page(path.parent / link)] == []


def is_page(path: Path) -> bool:
    """Whether there is a file, or a page of the reference that is made when the site is built."""
    resolved = path.resolve()
    return resolved.is_file() or resolved.relative_to(DOCS).as_posix() in builder().PAGES


def test_every_guide_is_listed() -> None:
    """Whoever reads them in the repository has no other navigation."""
    listed = set(re.findall(r"\]\(([\w-]+\.md)\)", (DOCS / "how-to" / "index.md").read_text("utf-8")))
    assert listed == {path.name for path in (DOCS / "how-to").glob("*.md")} - {"index.md"}
