"""Builds the site: `python docs/build_site.py FOLDER`.

It has the pages of docs/, and the reference from the tables in the code.

It is built strictly: a link or an anchor that leads nowhere ends it with status 1. Needs the extra `docs`. Each id of a
clause, a problem, a finding or a mutant has an anchor of that name, which never changes.
"""

from __future__ import annotations

import inspect
import json
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from types import MappingProxyType
from typing import Any, Final

import click

from paylera_conformance import clauses as suite
from paylera_conformance.cli import main as conformance_program
from paylera_conformance.marker import MARKER
from paylera_conformance.matrix.rules import RULES
from paylera_conformance.plugin import pytest_addoption
from paylera_conformance.run.options import OPTIONS
from paylera_conformance.target.config_file import config_schema
from paylera_fixtures.clauses import CLAUSES, GROUPS, Clause
from paylera_fixtures.vocabulary import PROBLEM_TYPES, Profile
from paylera_mock.cli.main import main as mock_program
from paylera_mock.control import CALLS
from paylera_mock.faults.presets import PRESETS
from paylera_mock.findings.catalog import KINDS
from paylera_mock.mutants import all_mutants
from paylera_mock.mutants.holes import all_holes
from paylera_mock.testing import plugin

DOCS: Final = Path(__file__).parent
_METHODS: Final = ("GET", "POST", "PUT", "DELETE")
_ESCAPES: Final = str.maketrans({"<": "&lt;", "|": "&#124;", "*": "&#42;"})


def _text(text: str) -> str:
    """A text of the code in Markdown: what is not between back quotes is no markup."""
    pieces = " ".join(text.split()).split("`")
    return "`".join(piece if place % 2 else piece.translate(_ESCAPES) for place, piece in enumerate(pieces))


def _heading(name: str, *, level: int = 3) -> str:
    return f"{'#' * level} `{name}` {{ #{name} }}"


def _clause_link(name: str) -> str:
    return f"[`{name}`](clauses.md#{name})"


def first_paragraph(thing: object) -> str:
    """What a docstring says first."""
    return _text(inspect.cleandoc(getattr(thing, "__doc__", None) or "").split("\n\n")[0])


def cases_of_clauses() -> Mapping[str, list[tuple[str, str]]]:
    """The tests and the rules of the matrix that look at each clause: the name of each, and what it says."""
    found: dict[str, list[tuple[str, str]]] = {clause.id: [] for clause in CLAUSES}
    for module in iter_modules(suite.__path__, f"{suite.__name__}."):
        tests = inspect.getmembers(import_module(module.name), inspect.isfunction)
        for name, test in sorted(tests, key=lambda member: member[1].__code__.co_firstlineno):
            for mark in getattr(test, "pytestmark", ()):
                if mark.name == MARKER:
                    found[mark.args[0]].append((name, first_paragraph(test)))
    for rule in RULES.values():
        words = f"On every operation that it says something of: {rule.words}."
        found[rule.clause].append((f"matrix: {rule.name}", _text(words)))
    return found


def clause_page() -> Iterator[str]:
    """Every clause."""
    yield "# Clauses\n\nWhat the contract asks for, in this project's words. The id of a clause never changes."
    yield "`must`: a violation fails a target. `should`: it is a finding."
    cases = cases_of_clauses()
    breaking = {
        clause.id: [name for name, each in all_mutants().items() if clause.id in each.breaks] for clause in CLAUSES
    }
    for group, title in GROUPS.items():
        yield f"## {group}: {title} {{ #{group} }}"
        for clause in (clause for clause in CLAUSES if clause.group == group):
            yield from _clause(clause, cases[clause.id], breaking[clause.id])


def _clause(clause: Clause, cases: list[tuple[str, str]], breaking: list[str]) -> Iterator[str]:
    levels = ", ".join(f"{clause.level(profile)} (profile {profile})" for profile in Profile)
    yield _heading(clause.id)
    yield _text(clause.says)
    yield f"Level: {levels}. Source: {_text(clause.section)} ({clause.source})."
    if clause.probes:
        yield f"Looked at by: {_text(clause.probes)}."
    yield "\n".join(f"- `{name}`: {says}" for name, says in cases)
    if breaking:
        links = ", ".join(f"[`{name}`](mutants.md#{name})" for name in breaking)
        yield f'??? info "Broken by {len(breaking)} of the mutants"\n\n    {links}'


def problems() -> dict[str, dict[str, str]]:
    """What is written of each problem, by its code."""
    found: dict[str, dict[str, str]] = {}
    for name, table in tomllib.loads((DOCS / "problems.toml").read_text("utf-8")).items():
        rows = {name: table} if "means" in table else {f"{name}.{rest}": row for rest, row in table.items()}
        found |= rows
    return found


