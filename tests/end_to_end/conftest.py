"""The suite as a program, and what it is pointed at."""

from __future__ import annotations

from helpers.program_fixtures import answering, deploy, furnish, make_program, program, serve

__all__ = ["answering", "deploy", "furnish", "make_program", "program", "serve"]
