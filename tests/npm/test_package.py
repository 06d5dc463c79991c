"""The npm package as it is published: its types, its contents, and the examples for three test runners."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from helpers.npm import Npm
from helpers.paths import EXAMPLES, ROOT
from paylera_mock.control import document
from paylera_mock.version import version

PACKAGE = ROOT / "npm"
MANIFEST: dict[str, Any] = json.loads((PACKAGE / "package.json").read_text("utf-8"))


@pytest.fixture(scope="module")
def npm(tmp_path_factory: pytest.TempPathFactory) -> Npm:
    """A copy of the package with its tools, and a project of a user's in it that has the package installed."""
    made = Npm(tmp_path_factory.mktemp("npm") / "package", PACKAGE)
    packed = made.run("npm", "pack", "--silent")
    assert packed.returncode == 0, packed.stderr
    project = made.folder / "project"
    shutil.copytree(EXAMPLES / "npm", project)
    installed = project / "node_modules" / "paylera-mock"
    installed.mkdir(parents=True)
    shutil.unpack_archive(made.folder / packed.stdout.strip(), project / "unpacked", "gztar", filter="data")
    (project / "unpacked" / "package").rename(installed)
    return made


def test_it_has_the_version_of_the_program_that_it_starts() -> None:
    """Which it installs."""
    locked = json.loads((PACKAGE / "package-lock.json").read_text("utf-8"))["packages"][""]
    assert (MANIFEST["version"], locked["version"]) == (version(), version())


def test_it_has_the_licence_of_the_project() -> None:
    """A package of npm has a copy of its own."""
    assert (PACKAGE / "LICENSE").read_text("utf-8") == (ROOT / "LICENSE").read_text("utf-8")


@pytest.mark.slow
def test_the_types_are_those_of_the_control_api(npm: Npm) -> None:
    """`npm run types` writes them anew, from what `/_mock/openapi.json` answers."""
    written = (npm.folder / "control.d.ts").read_text("utf-8")
    (npm.folder / "control.json").write_text(json.dumps(document("http://127.0.0.1:4242/_mock")), "utf-8")
    generating = npm.run("npm", "run", "types")
    assert generating.returncode == 0, generating.stderr
    generated = (npm.folder / "control.d.ts").read_text("utf-8")
    (npm.folder / "control.d.ts").write_text(written, "utf-8")
    assert generated == written, "npm/control.d.ts is out of date: see CONTRIBUTING.md"


@pytest.mark.slow
def test_publint_finds_nothing(npm: Npm) -> None:
    """No entry that leads nowhere, and none that a tool cannot read."""
    linting = npm.run(npm.program("publint"), "--strict")
    assert linting.returncode == 0, linting.stdout


@pytest.mark.slow
def test_it_holds_what_it_needs_and_no_more(npm: Npm) -> None:
    """No test, no lock and no tool's file is a user's business."""
    packing = npm.run("npm", "pack", "--dry-run", "--json", "--silent")
    (packed,) = json.loads(packing.stdout)
    wanted = {
        path.relative_to(PACKAGE).as_posix()
        for pattern in ("*.js", "*.mjs", "*.d.ts", "*.d.mts", "bin/*", "lib/*", "LICENSE", "README.md", "package.json")
        for path in PACKAGE.glob(pattern)
    }
    assert {each["path"] for each in packed["files"]} == wanted


RIGHT = """
const { data } = await opened.call("GET", "/journal", { query: { method: "POST", status: "2xx" } });
const status: number | null = data[0].answer.status;
const { secret } = await opened.call("POST", "/tokens", { body: { audience: "service", scopes: [] } });
await opened.call("POST", "/tokens/{id}/rotate", { path: { id: "tok_1" } });
await opened.call("POST", "/faults", { body: { action: "drop" } });
const nothing: undefined = await opened.call("POST", "/reset");
"""