def problem_page() -> Iterator[str]:
    """Every problem code."""
    yield "# Problems"
    yield (
        "Every refusal is a problem document (RFC 9457): `problem` is the code to branch on, `type` its URI. The"
        " commands provoke each here; those of curl ask a fake that `paylera-mock serve` runs on port 4242."
    )
    written = problems()
    for problem in PROBLEM_TYPES:
        row = written[problem.code]
        about = [clause.id for clause in CLAUSES if f"`{problem.code}`" in f"{clause.says} {clause.probes}"]
        source = "" if problem.documented else " No source has this code: it is this project's choice."
        yield _heading(problem.code)
        yield f"{_text(problem.title)} · type `{problem.type_uri}`"
        yield f"**What it means.** {row['means']}{source}"
        yield f"**What causes it.** {row['causes']}"
        yield f"**How to provoke it here.**\n\n```console\n{row['provoke'].strip()}\n```"
        if about:
            yield f"Clauses: {', '.join(map(_clause_link, about))}"


def finding_page() -> Iterator[str]:
    """Every finding."""
    yield "# Findings"
    yield "What the fake says of clients, with the fix ([guide](../how-to/findings.md))."
    for name in dict.fromkeys(kind.id for kind in KINDS):
        yield _heading(name)
        for kind in (kind for kind in KINDS if kind.id == name):
            about = f" Clause: {_clause_link(kind.clause)}" if kind.clause else ""
            yield f"- **{kind.severity}**: {_text(kind.message)}\n  Fix: {_text(kind.fix)}{about}"


def mutant_page() -> Iterator[str]:
    """Every mutant and every dialect."""
    yield (
        "# Mutants\n\nThe deliberate defects, and the dialects, that `--mutant ID` gives the fake, for trying whether"
        f" your tests would notice. Beside them are {len(all_holes())} holes, each a rule that is dropped on one"
        " operation: `paylera-mock mutants --holes`."
    )
    for name, mutant in all_mutants().items():
        yield _heading(name)
        breaks = f" Breaks {', '.join(map(_clause_link, mutant.breaks))}." if mutant.breaks else " A dialect."
        yield f"{_text(mutant.description)}{breaks}"


def command_page(program: click.Group, name: str) -> Iterator[str]:
    """Every command of a program, with its options."""
    yield f"# {name}\n\n{first_paragraph(program.callback)}"
    whole = click.Context(program, info_name=name, **program.context_settings)
    for command_name, command in sorted(program.commands.items()):
        context = click.Context(command, info_name=command_name, parent=whole)
        yield f"## `{command_name}` {{ #{command_name} }}"
        yield f"```text\n{context.command_path} {' '.join(command.collect_usage_pieces(context))}\n```"
        yield "\n\n".join(map(_text, inspect.cleandoc(command.help or "").split("\n\n")))
        rows = ["| option | what it does |", "|---|---|"]
        for option in command.get_params(context):
            if isinstance(option, click.Option) and not option.hidden:
                names, says = option.get_help_record(context) or ("", "")
                rows.append(f"| `{names.replace('|', ' · ')}` | {_text(says)} |")
        yield "\n".join(rows)


def control_page() -> Iterator[str]:
    """Every call of the control API."""
    yield "# Control API"
    yield (
        "`C` is the control URL of the fake, as `http://127.0.0.1:4242/_mock`, or of a namespace. JSON goes in and"
        " comes out, and a member that a call does not take is refused. [The protocol](protocol.md) is the part of"
        " it that any server may offer to the suite. Long lists come in pages: `limit` says how many, and the"
        " `next_cursor` of an answer is the `cursor` of the query for the next ones, until it is `null`."
    )
    yield (
        "`GET C/openapi.json` is the OpenAPI 3.1 document of all calls, for generators of clients; in Python"
        " `paylera_mock.control.schemas()` gives the JSON Schemas of all bodies, queries and results."
    )
    rows = ["| call | what it does |", "|---|---|"]
    for path in sorted(CALLS):
        for method in sorted(CALLS[path], key=_METHODS.index):
            call = CALLS[path][method]
            rows.append(f"| `{call.name}` | {_text(call.description)} |")
    yield "\n".join(rows)


def fixture_page() -> Iterator[str]:
    """Every fixture of the pytest plugin, and the options of a run by pytest."""
    yield "# Fixtures of pytest"
    yield "They come with the extra `sdk`: see [the guide](../how-to/python.md)."
    for name, thing in vars(plugin).items():
        if hasattr(thing, "_fixture_function_marker") and not name.startswith("_"):
            yield _heading(name)
            yield f"{first_paragraph(thing)} Scope: {thing._fixture_function_marker.scope}."  # noqa: SLF001 - no other way
    yield "## Options of a run of the suite\n\n" + first_paragraph(pytest_addoption)
    rows = ["| option | what it does |", "|---|---|"]
    rows += [f"| `--paylera-{name}` | {_text(row['help'])} |" for name, row in OPTIONS if "SUPPRESS" not in row["help"]]
    yield "\n".join(rows)


