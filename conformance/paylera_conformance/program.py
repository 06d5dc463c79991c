"""What the commands of `paylera-conformance` have in common: options, exit codes, and what pytest gets."""

from __future__ import annotations

import re
import sys
import traceback
from argparse import SUPPRESS
from collections.abc import Callable, Collection, Mapping
from importlib.util import find_spec
from typing import Any, Final

import click
from click.shell_completion import CompletionItem

from paylera_conformance.run.options import OPTIMIZED, OPTIONS
from paylera_fixtures.clauses import BY_ID, CLAUSES
from paylera_fixtures.command_group import CommandGroup
from paylera_fixtures.printable import printable_lines
from paylera_fixtures.redaction import redact
from paylera_fixtures.terminal import drop_output
from paylera_fixtures.vocabulary import PROBLEM_TYPES, READINGS, Environment, Profile

USAGE_ERROR: Final = 4
INTERRUPTED: Final = 2
INTERNAL: Final = 3
_EXTRA: Final = (
    *("pytest", "xdist", "schemathesis", "hypothesis"),
    *("cryptography", "filelock", "securesystemslib", "jinja2", "junitparser", "harfile"),
)
_EXPRESSION_HELP: Final = "Only the cases whose names match, as pytest's -k."
_PYTEST_FLAGS: Final = {
    "x": "Stop at the first failure.",
    "v": "Show each case.",
    "q": "Show no progress.",
}
RUN_OPTIONS: Final = frozenset(name for name, settings in OPTIONS if settings["help"] is not SUPPRESS)


def complete_clauses(_context: click.Context, _parameter: click.Parameter, begun: str) -> list[str]:
    """The ids and groups of clauses that begin as a word does, for a shell."""
    names = sorted({*BY_ID, *(clause.group for clause in CLAUSES)})
    return [name for name in names if name.startswith(begun)]


def complete_explained(_context: click.Context, _parameter: click.Parameter, begun: str) -> list[str]:
    """The ids of clauses and the problem codes that begin as a word does, for a shell."""
    names = sorted({*BY_ID, *(problem.code for problem in PROBLEM_TYPES)})
    return [name for name in names if name.startswith(begun)]


_COMPLETIONS: Final[Mapping[str, Callable[..., list[Any]]]] = {
    "clause": complete_clauses,
    **{
        name: lambda _context, _parameter, begun, words=words: [word for word in words if word.startswith(begun)]
        for name, words in {
            "profile": tuple(Profile),
            "environment": tuple(Environment),
            "mode": ("observe", "sandbox", "full"),
            "driver": ("static", "control", "python"),
            "reading": tuple(f"{row.name}={value}" for row in READINGS.values() for value in row.values),
        }.items()
    },
    **{
        name: lambda _context, _parameter, _begun, kind=kind: [CompletionItem("", type=kind)]
        for name, kind in {
            "config": "file",
            "known-failures": "file",
            "ca-file": "file",
            "state": "file",
            "report": "dir",
        }.items()
    },
}
"""What a shell completes an option's value to; click knows it of the options that have a choice."""


class UsageError(click.ClickException):
    """A mistake of the user's: one line that names the fix, exit 4."""

    exit_code = USAGE_ERROR


class Command(click.Command):
    """A command of which a mistake in the configuration is a usage error; all but `explain` need the extra `suite`.

    `unread_status`: how it ends where nobody reads on; click would say 1, as if a clause had failed.
    """

    unread_status = INTERRUPTED

    def invoke(self, ctx: click.Context) -> Any:
        """Run; what is returned is the exit code."""
        if sys.flags.optimize:
            raise UsageError(OPTIMIZED)
        missing = [name for name in _EXTRA if find_spec(name) is None] if self.name != "explain" else []
        if missing:
            raise UsageError(f"{', '.join(missing)} not installed: pip install 'paylera-testkit[suite]'")
        from paylera_conformance.target.settings import ConfigError  # noqa: PLC0415 - see the docstring of `cli`

        try:
            return super().invoke(ctx)
        except ConfigError as error:
            raise UsageError(str(error)) from None
        except BrokenPipeError:
            drop_output()
            return self.unread_status


class LookupCommand(Command):
    """A command that prints what stands in the suite's tables: who reads its beginning alone has all they want."""

    unread_status = 0


def _check_expression(_context: click.Context, _parameter: click.Parameter, given: str | None) -> str | None:
    clause = next((word for word in re.findall(r"[\w.-]+", given or "") if word in BY_ID), None)
    if clause:
        raise UsageError(f"-k goes by the names of cases, and {clause} is a clause: give --clause {clause}")
    return given


class PytestCommand(Command):
    """A command whose argument `pytest_args` is what pytest gets: `-k`, `-x`, `-v`, `-q` and what stands behind `--`.

    Nothing else comes there, so that a misspelt option is told.
    """

    def __init__(self, *args: Any, **settings: Any) -> None:
        super().__init__(*args, **settings)
        self.params += [
            click.Option(["-k", "expression"], metavar="EXPRESSION", callback=_check_expression, help=_EXPRESSION_HELP),
            *(click.Option([f"-{name}"], is_flag=True, help=text) for name, text in _PYTEST_FLAGS.items()),
        ]

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read what stands before `--`. Raises `UsageError` for an option that is not one of the command's."""
        place = args.index("--") if "--" in args else len(args)
        behind = tuple(args[place + 1 :])
        try:
            rest = super().parse_args(ctx, args[:place])
        except click.NoSuchOption as error:
            # Named so where a command writes one file.
            names = ["--report"] if error.option_name in {"--out", "--output"} else error.possibilities
            near = f"did you mean {' or '.join(names)}? " if names else ""
            raise UsageError(
                f"there is no option {error.option_name}: {near}Options of pytest stand behind --, as in"
                f" `{ctx.command_path} … -- --maxfail=3`"
            ) from None
        words = [f"-{name}" for name in _PYTEST_FLAGS if ctx.params.pop(name, False)]
        expression = ctx.params.pop("expression", None)
        ctx.params["pytest_args"] = (*words, *(["-k", expression] if expression else []), *behind)
        return rest

    def collect_usage_pieces(self, ctx: click.Context) -> list[str]:
        """The pieces of the usage line."""
        return [*super().collect_usage_pieces(ctx), "[-- PYTEST_ARGS...]"]


class Program(CommandGroup):
    """A group whose usage errors exit with 4: click's own 2 means "interrupted" here."""

    command_class = Command

    def main(self, *args: Any, **extra: Any) -> Any:
        """Run, and exit as the command says."""
        try:
            sys.exit(super().main(*args, **{**extra, "standalone_mode": False}))
        except click.ClickException as error:
            error.show()
            sys.exit(USAGE_ERROR if isinstance(error, click.UsageError) else error.exit_code)
        except click.Abort:
            sys.exit(INTERRUPTED)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is no verdict about a target
            # A message may repeat what a target said, or a secret.
            click.echo(printable_lines(redact("".join(traceback.format_exception(error)))), err=True)
            click.echo("Error: this is a fault of the suite itself, and no verdict: please report it", err=True)
            sys.exit(INTERNAL)


def run_options(names: Collection[str]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Give a command some of the options of a run, which pytest has too."""

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        for name, settings in reversed(OPTIONS):
            if name in names:
                command = click.option(
                    f"--{name}",
                    is_flag=settings.get("action") == "store_true",
                    multiple=settings.get("action") == "append",
                    metavar=settings.get("metavar"),
                    type=settings.get("type"),
                    help=settings["help"],
                    shell_complete=_COMPLETIONS.get(name),
                )(command)
        return command

    return decorate