WRONG = {
    "a path that is none": 'await opened.call("GET", "/journals");',
    "a method that the path does not have": 'await opened.call("PUT", "/tokens");',
    "a body that is missing": 'await opened.call("POST", "/tokens");',
    "a misspelt member": 'await opened.call("POST", "/tokens", { body: { audiense: "service", scopes: [] } });',
    "an audience that is none": 'await opened.call("POST", "/tokens", { body: { audience: "servant", scopes: [] } });',
    "an id that is missing": 'await opened.call("POST", "/tokens/{id}/rotate");',
    "a filter that is none": 'await opened.call("GET", "/journal", { query: { verb: "POST" } });',
    "a result that is none": 'const now: number = (await opened.call("GET", "/clock")).now;',
}


def check_types(npm: Npm, name: str, lines: str) -> subprocess.CompletedProcess[str]:
    """What the type checker says of a module of the user's."""
    module = npm.folder / "project" / f"{name}.mts"
    module.write_text(
        f'import {{ openNamespace }} from "paylera-mock";\nconst opened = await openNamespace();\n{lines}'
    )
    options = ("--noEmit", "--strict", "--module", "nodenext", "--target", "es2022", "--typeRoots", "none")
    return npm.run(npm.program("tsc"), *options, str(module))


@pytest.mark.slow
def test_calls_of_the_control_api_have_types(npm: Npm) -> None:
    """Strict, and without any of Node's own types installed."""
    checked = check_types(npm, "right", RIGHT)
    assert checked.returncode == 0, checked.stdout


@pytest.mark.slow
def test_a_wrong_call_is_an_error_of_types(npm: Npm) -> None:
    """Each of them, and nothing else of the package."""
    checked = check_types(npm, "wrong", "\n".join(WRONG.values()))
    lines = {
        int(line.partition("(")[2].partition(",")[0]) for line in checked.stdout.splitlines() if "error TS" in line
    }
    assert lines == set(range(3, 3 + len(WRONG))), checked.stdout


RUNNERS = {"jest": ("jest",), "vitest": ("vitest", "run"), "node": ("node", "--test", "node-test/client.test.mjs")}


@pytest.fixture
def client(npm: Npm) -> Iterator[Path]:
    """The client that the examples test, which is put back afterwards."""
    path = npm.folder / "project" / "client.js"
    as_it_was = path.read_text("utf-8")
    yield path
    path.write_text(as_it_was, "utf-8")


@pytest.mark.slow
@pytest.mark.parametrize("runner", RUNNERS)
def test_an_example_is_red_and_then_green(npm: Npm, client: Path, runner: str) -> None:
    """By the client alone: its first version makes a second customer where an answer is lost."""
    red = run_tests(npm, runner)
    client.write_bytes((client.parent / "client.fixed.js").read_bytes())
    green = run_tests(npm, runner)
    said = red.stdout + red.stderr
    assert (red.returncode, "a lost answer creates one customer" in said) == (1, True), said
    assert green.returncode == 0, green.stdout + green.stderr


def run_tests(npm: Npm, runner: str) -> subprocess.CompletedProcess[str]:
    """The tests of the examples' project, by one of the runners."""
    program, *arguments = RUNNERS[runner]
    command = f"cd project && exec {program if program == 'node' else npm.program(program)} {' '.join(arguments)}"
    # Named, so that what is under test is this checkout's.
    return npm.run("sh", "-c", command, PAYLERA_MOCK_COMMAND=f"{sys.executable} -m paylera_mock")


README = (PACKAGE / "README.md").read_text("utf-8")
SHOWN = re.findall(r"```js\n(.*?)```", README, re.DOTALL)
KEY = '    headers["Idempotency-Key"] = randomUUID();\n'
LOOP = "  for (let attempt = 1; ; attempt += 1) {\n"


