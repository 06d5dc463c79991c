"""What the commands print: at a terminal's width and in colour there, and plain where the output goes elsewhere."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from rich.console import Console
from rich.text import Text


@dataclass(frozen=True)
class Line:
    """A line of output. Where it is too long it is wrapped, and its further lines begin below `text`.

    - `first`: what stands before the text, in colour if need be.
    """

    text: str = ""
    first: str | Text = ""


def print_lines(lines: Iterable[Line], *, width: int = sys.maxsize) -> None:
    """Print lines as they come. `width`: at which they are wrapped where stdout is no terminal."""
    # All of it is text: brackets in what a target said are no markup.
    console = Console(force_terminal=sys.stdout.isatty(), markup=False, emoji=False, highlight=False)
    for line in lines:
        first = Text.assemble(line.first)
        wrapped = textwrap.fill(
            line.text,
            console.width if console.is_terminal else width,
            initial_indent=first.plain,
            subsequent_indent=" " * len(first),
            break_on_hyphens=False,
            break_long_words=False,
        )
        console.print(first + Text(wrapped[len(first) :]), soft_wrap=True)


@contextmanager
def show_status(text: str) -> Iterator[None]:
    """Say on stderr what takes its time: in motion on a terminal, elsewhere in a line."""
    console = Console(stderr=True, force_terminal=sys.stderr.isatty(), markup=False, emoji=False, highlight=False)
    if console.is_terminal:
        with console.status(text):
            yield
    else:
        console.print(text, soft_wrap=True)
        yield
