"""What the commands print: at a terminal's width and in colour there, and plain where the output goes elsewhere.

rich takes as long to import as all else that a command needs: it is imported where something is drawn on a terminal.
"""

from __future__ import annotations

import shutil
import sys
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeAlias

import click

Piece: TypeAlias = tuple[str, str]
"""A text, and its style in rich's words, as `bold red`; empty for none."""


@dataclass(frozen=True)
class Line:
    """A line of output, of which the text is wrapped where the line is too long.

    - `first`: what stands before the text;
    - `style`: of the text, in rich's words;
    - `indent`: columns at which its further lines begin; without it, below the text.
    """

    text: str = ""
    first: str | Sequence[Piece] = ""
    style: str = ""
    indent: int | None = None

    def wrap(self, width: int) -> list[Piece]:
        """The pieces of the line at a width; a word that is longer, as a URL may be, stays whole."""
        pieces = [(self.first, "")] if isinstance(self.first, str) else list(self.first)
        head = "".join(text for text, _ in pieces)
        wrapped = textwrap.fill(
            self.text,
            width,
            initial_indent=head,
            subsequent_indent=" " * (len(head) if self.indent is None else self.indent),
            break_on_hyphens=False,
            break_long_words=False,
        )
        return [*pieces, (wrapped[len(head) :], self.style)]


def render_lines(lines: Iterable[Line], *, width: int, styled: bool) -> Iterator[str]:
    """Each line as text, wrapped at a width, and with the codes by which a terminal shows its styles."""
    if not styled:
        yield from ("".join(text for text, _ in line.wrap(width)) for line in lines)
        return
    from rich.console import Console  # noqa: PLC0415 - see the module's docstring
    from rich.text import Text  # noqa: PLC0415

    # All of it is text: brackets in what a target said are no markup.
    console = Console(force_terminal=True, markup=False, emoji=False, highlight=False)
    for line in lines:
        with console.capture() as capture:
            console.print(Text.assemble(*line.wrap(width)), soft_wrap=True)
        yield capture.get().removesuffix("\n")


def print_lines(lines: Iterable[Line], *, width: int = sys.maxsize) -> None:
    """Print lines as they come. `width`: at which they are wrapped where stdout is no terminal."""
    styled = sys.stdout.isatty()
    columns = shutil.get_terminal_size().columns if styled else width
    for text in render_lines(lines, width=columns, styled=styled):
        click.echo(text)


@contextmanager
def show_status(text: str) -> Iterator[None]:
    """Say on stderr what takes its time: in motion on a terminal, elsewhere in a line."""
    if not sys.stderr.isatty():
        click.echo(text, err=True)
        yield
        return
    from rich.console import Console  # noqa: PLC0415 - see the module's docstring

    with Console(stderr=True, markup=False, emoji=False).status(text):
        yield