@pytest.mark.slow
@pytest.mark.parametrize("runner", ["jest", "vitest", "node"])
def test_the_readme_does_what_it_says(npm: Npm, runner: str) -> None:
    """Its files in a folder of their own: red, and green by the line that it says. Node warns of nothing."""
    client, test, config, node_test, _ = SHOWN
    folder = npm.folder / "project" / f"readme-{runner}"
    folder.mkdir()
    imports = "\n".join(re.findall(r"`(import [^`]+)`", README))
    for_vitest = re.sub(r"^.*", imports, test, count=1)
    files = {
        "jest": {"package.json": re.findall(r"```json\n(.*?)```", README, re.DOTALL)[0], "client.test.js": test},
        "vitest": {"vitest.config.mjs": config, "client.test.js": for_vitest},
        "node": {"customers.test.mjs": node_test},
    }[runner]
    for name, text in {"package.json": "{}", "client.js": client, **files}.items():
        (folder / name).write_text(text, "utf-8")
    program = {"jest": [npm.program("jest")], "vitest": [npm.program("vitest"), "run"], "node": ["node", "--test"]}
    command = f"cd project/{folder.name} && exec {' '.join(program[runner])}"
    red = npm.run("sh", "-c", command, PAYLERA_MOCK_COMMAND=f"{sys.executable} -m paylera_mock")
    (folder / "client.js").write_text(client.replace(KEY, "").replace(LOOP, KEY + LOOP), "utf-8")
    green = npm.run("sh", "-c", command, PAYLERA_MOCK_COMMAND=f"{sys.executable} -m paylera_mock")
    assert (red.returncode, "a lost answer creates one customer" in red.stdout + red.stderr) == (1, True), red.stderr
    assert (green.returncode, "Warning" in green.stdout + green.stderr) == (0, False), green.stdout + green.stderr


@pytest.mark.slow
def test_exec_gives_the_tests_the_fake_that_it_started(npm: Npm, client: Path) -> None:
    """`npx paylera-mock exec -- node --test`: no other is started."""
    client.write_bytes((client.parent / "client.fixed.js").read_bytes())
    (npm.folder / "project" / "shared.test.mjs").write_text(
        'import { openNamespace } from "paylera-mock";\nimport { test } from "node:test";\n'
        'test("x", async () => { const opened = await openNamespace();\n'
        "if (opened.sharedUrl !== process.env.PAYLERA_CONTROL_URL) throw new Error(opened.sharedUrl);\n"
        "await opened.close(); });\n",
        "utf-8",
    )
    launcher = "node_modules/paylera-mock/bin/paylera-mock.js"
    command = f"cd project && exec node {launcher} exec -- node --test shared.test.mjs"
    ran = npm.run("sh", "-c", command, PAYLERA_MOCK_COMMAND=f"{sys.executable} -m paylera_mock")
    assert ran.returncode == 0, ran.stdout + ran.stderr


@pytest.mark.slow
@pytest.mark.parametrize("runner", ["jest", "vitest"])
def test_exec_has_the_findings_of_a_run_with_global_setup(npm: Npm, runner: str) -> None:
    """It starts no other program under `exec`, which would say that no request has reached the fake."""
    program, *arguments = RUNNERS[runner]
    words = " ".join((npm.program(program), *arguments))
    command = f"cd project && exec node node_modules/paylera-mock/bin/paylera-mock.js exec -- {words}"
    ran = npm.run("sh", "-c", command, PAYLERA_MOCK_COMMAND=f"{sys.executable} -m paylera_mock")
    said = ran.stdout + ran.stderr
    assert (ran.returncode, "no request" in said, "about the client" in said) == (1, False, True), said


@pytest.mark.slow
def test_each_file_has_a_fake_of_its_own_in_one_program(npm: Npm) -> None:
    """Two files of one run see neither one another's objects, nor another program; and none is left."""
    folder = npm.folder / "project" / "jest"
    for name in ("one", "two"):
        (folder / f"{name}.test.js").write_text(
            'const { fake } = require("paylera-mock");\n'
            f'test("{name}", async () => {{\n'
            f'  require("node:fs").writeFileSync("{name}.url", `${{fake().sharedUrl}} ${{fake().url}}`);\n'
            "  expect(process.env.PAYLERA_BASE_URL).toBe(fake().url);\n"
            "});\n",
            "utf-8",
        )
    run_tests(npm, "jest")
    (first_program, first), (second_program, second) = (
        (npm.folder / "project" / f"{name}.url").read_text("utf-8").split() for name in ("one", "two")
    )
    assert (first_program == second_program, first == second) == (True, False)