def configuration_page() -> Iterator[str]:
    """Every table of the suite's configuration file, from its JSON Schema."""
    yield "# Configuration file"
    yield (
        "`paylera-conformance.toml`, or `--config FILE` ([how it is used](../how-to/suite.md#the-configuration-file))."
        " `paylera-conformance schema --config` prints its JSON Schema. What is not here is refused."
    )
    schema = config_schema()["$defs"]
    says = {name.replace("-", "_"): row["help"].partition("  [default")[0] for name, row in OPTIONS}
    for name, table in schema["ConfigFile"]["properties"].items():
        of_each = table.get("additionalProperties", {})
        found = schema.get((of_each or table).get("$ref", "").rpartition("/")[2], table)
        yield f"## `[{name}{'.NAME' * ('$ref' in of_each)}]` {{ #{name} }}"
        yield from (map(_text_or_list, found["description"].split("\n\n")) if "description" in found else ())
        if "properties" in found:
            rows = ["| member | what it is | what it must be | default |", "|---|---|---|---|"]
            rows += [_member(member, says.get(member, ""), row) for member, row in found["properties"].items()]
            yield "\n".join(rows)
        else:
            names = ", ".join(f"`{member}`" for member in table["propertyNames"]["enum"])
            yield f"Where the target's differ from the documented ones: METHOD /path, or a list of them, for {names}."


def _text_or_list(part: str) -> str:
    return part if part.startswith("- ") else _text(part)


def _member(name: str, says: str, row: Mapping[str, Any]) -> str:
    must_be = _text(row["description"])
    if not must_be.startswith("one of") and "enum" in row:
        must_be += ": " + ", ".join(f"`{each}`" for each in row["enum"] if isinstance(each, str))
    default = f"`{json.dumps(row['default'])}`" if row.get("default", []) != [] else ""
    return f"| `{name}` | {_text(says)} | {must_be} | {default} |"


def fault_page() -> Iterator[str]:
    """Every ready fault."""
    yield "# Ready faults\n\nAnswers by which SDKs crash: see [the guide](../how-to/faults.md)."
    rows = ["| preset | what is answered |", "|---|---|"]
    yield "\n".join(rows + [f"| `{name}` | {_text(preset.description)} |" for name, preset in PRESETS.items()])


PAGES: Final[Mapping[str, Callable[[], Iterator[str]]]] = MappingProxyType(
    {
        "reference/clauses.md": clause_page,
        "reference/problems.md": problem_page,
        "reference/findings.md": finding_page,
        "reference/mutants.md": mutant_page,
        "reference/paylera-mock.md": lambda: command_page(mock_program, "paylera-mock"),
        "reference/paylera-conformance.md": lambda: command_page(conformance_program, "paylera-conformance"),
        "reference/control-api.md": control_page,
        "reference/configuration.md": configuration_page,
        "reference/fixtures.md": fixture_page,
        "reference/faults.md": fault_page,
    }
)
"""Each page by its place in the site."""


def assemble(folder: Path) -> None:
    """Write the configuration and every page to a folder, the examples that they lead to among them."""
    pages = folder / "pages"
    shutil.copytree(DOCS, pages, ignore=shutil.ignore_patterns("*.py", "*.json", "*.toml", "__pycache__"))
    shutil.copytree(DOCS.parent / "examples", pages / "examples", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(DOCS / "zensical.toml", folder)
    shutil.copy(DOCS.parent / "npm" / "README.md", pages / "how-to" / "npm.md")
    for path in (pages / "how-to").glob("*.md"):
        text = path.read_text("utf-8").replace("](../../npm/README.md)", "](npm.md)")
        path.write_text(text.replace("](../../examples/", "](../examples/"), "utf-8")
    for place, page in PAGES.items():
        (pages / place).write_text("\n\n".join(page()) + "\n", "utf-8")


def build(folder: Path) -> int:
    """Build what was assembled in a folder, into its part `site`: the exit status."""
    command = [sys.executable, "-m", "zensical", "build", "--strict", "--config-file", "zensical.toml"]
    return subprocess.run(command, cwd=folder, check=False).returncode  # noqa: S603 - the builder


def main() -> None:
    """Build the site in the folder that is named."""
    if len(sys.argv) != 2 or Path(sys.argv[1]).exists():  # noqa: PLR2004 - the program and one argument
        sys.exit("name one folder, which is not there yet: python docs/build_site.py FOLDER")
    target = Path(sys.argv[1])
    target.mkdir(parents=True)
    assemble(target)
    sys.exit(build(target))


if __name__ == "__main__":
    main()
