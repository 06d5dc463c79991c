"""Writes paragraphs for people: at a terminal in its width and in colour, elsewhere plain and in 80 columns."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Iterable
from typing import NamedTuple

import click


class Styled(NamedTuple):
    """A piece of text, with a style of rich's: `bold red`."""

    text: str
    style: str


class Paragraph(NamedTuple):
    """Text that is wrapped between words, each of its lines behind `indent` blanks."""

    pieces: tuple[str | Styled, ...]
    indent: int = 0


def write_paragraphs(paragraphs: Iterable[Paragraph], *, err: bool = False) -> None:
    """Write to stdout, or with `err` to stderr. Nothing in a text is taken for markup."""
    if not (sys.stderr if err else sys.stdout).isatty():
        for pieces, indent in paragraphs:
            text = "".join(piece if isinstance(piece, str) else piece.text for piece in pieces)
            blanks = " " * indent
            click.echo(
                textwrap.fill(text, 80, initial_indent=blanks, subsequent_indent=blanks, break_on_hyphens=False),
                err=err,
            )
        return
    # rich takes as long to import as all else that a command needs, and only a terminal shows what it does.
    from rich.console import Console  # noqa: PLC0415
    from rich.padding import Padding  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    color = click.get_current_context().find_root().color is not False
    console = Console(stderr=err, color_system="auto" if color else None, highlight=False)
    for pieces, indent in paragraphs:
        console.print(Padding(Text.assemble(*pieces), (0, 0, 0, indent), expand=False))
